"""One program's declarations: its shard, nothing twice, and what makes a large program quick.

What is wrong with shard or subscription is found before anything is registered.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Generator
from dataclasses import dataclass
from functools import cache

import pulumi

from dpor_provider.errors import Invalid
from dpor_provider.model import subscription_uuid
from dpor_provider.printable import line
from dpor_provider.resources.shard import CONFIG, VARIABLE, Shard, shard_of
from dpor_provider.rules.dpor401 import DuplicateDesignation, declared_twice

UNSEEN = "DPOR_DEBUG_MESSAGES_UNSEEN"
"""Set in the environment of a run that shows no debug messages."""

_declared: dict[str, str] = {}
_twice: list[str] = []
_only: dict[str, str] = {}


def make_haste() -> None:
    """Do without what Pulumi's SDK does for each resource and nobody has anything of.

    To be called before each resource.
    """
    _wait_for_registrations_first()
    if UNSEEN in os.environ:
        pulumi.log.debug = _say_nothing


def _say_nothing(
    msg: str,
    resource: pulumi.Resource | None = None,
    stream_id: int | None = None,
    ephemeral: bool | None = None,
) -> None:
    """Take the place of `pulumi.log.debug`.

    The SDK tells the engine of each resource four times how far it is, each time waits for the
    answer, and the engine hands all of it on to whoever watches the run.
    """


def _wait_for_registrations_first() -> None:
    """Let the program wait for its registrations before it waits for single outputs.

    At its end a program waits for the calls that are under way, one after the other, and then,
    again and again, for any one of the outputs that are open, which takes the longer each time the
    more of them there are. No call has begun by then, so that all outputs of all resources are
    open: a time that grows with the square of their number. If one call is under way at that
    moment, the others begin, too, and outputs are waited for when there is nothing left to do.

    Source: Pulumi's Python SDK 3.272, `wait_for_rpcs`. Another one may do without.
    """
    with contextlib.suppress(AttributeError):
        under_way = pulumi.runtime.settings.SETTINGS.rpc_manager.rpcs
        if not under_way:
            under_way.append(asyncio.ensure_future(asyncio.sleep(0)))


@cache
def program_shard() -> Shard:
    """The shard that this program declares; the whole estate if none is configured.

    Raises:
        Invalid: what is configured is no shard, or not that of the stack.
    """
    namespace, _, name = CONFIG.partition(":")
    return shard_of(
        pulumi.get_stack(), pulumi.Config(namespace).get(name) or os.environ.get(VARIABLE)
    )


@cache
def accept_registry() -> None:
    """Look at the registry's URL before the engine keeps the configuration in the stack's state.

    Raises:
        pulumi.RunError: it is none, or a password is in it.
    """
    configured = pulumi.Config("dpor").get("registry")
    if not configured or configured.startswith("sqlite:///"):
        return
    # The others' programs need none of what this loads.
    from dpor_provider.registry.url import resolve

    try:
        resolve(configured)
    except Invalid as error:
        raise pulumi.RunError(line(str(error))) from None


def once_per_subscription(
    subscription_id: pulumi.Input[str], resource_name: str
) -> pulumi.Input[str]:
    """A subscription's id, if no other resource of this program has it.

    Registration begins when the program's own statements have run. The id is therefore handed on
    as an output that is read then, and that fails for every resource if one was declared twice by
    that time. An id that comes from another resource is compared in the provider's check.

    Raises:
        pulumi.RunError: another resource of this program has it, or it is another shard's.
    """
    if not isinstance(subscription_id, str):
        return subscription_id
    canonical = subscription_uuid(subscription_id)
    if canonical is None:
        return subscription_id
    try:
        shard = program_shard()
    except Invalid as error:
        raise pulumi.RunError(line(str(error))) from None
    if not shard.holds(canonical):
        raise pulumi.RunError(
            f"{resource_name}: subscription {canonical} is not of shard {shard}, and every shard"
            " runs this program; declare it in a file, with declare(), which takes the shard's own"
        )
    other = _declared.setdefault(canonical, resource_name)
    if other != resource_name:
        twice = declared_twice(canonical, repr(other))
        _twice.append(f"{resource_name}: {twice} [{DuplicateDesignation.id}]")
        raise pulumi.RunError(_twice[-1])
    return _UnlessTwice(canonical)


def once_per_program(
    partner_id: pulumi.Input[str], kind: str, resource_name: str
) -> pulumi.Input[str]:
    """The partner of a resource of which a program has one; like `once_per_subscription`.

    Raises:
        pulumi.RunError: it has one already.
    """
    other = _only.setdefault(kind, resource_name)
    if other != resource_name:
        _twice.append(
            f"{resource_name}: the program has the {kind} {other!r} already, and the identity that"
            " runs it has a single link; declare one, or run another program as another identity"
        )
        raise pulumi.RunError(_twice[-1])
    return pulumi.Output.all(partner_id, _UnlessTwice(kind)).apply(lambda both: both[0])


@dataclass(frozen=True, slots=True)
class _UnlessTwice:
    """A value to wait for, which takes less than an output of Pulumi's."""

    value: str

    def __await__(self) -> Generator[None, None, str]:
        return self._get().__await__()

    async def _get(self) -> str:
        if _twice:
            raise pulumi.RunError(_twice[-1])
        return self.value
