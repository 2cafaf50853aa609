"""The subscriptions that the deployer may see, with their tags and what is above them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dpor_provider.model import Label, subscription_uuid
from dpor_provider.platforms.azure.labels import read_label
from dpor_provider.platforms.azure.resource_graph import ResourceGraph, Row

QUERY = """\
resourcecontainers
| where type =~ 'microsoft.resources/subscriptions'
| project id, subscriptionId, name, tags, above = properties.managementGroupAncestorsChain
| order by id asc"""

MANAGEMENT_GROUPS = "/providers/Microsoft.Management/managementGroups/"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription, as Azure Resource Graph shows it."""

    id: str
    name: str
    label: Label
    above: tuple[str, ...]
    """The scopes of its management groups, the outermost first."""


def read_subscriptions(graph: ResourceGraph) -> Iterator[Subscription]:
    """Every subscription that the deployer may see.

    Raises:
        Unavailable: they cannot be read.
    """
    for row in graph.rows(QUERY, "reading the subscriptions of the tenant"):
        subscription_id = subscription_uuid(str(row.get("subscriptionId")))
        if subscription_id is not None:
            yield Subscription(
                subscription_id, str(row.get("name")), read_label(row.get("tags")), _above(row)
            )


def _above(row: Row) -> tuple[str, ...]:
    chain = row.get("above")
    names = [group.get("name") for group in chain] if isinstance(chain, list) else []
    return tuple(f"{MANAGEMENT_GROUPS}{name}".lower() for name in reversed(names) if name)
