"""The platforms on which a designation takes effect."""

from dpor_provider.errors import Invalid
from dpor_provider.platforms.base import Platform, read_live
from dpor_provider.platforms.portal import Portal
from dpor_provider.registry import Registry

DEFAULT = "portal"
AZURE = "azure"


def open_platform(name: str | None, registry: Registry, *, credit: bool = False) -> Platform:
    """The platform of that name, over a registry.

    Args:
        name: portal or azure.
        registry: The system of record.
        credit: Whether partners are credited; on azure only.

    Raises:
        Invalid: there is none of that name, or it is not to be reached as the environment says.
        Unavailable: it needs an extra that is not installed.
    """
    if name == AZURE:
        from dpor_provider.platforms.azure.platform import Azure

        return Azure.open(registry, credit=credit)
    if (name or DEFAULT) != Portal.name:
        raise Invalid(f"platform {name!r} is not known; it is one of: portal, azure")
    if credit:
        raise Invalid("dpor:credit is of the platform azure; on portal there is nothing to credit")
    return Portal(registry)


__all__ = ["DEFAULT", "Platform", "Portal", "open_platform", "read_live"]
