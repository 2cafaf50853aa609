"""What a check came to; every reporter prints the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dpor_provider.model import Finding, Level, Partner


class SuppressedBy(StrEnum):
    """Why a finding does not count."""

    EXCEPTION = "exception"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Suppression:
    """What takes a finding out of the count; it is listed nevertheless."""

    kind: SuppressedBy
    reason: str | None = None
    expires: date | None = None
    """The last day, included."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A finding as it is reported."""

    finding: Finding
    fingerprint: str
    """The same for the same finding after lines have moved; no two of a result are equal."""
    excerpt: str | None = None
    """The line of the file that it begins in."""
    suppressed: Suppression | None = None

    @property
    def counts(self) -> bool:
        """Whether it ends the check with exit code 1."""
        return self.suppressed is None and self.finding.level is Level.MANDATORY


class ChangeKind(StrEnum):
    """What a revision does to a subscription."""

    DESIGNATED = "designated"
    SWITCHED = "switched"
    WITHDRAWN = "withdrawn"
    EXCEPTION_REQUESTED = "exception-requested"


@dataclass(frozen=True, slots=True)
class Change:
    """What a revision does to one subscription."""

    kind: ChangeKind
    subscription_id: str
    before: Partner | None = None
    """The partner at the base revision."""
    after: Partner | None = None
    detail: str | None = None
    """The rule, the last day and the reason of an exception that is requested."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a check came to."""

    subscriptions: int
    """How many were examined."""
    findings: tuple[Reported, ...]
    """In the order of files and lines; what has no place comes first."""
    not_run: tuple[str, ...] = ()
    """The rules that need a registry, where there was none."""
    base: str | None = None
    """The revision that it was compared with."""
    changes: tuple[Change, ...] = ()

    def count(self, level: Level) -> int:
        """How many findings of a level are not suppressed."""
        return sum(1 for one in self.findings if not one.suppressed and one.finding.level is level)

    @property
    def suppressed(self) -> int:
        """How many findings are suppressed."""
        return sum(1 for one in self.findings if one.suppressed)

    @property
    def failed(self) -> bool:
        """Whether a mandatory finding counts."""
        return any(one.counts for one in self.findings)
