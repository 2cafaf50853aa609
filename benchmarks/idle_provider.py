"""A dynamic provider that does nothing, with properties as long as those of PartnerOfRecord."""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
)

RECORDED = {
    "partner_name": "Contoso Consulting",
    "partner_name_source": "registry",
    "version": 1,
    "claim": "0123456789abcdef0123456789abcdef",
    "adopted": False,
    "effective": "pending",
    "designated_by": "root",
    "designated_at": "2026-11-23T16:16:56.123456+00:00",
    "former_partner_id": None,
}


class IdleProvider(ResourceProvider):
    """Gives back what it is given, with the constants."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Add the registry's identity, as ours does."""
        stated = {key: value for key, value in news.items() if value is not None}
        none: list[CheckFailure] = []
        return CheckResult(stated | {"registry_id": "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"}, none)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Find no difference."""
        return DiffResult(changes=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Do nothing."""
        written = {"written_partner_id": props["partner_id"]}
        return CreateResult(props["subscription_id"], props | RECORDED | written)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Find what was there before."""
        return ReadResult(id_, props)
