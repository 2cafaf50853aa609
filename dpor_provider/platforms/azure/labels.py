"""The label of a subscription: two tags, for people and queries, and never evidence.

Anybody with Tag Contributor can write one. Source: Microsoft's "Tags - Update At Scope", "Use tags
to organize your Azure resources" (50 tags; names without regard to case; values to 256 characters).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.model import Label, subscription_scope
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.errors import azure_errors
from dpor_provider.printable import line

PARTNER_ID, PARTNER_NAME = "dpor-partner-id", "dpor-partner-name"
MOST, LONGEST = 50, 256
"""How many tags a subscription may have, and characters of a value."""


def read_label(tags: object) -> Label:
    """The label among a subscription's tags."""
    found = {
        str(name).lower(): line(str(value))[:LONGEST]
        for name, value in (tags.items() if isinstance(tags, Mapping) else ())
    }
    return Label(found.get(PARTNER_ID), found.get(PARTNER_NAME))


def label_of(partner_id: str | None, partner_name: str | None) -> Label:
    """The label that a subscription is to have."""
    return Label(partner_id, partner_name[:LONGEST] if partner_id and partner_name else None)


class Labels:
    """Reads and writes labels at Azure Resource Manager itself, which knows at once."""

    def __init__(self, connection: Connection) -> None:
        # What is written names its subscription by scope, so that one client does for all.
        client: Any = connection.client(extra.resources.ResourceManagementClient, "-")
        self._tags_of = client.tags

    def read(self, subscription_id: str) -> Label:
        """A subscription's label as it is now.

        Raises:
            Refused: the right to read tags is lacking.
            Unavailable: it cannot be read.
        """
        with azure_errors(f"reading the tags of subscription {subscription_id}"):
            return read_label(self._tags(subscription_id))

    def write(self, subscription_id: str, label: Label) -> None:
        """Set a label, or take it away where it names no partner; all other tags stay.

        Raises:
            Invalid: there is no room for two more tags.
            Refused: the right to write tags is lacking.
            Unavailable: Azure cannot be reached, or knows no such subscription.
        """
        doing = f"labelling subscription {subscription_id}"
        wanted = {PARTNER_ID: label.partner_id, PARTNER_NAME: label.partner_name}
        tags = {name: value for name, value in wanted.items() if value is not None}
        with azure_errors(doing):
            before = self._tags(subscription_id)
            ours = {name: value for name, value in before.items() if name.lower() in wanted}
            if len(before) - len(ours) + len(tags) > MOST:
                raise Invalid(
                    f"{doing}: it has {len(before)} tags, and {MOST} are the most that Azure keeps;"
                    " remove some of them first"
                )
            surplus = {name: value for name, value in ours.items() if name.lower() not in tags}
            if surplus:
                before = self._patch(subscription_id, "Delete", surplus)
            if tags:
                before = self._patch(subscription_id, "Merge", tags)
        if read_label(before) != label:
            raise Unavailable(
                f"{doing}: Azure accepted it, and shows {read_label(before)}; somebody else writes"
                " the same tags, run it again"
            )

    def _tags(self, subscription_id: str) -> dict[str, str]:
        answer = self._tags_of.get_at_scope(subscription_scope(subscription_id))
        return dict(answer.properties.tags or {})

    def _patch(self, subscription_id: str, operation: str, tags: dict[str, str]) -> dict[str, str]:
        body = {"operation": operation, "properties": {"tags": tags}}
        scope = subscription_scope(subscription_id)
        answer = self._tags_of.begin_update_at_scope(scope, body).result()
        return dict(answer.properties.tags or {})
