"""Control who is the digital partner of record of every cloud subscription, as code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dpor_provider.resources.declare import declare
    from dpor_provider.resources.dynamic import PartnerOfRecord
    from dpor_provider.resources.dynamic_link import PartnerAdminLink

__all__ = ["PartnerAdminLink", "PartnerOfRecord", "declare"]


def __getattr__(name: str) -> Any:
    # Importing Pulumi takes longer than most commands of `dpor` do, and they do without it.
    if name == "PartnerOfRecord":
        from dpor_provider.resources.dynamic import PartnerOfRecord

        return PartnerOfRecord
    if name == "PartnerAdminLink":
        from dpor_provider.resources.dynamic_link import PartnerAdminLink

        return PartnerAdminLink
    if name == "declare":
        from dpor_provider.resources.declare import declare

        return declare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
