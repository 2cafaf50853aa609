"""DPOR401: a subscription that another project owns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.model import Intent
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class DuplicateDesignation(Rule):
    """One subscription, one owner: two projects would undo each other's work for ever."""

    id: ClassVar = "DPOR401"
    name: ClassVar = "duplicate-designation"
    summary: ClassVar = "The subscription is declared twice, here or by another project."
    rationale: ClassVar = (
        "One subscription, one owner: two declarations of it, in one estate or in two "
        "projects, would undo each other's work at every deployment. `dpor check` sees the "
        "estate that it is given; the resource and the policy pack see the owner that the "
        "registry records as well."
    )
    mend: ClassVar = (
        "Remove one of the two. To take over from another project, remove it there or write "
        "`moved_from: PROJECT`."
    )
    property_name: ClassVar = "subscription_id"
    intents: ClassVar = (Intent.DESIGNATED, Intent.NONE, Intent.UNDECIDED)
    needs_live: ClassVar = False
    guards_writes: ClassVar = True
    finds: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
  - {id: 6F9619FF-8B86-4D01-B42D-00CF4FC964FF, partner: contoso}
""",
            says="is declared twice",
        ),
        Example(
            SIMPLE,
            """\
managed_by: estate/prod/payments
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff,
     partner_id: "4567890", managed_by: other/prod/payments}
""",
            says="belongs to other/prod/payments",
        ),
    )
    accepts: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso, moved_from: other}
""",
            """\
managed_by: estate/prod/payments
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff,
     partner_id: "4567890", managed_by: other/prod/payments}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name both places, or the owner and how to take over."""
        declared = subject.declared
        if subject.elsewhere:
            yield declared_twice(declared.subscription_id, subject.elsewhere)
        if not subject.readable or "moved_from" in subject.unknown:
            return
        owner, own = subject.record.managed_by, subject.managed_by
        if owner is None or own is None or subject.record.project == own.split("/", 1)[0]:
            return
        if declared.moved_from == subject.record.project:
            return
        yield (
            f"the designation of subscription {declared.subscription_id} belongs to"
            f" {owner} (project/stack/resource): {subject.record.describe(subject.live.directory)};"
            f" remove it there, or take it over with: moved_from {subject.record.project}"
        )


def declared_twice(subscription_id: str, elsewhere: str) -> str:
    """What is said of a subscription that is declared in another place, too."""
    return (
        f"subscription {subscription_id} is declared twice, the other time by {elsewhere}; remove"
        " one of them"
    )
