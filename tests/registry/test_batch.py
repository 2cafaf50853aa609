"""Threads that write at once share a transaction, and each is told what became of its own part."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from dpor_provider.registry.batch import Batches

Part = Callable[[Connection], None]


def add(number: int) -> Part:
    def part(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))

    return part


def end_the_transaction(connection: Connection) -> None:
    """As SQLite itself does when the disk is full."""
    connection.exec_driver_sql("INSERT OR ROLLBACK INTO numbers VALUES (9), (9)")


class Table:
    """A table of numbers, and how often something was committed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE numbers (number INTEGER UNIQUE)")
        self._engine = create_engine(
            f"sqlite:///{file}", poolclass=NullPool, connect_args={"check_same_thread": False}
        )
        event.listen(self._engine, "connect", self._begin_nothing)
        event.listen(self._engine, "begin", self._hold_the_lock)
        event.listen(self._engine, "commit", self._count)
        self.batches = Batches(self._begin)
        self.commits = 0

    def _begin(self) -> Connection:
        connection = self._engine.connect()
        connection.begin()
        return connection

    @staticmethod
    def _begin_nothing(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @staticmethod
    def _hold_the_lock(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _count(self, _connection: Connection) -> None:
        self.commits += 1

    def write(self, part: Part) -> None:
        """Write, and be told that it is written."""
        with self.batches.write() as connection:
            part(connection)

    def together(self, first: Part, *others: Part) -> list[BaseException | None]:
        """Write the first part when all the others wait for their turn; what each was told."""

        def when_all_wait(connection: Connection) -> None:
            while self.batches._waiting < len(others):
                time.sleep(0.001)
            first(connection)

        with ThreadPoolExecutor(1 + len(others)) as threads:
            leader = threads.submit(self.write, when_all_wait)
            while self.batches._batch is None:
                time.sleep(0.001)
            futures = [leader, *(threads.submit(self.write, part) for part in others)]
        return [future.exception() for future in futures]

    def numbers(self) -> list[int]:
        """What another connection sees."""
        with closing(sqlite3.connect(self._file)) as connection:
            return [row[0] for row in connection.execute("SELECT number FROM numbers ORDER BY 1")]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path / "numbers.db")


def test_who_waits_is_committed_together(table: Table) -> None:
    assert table.together(add(0), add(1), add(2), add(3)) == [None] * 4
    assert table.numbers() == [0, 1, 2, 3]
    assert table.commits == 1


def test_one_after_the_other_is_committed_one_by_one(table: Table) -> None:
    for number in range(3):
        table.write(add(number))
        assert table.numbers() == list(range(number + 1))
    assert table.commits == 3


def test_an_error_takes_back_its_own_part_alone(table: Table) -> None:
    def fail(connection: Connection) -> None:
        add(7)(connection)
        raise LookupError

    told = table.together(fail, add(1), fail, add(2))
    assert [type(error) for error in told] == [LookupError, type(None), LookupError, type(None)]
    assert table.numbers() == [1, 2]
    assert table.commits == 1

    with pytest.raises(DBAPIError):
        table.write(add(1))
    assert table.commits == 1
    table.write(add(3))
    assert table.numbers() == [1, 2, 3]


def test_a_failed_commit_is_everybodys_failure(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = OperationalError("COMMIT", (), sqlite3.OperationalError("disk I/O error"))

    def fail(_: Connection) -> None:
        raise failed

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "commit", fail)
        assert table.together(add(0), add(1), add(2)) == [failed] * 3
    assert table.numbers() == []
    table.write(add(7))
    assert table.numbers() == [7]


def test_a_transaction_that_the_database_ends_is_the_failure_of_all_that_it_held(
    table: Table,
) -> None:
    told = table.together(add(0), end_the_transaction)
    assert [type(error).__name__ for error in told] == ["IntegrityError"] * 2
    assert table.numbers() == []

    told = table.together(end_the_transaction, add(1), add(2))
    assert [type(error).__name__ for error in told] == ["IntegrityError", "NoneType", "NoneType"]
    assert table.numbers() == [1, 2]


def test_a_beginning_that_fails_is_one_writers_failure(table: Table) -> None:
    begin, failed = table.batches._begin, OSError("no such file")
    table.batches._begin = lambda: (_ for _ in ()).throw(failed)
    with pytest.raises(OSError, match="no such file"):
        table.write(add(1))
    table.batches._begin = begin
    table.write(add(2))
    assert table.numbers() == [2]


def test_a_thread_does_not_wait_for_itself(table: Table) -> None:
    def again(connection: Connection) -> None:
        add(1)(connection)
        table.write(add(3))

    with pytest.raises(RuntimeError, match="a write within a write"):
        table.write(again)
    table.write(add(2))
    assert table.numbers() == [2]
