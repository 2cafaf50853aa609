"""DPOR002: an exception that does not count, or will soon not count any more."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from dpor_provider.model import Finding, Intent, Level, RuleException
from dpor_provider.rules.base import Example, Rule
from dpor_provider.rules.exceptions import approved
from dpor_provider.rules.subject import Subject

NOTICE = timedelta(days=30)
"""How long before its end an exception is announced."""


class InvalidException(Rule):
    """An exception without an end is no exception."""

    id: ClassVar = "DPOR002"
    name: ClassVar = "invalid-exception"
    summary: ClassVar = "An exception has no reason, is over, or names a rule that knows none."
    rationale: ClassVar = (
        "An exception lets one rule pass for one subscription, for a reason and until a day, which"
        " is its last. What is malformed, over or not approved covers nothing: the finding is"
        " there again, and this one says why. From 30 days before its last day it is announced, as"
        " advisory, so that nobody is surprised."
    )
    mend: ClassVar = (
        "Remove what the exception covers for, and then the exception; or have a new last day"
        " approved. Where approved exceptions stand in a file of their own (`exceptions` in the"
        " policy pack's configuration, or the base revision of `dpor check --base`), the same"
        " subscription and rule must be there, with the same last day or a later one."
    )
    property_name: ClassVar = "exceptions"
    intents: ClassVar = (Intent.DESIGNATED, Intent.NONE, Intent.UNDECIDED)
    needs_live: ClassVar = False
    needs_subscription: ClassVar = False
    needs_known: ClassVar = ("exceptions",)
    knows_exceptions: ClassVar = False
    finds: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff
    partner: contoso
    exceptions:
      - {rule: DPOR302, reason: "Handover, CHG-1234", expires: 2026-11-22}
""",
            says="was over on 2026-11-22",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff
    partner: contoso
    exceptions:
      - {rule: DPOR201, reason: Urgent, expires: 2027-06-30}
""",
            says="knows no exceptions",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff
    partner: contoso
    exceptions:
      - {rule: DPOR302, reason: "Handover, CHG-1234", expires: 2026-12-23}
""",
            says="ends in 30 days",
        ),
    )
    accepts: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff
    partner: contoso
    exceptions:
      - {rule: DPOR302, reason: "Handover, CHG-1234", expires: 2026-12-24}
"""
        ),
    )

    def find(self, subject: Subject) -> Iterator[Finding]:
        """The findings on each of the exceptions, at its own place."""
        if not subject.declared.exceptions or not self.applies(subject):
            return
        for index, exception in enumerate(subject.declared.exceptions):
            said = self._problem(subject, exception)
            if said is not None:
                message, level = said
                yield self.finding(
                    subject,
                    message,
                    about=f"{exception.rule} until {exception.expires}",
                    place=f"exceptions[{index}]",
                    level=level,
                )

    def _problem(self, subject: Subject, exception: RuleException) -> tuple[str, Level] | None:
        from dpor_provider.rules import all_rules

        rule, named = all_rules().get(exception.rule), f"the exception from {exception.rule!r}"
        if rule is None:
            near = difflib.get_close_matches(exception.rule.upper(), all_rules(), n=1)
            hint = f"did you mean {near[0]}?" if near else "see: dpor rules"
            return f"{named}: there is no such rule; {hint}", Level.MANDATORY
        named = f"the exception from {rule.id} ({rule.name})"
        if not rule.knows_exceptions:
            return f"{named}: that rule knows no exceptions; remove it", Level.MANDATORY
        if not exception.reason.strip():
            return f"{named} has no reason; write one", Level.MANDATORY
        today = subject.terms.today
        if today > exception.expires:
            over = f"{named} was over on {exception.expires} ({exception.reason})"
            return f"{over}; mend what it covered for and remove it", Level.MANDATORY
        if not approved(subject, exception):
            requested = f"{named} until {exception.expires} ({exception.reason}) is requested"
            where = subject.terms.approved_in
            return f"{requested}, and does not count before {where} has it", Level.ADVISORY
        if exception.expires - today <= NOTICE:
            ends = f"{named} ends {_in_days((exception.expires - today).days)}"
            last = f"its last day is {exception.expires} ({exception.reason})"
            return f"{ends}, {last}; mend what it covers for by then", Level.ADVISORY
        return None


def _in_days(days: int) -> str:
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
