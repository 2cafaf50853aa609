"""Indexed records, and views of them that lag behind."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Records(Generic[T]):
    """Records by key, which is compared without case, with indexes.

    Args:
        key: A record's key.
        indexes: By an index's name, what a record is found by.
    """

    def __init__(self, key: Callable[[T], str], **indexes: Callable[[T], str]) -> None:
        self._key = key
        self.by = indexes
        self._records: dict[str, T] = {}
        self._found: Mapping[str, defaultdict[str, dict[str, T]]] = {
            name: defaultdict(dict) for name in indexes
        }
        self._followers: list[Lagging[T]] = []
        self.version = 0

    def get(self, key: str) -> T | None:
        """The record with this key."""
        return self._records.get(key.lower())

    def where(self, index: str, value: str) -> Iterator[tuple[str, T]]:
        """Keys and records that an index finds."""
        yield from self._found[index].get(value.lower(), {}).items()

    def items(self) -> Iterator[tuple[str, T]]:
        """All keys and records, in the order in which they were first put."""
        yield from self._records.items()

    def put(self, record: T) -> None:
        """Add a record, or replace the one with its key."""
        key = self._key(record).lower()
        self._change(key)
        self._records[key] = record
        for name, value in self.by.items():
            self._found[name][value(record).lower()][key] = record

    def remove(self, key: str) -> None:
        """Remove the record with this key, if there is one."""
        key = key.lower()
        if key in self._records:
            self._change(key)
            del self._records[key]

    def follow(self, follower: Lagging[T]) -> None:
        """Tell a view of every change."""
        self._followers.append(follower)

    def _change(self, key: str) -> None:
        before = self._records.get(key)
        if before is not None:
            for name, value in self.by.items():
                del self._found[name][value(before).lower()][key]
        self.version += 1
        for follower in self._followers:
            follower.changed(key, before)


@dataclass(slots=True)
class Lag:
    """How far a view is behind: a write is seen after so many seconds and so many reads."""

    seconds: float = 0.0
    reads: int = 0


@dataclass(slots=True)
class _Held(Generic[T]):
    before: T | None
    time: float
    reads: int


class Lagging(Generic[T]):
    """A view of records in which a write is seen late.

    Args:
        lag: How late; may be changed at any time, for the writes that follow.
        clock: Seconds that never go back.
    """

    def __init__(self, source: Records[T], lag: Lag, clock: Callable[[], float]) -> None:
        self._source = source
        self._lag = lag
        self._clock = clock
        self._held: dict[str, deque[_Held[T]]] = {}
        self._released = 0
        source.follow(self)

    def changed(self, key: str, before: T | None) -> None:
        """Hold back a write."""
        if self._lag.seconds or self._lag.reads:
            held = _Held(before, self._clock() + self._lag.seconds, self._lag.reads)
            self._held.setdefault(key, deque()).append(held)

    def current(self) -> Lagging[T]:
        """What is due by now is seen from now on."""
        now = self._clock()
        for key, history in list(self._held.items()):
            while history and history[0].time <= now and history[0].reads <= 0:
                history.popleft()
                self._released += 1
            if not history:
                del self._held[key]
        return self

    def read(self) -> Lagging[T]:
        """Begin one read, for which writes may be waiting."""
        self.current()
        for history in self._held.values():
            for held in history:
                held.reads -= 1
        return self

    @property
    def version(self) -> tuple[int, int]:
        """Changes whenever what is seen may have changed."""
        return self._source.version, self._released

    def get(self, key: str) -> T | None:
        """The record with this key, as it is seen."""
        history = self._held.get(key.lower())
        return history[0].before if history else self._source.get(key)

    def where(self, index: str, value: str) -> Iterator[T]:
        """Records that an index finds, as they are seen."""
        for key, record in self._source.where(index, value):
            if key not in self._held:
                yield record
        for history in self._held.values():
            before = history[0].before
            if before is not None and self._source.by[index](before).lower() == value.lower():
                yield before

    def __iter__(self) -> Iterator[T]:
        for key, record in self._source.items():
            if key not in self._held:
                yield record
        for history in self._held.values():
            if history[0].before is not None:
                yield history[0].before
