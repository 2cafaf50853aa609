"""DPOR304: another partner's live designation would be replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.rules.base import Rule, Subject


class UnexpectedPartner(Rule):
    """What somebody else designated is replaced only by who names it."""

    id: ClassVar = "DPOR304"
    name: ClassVar = "unexpected-partner"
    summary: ClassVar = "Another partner is live, and `replaces` does not name it."
    property_name: ClassVar = "partner_id"

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
