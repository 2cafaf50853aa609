"""`PartnerAdminLink` as a Pulumi dynamic resource: a thin adapter over the lifecycle.

The state refers to `PartnerAdminLinkProvider` by module and name. Both are therefore permanent: a
state of any release must find them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pulumi
from pulumi.dynamic import Resource

from dpor_provider.declaration.inputs import Inputs
from dpor_provider.resources.adapter import Adapter, before_write, say
from dpor_provider.resources.partner_admin_link import LinkLifecycle
from dpor_provider.resources.program import accept_registry, once_per_program


class PartnerAdminLinkProvider(Adapter):
    """Links the identity that is signed in to Azure."""

    def open(self, config: Callable[[str], object]) -> LinkLifecycle:  # noqa: ARG002
        """Connect to Azure as the environment says."""
        # Microsoft's clients come with an extra; without it this is one failure, and no traceback.
        from dpor_provider.platforms.azure import extra  # noqa: F401
        from dpor_provider.platforms.azure.connection import connect
        from dpor_provider.platforms.azure.partner_link import PartnerLinks

        return LinkLifecycle(
            PartnerLinks(connect(os.environ)), say=say, before_write=before_write()
        )

    def identify(self, outputs: Inputs) -> str:
        """The identity's object id: it has one link."""
        return str(outputs["object_id"])


class PartnerAdminLink(Resource, module="dpor", name="PartnerAdminLink"):
    """The link of the identity that runs the deployment to a partner (Partner Admin Link).

    Args:
        resource_name: The resource's name in the stack.
        partner_id: The Partner ID of one of the partner's locations, 5 to 8 digits.
        partner_name: The name that Azure must show for that ID.
        replaces_partner_id: Another partner, to which the identity may be linked before.
        on_delete: `withdraw` (the default for a link that was made here) or `retain` (the default
            for one that was adopted).
        opts: Pulumi's options.

    Raises:
        pulumi.RunError: the program has one already; an identity has a single link.
    """

    partner_id: pulumi.Output[str]
    partner_name: pulumi.Output[str]
    """As Azure says it."""
    tenant_id: pulumi.Output[str]
    object_id: pulumi.Output[str]
    """The identity that is linked, in its tenant."""
    version: pulumi.Output[int | None]
    """Counts the changes of the link."""
    etag: pulumi.Output[int | None]
    state: pulumi.Output[str | None]
    linked_at: pulumi.Output[str | None]
    """When the link was last changed, an ISO 8601 time in UTC."""
    written_partner_id: pulumi.Output[str]
    """The partner that this resource last linked to, or adopted."""
    written_version: pulumi.Output[int | None]
    """The version that this left: a later one is somebody else's, and is not ended."""
    adopted: pulumi.Output[bool]
    """Whether an identical link was found and taken over."""

    def __init__(
        self,
        resource_name: str,
        partner_id: pulumi.Input[str],
        partner_name: pulumi.Input[str],
        *,
        replaces_partner_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        accept_registry()
        super().__init__(
            PartnerAdminLinkProvider(),
            resource_name,
            {
                "partner_id": once_per_program(partner_id, "PartnerAdminLink", resource_name),
                "partner_name": partner_name,
                "replaces_partner_id": replaces_partner_id,
                "on_delete": on_delete,
                "tenant_id": None,
                "object_id": None,
                "version": None,
                "etag": None,
                "state": None,
                "linked_at": None,
                "written_partner_id": None,
                "written_version": None,
                "adopted": None,
            },
            opts,
        )
