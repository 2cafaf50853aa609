"""DPOR301: the declared partner is retired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.model import Directory, Status
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class RetiredPartner(Rule):
    """A retired partner must not be designated any more."""

    id: ClassVar = "DPOR301"
    name: ClassVar = "retired-partner"
    summary: ClassVar = "The declared partner is retired."
    rationale: ClassVar = (
        "A retired partner must not be designated any more, and its access is stale. Who is "
        "retired is the registry's word, or, where no registry is looked at, the "
        "declaration's own."
    )
    mend: ClassVar = (
        "Declare the successor that the message names. The switch shows in preview what "
        "access it ends."
    )
    property_name: ClassVar = "partner_id"
    needs_subscription: ClassVar = False
    needs_live: ClassVar = False
    needs_known: ClassVar = ("partner_id",)
    guards_writes: ClassVar = True
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
directory:
  - {id: "4567890", name: Contoso Consulting, status: retired, replaced_by: "5127255"}
  - {id: "5127255", name: Fabrikam Cloud Services}
""",
            says="declare its successor, 5127255 (Fabrikam Cloud Services)",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting, status: retired}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            """\
directory:
  - {id: "4567890", name: Contoso Consulting, status: retired}
""",
            says="is retired",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the successor."""
        directory = subject.view.directory if subject.view else Directory.of(())
        partner_id = subject.declared.partner_id or ""
        partner = directory.partners.get(partner_id) if subject.view else subject.stated
        if partner is None or partner.status is not Status.RETIRED:
            return
        successor = (
            f"declare its successor, {directory.label(partner.replaced_by)}"
            if partner.replaced_by
            else "declare another partner"
        )
        yield f"partner {partner.name} ({partner.id}) is retired; {successor}"
