"""The chain of hashes through the audit log, which shows whether it was tampered with.

Each entry's hash covers all its fields and the hash of the entry before it, as canonical JSON
(RFC 8785) under a domain tag; the first entry follows the registry's identity. The same text is
made by PostgreSQL's functions (`postgresql/functions`), so that an entry can be verified wherever
it was written.

What it gives: whoever cannot alter a head that was exported cannot alter, drop, insert or reorder
anything up to that head unnoticed. The chain alone shows neither that its end was cut off nor that
all of it was made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from dpor_provider.model import AuditEntry

DOMAIN = "dpor-audit-v1"
_COVERED = tuple(field.name for field in fields(AuditEntry) if field.name != "hash")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log at some time, for whoever wants to hold the registry to it."""

    registry_id: str
    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Where an entry stands that was altered into what no entry is."""

    sequence: int
    previous_hash: str
    hash: str


def genesis(registry_id: str) -> str:
    """What the first entry of a registry follows."""
    return _digest(registry_id)


def digest(entry: AuditEntry) -> str:
    """The hash that an entry must have."""
    covered = {name: getattr(entry, name) for name in _COVERED}
    return _digest(canonical(covered))


def canonical(fields: Mapping[str, object]) -> str:
    """Strings, integers and times as one canonical text (RFC 8785).

    A time is written in UTC with microseconds (RFC 3339). What is None is left out, so that a
    field that later versions add changes no hash of an older entry.
    """
    return json.dumps(
        {key: _plain(value) for key, value in fields.items() if value is not None},
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )


def verify(
    entries: Iterable[AuditEntry | Unreadable], registry_id: str, head: Head | None
) -> Iterator[str]:
    """Say what is wrong with a log, entry by entry, in the log's order.

    Args:
        entries: All entries, ordered by sequence.
        registry_id: The registry's identity.
        head: An end of the log that was exported before.
    """
    if head and head.registry_id != registry_id:
        yield f"the head is of registry {head.registry_id}, this is {registry_id}"
        head = None
    previous, last, intact = genesis(registry_id), 0, True
    for entry in entries:
        missing = entry.sequence - last - 1
        if missing == 1:
            yield f"entry {entry.sequence - 1} is missing"
        elif missing:
            yield f"entries {last + 1} to {entry.sequence - 1} are missing"
        elif intact and entry.previous_hash != previous:
            yield (
                f"entry {entry.sequence} does not follow entry {last}: one of them was altered,"
                " inserted or moved"
            )
        intact = isinstance(entry, AuditEntry) and entry.hash == digest(entry)
        if isinstance(entry, Unreadable):
            yield f"entry {entry.sequence} was altered: it cannot be read"
        elif not intact:
            yield f"entry {entry.sequence} was altered: its hash is not that of its content"
        if head and entry.sequence == head.sequence and entry.hash != head.hash:
            yield (
                f"entry {entry.sequence} is not the one that was exported as the head: the log was"
                " rewritten before or at it"
            )
        previous, last = entry.hash, entry.sequence
    if head and last < head.sequence:
        yield (
            f"the log ends with entry {last}, the exported head is entry {head.sequence}: its end"
            " was cut off"
        )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


def _digest(text: str) -> str:
    return hashlib.sha256(f"{DOMAIN}\n{text}".encode()).hexdigest()
