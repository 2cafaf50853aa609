"""Discovery: what is live, as declarations to go on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dpor_provider.live import Live
from dpor_provider.model import Declared, Intent, Label


@dataclass(frozen=True, slots=True)
class Shown:
    """The subscriptions that a platform shows."""

    source: str
    """Which platform, or which file, for remarks."""
    names: Mapping[str, str | None]
    """The subscriptions' own names, by id; None where it does not say."""
    labels: Mapping[str, Label] = field(default_factory=dict)
    """What their labels say, which is no evidence."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """One subscription, declared as it is; `undecided` where no partner is known."""

    declared: Declared
    remarks: tuple[str, ...]
    """What a person should know who goes on from there."""


def discover(live: Live, shown: Shown) -> list[Discovered]:
    """Declare what is live, in the order of the subscriptions' names.

    Args:
        live: What registry and platform hold.
        shown: The subscriptions to declare. What the registry has designated is declared as well:
            what the platform does not show may be out of sight only.
    """
    designated = {one for one in live.known if live.record(one).partner_id}
    return [
        _discovered(subscription_id, live, shown)
        for subscription_id in sorted(
            designated.union(shown.names), key=lambda one: (shown.names.get(one) or "", one)
        )
    ]


def _discovered(subscription_id: str, live: Live, shown: Shown) -> Discovered:
    partner = live.directory.find(live.record(subscription_id).partner_id or "")
    declared = Declared(
        subscription_id,
        partner_id=partner.id if partner else None,
        intent=Intent.DESIGNATED if partner else Intent.UNDECIDED,
        name=shown.names.get(subscription_id),
    )
    return Discovered(declared, tuple(_remarks(declared, live, shown)))


def _remarks(declared: Declared, live: Live, shown: Shown) -> Iterator[str]:
    subscription_id, directory = declared.subscription_id, live.directory
    record, source = live.record(subscription_id), shown.source
    if subscription_id not in shown.names:
        yield f"not shown by {source}: deleted, moved away, or out of sight"
        source = "the portal, as last seen,"
    if record.partner_id and declared.partner_id is None:
        name = f" ({record.partner_name})" if record.partner_name else ""
        yield (
            f"{source} shows Partner ID {record.partner_id}{name}, which is not in the registry's"
            " directory; see: dpor registry partner add"
        )
    row = live.designations.get(subscription_id)
    if record.on_platform and row is not None:
        said = directory.label(row.partner_id) if row.partner_id else "no partner"
        yield f"the registry says {said}, and {source} something else"
    seen = live.observations.get(subscription_id)
    if seen and not directory.same(seen.partner_id, record.partner_id):
        what = directory.label(seen.partner_id) if seen.partner_id else "no partner"
        yield f"{source} still shows {what}: not confirmed yet"
    label = shown.labels.get(subscription_id)
    if declared.partner_id is None and label and label.partner_id:
        yield (
            f"labelled {label}, which anybody with Tag Contributor can write, and which is no"
            " evidence: the registry has no designation"
        )
    if record.managed_by:
        yield f"declared by {record.managed_by} already: keep it in one declaration"
