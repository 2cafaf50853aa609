"""A deployment on Azure that is killed around any write, and then run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure_stand_in.faults import Exchange
from support import kill
from support.backends import CONTOSO, FABRIKAM, AzureBackend, postgresql_azure, sqlite_azure
from support.thorough import Survived, thorough

PROGRAM = """
import json, os, sys
from contextlib import suppress
from datetime import date
from dpor_provider.errors import Invalid
from dpor_provider.platforms import open_platform
from dpor_provider.registry import open_registry
from dpor_provider.resources.partner_of_record import Lifecycle
operation, old, new = json.loads(sys.stdin.readline())
registry = open_registry(os.environ["DPOR_REGISTRY"])
platform = open_platform("azure", registry, credit=True)
lifecycle = Lifecycle(registry, platform, date(2026, 11, 23), say=lambda line: None)
if operation == "create":
    print(json.dumps(lifecycle.create(lifecycle.check({}, new).inputs)))
elif operation == "update":
    print(json.dumps(lifecycle.update(old, lifecycle.check(old, new).inputs)))
elif operation == "delete":
    lifecycle.delete(old)
    print("{}")
else:
    # Nothing is left to be restored by who comes after the commit.
    with suppress(Invalid):
        platform.restore(old["subscription_id"])
    print("{}")
"""
AZURE = ("PATCH", "PUT", "DELETE")
REGISTRY = "commit"
Properties = dict[str, Any]


@dataclass(frozen=True)
class KillDeployer:
    """Kill the process that asks, before or after what it asks for is done."""

    group: int
    after: bool

    async def play(self, exchange: Exchange) -> None:
        if self.after:
            await exchange.proceed()
        os.killpg(self.group, signal.SIGKILL)
        await exchange.drop()


@dataclass(frozen=True)
class Point:
    """A write around which a deployment is killed: the nth of a method of Azure, or commit."""

    what: str
    number: int
    after: bool

    @property
    def settings(self) -> dict[str, str]:
        """What the environment says to a process that is killed around a commit."""
        moment = "after" if self.after else "before"
        return kill.settings(f"{moment}:{self.number}" if self.what == REGISTRY else None)


@pytest.fixture(
    params=[
        pytest.param(sqlite_azure, id="sqlite-azure"),
        pytest.param(postgresql_azure, id="postgresql-azure", marks=thorough),
    ]
)
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AzureBackend]:
    made: AzureBackend = request.param(tmp_path)
    with made.here(monkeypatch):
        yield made


def run(
    backend: AzureBackend,
    operation: str,
    old: Properties,
    new: Properties,
    at: Point | None = None,
) -> Properties | None:
    """Run an operation in a process of its own; None where it was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            **backend.environment(),
            "DPOR_REGISTRY": backend.url,
            **(at.settings if at else {}),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        if at and at.what != REGISTRY:
            backend.stand_in.faults.add(
                at.what, "", KillDeployer(process.pid, at.after), calls={at.number}
            )
        out, error = process.communicate(json.dumps([operation, old, new]) + "\n", timeout=120)
    backend.stand_in.faults.clear()
    if process.returncode == -signal.SIGKILL:
        return None
    assert process.returncode == 0, error
    done: Properties = json.loads(out)
    return done


def declared(subscription: str, partner_id: str) -> Properties:
    return {
        "subscription_id": subscription,
        "partner_id": partner_id,
        "managed_by": "estate/prod/payments",
    }


WRITTEN = {"create": ("PUT", "PATCH"), "update": AZURE, "delete": ("PATCH", "DELETE")}
"""By which methods an operation writes to Azure."""


@pytest.mark.parametrize(
    ("operation", "what"),
    [(name, what) for name, methods in WRITTEN.items() for what in (*methods, REGISTRY)],
)
def test_what_is_killed_around_a_write_to_azure_is_ended_by_the_next_run(
    backend: AzureBackend, operation: str, what: str, survived: Survived
) -> None:
    def prepared() -> tuple[str, Properties]:
        subscription = backend.subscription()
        backend.give_access(subscription, FABRIKAM, "sp-fabrikam")
        old = {}
        if operation != "create":
            old = run(backend, "create", {}, declared(subscription, FABRIKAM.id)) or {}
        return subscription, old

    def new(subscription: str) -> Properties:
        return declared(subscription, CONTOSO.id) if operation != "delete" else {}

    whole, old = prepared()
    before = len(backend.writes())
    assert run(backend, operation, old, new(whole)) is not None
    expected = backend.shown(whole)
    added = backend.writes()[before:]
    kills = 0
    for after in (False, True):
        for number in range(1, 9):
            subscription, old = prepared()
            before = len(backend.writes())
            at = Point(what, number, after)
            if run(backend, operation, old, new(subscription), at) is not None:
                break
            kills += 1
            assert run(backend, operation, old, new(subscription)) is not None
            assert backend.shown(subscription) == expected
            again = [one for one in backend.writes()[before:] if one != "adopt"]
            assert again == added
    assert kills >= (4 if what == REGISTRY else 2)
    assert backend.registry().verify().problems == ()
    survived("kills of a deployment around a write to Azure", kills)


@pytest.mark.parametrize("what", ["PUT", REGISTRY])
def test_a_restore_that_is_killed_around_a_write_is_ended_by_the_next_one(
    backend: AzureBackend, what: str, survived: Survived
) -> None:
    def prepared() -> Properties:
        subscription = backend.subscription()
        old = run(backend, "create", {}, declared(subscription, FABRIKAM.id)) or {}
        backend.give_access(subscription, FABRIKAM, "sp-fabrikam")
        return run(backend, "update", old, declared(subscription, CONTOSO.id)) or {}

    def restored(before: int) -> int:
        return backend.writes()[before:].count("access-restore")

    whole = prepared()
    gone = backend.shown(whole["subscription_id"])
    assert run(backend, "restore", whole, {}) is not None
    expected = backend.shown(whole["subscription_id"])
    assert expected != gone
    kills = 0
    for after in (False, True):
        for number in range(1, 5):
            old = prepared()
            before = len(backend.writes())
            if run(backend, "restore", old, {}, Point(what, number, after)) is not None:
                break
            kills += 1
            assert run(backend, "restore", old, {}) is not None
            assert backend.shown(old["subscription_id"]) == expected
            assert restored(before) == 1
    assert kills >= 2
    assert backend.registry().verify().problems == ()
    survived("kills of a command around its write to Azure", kills)
