"""What was asked for and what was accepted: the oracle of tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Write:
    """A write that took effect, whether or not its caller was told.

    Attributes:
        principal: The caller's object id.
        path: The path that was asked for, without its query.
        body: The request's JSON; None where it had none.
    """

    principal: str
    method: str
    path: str
    body: Any
    time: datetime
    correlation_id: str


class Journal:
    """Accepted writes in their order, and counts of all requests.

    Attributes:
        answers: How many answers of each status each kind of request had; a kind is a method and
            the template of a path. Requests that a fault kept from the server are not in it.
    """

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.answers: Counter[tuple[str, int]] = Counter()

    def requests(self, kind: str = "") -> int:
        """How many requests there were whose kind contains this text."""
        return sum(count for (name, _), count in self.answers.items() if kind in name)

    def clear(self) -> None:
        """Forget everything, as after a test's preparation."""
        self.writes.clear()
        self.answers.clear()
