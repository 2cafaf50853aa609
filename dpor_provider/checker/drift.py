"""Drift: what is live against what is declared, subscription by subscription."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dpor_provider.live import Live, Record
from dpor_provider.model import ROOT_SCOPE, Declared, Estate, Intent, subscription_scope


class Kind(StrEnum):
    """How live and declared differ."""

    CHANGED = "changed"
    MISSING = "missing"
    UNDECLARED = "undeclared"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Drifted:
    """One subscription that is not as declared."""

    subscription_id: str
    kind: Kind
    declared_partner_id: str | None
    live_partner_id: str | None
    changed_by: str | None
    changed_at: datetime | None
    managed_by: str | None = None
    """project/stack/resource name that owns the live designation; None if nobody does."""
    cause: str | None = None
    """Why it could not be read, or what shows that it was changed."""


def drift(estate: Estate, live: Live, scope: str | None = None) -> Iterator[Drifted]:
    """What is not as declared, in the order of the declarations.

    Args:
        estate: The declarations; what is `undecided` is not compared.
        live: What registry and platform hold.
        scope: Where to look for designations that nobody declares: `/` or `/subscriptions/UUID`;
            nowhere by default, since other declarations may be responsible there.
    """
    for declared in estate.subscriptions:
        if cause := live.unreadable_because(declared.subscription_id):
            yield _drifted(Kind.UNREADABLE, declared, Record(declared.subscription_id), cause)
        elif declared.intent is not Intent.UNDECIDED:
            record = live.record(declared.subscription_id)
            if not live.directory.same(record.partner_id, declared.partner_id):
                kind = Kind.MISSING if record.partner_id is None else Kind.CHANGED
                yield _drifted(kind, declared, record)
            elif label := record.mislabelled:
                yield replace(
                    _drifted(Kind.CHANGED, declared, record, f"its label says {label}"),
                    live_partner_id=label.partner_id,
                    changed_by=None,
                    changed_at=None,
                )
    if scope is None:
        return
    named = {declared.subscription_id for declared in estate.subscriptions}
    for subscription_id in sorted(live.known - named):
        record = live.record(subscription_id)
        if record.partner_id and scope in (ROOT_SCOPE, subscription_scope(subscription_id)):
            yield _drifted(Kind.UNDECLARED, Declared(subscription_id), record)


def _drifted(kind: Kind, declared: Declared, record: Record, cause: str | None = None) -> Drifted:
    return Drifted(
        subscription_id=declared.subscription_id,
        kind=kind,
        declared_partner_id=declared.partner_id,
        live_partner_id=record.partner_id,
        changed_by=record.changed_by,
        changed_at=record.changed_at,
        managed_by=record.managed_by,
        cause=cause,
    )
