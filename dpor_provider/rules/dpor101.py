"""DPOR101: a Partner ID that cannot be one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.partner_id import malformed
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class MalformedPartnerId(Rule):
    """Partner IDs are 5 to 8 digits and never start with 0."""

    id: ClassVar = "DPOR101"
    name: ClassVar = "malformed-partner-id"
    summary: ClassVar = "The Partner ID is not 5 to 8 digits, or is a placeholder."
    rationale: ClassVar = (
        "Nobody checks the Partner ID that is typed into the portal: a wrong one credits "
        "nobody, and nobody is told. People write a prefix, a blank, a leading zero, digits "
        "of another script, a tenant id, or leave a placeholder from an example."
    )
    mend: ClassVar = (
        "Write the Partner ID (MPN ID) in quotes, as digits alone. The partner finds it in "
        "Partner Center; it is the ID of a location, not the global account's."
    )
    property_name: ClassVar = "partner_id"
    declared_in: ClassVar = "directory_id"
    needs_subscription: ClassVar = False
    needs_live: ClassVar = False
    needs_known: ClassVar = ("partner_id",)
    guards_writes: ClassVar = True
    finds: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: MPN-4567890, name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            says="did you mean '4567890'?",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: "04567890", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            says="it starts with 0; did you mean '4567890'?",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: "1234567", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            says="it is a placeholder",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: 72f988bf-86f1-41af-91ab-2d7cd011db47, name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            says="it is a GUID",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Say what the value looks like instead."""
        partner_id = subject.declared.partner_id
        if partner_id is not None and (problem := malformed(partner_id, subject.terms.digits)):
            yield f"{partner_id!r} is no Partner ID: {problem}"
