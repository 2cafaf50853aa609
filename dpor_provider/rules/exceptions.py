"""Exceptions from rules: which of a declaration's count, and what they take out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from dpor_provider.model import Estate, Finding, RuleException
from dpor_provider.rules.subject import Subject


@dataclass(frozen=True, slots=True)
class Settled:
    """Findings after a declaration's exceptions."""

    findings: tuple[Finding, ...]
    suppressed: tuple[tuple[Finding, RuleException], ...]


def settle(subject: Subject, findings: Iterable[Finding], knowing: Iterable[str]) -> Settled:
    """Take out what an exception covers.

    An exception that is malformed, has no reason, is past its last day or is not approved where
    approval is needed covers nothing; DPOR002 says so.

    Args:
        subject: The subscription, with its exceptions.
        findings: What the rules found on it.
        knowing: The ids of the rules that know exceptions.
    """
    if not subject.declared.exceptions:
        return Settled(tuple(findings), ())
    covering = {
        exception.rule: exception
        for exception in subject.declared.exceptions
        if exception.rule in knowing and counts(subject, exception)
    }
    kept, suppressed = [], []
    for finding in findings:
        if exception := covering.get(finding.rule):
            suppressed.append((finding, exception))
        else:
            kept.append(finding)
    return Settled(tuple(kept), tuple(suppressed))


def counts(subject: Subject, exception: RuleException) -> bool:
    """Whether an exception has a reason, is approved, and today is not past its last day."""
    return (
        bool(exception.reason.strip())
        and subject.terms.today <= exception.expires
        and approved(subject, exception)
    )


Approvals = Mapping[tuple[str, str], date]
"""The last day of each approved exception, by subscription and rule."""


def approvals(estate: Estate) -> Approvals:
    """The last day of each exception of an estate, by subscription and rule."""
    days: dict[tuple[str, str], date] = {}
    for declared in estate.subscriptions:
        for exception in declared.exceptions:
            key = (declared.subscription_id, exception.rule)
            days[key] = max(exception.expires, days.get(key, exception.expires))
    return days


def approved(subject: Subject, exception: RuleException) -> bool:
    """Whether it also stands where the approved ones do, for at least as long."""
    given = subject.terms.approved
    return given is None or stands_in(given, subject.declared.subscription_id, exception)


def stands_in(given: Approvals, subscription_id: str, exception: RuleException) -> bool:
    """Whether a subscription's exception is among the approved ones, for at least as long."""
    until = given.get((subscription_id, exception.rule))
    return until is not None and exception.expires <= until
