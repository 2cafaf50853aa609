"""DPOR101: a Partner ID that cannot be one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.partner_id import malformed
from dpor_provider.rules.base import Rule, Subject


class MalformedPartnerId(Rule):
    """Partner IDs are 5 to 8 digits and never start with 0."""

    id: ClassVar = "DPOR101"
    name: ClassVar = "malformed-partner-id"
    summary: ClassVar = "The Partner ID is not 5 to 8 digits, or is a placeholder."
    property_name: ClassVar = "partner_id"
    declared_in: ClassVar = "directory_id"
    needs_subscription: ClassVar = False

    def messages(self, subject: Subject) -> Iterator[str]:
        """Say what the value looks like instead."""
        partner_id = subject.declared.partner_id
        if partner_id is not None and (problem := malformed(partner_id)):
            yield f"{partner_id!r} is no Partner ID: {problem}"
