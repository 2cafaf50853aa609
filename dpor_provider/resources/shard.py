"""A shard: the part of an estate that one stack of several declares."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from dpor_provider.errors import Invalid

CONFIG = "dpor:shard"
VARIABLE = "DPOR_SHARD"
"""Where a program finds its shard, in this order: the stack's configuration, the environment."""

WRITTEN = re.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", re.ASCII)
STACK = re.compile(r".+-([1-9][0-9]*)-of-([1-9][0-9]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of so many parts of an estate, which together are the whole and share nothing."""

    number: int
    """Counts from 1."""
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `K/N`.

        Raises:
            Invalid: it is not of that form, or K is more than N.
        """
        found = WRITTEN.fullmatch(text)
        if not found or int(found[1]) > int(found[2]):
            raise Invalid(f"{text!r} is no shard; write K/N, say 1/4 for the first of four")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, subscription_id: str) -> bool:
        """Whether a subscription belongs here; the same on every machine and in every release.

        Args:
            subscription_id: Its UUID in lower case.
        """
        digest = hashlib.sha256(subscription_id.encode("ascii")).digest()
        return int.from_bytes(digest[:8]) % self.count == self.number - 1

    def stack(self, name: str) -> str:
        """The stack of this shard of an estate whose stack would have that name."""
        return f"{name}-{self.number}-of-{self.count}"


WHOLE = Shard(1, 1)


def shard_of(stack: str, text: str | None) -> Shard:
    """The shard that a program declares.

    Args:
        stack: The program's stack.
        text: The shard as configured, if it is.

    Raises:
        Invalid: it cannot be read; or the stack is that of another shard, whose subscriptions
            would be withdrawn.
    """
    named = STACK.fullmatch(stack)
    if named and not text:
        raise Invalid(
            f"stack {stack} has the name of a shard's, and nothing says which shard this is; use"
            f" dpor --shard {named[1]}/{named[2]}, or set {VARIABLE} (to 1/1 if it is none)"
        )
    found = Shard.parse(text) if text else WHOLE
    if named and found not in (WHOLE, Shard(int(named[1]), int(named[2]))):
        raise Invalid(
            f"stack {stack} is not that of shard {found}, which {VARIABLE} or {CONFIG} says"
        )
    return found
