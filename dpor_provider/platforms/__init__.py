"""The platforms on which a designation takes effect."""

from dpor_provider.errors import Invalid
from dpor_provider.platforms.base import Platform, read_live
from dpor_provider.platforms.portal import Portal
from dpor_provider.registry import Registry

DEFAULT = "portal"


def open_platform(name: str | None, registry: Registry) -> Platform:
    """The platform of that name, over a registry.

    Raises:
        Invalid: there is none of that name.
    """
    if (name or DEFAULT) != Portal.name:
        raise Invalid(f"platform {name!r} is not known; this version of dpor-provider has: portal")
    return Portal(registry)


__all__ = ["DEFAULT", "Platform", "Portal", "open_platform", "read_live"]
