"""Locks of a self-managed backend: whose they are, and which of them nobody holds any more."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dpor_provider.engine.processes import is_gone

NAMED = re.compile(
    r"^\s*(?P<url>\S+): created by (?P<user>.+)@(?P<host>\S+) \(pid (?P<pid>\d+)\)"
    r" at (?P<since>\S+)$",
    re.MULTILINE,
)
"""How the engine names a lock in its error."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The mark of one run in the backend, which keeps others out of its stack."""

    url: str
    user: str
    host: str
    pid: int
    since: datetime

    @property
    def file(self) -> Path | None:
        """The lock's file; None where the backend keeps it elsewhere."""
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    @property
    def left_behind(self) -> bool:
        """Whether its process, on this host, is gone."""
        return self.host == socket.gethostname() and is_gone(self.pid, self.since)

    def lift(self) -> None:
        """Take this lock away, and no other: another run may have come first.

        Raises:
            OSError: the file cannot be removed.
        """
        if self.file:
            self.file.unlink(missing_ok=True)
            self.file.with_name(f"{self.file.name}.attrs").unlink(missing_ok=True)

    def __str__(self) -> str:
        held = datetime.now(UTC).replace(microsecond=0) - self.since
        return f"{self.user}@{self.host}, process {self.pid}, for {held} (h:mm:ss)"


def named(error: str) -> Iterator[Lock]:
    """The locks that the engine's error names."""
    for found in NAMED.finditer(error):
        yield Lock(
            found["url"],
            found["user"],
            found["host"],
            int(found["pid"]),
            datetime.fromisoformat(found["since"]),
        )
