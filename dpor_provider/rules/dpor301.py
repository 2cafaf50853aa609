"""DPOR301: the declared partner is retired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.model import Status
from dpor_provider.rules.base import Rule, Subject


class RetiredPartner(Rule):
    """A retired partner must not be designated any more."""

    id: ClassVar = "DPOR301"
    name: ClassVar = "retired-partner"
    summary: ClassVar = "The declared partner is retired."
    property_name: ClassVar = "partner_id"
    needs_subscription: ClassVar = False

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the successor."""
        directory = subject.live.directory
        partner = directory.partners.get(subject.declared.partner_id or "")
        if partner is None or partner.status is not Status.RETIRED:
            return
        successor = (
            f"declare its successor, {directory.label(partner.replaced_by)}"
            if partner.replaced_by
            else "declare another partner"
        )
        yield f"partner {partner.name} ({partner.id}) is retired; {successor}"
