"""What one designation asks of registry and platform: SQL statements and requests, counted.

Usage: python benchmarks/costs.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from measure import keep, say
from sqlalchemy import Engine, event
from support.backends import (
    CONTOSO,
    FABRIKAM,
    AzureBackend,
    Backend,
    postgresql_portal,
    sqlite_azure,
    sqlite_portal,
)

from dpor_provider.platforms import open_platform
from dpor_provider.registry import open_registry
from dpor_provider.resources.partner_of_record import Lifecycle

LINKS = 50
MADE: dict[str, Callable[[Path], Backend]] = {
    "embedded, portal": sqlite_portal,
    "PostgreSQL, portal": postgresql_portal,
    "embedded, Azure": sqlite_azure,
}


def main() -> None:
    """Count, and keep the figures."""
    found: dict[str, Any] = {"links": LINKS, "backends": {}}
    for name, make in MADE.items():
        say(f"{LINKS} links: {name}")
        with (
            tempfile.TemporaryDirectory() as folder,
            pytest.MonkeyPatch.context() as environment,
            make(Path(folder)).here(environment) as backend,
        ):
            found["backends"][name] = steps(backend)
    keep("costs", found)


def steps(backend: Backend) -> dict[str, dict[str, float]]:
    """Statements and requests of each operation, for each link; of the bulk read, in all."""
    registry = open_registry(backend.url)
    lifecycle = Lifecycle(
        registry,
        open_platform(backend.platform_name, registry),
        today=datetime.now(UTC).date(),
        say=lambda _line: None,
    )
    ids = [backend.subscription() for _ in range(LINKS)]
    declared = [
        {"subscription_id": one, "partner_id": CONTOSO.id, "managed_by": f"a/b/{one}"}
        for one in ids
    ]
    switched = [one | {"partner_id": FABRIKAM.id} for one in declared]
    outputs: list[dict[str, Any]] = []

    def check() -> None:
        for one in declared:
            assert not lifecycle.check({}, one).failures

    def create() -> None:
        outputs.extend(map(lifecycle.create, declared))

    def unchanged() -> None:
        for old, new in zip(outputs, declared, strict=True):
            assert not lifecycle.diff(old, lifecycle.check(old, new).inputs).changes

    def switch() -> None:
        pairs = list(zip(outputs, switched, strict=True))
        outputs[:] = [lifecycle.update(*pair) for pair in pairs]

    def delete() -> None:
        for one in outputs:
            lifecycle.delete(one)

    found: dict[str, dict[str, float]] = {}
    operations = {
        "bulk read": lambda: lifecycle.live,
        "check": check,
        "create": create,
        "no-op": unchanged,
        "switch": switch,
        "delete": delete,
    }
    for name, operation in operations.items():
        with counted(backend) as counts:
            operation()
        links = 1 if name == "bulk read" else LINKS
        found[name] = {what: count / links for what, count in counts.items()}
    return found


@contextmanager
def counted(backend: Backend) -> Iterator[dict[str, int]]:
    """Count what is asked meanwhile."""
    counts = {"statements": 0, "requests": 0}

    def one_more(*_: object) -> None:
        counts["statements"] += 1

    journal = backend.stand_in.journal if isinstance(backend, AzureBackend) else None
    before = journal.answers.total() if journal else 0
    event.listen(Engine, "before_cursor_execute", one_more)
    try:
        yield counts
    finally:
        event.remove(Engine, "before_cursor_execute", one_more)
        counts["requests"] = journal.answers.total() - before if journal else 0


if __name__ == "__main__":
    main()
