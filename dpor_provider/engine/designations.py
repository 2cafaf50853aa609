"""What steps mean for partners of record: who is designated, switched, withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from pulumi.automation import OpType

from dpor_provider.engine.events import CREATES, DELETES, Step
from dpor_provider.live import Live
from dpor_provider.resources.partner_of_record import withdraws

MOST = 10
"""So many withdrawals a plan may have without being asked, in a large estate."""
SHARE = 10
"""One in so many, in a smaller one."""


class Kind(StrEnum):
    """What happens to one subscription's partner of record."""

    DESIGNATED = "designated"
    SWITCHED = "switched"
    ADOPTED = "adopted"
    REPAIRED = "repaired"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    LEFT = "left"
    """The resource goes and the designation stays: it is another's, or is to be retained."""
    GONE = "gone"
    """There was no partner any more when the state was refreshed."""
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Change:
    """One subscription's part in a plan or a run."""

    subscription_id: str | None
    """None where it is not known before the run."""
    kind: Kind
    partner_id: str | None
    """The declared one; None where the resource goes."""
    former_partner_id: str | None
    """The one of the last deployment; None for a new resource."""
    drift: str | None = None
    """How live differs from what was deployed."""
    revokes: tuple[str, ...] = ()
    """The former partner's access that goes with the switch."""
    stale_access: tuple[str, ...] = ()
    """Access that a former or retired partner has again, and that goes."""


def changes(steps: Collection[Step], live: Callable[[], Live]) -> list[Change]:
    """What steps mean, in their order.

    Args:
        steps: All steps about partners of record of one plan or run.
        live: Gives the live state before the first step.
    """
    declared = {step.subscription_id for step in steps if step.operation not in DELETES}
    return [
        Change(
            step.subscription_id,
            _kind(step, live, declared),
            step.new.get("partner_id"),
            step.old.get("partner_id"),
            step.new.get("drift"),
            tuple(step.new.get("revokes", ())),
            tuple(step.new.get("stale_access", ())),
        )
        for step in steps
    ]


def refreshed(steps: Collection[Step]) -> list[Change]:
    """What a refresh found, which writes nothing but the state."""
    found = {OpType.UPDATE: Kind.UPDATED, OpType.DELETE: Kind.GONE}
    return [
        Change(
            step.subscription_id,
            Kind.FAILED if step.failed else found.get(step.operation, Kind.UNCHANGED),
            step.new.get("partner_id"),
            step.old.get("partner_id"),
        )
        for step in steps
    ]


def _kind(step: Step, live: Callable[[], Live], declared: Collection[str | None]) -> Kind:
    if step.failed:
        return Kind.FAILED
    subscription_id = step.subscription_id or ""
    if step.operation in DELETES:
        # A resource that makes way for another one of the same subscription: that one adopts.
        if subscription_id in declared or not withdraws(step.old, live().record(subscription_id)):
            return Kind.LEFT
        return Kind.WITHDRAWN
    partner_id = step.new.get("partner_id")
    if step.operation in CREATES:
        found = live().record(subscription_id).partner_id
        return Kind.ADOPTED if found == partner_id else Kind.DESIGNATED
    if step.operation is OpType.UPDATE:
        if step.old.get("written_partner_id") != partner_id:
            return Kind.SWITCHED
        return Kind.REPAIRED if "drift" in step.new else Kind.UPDATED
    return Kind.UNCHANGED


def limit(estate: int) -> int:
    """How many withdrawals a plan may have without being asked.

    Ten or a tenth of the estate, whichever is less, but always one: to end one of three is no
    accident.

    Args:
        estate: How many partners of record the stack has.
    """
    return max(1, min(MOST, estate // SHARE))
