"""What is above a scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .estate import ROOT, ManagementGroup

SUBSCRIPTIONS = "/subscriptions/"
MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"


def subscription_of(scope: str) -> str:
    """The id of the subscription that a scope is or is in, lower case; else an empty string."""
    if not scope.lower().startswith(SUBSCRIPTIONS):
        return ""
    return scope.lower().removeprefix(SUBSCRIPTIONS).partition("/")[0]


def within_subscription(scope: str) -> Iterator[str]:
    """A scope, and what is above it up to its subscription: resource, resource group.

    Every second segment after `providers` ends a resource; a provider's own segment ends nothing.
    """
    parts = scope.lower().strip("/").split("/")
    yield "/" + "/".join(parts)
    parts = parts[:-2]
    while len(parts) >= 2:
        if parts[-2] != "providers":
            yield "/" + "/".join(parts)
        parts = parts[:-2]


class Hierarchy:
    """Management groups above subscriptions.

    Args:
        groups: Management groups by name, lower case.
        placed: Gives the management group that a subscription is in.
    """

    def __init__(
        self, groups: Mapping[str, ManagementGroup], placed: Callable[[str], str | None]
    ) -> None:
        self._groups = groups
        self._placed = placed

    def groups_above(self, subscription_id: str) -> Iterator[ManagementGroup]:
        """The management groups above a subscription, nearest first."""
        yield from self._up(self._placed(subscription_id))

    def chain(self, scope: str) -> tuple[str, ...]:
        """A scope and all scopes above it, nearest first, lower case, up to `/`."""
        scope = scope.lower().rstrip("/") or ROOT
        if scope == ROOT:
            return (ROOT,)
        if subscription := subscription_of(scope):
            above = self.groups_above(subscription)
            return (*within_subscription(scope), *(group.scope.lower() for group in above), ROOT)
        if scope.startswith(MANAGEMENT_GROUPS):
            name = scope.removeprefix(MANAGEMENT_GROUPS).partition("/")[0]
            return (*(group.scope.lower() for group in self._up(name)), ROOT)
        return (ROOT,)

    def _up(self, name: str | None) -> Iterator[ManagementGroup]:
        while name is not None and (group := self._groups.get(name.lower())):
            yield group
            name = group.parent
