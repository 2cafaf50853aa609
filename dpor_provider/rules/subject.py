"""What a rule looks at: one subscription, as it is declared and as it is."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from dpor_provider.model import Access, Declared, Estate, Intent, Partner, Role
from dpor_provider.partner_id import USUAL, Digits

if TYPE_CHECKING:
    from dpor_provider.live import Live, Record


@dataclass(frozen=True, slots=True)
class Terms:
    """What whoever runs the rules decides, and a declaration does not."""

    today: date
    roles: Collection[Role] = tuple(Role)
    """The roles that may designate."""
    digits: Digits = USUAL
    approved: Mapping[tuple[str, str], date] | None = None
    """The last day of each approved exception, by subscription and rule; None: none is needed."""
    approved_in: str = ""
    """Where the approved exceptions stand, for messages."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a program deploys to."""

    registry_id: str | None
    """The identity of its registry; None where it states none."""
    platform: str


@dataclass(frozen=True)
class Subject:
    """One subscription: its declaration beside its live record."""

    declared: Declared
    terms: Terms
    view: Live | None = None
    """None where only the declaration is looked at."""
    managed_by: str | None = None
    """project/stack/resource that declares it; None where that is not known."""
    recorded: bool = False
    """Whether a deployment of this declaration has designated it before."""
    unknown: frozenset[str] = frozenset()
    """The properties whose values are not known until other resources are made."""
    stated: Partner | None = None
    """The declaration's own entry for the partner."""
    elsewhere: str | None = None
    """Where else the same subscription is declared."""
    target: Target | None = None
    """Where it is deployed to, where that may differ from what the rules look at."""

    @property
    def live(self) -> Live:
        """The live state; only for rules that need it."""
        if self.view is None:
            raise LookupError("this rule looks at the live state, and there is none")
        return self.view

    @functools.cached_property
    def record(self) -> Record:
        """The live record."""
        return self.live.record(self.declared.subscription_id)

    @property
    def id_known(self) -> bool:
        """Whether the subscription's id is known and is one."""
        return bool(self.declared.subscription_id)

    @property
    def readable(self) -> bool:
        """Whether the subscription's live state could be read."""
        return (
            self.view is not None
            and self.view.unreadable_because(self.declared.subscription_id) is None
        )

    @functools.cached_property
    def leaving(self) -> str | None:
        """The partner whose term would end: the one last deployed, or the one a create replaces."""
        if self.declared.intent is not Intent.DESIGNATED:
            return None
        candidates = [self.record.written_partner_id]
        if not self.recorded:
            candidates.insert(0, self.record.partner_id)
        same = self.live.directory.same
        return next(
            (one for one in candidates if one and not same(one, self.declared.partner_id)), None
        )

    @functools.cached_property
    def stale_access(self) -> tuple[Access, ...]:
        """Access of former and retired partners, and of the one whose term would end."""
        if not self.live.reaching(self.declared.subscription_id):
            return ()
        return self.live.stale_access(self.declared, self.leaving)

    @property
    def removable(self) -> tuple[Access, ...]:
        """The stale access that a deployment removes: the subscription's own, unless it is kept."""
        if self.declared.former_access.kept_on(self.terms.today):
            return ()
        subscription_id = self.declared.subscription_id
        return tuple(item for item in self.stale_access if not item.inherited(subscription_id))


def subjects(estate: Estate, terms: Terms, view: Live | None) -> Iterator[Subject]:
    """The subscriptions of declaration files, in the files' order.

    Which project deploys them is not known from that; a record that some deployment owns counts as
    theirs.
    """
    by_id = {partner.id: partner for partner in estate.partners.values()}
    first: dict[str, Declared] = {}
    for declared in estate.subscriptions:
        other = first.setdefault(declared.subscription_id, declared)
        owner = view.owner(declared.subscription_id) if view else None
        yield Subject(
            declared,
            terms,
            view,
            recorded=owner is not None,
            stated=by_id.get(declared.partner_id or ""),
            elsewhere=None
            if other is declared
            else f"the entry at {other.where['subscription_id']}",
        )


def undeclared(estate: Estate, terms: Terms, view: Live) -> Iterator[Subject]:
    """The subscriptions that the registry knows and no declaration names, by their ids."""
    named = {item.subscription_id for item in estate.subscriptions}
    for subscription_id in sorted(view.known - named):
        yield Subject(Declared(subscription_id, intent=Intent.UNDECLARED), terms, view)
