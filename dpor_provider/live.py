"""The live view: what registry and platform say, together, at one moment of one run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dpor_provider.model import (
    ROOT_SCOPE,
    Access,
    Declared,
    Deployer,
    Designation,
    Directory,
    Label,
    Observation,
    subscription_scope,
)


@dataclass(frozen=True, slots=True)
class Record:
    """The live record of one subscription."""

    subscription_id: str
    partner_id: str | None = None
    """None where there is no partner of record."""
    partner_name: str | None = None
    version: int = 0
    """The registry's version of the row; 0 where it has none."""
    managed_by: str | None = None
    claim: str | None = None
    written_partner_id: str | None = None
    """The partner that a deployment last wrote."""
    adopted: bool = False
    """Whether a deployment found it rather than made it."""
    effective: bool = False
    changed_by: str | None = None
    changed_at: datetime | None = None
    former_partner_id: str | None = None
    on_platform: bool = False
    """Whether the platform shows this, against the registry's word."""
    mislabelled: Label | None = None
    """What the platform's label says, where that is not the registry's word."""

    @property
    def project(self) -> str | None:
        """The project that owns it."""
        return self.managed_by.split("/", 1)[0] if self.managed_by else None

    def describe(self, directory: Directory) -> str:
        """The record in words: which partner, who made it so, when."""
        what = directory.label(self.partner_id) if self.partner_id else "no partner"
        if self.changed_at is None:
            return what
        how = "seen on the platform by" if self.on_platform else "set by"
        return (
            f"{what}, {how} {self.changed_by} at {self.changed_at:%Y-%m-%d %H:%M:%S.%f} UTC"
            f" (version {self.version})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a platform shows, as it was read in bulk."""

    deployer: Deployer
    """Who deploys; what could not be established is `Deployer.unknown`, not an error."""
    observations: Mapping[str, Observation] = field(default_factory=dict)
    """What people saw there; it is evidence, against the registry's word."""
    visible: Collection[str] | None = None
    """The subscriptions that the deployer may see; None where no deployer sees less than all."""
    invisible_because: str = ""
    """Why it may not see another one, and what to do."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Why it may not see all of a subscription that it sees, by subscription, and what to do."""
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The scopes between `/` and each subscription, the outermost first."""
    below: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The scopes within each subscription where a partner holds access."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the platform itself calls partners, by Partner ID, as far as it tells."""
    uncreditable: Mapping[str, str] = field(default_factory=dict)
    """Why partners cannot be credited, by Partner ID."""
    writer: Deployer | None = None
    """Who writes to the registry, where the platform knows the deployer by another name."""
    runner: Deployer | None = None
    """Who runs this, where the roles of another are looked at; what writes is held to its own."""
    designating: tuple[str, ...] = ()
    """The actions that it takes to make a designation effective."""
    revoking: Mapping[str, str] = field(default_factory=dict)
    """The action that it takes to remove an access, by what the access's id contains."""

    def scopes(self, subscription_id: str) -> tuple[str, ...]:
        """Where access reaches a subscription or something in it: above it, at it, within it."""
        between, below = (kept.get(subscription_id, ()) for kept in (self.above, self.below))
        return (ROOT_SCOPE, *between, subscription_scope(subscription_id), *below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live(Shown):
    """What is known at the start of a run, kept up to date with the run's own writes.

    Safe for several threads: each change is one operation on one key.
    """

    registry_id: str
    registry_name: str
    directory: Directory
    designations: dict[str, Designation]
    former_partners: Mapping[str, Collection[str]]
    access: Mapping[str, dict[str, Access]]
    """By scope and id."""
    platform_name: str = "portal"
    mislabelled: dict[str, Label] = field(default_factory=dict)
    """The subscriptions whose label on the platform is not what the registry says."""

    def record(self, subscription_id: str) -> Record:
        """The live record of a subscription; without a partner where there is none."""
        row = self.designations.get(subscription_id)
        seen = self.observations.get(subscription_id)
        recorded = Record(subscription_id)
        if row is not None:
            recorded = Record(
                subscription_id=subscription_id,
                partner_id=row.partner_id,
                partner_name=row.partner_name,
                version=row.version,
                managed_by=row.managed_by,
                claim=row.claim,
                written_partner_id=row.written_partner_id,
                adopted=row.adopted,
                effective=row.effective,
                changed_by=row.designated_by,
                changed_at=row.designated_at,
                former_partner_id=row.former_partner_id,
            )
        if self.visible is not None:
            label = self.mislabelled.get(subscription_id)
            recorded = replace(recorded, effective=label is None, mislabelled=label)
        if seen is None or (row is not None and not self._contradicts(seen, row)):
            return recorded
        return replace(
            recorded,
            partner_id=seen.partner_id,
            partner_name=seen.partner_name,
            effective=True,
            changed_by=seen.observed_by,
            changed_at=seen.observed_at,
            on_platform=True,
        )

    @property
    def known(self) -> frozenset[str]:
        """The subscriptions that the registry or the platform has ever named."""
        return frozenset((*self.designations, *self.observations))

    def owner(self, subscription_id: str) -> str | None:
        """project/stack/resource that owns a subscription's designation."""
        row = self.designations.get(subscription_id)
        return row.managed_by if row else None

    def unreadable_because(self, subscription_id: str) -> str | None:
        """Why a subscription could not be read; None where it could."""
        if self.visible is not None and subscription_id not in self.visible:
            return self.invisible_because
        return self.unreadable.get(subscription_id)

    def reaching(self, subscription_id: str) -> tuple[Access, ...]:
        """The access of partners above a subscription, at it and within it, in this order."""
        return tuple(
            item
            for scope in self.scopes(subscription_id)
            for item in tuple(self.access.get(scope, {}).values())
        )

    def stale_access(self, declared: Declared, leaving: str | None = None) -> tuple[Access, ...]:
        """Access of former and retired partners that reaches a subscription.

        Args:
            declared: The declaration; its partner's and `also`'s access is never stale.
            leaving: A partner whose term is about to end.
        """
        current = self.directory.current
        wanted = {
            current(partner_id)
            for partner_id in (declared.partner_id, *declared.also_partner_ids)
            if partner_id
        }
        former = set(self.former_partners.get(declared.subscription_id, ()))
        if leaving:
            former.add(leaving)
        former = {current(partner_id) for partner_id in former}
        return tuple(
            item
            for item in self.reaching(declared.subscription_id)
            if (partner := current(item.partner_id)) not in wanted
            and (partner in former or self.directory.retired(partner))
        )

    def actions_to_revoke(self, items: Iterable[Access]) -> tuple[str, ...]:
        """The actions that it takes to remove these, each once."""
        return tuple(
            dict.fromkeys(
                action
                for item in items
                for mark, action in self.revoking.items()
                if mark in item.id
            )
        )

    def remember(self, designation: Designation) -> None:
        """Take note of a write of one's own."""
        self.designations[designation.subscription_id] = designation
        if designation.effective:
            self.mislabelled.pop(designation.subscription_id, None)

    def forget(self, removed: Iterable[Access]) -> None:
        """Take note of access that was removed."""
        for item in removed:
            self.access.get(item.scope, {}).pop(item.id, None)

    def _contradicts(self, seen: Observation, row: Designation) -> bool:
        return row.effective and not self.directory.same(seen.partner_id, row.partner_id)
