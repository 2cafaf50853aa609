"""DPOR103: the name stated is not the one on record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.names import COMPARED_WITHOUT, same_name
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class PartnerNameMismatch(Rule):
    """The manual procedure's last step, verify the name and only then save."""

    id: ClassVar = "DPOR103"
    name: ClassVar = "partner-name-mismatch"
    summary: ClassVar = "The partner's name is not the one on record for that Partner ID."
    rationale: ClassVar = (
        "In the portal, a person types the Partner ID, looks at the name that appears, and "
        "only then saves. This is that look: the name stated must be the one on record for "
        "the ID. Names are compared as people write them, without case, blanks, Unicode form, "
        "commas and points, and with Ltd as Limited. A declaration is not compared with "
        "itself: without a registry, the rule does not run."
    )
    mend: ClassVar = (
        "If the name is right, the ID is another company's: correct the ID. If the partner "
        "was renamed, a Global Administrator runs `dpor registry partner rename`."
    )
    property_name: ClassVar = "partner_name"
    declared_in: ClassVar = "directory_name"
    needs_subscription: ClassVar = False
    needs_known: ClassVar = ("partner_id", "partner_name")
    guards_writes: ClassVar = True
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
directory:
  - {id: "4567890", name: Fabrikam Cloud Services}
""",
            says="on record as 'Fabrikam Cloud Services', not 'Contoso Consulting'",
        ),
        Example(
            SIMPLE,
            """\
directory:
  - {id: "4567890", name: Contoso Group, former_names: [Contoso Consulting]}
""",
            says="is a former name",
        ),
    )
    accepts: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: "CONTOSO  consulting, Ltd."}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            """\
directory:
  - {id: "4567890", name: Contoso Consulting Limited}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name both, and whose the stated name is."""
        declared, directory = subject.declared, subject.live.directory
        name = declared.partner_name
        partner = directory.partners.get(declared.partner_id or "")
        theirs = subject.live.names.get(declared.partner_id or "")
        if partner and theirs and not same_name(theirs, partner.name):
            yield (
                f"partner {partner.id} is called {theirs!r} by the platform"
                f" {subject.live.platform_name}, and {partner.name!r} in the directory: correct"
                " the ID, or run: dpor registry partner rename"
            )
            return
        if partner is None or name is None or same_name(name, partner.name):
            return
        if any(same_name(name, former) for former in partner.former_names):
            yield (
                f"{name!r} is a former name of partner {partner.id}; it is called"
                f" {partner.name!r} now: declare that"
            )
            return
        owner = next((p for p in directory.partners.values() if same_name(p.name, name)), None)
        hint = f"; {name!r} is {owner.id}" if owner else ""
        yield (
            f"Partner ID {partner.id} is on record as {partner.name!r}, not {name!r}{hint}:"
            f" correct the ID or the name (compared without {COMPARED_WITHOUT})"
        )
