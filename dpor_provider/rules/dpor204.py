"""DPOR204: what could not be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.model import Finding, Level
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class IncompleteView(Rule):
    """Unreadable is not absent, and unknown is not sound."""

    id: ClassVar = "DPOR204"
    name: ClassVar = "incomplete-view"
    summary: ClassVar = "A declared subscription could not be examined."
    rationale: ClassVar = (
        "A subscription that may not be read looks like one without a partner, without access and"
        " without an owner. So it is reported, with the cause, and the rules that would look at it"
        " do not run on it.\n\nIn a preview, a value may not be known before another resource is"
        " made. That is advisory: the rules run when the value is known, in the update itself, and"
        " the resource refuses then what they refuse."
    )
    mend: ClassVar = (
        "Give whoever runs the rules the right that the message names, or mend what it says cannot"
        " be reached. A value that is unknown in preview only has nothing to be mended; deploy the"
        " resource that it comes from first if the partner of record must be examined in preview."
    )
    property_name: ClassVar = "subscription_id"
    knows_exceptions: ClassVar = False
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
unreadable:
  6f9619ff-8b86-4d01-b42d-00cf4fc964ff: the right Microsoft.Resources/subscriptions/read is lacking
""",
            says="the right Microsoft.Resources/subscriptions/read is lacking",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
            """\
unreadable:
  8854663a-8528-5749-8fab-6489de93353a: the right Microsoft.Resources/subscriptions/read is lacking
""",
        ),
    )

    def applies(self, subject: Subject) -> bool:
        """Just where the others do not."""
        return subject.view is not None and subject.declared.intent in self.intents

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the subscription and the cause."""
        subscription_id = subject.declared.subscription_id
        if subject.id_known and (cause := subject.live.unreadable_because(subscription_id)):
            yield f"subscription {subscription_id} could not be read: {cause}"

    def find(self, subject: Subject) -> Iterator[Finding]:
        """What could not be read, and, as advisory, what is not known yet."""
        yield from super().find(subject)
        if subject.unknown and self.applies(subject):
            names = ", ".join(sorted(subject.unknown))
            yield self.finding(
                subject,
                f"{names} is not known until another resource is made; what depends on it is"
                " examined when this is deployed",
                about=f"unknown {names}",
                level=Level.ADVISORY,
            )
