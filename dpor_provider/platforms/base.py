"""What a platform does: make the registry's word effective, and say what is really there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Protocol

from dpor_provider.live import Live
from dpor_provider.model import Access, Deployer, Designation, Observation
from dpor_provider.registry import Content, Registry


class Platform(Protocol):
    """Where a designation takes effect.

    Every method raises `Unavailable` where the platform cannot be read or written: what is
    unreadable is never reported as absent.
    """

    @property
    def name(self) -> str:
        """The platform's name in the configuration."""

    def deployer(self, content: Content, principal: str | None = None) -> Deployer:
        """Who deploys, or the named principal, with the roles that count on this platform.

        What could not be established is `Deployer.unknown`, not an error.
        """

    def observe(self, content: Content) -> Mapping[str, Observation]:
        """What the platform shows, by subscription, in bulk."""

    def access(self, content: Content) -> Collection[Access]:
        """The access of partners, in bulk."""

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
    access: dict[str, dict[str, Access]] = defaultdict(dict)
    for item in platform.access(content):
        access[item.scope][item.id] = item
    return Live(
        registry_id=content.identity,
        registry_name=registry.name,
        directory=content.directory,
        designations=content.designations,
        observations=platform.observe(content),
        former_partners=content.former_partners,
        access=access,
        deployer=platform.deployer(content, principal),
        platform_name=platform.name,
    )
