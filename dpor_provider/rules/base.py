"""What a rule is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from dpor_provider.model import Finding, Intent, Level
from dpor_provider.rules.subject import Subject

SIMPLE = """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
"""
"""What most examples declare."""


@dataclass(frozen=True, slots=True)
class Example:
    """A declaration that a rule finds something in, or nothing; the tests run it."""

    declaration: str
    """YAML, as in `partners.yaml`."""
    live: str = ""
    """YAML: what registry and platform hold, by the names of `dpor_provider.live.Live`."""
    says: str = ""
    """What the finding's message holds."""


class Rule:
    """One rule: a class in a file of its own in this folder."""

    id: ClassVar[str]
    name: ClassVar[str]
    summary: ClassVar[str]
    rationale: ClassVar[str]
    """Why it matters; paragraphs of Markdown."""
    mend: ClassVar[str]
    """What to do about a finding; paragraphs of Markdown."""
    finds: ClassVar[tuple[Example, ...]]
    accepts: ClassVar[tuple[Example, ...]]
    level: ClassVar[Level] = Level.MANDATORY
    property_name: ClassVar[str]
    """The resource's property that its findings are about."""
    declared_in: ClassVar[str | None] = None
    """Where a declaration file states it more closely: a key of `Declared.where`."""
    intents: ClassVar[tuple[Intent, ...]] = (Intent.DESIGNATED,)
    """The declarations that it has something to say on."""
    needs_live: ClassVar[bool] = True
    """Whether it has nothing to say without registry and platform."""
    needs_subscription: ClassVar[bool] = True
    """Whether it is about the subscription, and not about the partner alone."""
    needs_known: ClassVar[tuple[str, ...]] = ()
    """The properties without which it cannot say anything yet."""
    knows_exceptions: ClassVar[bool] = True
    guards_writes: ClassVar[bool] = False
    """Whether the resource itself refuses what it finds, with or without a policy pack."""

    def messages(self, subject: Subject) -> Iterator[str]:
        """One line for each problem: what is wrong, and what to do next.

        A rule with more to say of a finding than a line has a `find` of its own.
        """
        del subject
        yield from ()

    def applies(self, subject: Subject) -> bool:
        """Whether what it looks at is there."""
        if subject.declared.intent not in self.intents:
            return False
        if self.needs_subscription and not subject.id_known:
            return False
        if self.needs_live and (
            subject.view is None or (self.needs_subscription and not subject.readable)
        ):
            return False
        return not subject.unknown or subject.unknown.isdisjoint(self.needs_known)

    def find(self, subject: Subject) -> Iterator[Finding]:
        """The findings on one subscription."""
        if self.applies(subject):
            for message in self.messages(subject):
                yield self.finding(subject, message)

    def finding(
        self,
        subject: Subject,
        message: str,
        *,
        about: str = "",
        place: str | None = None,
        level: Level | None = None,
    ) -> Finding:
        """A finding of this rule.

        Args:
            subject: What it is about.
            message: One line.
            about: What tells it from others of this rule on the same property.
            place: The key of `Declared.where` that it stands at, if not the rule's own.
            level: If not the rule's own.
        """
        declared = subject.declared
        keys = (place, self.declared_in, self.property_name, "subscription_id")
        key = next((key for key in keys if key in declared.where), None)
        # What is wrong with a file's entry of a partner is wrong for every subscription of it.
        of_partner = key is not None and key == self.declared_in
        return Finding(
            rule=self.id,
            message=message,
            subscription_id=None if of_partner else declared.subscription_id or None,
            property_name=self.property_name,
            where=declared.where[key] if key is not None else None,
            level=level or self.level,
            partner_id=declared.partner_id,
            about=about,
        )
