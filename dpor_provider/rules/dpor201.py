"""DPOR201: the deployer may not designate."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from typing import ClassVar

from dpor_provider.model import Deployer, Role, subscription_scope
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class UnauthorizedDeployer(Rule):
    """Only a Global Administrator, or an Owner or Contributor of the subscription, designates."""

    id: ClassVar = "DPOR201"
    name: ClassVar = "unauthorized-deployer"
    summary: ClassVar = "The deployer holds none of the roles that may designate a partner."
    rationale: ClassVar = (
        "Only a Global Administrator, or an Owner or Contributor of the subscription, may "
        "designate its partner. Who deploys is found out, never taken from the program or the "
        "declaration."
    )
    mend: ClassVar = (
        "Deploy as somebody who holds a role, or have a Global Administrator grant one with "
        "the command in the message. If the identity that previews does not deploy, name the "
        "one that does: `deployer` in the policy pack's configuration, `dpor:deployer` in the "
        "stack's."
    )
    property_name: ClassVar = "subscription_id"
    knows_exceptions: ClassVar = False
    guards_writes: ClassVar = True
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
deployer: {principal: ci-preview, grants: []}
""",
            says="ci-preview may not designate",
        ),
        Example(
            SIMPLE,
            """\
deployer:
  principal: ci-deploy
  grants:
    - {role: Owner, scope: /subscriptions/8854663a-8528-5749-8fab-6489de93353a}
""",
            says="holds Owner at /subscriptions/8854663a",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
            """\
deployer:
  principal: ci-deploy
  grants:
    - {role: Contributor, scope: /subscriptions/6f9619ff-8b86-4d01-b42d-00cf4fc964ff}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the deployer, its roles, and how to get the right one."""
        live, subscription_id = subject.live, subject.declared.subscription_id
        roles = subject.terms.roles
        for deployer in filter(None, (live.deployer, live.writer)):
            if not deployer.unknown and not deployer.may_designate(subscription_id, roles):
                yield (
                    f"{deployer.principal} may not designate the partner of subscription"
                    f" {subscription_id}: it needs {_needed(roles)}, and holds {_held(deployer)};"
                    f" {_mend(deployer, roles, subscription_id)}"
                )
                return
        revoking = live.actions_to_revoke(subject.removable)
        needed = tuple(dict.fromkeys((*live.designating, *revoking)))
        lacking = live.deployer.lacks(subscription_id, needed)
        if lacking and not live.deployer.unknown:
            yield (
                f"{live.deployer.principal} may not do all that this takes at subscription"
                f" {subscription_id}: its roles do not permit {', '.join(lacking)}; nothing was"
                " begun, give it a role that does"
            )


SHOWN = 5
"""How many roles a message names."""


def _held(deployer: Deployer) -> str:
    held = [f"{grant.role} at {grant.scope}" for grant in deployer.grants[:SHOWN]]
    more = len(deployer.grants) - len(held)
    return ", ".join([*held, f"{more} more elsewhere"] if more else held) or "no role"


def _mend(deployer: Deployer, roles: Collection[Role], subscription_id: str) -> str:
    if deployer.object_id is None:
        return (
            "a Global Administrator can run: dpor registry grant"
            f" {shlex.quote(deployer.principal)} {_granted(roles, subscription_id)}"
        )
    role = next((one for one in _below(roles)), Role.CONTRIBUTOR)
    return (
        f"an Owner can run: az role assignment create --assignee-object-id {deployer.object_id}"
        f" --role {role} --scope {subscription_scope(subscription_id)}"
    )


def _below(roles: Collection[Role]) -> list[Role]:
    return [role for role in Role if role in roles and role is not Role.GLOBAL_ADMINISTRATOR]


def _needed(roles: Collection[Role]) -> str:
    below = _below(roles)
    needed = [f"{' or '.join(below)} at or above it"] if below else []
    if Role.GLOBAL_ADMINISTRATOR in roles:
        needed.insert(0, str(Role.GLOBAL_ADMINISTRATOR))
    return ", or ".join(needed)


def _granted(roles: Collection[Role], subscription_id: str) -> str:
    below = _below(roles)
    if not below:
        return shlex.quote(Role.GLOBAL_ADMINISTRATOR)
    return f"{below[0]} --scope {subscription_scope(subscription_id)}"
