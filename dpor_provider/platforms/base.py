"""What a platform does: make the registry's word effective, and say what is really there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dpor_provider.live import Live
from dpor_provider.model import (
    ROOT_SCOPE,
    Access,
    Deployer,
    Designation,
    Label,
    Observation,
    subscription_scope,
)
from dpor_provider.registry import Content, Registry


@dataclass(frozen=True, slots=True)
class View:
    """What a platform shows, read in bulk."""

    deployer: Deployer
    """Who deploys; what could not be established is `Deployer.unknown`, not an error."""
    access: Collection[Access]
    observations: Mapping[str, Observation] = field(default_factory=dict)
    """What people saw there; it is evidence, against the registry's word."""
    mislabelled: Mapping[str, Label] = field(default_factory=dict)
    """The subscriptions whose label is not what the registry says; a label is no evidence."""
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

    def reaching(self, subscription_id: str) -> tuple[str, ...]:
        """The scopes at which access reaches a subscription, or something in it."""
        between, below = (kept.get(subscription_id, ()) for kept in (self.above, self.below))
        return (ROOT_SCOPE, *between, subscription_scope(subscription_id), *below)


class Platform(Protocol):
    """Where a designation takes effect.

    Every method raises `Unavailable` where the platform cannot be read or written: what is
    unreadable is never reported as absent.
    """

    @property
    def name(self) -> str:
        """The platform's name in the configuration."""

    def read(self, content: Content, principal: str | None = None) -> View:
        """All that it shows, in bulk.

        Args:
            content: What the registry holds.
            principal: Whose roles count; by default those of the principal that runs this.
        """

    def apply(self, designation: Designation) -> Designation:
        """Make a designation, or its withdrawal, effective; returns it as it then is."""

    def revoke(self, subscription_id: str, access: Collection[Access]) -> Collection[Access]:
        """Remove access at a subscription's own scope, recorded first; returns what was removed."""

    def restore(self, subscription_id: str, principal: str | None = None) -> Collection[Access]:
        """Bring revoked access back."""


def read_live(registry: Registry, platform: Platform, *, principal: str | None = None) -> Live:
    """Read registry and platform in bulk.

    Args:
        registry: The system of record.
        platform: Where designations take effect.
        principal: Whose roles count; by default those of the principal that runs this.

    Raises:
        Unavailable: one of them cannot be read.
    """
    content = registry.read()
    view = platform.read(content, principal)
    access: dict[str, dict[str, Access]] = defaultdict(dict)
    for item in view.access:
        access[item.scope][item.id] = item
    return Live(
        registry_id=content.identity,
        registry_name=registry.name,
        directory=content.directory,
        designations=content.designations,
        observations=view.observations,
        former_partners=content.former_partners,
        access=access,
        deployer=view.deployer,
        platform_name=platform.name,
        unreadable=view.unreadable,
        mislabelled=dict(view.mislabelled),
        visible=view.visible,
        invisible_because=view.invisible_because,
        above=view.above,
        below=view.below,
        names=view.names,
        uncreditable=view.uncreditable,
        writer=view.writer,
        runner=view.runner,
        designating=view.designating,
        revoking=view.revoking,
    )
