"""DPOR304: another partner's live designation would be replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class UnexpectedPartner(Rule):
    """What somebody else designated is replaced only by who names it."""

    id: ClassVar = "DPOR304"
    name: ClassVar = "unexpected-partner"
    summary: ClassVar = "Another partner is live, and `replaces` does not name it."
    rationale: ClassVar = (
        "A designation that somebody else made, by hand or with other code, is replaced only "
        "by a declaration that names whom it replaces: otherwise a copied file would end "
        "another partner's term."
    )
    mend: ClassVar = (
        "Ask who made it (the message names who, and when). If it is to be replaced, write "
        "`replaces: PARTNER` (`replaces_partner_id` in a program) with the partner that is "
        "live."
    )
    property_name: ClassVar = "partner_id"
    needs_known: ClassVar = ("partner_id", "replaces_partner_id")
    guards_writes: ClassVar = True
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "5127255"}
""",
            says="replaces (replaces_partner_id) 5127255",
        ),
    )
    accepts: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso, replaces: "5127255"}
""",
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "5127255"}
""",
        ),
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "4567890"}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the live partner, and how to allow its replacement."""
        declared, directory, record = subject.declared, subject.live.directory, subject.record
        live = record.partner_id
        if (
            subject.recorded
            or declared.partner_id is None
            or live is None
            or directory.same(live, declared.partner_id)
            or directory.same(live, declared.replaces_partner_id)
        ):
            return
        named = declared.replaces_partner_id
        yield (
            f"subscription {declared.subscription_id} has {record.describe(directory)}, which is"
            f" not replaced{f', since only {directory.label(named)} may be' if named else ''};"
            f" if it is to be, say so with: replaces (replaces_partner_id) {live}"
        )
