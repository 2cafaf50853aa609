"""What a platform does: make the registry's word effective, and say what is really there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Protocol

from dpor_provider.live import Live, Shown
from dpor_provider.model import Access, Designation, Label
from dpor_provider.registry import Content, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Shown):
    """What a platform shows, before the registry's word is put beside it."""

    access: Collection[Access]
    mislabelled: Mapping[str, Label] = field(default_factory=dict)
    """The subscriptions whose label is not what the registry says; a label is no evidence."""


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
    shown = {one.name: getattr(view, one.name) for one in fields(Shown)}
    return Live(
        **shown,
        registry_id=content.identity,
        registry_name=registry.name,
        directory=content.directory,
        designations=content.designations,
        former_partners=content.former_partners,
        access=access,
        platform_name=platform.name,
        mislabelled=dict(view.mislabelled),
    )
