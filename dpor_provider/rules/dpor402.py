"""DPOR402: a subscription without a partner of record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.model import Intent, Level
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class UndesignatedSubscription(Rule):
    """Nobody is called first for help."""

    id: ClassVar = "DPOR402"
    name: ClassVar = "undesignated-subscription"
    summary: ClassVar = "A known subscription has no partner of record, or nobody has decided."
    rationale: ClassVar = (
        "A subscription that was forgotten credits nobody, and its provider is not called for help."
        " `none` with a reason is a decision and no finding; `undecided` is none, and neither is"
        " silence about a subscription that the registry knows. Without a registry, only"
        " `undecided` is found."
    )
    mend: ClassVar = "Declare a partner, or `partner: none` with a `reason`."
    level: ClassVar = Level.ADVISORY
    property_name: ClassVar = "partner_id"
    intents: ClassVar = (Intent.UNDECIDED, Intent.UNDECLARED)
    needs_live: ClassVar = False
    finds: ClassVar = (
        Example(
            """\
version: 1
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: undecided}
""",
            says="is undecided",
        ),
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 8854663a-8528-5749-8fab-6489de93353a, partner_id: null}
""",
            says="8854663a-8528-5749-8fab-6489de93353a is known to the registry",
        ),
    )
    accepts: ClassVar = (
        Example(
            """\
version: 1
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: none, reason: Internal}
""",
        ),
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 8854663a-8528-5749-8fab-6489de93353a, partner_id: "4567890"}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the subscription, and what to declare."""
        declared = subject.declared
        if declared.intent is Intent.UNDECIDED:
            named = f"{declared.subscription_id}{f' ({declared.name})' if declared.name else ''}"
            yield (
                f"the partner of subscription {named} is undecided; name one, or write 'none' with"
                " a 'reason'"
            )
        elif subject.readable and subject.record.partner_id is None:
            yield (
                f"subscription {declared.subscription_id} is known to the registry, has no partner"
                " of record, and is not declared; declare a partner, or 'none' with a 'reason'"
            )
