"""DPOR302: a former partner that still has access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.model import Access, Finding, Intent
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class StalePartnerAccess(Rule):
    """Whose term has ended has nothing to do there any more."""

    id: ClassVar = "DPOR302"
    name: ClassVar = "stale-partner-access"
    summary: ClassVar = "A former or retired partner still has access, and keeps it."
    rationale: ClassVar = (
        "After a switch of providers the former one often keeps its access: nobody is told, and"
        " nothing in the cloud ends it. A partner is former once its term ended by a switch or a"
        " withdrawal; a change by hand that a deployment repairs ends no term.\n\nAccess at the"
        " subscription itself is removed by the deployment that makes the switch, and is no finding"
        " then. It is one where the declaration keeps it (`former_access`), where no partner is"
        " declared any more, and where it comes from above the subscription, which a deployment"
        " never touches."
    )
    mend: ClassVar = (
        "Let `former_access` be `revoke` (the default); end inherited access where it is granted;"
        " name a partner that is to keep access in `also`. For a handover, write `former_access:"
        " {keep_until: …, reason: …}` and an exception from this rule with the same last day."
    )
    property_name: ClassVar = "former_access"
    intents: ClassVar = (Intent.DESIGNATED, Intent.NONE, Intent.UNDECIDED)
    needs_known: ClassVar = ("partner_id", "former_access", "also_partner_ids")
    finds: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso, former_access: keep}
""",
            """\
former_partners: {6f9619ff-8b86-4d01-b42d-00cf4fc964ff: ["5127255"]}
access:
  - {scope: /subscriptions/6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "5127255"}
""",
            says="former_access keeps it",
        ),
        Example(
            SIMPLE,
            """\
former_partners: {6f9619ff-8b86-4d01-b42d-00cf4fc964ff: ["5127255"]}
access:
  - {scope: /, partner_id: "5127255"}
""",
            says="held above the subscription",
        ),
        Example(
            """\
version: 1
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: none, reason: Internal}
""",
            """\
former_partners: {6f9619ff-8b86-4d01-b42d-00cf4fc964ff: ["5127255"]}
access:
  - {scope: /subscriptions/6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "5127255"}
""",
            says="no deployment removes it",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
            """\
former_partners: {6f9619ff-8b86-4d01-b42d-00cf4fc964ff: ["5127255"]}
access:
  - {scope: /subscriptions/6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "5127255"}
""",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
  fabrikam: {id: "5127255", name: Fabrikam Cloud Services}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso, also: [fabrikam]}
""",
            """\
former_partners: {6f9619ff-8b86-4d01-b42d-00cf4fc964ff: ["5127255"]}
access:
  - {scope: /, partner_id: "5127255"}
""",
        ),
    )

    def find(self, subject: Subject) -> Iterator[Finding]:
        """One finding for each access that remains."""
        if not self.applies(subject) or not (stale := subject.stale_access):
            return
        designated = subject.declared.intent is Intent.DESIGNATED
        removed = subject.removable if designated else ()
        for item in stale:
            if item not in removed:
                yield self.finding(
                    subject,
                    f"{item.role} of {item.principal} at {item.scope} belongs to"
                    f" {subject.live.directory.label(item.partner_id)}, whose term has ended or"
                    f" ends here: {_remains(subject, item)}",
                    about=f"{item.partner_id} {item.principal} {item.role} {item.scope}",
                )


def _remains(subject: Subject, item: Access) -> str:
    declared = subject.declared
    if item.inherited(declared.subscription_id):
        return (
            f"it is held {item.place(declared.subscription_id)} the subscription, where no"
            " deployment touches it; end it there, or name the partner in 'also'"
        )
    if declared.intent is not Intent.DESIGNATED:
        return "no deployment removes it, since no partner is declared; end it by hand"
    return (
        "former_access keeps it; remove that, or add an exception from DPOR302 with a reason and a"
        " last day"
    )
