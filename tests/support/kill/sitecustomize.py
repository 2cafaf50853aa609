"""Kills its process, and the engine with all of its, around the nth write to a registry.

`DPOR_TEST_KILL=before:2` kills before the second write is committed, `after:2` right after. Python
runs a module of this name when it starts, if its folder is on the path.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

moment, _, number = os.environ.get("DPOR_TEST_KILL", "").partition(":")
writes = itertools.count(1)


def kill() -> None:
    """Kill the engine first, so that it sees nobody die, and this process last."""
    this = psutil.Process()
    for engine in (parent for parent in this.parents() if parent.name() == "pulumi"):
        family = engine.children(recursive=True)
        for process in (engine, *(one for one in family if one != this)):
            process.kill()
    this.kill()


if number:
    from dpor_provider.registry.postgresql.calls import Calls
    from dpor_provider.registry.sqlite import Sqlite

    transaction, once = Sqlite.transaction, Calls._once

    @contextmanager
    def dying_transaction(self: Sqlite, *, write: bool) -> Iterator[Any]:
        """A transaction of SQLite that may be its process's last."""
        this = write and str(next(writes)) == number
        with transaction(self, write=write) as connection:
            yield connection
            if this and moment == "before":
                kill()
        if this:
            kill()

    def dying_call(self: Calls, values: dict[str, object]) -> dict[str, Any]:
        """A call of a server that may be its process's last."""
        this = str(next(writes)) == number
        if this and moment == "before":
            kill()
        reply = once(self, values)
        if this:
            kill()
        return reply

    Sqlite.transaction = dying_transaction  # type: ignore[method-assign]
    Calls._once = dying_call  # type: ignore[method-assign]
