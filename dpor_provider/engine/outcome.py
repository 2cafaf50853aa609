"""What one run of the engine did, or found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dpor_provider.engine.designations import Change
from dpor_provider.engine.events import PARTNER_OF_RECORD, Diagnostic, Tally
from dpor_provider.model import subscription_uuid


@dataclass(frozen=True, slots=True)
class Failure:
    """A partner of record that could not be brought to what is declared."""

    subscription_id: str | None
    urn: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one command did, or found."""

    operation: str
    stack: str
    exit_code: int
    """0 fine, 1 something was found or refused, 2 the job could not be done, 130 stopped."""
    changes: Mapping[str, int]
    """The engine's count of steps, by operation."""
    designations: tuple[Change, ...]
    failures: tuple[Failure, ...]
    diagnostics: tuple[Diagnostic, ...]
    begun: bool
    """Whether anything was done; else it is what would be."""
    output: str
    """What the engine printed."""
    duration_s: float


def failures(tally: Tally) -> Iterator[Failure]:
    """What the engine could not do, of partners of record."""
    subscriptions = {step.urn: step.subscription_id for step in tally.designations}
    for found in tally.errors:
        if found.urn and PARTNER_OF_RECORD in found.urn and not found.policy:
            name = subscription_uuid(found.urn.rpartition("::")[2])
            yield Failure(subscriptions.get(found.urn) or name, found.urn, found.message)
