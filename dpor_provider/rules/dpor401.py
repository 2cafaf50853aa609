"""DPOR401: a subscription that another project owns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.rules.base import Rule, Subject


class DuplicateDesignation(Rule):
    """One subscription, one owner: two projects would undo each other's work for ever."""

    id: ClassVar = "DPOR401"
    name: ClassVar = "duplicate-designation"
    summary: ClassVar = "The subscription is declared twice, here or by another project."
    property_name: ClassVar = "subscription_id"

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the owner, and how to take over."""
        owner, own = subject.record.managed_by, subject.managed_by
        if owner is None or own is None or subject.record.project == own.split("/", 1)[0]:
            return
        if subject.declared.moved_from == subject.record.project:
            return
        yield (
            f"the designation of subscription {subject.declared.subscription_id} belongs to"
            f" {owner} (project/stack/resource); remove it there, or take it over with:"
            f" moved_from {subject.record.project}"
        )
