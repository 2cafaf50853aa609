"""`PartnerOfRecord` as a Pulumi dynamic resource: a thin adapter over the lifecycle.

The state holds a reference to `PartnerOfRecordProvider`, by module and name, and nothing of its
code or settings. Both names are therefore permanent: a state of any release must find them.

Annotations are not deferred here: Pulumi evaluates those of a resource's class for each resource.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import Resource

from dpor_provider.declaration.inputs import Inputs
from dpor_provider.resources.adapter import Adapter, before_write, say
from dpor_provider.resources.program import (
    accept_registry,
    make_haste,
    once_per_subscription,
)

if TYPE_CHECKING:
    from dpor_provider.resources.partner_of_record import Lifecycle

RECORDED = (
    "version",
    "claim",
    "written_partner_id",
    "adopted",
    "partner_name_source",
    "effective",
    "designated_by",
    "designated_at",
    "former_partner_id",
    "registry_id",
)
"""What is known once it is designated."""


class PartnerOfRecordProvider(Adapter):
    """Designates, over the registry and the platform that the stack names."""

    def open(self, config: Callable[[str], object]) -> "Lifecycle":
        """Open registry and platform as the stack's configuration names them."""
        # The user's program needs none of this, and a third of its start would go by on it.
        from dpor_provider.platforms import open_platform
        from dpor_provider.registry import open_registry
        from dpor_provider.resources.partner_of_record import Lifecycle
        from dpor_provider.settings import Settings

        settings = Settings.read(config)
        still_wanted = before_write()
        registry = open_registry(settings.registry, before_commit=still_wanted)
        return Lifecycle(
            registry,
            open_platform(settings.platform, registry, credit=settings.credit),
            today=datetime.now(UTC).date(),
            deployer=settings.deployer,
            say=say,
            before_write=still_wanted,
        )

    def identify(self, outputs: Inputs) -> str:
        """The subscription's UUID."""
        return str(outputs["subscription_id"])


class PartnerOfRecord(Resource, module="dpor", name="PartnerOfRecord"):
    """The digital partner of record of one subscription.

    Args:
        resource_name: The resource's name in the stack.
        subscription_id: The subscription's UUID.
        partner_id: The Partner ID (MPN ID), 5 to 8 digits.
        partner_name: The name that must be on record for that ID; the registry's by default.
        former_access: What a switch does with the former partner's access: `revoke`, `keep`, or
            `{"keep_until": "2026-12-31", "reason": "…"}`, the day included.
        replaces_partner_id: Another partner's live designation that may be replaced.
        moved_from: The project whose designation may be taken over.
        also_partner_ids: Further partners that may keep access.
        on_delete: `withdraw` (the default for what was designated here) or `retain` (the default
            for what was adopted).
        exceptions: Exceptions from rules, for the policy pack: `{"rule", "reason", "expires"}`.
        opts: Pulumi's options.

    Raises:
        pulumi.RunError: the program declares the subscription twice, or the registry's URL cannot
            be accepted.
    """

    subscription_id: pulumi.Output[str]
    partner_id: pulumi.Output[str]
    partner_name: pulumi.Output[str]
    partner_name_source: pulumi.Output[str]
    """Who says that this is the partner's name: `registry`, or `azure` where Azure tells."""
    managed_by: pulumi.Output[str]
    """project/stack/resource name."""
    version: pulumi.Output[int]
    """Counts the changes of the record."""
    claim: pulumi.Output[str]
    """The mark by which a delete knows what it may withdraw."""
    written_partner_id: pulumi.Output[str]
    """The partner that this resource last wrote."""
    adopted: pulumi.Output[bool]
    """Whether an identical designation, that no deployment made, was found and taken over."""
    effective: pulumi.Output[str]
    """`yes`, or `pending` until the platform shows it."""
    designated_by: pulumi.Output[str]
    designated_at: pulumi.Output[str]
    """An ISO 8601 time in UTC."""
    former_partner_id: pulumi.Output[str | None]
    registry_id: pulumi.Output[str]
    """The identity of the registry that records it."""

    def __init__(
        self,
        resource_name: str,
        subscription_id: pulumi.Input[str],
        partner_id: pulumi.Input[str],
        partner_name: pulumi.Input[str] | None = None,
        *,
        former_access: pulumi.Input[str | Mapping[str, str]] = "revoke",
        replaces_partner_id: pulumi.Input[str] | None = None,
        moved_from: pulumi.Input[str] | None = None,
        also_partner_ids: pulumi.Input[Sequence[str]] | None = None,
        on_delete: pulumi.Input[str] | None = None,
        exceptions: pulumi.Input[Sequence[Mapping[str, str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        make_haste()
        accept_registry()
        stated = {
            "former_access": None if former_access == "revoke" else former_access,
            "replaces_partner_id": replaces_partner_id,
            "moved_from": moved_from,
            "also_partner_ids": also_partner_ids,
            "on_delete": on_delete,
            "exceptions": exceptions,
        }
        super().__init__(
            PartnerOfRecordProvider(),
            resource_name,
            {
                "subscription_id": once_per_subscription(subscription_id, resource_name),
                "partner_id": partner_id,
                "partner_name": partner_name,
                # Pulumi keeps track of each, also of those that are None, for as long as it runs.
                **{key: value for key, value in stated.items() if value is not None},
                "managed_by": f"{pulumi.get_project()}/{pulumi.get_stack()}/{resource_name}",
                **dict.fromkeys(RECORDED),
            },
            opts,
        )
