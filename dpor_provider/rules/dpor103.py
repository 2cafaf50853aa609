"""DPOR103: the name stated is not the one on record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.names import same_name
from dpor_provider.rules.base import Rule, Subject


class PartnerNameMismatch(Rule):
    """The manual procedure's last step, verify the name and only then save."""

    id: ClassVar = "DPOR103"
    name: ClassVar = "partner-name-mismatch"
    summary: ClassVar = "The partner's name is not the one on record for that Partner ID."
    property_name: ClassVar = "partner_name"
    declared_in: ClassVar = "directory_name"
    needs_subscription: ClassVar = False

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name both, and whose the stated name is."""
        declared, directory = subject.declared, subject.live.directory
        name = declared.partner_name
        partner = directory.partners.get(declared.partner_id or "")
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
            " correct the ID or the name"
        )
