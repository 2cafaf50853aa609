"""DPOR201: the deployer may not designate."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.rules.base import Rule, Subject


class UnauthorizedDeployer(Rule):
    """Only a Global Administrator, or an Owner or Contributor of the subscription, designates."""

    id: ClassVar = "DPOR201"
    name: ClassVar = "unauthorized-deployer"
    summary: ClassVar = "The deployer holds none of the roles that may designate a partner."
    property_name: ClassVar = "subscription_id"

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the deployer, its roles, and how to get the right one."""
        deployer, subscription_id = subject.live.deployer, subject.declared.subscription_id
        if deployer.may_designate(subscription_id):
            return
        held = ", ".join(f"{grant.role} at {grant.scope}" for grant in deployer.grants)
        yield (
            f"{deployer.principal} may not designate the partner of subscription"
            f" {subscription_id}: it needs Global Administrator, or Owner or Contributor at or"
            f" above it, and holds {held or 'no role'}; a Global Administrator can run:"
            f" dpor registry grant {shlex.quote(deployer.principal)} Owner"
            f" --scope /subscriptions/{subscription_id}"
        )
