"""Declarations to a result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from dpor_provider.checker.fingerprint import fingerprints
from dpor_provider.checker.result import Reported, Result, SuppressedBy, Suppression
from dpor_provider.checker.sources import Sources
from dpor_provider.declaration import Loaded
from dpor_provider.model import Finding, RuleException
from dpor_provider.rules import Rule, Subject, Terms, examine, subjects, undeclared

if TYPE_CHECKING:
    from dpor_provider.live import Live

Found = tuple[Finding, RuleException | None]


def check(
    loaded: Loaded,
    terms: Terms,
    live: Live | None,
    rules: Mapping[str, Rule],
    baseline: Iterable[str] = (),
) -> Result:
    """Run rules over declarations.

    Args:
        loaded: The declarations, and what is wrong with them.
        terms: What the declarations do not decide.
        live: What registry and platform hold; None to look at the declarations alone.
        rules: The rules to run.
        baseline: Fingerprints of findings that were there before, and do not count.
    """
    whole = [*subjects(loaded.estate, terms, live)]
    if live is not None and not loaded.findings:
        # What could not be read may declare them.
        whole += undeclared(loaded.estate, terms, live)
    found = _once([*((one, None) for one in loaded.findings), *_examined(whole, rules)])
    sources, known = Sources(), frozenset(baseline)
    findings = [finding for finding, _ in found]
    marks = fingerprints(findings, lambda finding: sources.line(finding.where))
    reported = [
        Reported(finding, mark, sources.line(finding.where), _suppression(exception, mark in known))
        for (finding, exception), mark in zip(found, marks, strict=True)
    ]
    return Result(
        subscriptions=len(loaded.estate.subscriptions),
        findings=tuple(sorted(reported, key=lambda one: (one.finding.place, one.finding.rule))),
        not_run=tuple(rule.id for rule in rules.values() if rule.needs_live and live is None),
    )


def _examined(whole: Iterable[Subject], rules: Mapping[str, Rule]) -> Iterator[Found]:
    for subject in whole:
        settled = examine(subject, rules)
        for finding in settled.findings:
            yield finding, None
        yield from settled.suppressed


def _once(found: Iterable[Found]) -> list[Found]:
    """Each finding once; what is wrong with a partner is found for each subscription.

    In the order of the files, but what an exception covers comes last: of equal findings, those
    that count keep their fingerprints when others are covered.
    """
    distinct = {
        (one.rule, one.message, one.where, one.subscription_id, exception is None): (one, exception)
        for one, exception in found
    }
    return sorted(
        distinct.values(), key=lambda pair: (pair[1] is not None, pair[0].place, pair[0].rule)
    )


def _suppression(exception: RuleException | None, known: bool) -> Suppression | None:
    if exception is not None:
        return Suppression(SuppressedBy.EXCEPTION, exception.reason, exception.expires)
    return Suppression(SuppressedBy.BASELINE) if known else None
