"""Writes of several threads, committed together: each stands or falls alone, until the commit.

A commit waits for the disk, and that is most of what a small write takes. Who writes while others
wait for their turn hands the open transaction on to the next, and the last one commits for all.
Nobody is told that a write is done before it is on the disk.

Source: SQLite's "Savepoints"; "Transaction", on errors that end a transaction by themselves.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection


@dataclass(slots=True)
class _Batch:
    """An open transaction, and what became of it."""

    connection: Connection
    ended: threading.Event = field(default_factory=threading.Event)
    written: bool = False
    """Whether any part of it went in."""
    error: BaseException | None = None

    @contextlib.contextmanager
    def part(self) -> Iterator[Connection]:
        """What is written here goes in whole, or not at all."""
        self.connection.exec_driver_sql("SAVEPOINT part")
        try:
            yield self.connection
            self.connection.exec_driver_sql("RELEASE part")
            self.written = True
        except BaseException as error:
            self.error = error
            if self._open():
                self.connection.exec_driver_sql("ROLLBACK TO part")
                self.connection.exec_driver_sql("RELEASE part")
                self.error = None
            raise

    def end(self) -> None:
        """Commit what was written, and say so to everybody who wrote."""
        try:
            with self.connection:
                if self.written and not self.error:
                    self.connection.commit()
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.ended.set()

    def _open(self) -> bool:
        """Whether the transaction is still there: a full disk, say, ends it."""
        connection = self.connection.connection.driver_connection
        return connection is not None and bool(connection.in_transaction)


class Batches:
    """Gives out transactions, one at a time."""

    def __init__(self, begin: Callable[[], Connection]) -> None:
        """Take what opens a connection and begins a transaction on it."""
        self._begin = begin
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0
        self._writer: int | None = None
        self._batch: _Batch | None = None

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A part of a transaction, on the disk at the end; after an error, as if never begun.

        Raises:
            DBAPIError: the database failed; nothing of any part of the transaction remains.
            RuntimeError: this thread is writing already, and would wait for itself.
        """
        self._wait_for_turn()
        try:
            batch = self._batch = self._batch or _Batch(self._begin())
            try:
                with batch.part() as connection:
                    yield connection
            finally:
                if batch.error or not self._waiting:
                    self._batch = None
                    batch.end()
        finally:
            self._writer = None
            self._turn.release()
        batch.ended.wait()
        if batch.error:
            raise batch.error

    def _wait_for_turn(self) -> None:
        this = threading.get_ident()
        if self._writer == this:
            raise RuntimeError("a write within a write of the same thread")
        with self._counting:
            self._waiting += 1
        try:
            self._turn.acquire()
        finally:
            with self._counting:
                self._waiting -= 1
        self._writer = this
