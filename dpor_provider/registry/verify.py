"""Whether a registry's audit log is whole, and its tables hold what the log says."""

from __future__ import annotations

from dataclasses import dataclass

from dpor_provider.registry import audit, chain
from dpor_provider.registry.accounts import Account
from dpor_provider.registry.chain import Head
from dpor_provider.registry.database import Database


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole registry found."""

    head: Head
    """The end of its log, for the next time."""
    problems: tuple[str, ...]
    """One line for each thing that is wrong; none where there is nothing."""


def verify(database: Database, exported: Head | None) -> Verified:
    """Look at every entry of the log, and at what the tables make of them.

    Args:
        database: The registry's.
        exported: An end of the log that was kept elsewhere.

    Raises:
        Unavailable: the registry cannot be read.
    """
    account = Account()
    with database.read() as connection:
        head = audit.head(connection)
        entries = account.noting(audit.each(connection))
        problems = [*chain.verify(entries, head.registry_id, exported)]
        problems += account.differences(connection)
    return Verified(head, tuple(problems))
