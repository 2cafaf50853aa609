"""What a run of the engine did, or would do: as JSON, or as lines for a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from dpor_provider.cli.output import note, print_table, print_text
from dpor_provider.printable import inert

if TYPE_CHECKING:
    from dpor_provider.engine.designations import Change
    from dpor_provider.engine.events import Diagnostic
    from dpor_provider.engine.outcome import Outcome

KINDS = (
    "designated",
    "switched",
    "adopted",
    "repaired",
    "updated",
    "withdrawn",
    "left",
    "gone",
    "unchanged",
    "failed",
)
"""What happens to designations, in the order of a summary."""

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ALIKE = 20
"""So many lines that differ in the subscription alone are all shown."""
SHOWN = 5
"""How many are, where there are more."""


def as_json(outcome: Outcome) -> dict[str, object]:
    """All of it, for another program."""
    return {
        "version": 1,
        "operation": outcome.operation,
        "stack": outcome.stack,
        "result": "failed" if outcome.exit_code else "succeeded",
        "begun": outcome.begun,
        "changes": dict(outcome.changes),
        "designations": dict(_counts(outcome)),
        "subscriptions": [asdict(change) for change in _changed(outcome)],
        "failed": [asdict(failure) for failure in outcome.failures],
        "diagnostics": [asdict(found) for found in outcome.diagnostics],
        "duration_s": outcome.duration_s,
    }


def print_outcome(outcome: Outcome, *, diff: bool) -> None:
    """What a person wants to know of it.

    Args:
        outcome: What a run did, or a preview found.
        diff: Whether the engine's own account is shown in place of ours.
    """
    for said in without_floods(outcome.diagnostics):
        note(inert(f"dpor: {said}"))
    if diff:
        print_text(outcome.output)
    if not outcome.begun and not diff:
        _print_changes(outcome)
    what = ", ".join(f"{count} {kind}" for kind, count in _counts(outcome))
    if lost := sum(map(_ends, outcome.designations)):
        what += f"; {lost} {'access ends' if lost == 1 else 'accesses end'}"
    if not what:
        what = "it failed" if outcome.exit_code else "no partner of record"
    idle = "" if outcome.begun or outcome.operation == "preview" else ", of which nothing was done"
    print_text(f"{outcome.operation} of {outcome.stack}{idle}: {what} ({outcome.duration_s} s)")


def _counts(outcome: Outcome) -> Iterator[tuple[str, int]]:
    """How many designations each kind of change is of, in the order of a summary."""
    counts = Counter(change.kind.value for change in outcome.designations)
    # What fails in its check never becomes a step.
    failed = len({failure.urn for failure in outcome.failures})
    counts["failed"] = max(counts["failed"], failed)
    return ((kind, counts[kind]) for kind in KINDS if counts[kind])


def _ends(change: Change) -> int:
    """How many accesses end with a change."""
    return 0 if change.kind == "failed" else len(change.revokes) + len(change.stale_access)


def _changed(outcome: Outcome) -> list[Change]:
    return [change for change in outcome.designations if change.kind != "unchanged"]


def without_floods(diagnostics: Sequence[Diagnostic]) -> Iterator[str]:
    """What is said, where thousands of subscriptions have the same to say, of a few of them."""

    def kind(found: Diagnostic) -> str:
        name = found.urn.rpartition("::")[2] if found.urn else ""
        return UUID.sub("", str(found).replace(name, "") if name else str(found))

    kinds = list(map(kind, diagnostics))
    counts, said = Counter(kinds), Counter[str]()
    for found, alike in zip(diagnostics, kinds, strict=True):
        said[alike] += 1
        if counts[alike] <= ALIKE or said[alike] <= SHOWN:
            yield str(found)
        elif said[alike] == SHOWN + 1:
            more = counts[alike] - SHOWN
            yield f"{found.severity}: the same of {more} more; --format json has them all"


def _print_changes(outcome: Outcome) -> None:
    changed = _changed(outcome)
    if changed:
        print_table(
            "Plan",
            ("Subscription", "Change", "Partner ID", "Former", "Why, and what goes"),
            (
                (
                    change.subscription_id,
                    change.kind,
                    change.partner_id,
                    change.former_partner_id,
                    _notices(change),
                )
                for change in changed
            ),
            "",
        )


def _notices(change: Change) -> str | None:
    parts = [change.drift] if change.drift else []
    for heading, items in (("revokes", change.revokes), ("stale access", change.stale_access)):
        if items:
            parts.append(f"{heading}: {', '.join(items)}")
    return "; ".join(parts) or None
