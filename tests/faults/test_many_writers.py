"""Many writers at once, killed at random: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from support.backends import CONTOSO, FABRIKAM, Backend
from support.race import race
from support.thorough import Survived

from dpor_provider.model import DESIGNATION_CHANGES

KILLS = int(os.environ.get("DPOR_TEST_KILLS", "12"))
MOST_IN_A_LOG = 100
"""Writers are so much faster with a write-ahead log that to verify all copies takes long."""
WRITERS = 8
THREADS = 4
"""Of each writer, as Pulumi's dynamic provider has."""

WRITER = """
import os, sys, threading, uuid
from dpor_provider.registry import open_registry
registry = open_registry(sys.argv[1])

def write():
    while True:
        subscription = str(uuid.uuid4())
        row = registry.designations.designate(
            subscription, sys.argv[2], seen_version=0, owner=None
        )
        os.write(1, f"{subscription} {row.version}\\n".encode())
        row = registry.designations.withdraw(subscription, seen_version=row.version)
        os.write(1, f"{subscription} {row.version}\\n".encode())

for _ in range(int(sys.argv[3])):
    threading.Thread(target=write).start()
"""


NEWER_SQLITE = {"PYTHONPATH": str(Path(__file__).parent.parent / "support" / "newer_sqlite")}
"""The environment of a process that keeps a write-ahead log, as SQLite does where it is safe."""


class Writer:
    """A process that writes until it is killed, and says what was acknowledged."""

    def __init__(self, url: str, log: Path, environment: Mapping[str, str]) -> None:
        self._url, self._log = url, log
        self._environment = {**os.environ, **environment}
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", WRITER, self._url, CONTOSO.id, str(THREADS)],
                env=self._environment,
                stdout=log,
            )

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Kill it, and start another."""
        self.kill()
        self._start()


def test_what_was_acknowledged_survives_random_kills(
    backend: Backend, tmp_path: Path, survived: Survived
) -> None:
    survive(backend, tmp_path, survived, KILLS, {})
    survived("random kills", KILLS + WRITERS)


@pytest.mark.skipif(sys.platform != "linux", reason="pysqlite3 has its SQLite on Linux alone")
@pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)
def test_what_was_acknowledged_survives_random_kills_with_a_write_ahead_log(
    backend: Backend, tmp_path: Path, survived: Survived
) -> None:
    kills = min(KILLS, MOST_IN_A_LOG)
    beside = survive(backend, tmp_path, survived, kills, NEWER_SQLITE)
    assert beside == {"registry.db-shm", "registry.db-wal"}
    survived("random kills with a write-ahead log", kills + WRITERS)


def survive(
    backend: Backend,
    tmp_path: Path,
    survived: Survived,
    kills: int,
    environment: Mapping[str, str],
) -> set[str]:
    """Kill writers; returns what was seen beside the registry meanwhile."""
    chosen = random.Random(20261123)
    before = len(backend.registry().audit.entries())
    logs = [tmp_path / f"{number}.log" for number in range(WRITERS)]
    writers = [Writer(backend.url, log, environment) for log in logs]
    for log in logs:
        while not log.stat().st_size:
            time.sleep(0.05)
    copies = 0
    beside: set[str] = set()
    for number in range(kills):
        time.sleep(chosen.uniform(0.0, 0.3))
        chosen.choice(writers).restart()
        beside |= {file.name for file in tmp_path.glob("registry.db-*")}
        if number % 10 == 5:
            copy = tmp_path / f"copy-{number}.db"
            subprocess.run(
                [Path(sys.executable).with_name("dpor"), "registry", "backup", copy],
                env={**os.environ, **environment, "DPOR_REGISTRY": backend.url},
                stdout=subprocess.DEVNULL,
                check=True,
            )
            found = Backend(f"sqlite:///{copy}", "portal").registry().verify()
            assert found.problems == ()
            copies += 1
    for writer in writers:
        writer.kill()

    acknowledged = {
        line.split()[0]: int(line.split()[1])
        for log in logs
        for line in log.read_text().splitlines()
        if len(line.split()) == 2
    }
    # An older SQLite takes a write-ahead log in, for which it must be alone.
    assert backend.registry().read()
    # A server goes on for a moment with what was begun for those who were killed.
    with backend.held():
        live = backend.registry().designations.all()
        entries = backend.registry().audit.entries()[before:]
    lost = [key for key, version in acknowledged.items() if live[key].version < version]
    assert lost == []
    assert all(entry.action in DESIGNATION_CHANGES for entry in entries)
    assert max(Counter((entry.subscription_id, entry.version) for entry in entries).values()) == 1
    assert len(entries) == sum(row.version for row in live.values())
    assert 0 <= len(entries) - sum(acknowledged.values()) <= (kills + WRITERS) * THREADS
    assert backend.registry().verify().problems == ()
    if backend.url.startswith("sqlite"):
        with closing(sqlite3.connect(backend.url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    survived("writes acknowledged", sum(acknowledged.values()))
    survived("copies made meanwhile", copies)
    return beside


DEPLOYER = """
import sys
from datetime import date
from dpor_provider.errors import DporError
from dpor_provider.platforms import open_platform
from dpor_provider.registry import open_registry
from dpor_provider.resources.partner_of_record import Lifecycle
url, project, partner_id, *subscriptions = sys.argv[1:]
registry = open_registry(url)
lifecycle = Lifecycle(registry, open_platform("portal", registry), date(2026, 11, 23))
lifecycle.live
print("ready", flush=True)
sys.stdin.readline()
for subscription in subscriptions:
    try:
        lifecycle.create(
            {
                "subscription_id": subscription,
                "partner_id": partner_id,
                "managed_by": f"{project}/dev/{subscription}",
            }
        )
    except DporError as error:
        print(subscription, error)
    else:
        print(subscription, "won")
"""


@pytest.mark.parametrize("size", [12, 7], ids=["the same", "overlapping"])
def test_of_eight_projects_with_one_estate_each_subscription_has_one_winner(
    backend: Backend, survived: Survived, size: int
) -> None:
    subscriptions = [str(uuid.uuid4()) for _ in range(12)]
    starters = []
    for number in range(8):
        partner = (CONTOSO, FABRIKAM)[number % 2]
        order = (subscriptions[number:] + subscriptions[:number])[:size]
        starters.append((backend.url, f"project-{number}", partner.id, *order))
    said = [line.split(" ", 1) for lines in race(DEPLOYER, starters) for line in lines.split("\n")]
    live = backend.registry().designations.all()
    for subscription in subscriptions:
        told = [rest for which, rest in said if which == subscription]
        assert told.count("won") == 1
        owner = str(live[subscription].managed_by).split("/")[0]
        others = [rest for rest in told if rest != "won"]
        assert len(others) == sum(subscription in starter for starter in starters) - 1
        made = live[subscription]
        when = f" at {made.designated_at:%Y-%m-%d %H:%M:%S}"
        assert all(owner in rest and when in rest for rest in others), others
    entries = [entry for entry in backend.registry().audit.entries() if entry.version]
    assert len(entries) == len(subscriptions)
    assert backend.registry().verify().problems == ()
    survived("races for a subscription", len(subscriptions))
