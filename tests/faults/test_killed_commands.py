"""Every command that writes, killed before and after its commit, and run again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support import kill, released
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, REGISTRIES, Backend
from support.commands import leaves
from support.thorough import THOROUGH, Survived

from dpor_provider.cli.main import dpor
from dpor_provider.errors import Unavailable
from dpor_provider.model import Action
from dpor_provider.provenance import Demand, Trust
from dpor_provider.registry import tables

QUICK = {name: REGISTRIES[name] for name in (REGISTRIES if THOROUGH else ["sqlite-portal"])}
DPOR = Path(sys.executable).parent / "dpor"
ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
NEVER = datetime.min.replace(tzinfo=UTC)
SCOPE = f"/subscriptions/{ONE}"

TOKENS = ["--issuer", "https://issuer.example.com", "--audience", "a", "--repository-id", "74"]
COMMANDS: dict[str, list[str]] = {
    "designate": ["registry", "designate", OTHER, CONTOSO.id],
    "replace": ["registry", "designate", ONE, FABRIKAM.id],
    "withdraw": ["registry", "withdraw", ONE],
    "confirm": ["confirm", ONE, "--partner-name", CONTOSO.name],
    "observe": ["observe", "FILE"],
    "grant": ["registry", "grant", "bob", "Owner", "--scope", SCOPE],
    "ungrant": ["registry", "ungrant", ADMIN, "Global Administrator"],
    "partner-add": ["registry", "partner", "add", "7654321", "Fourth Coffee"],
    "partner-rename": ["registry", "partner", "rename", CONTOSO.id, "Contoso Group"],
    "partner-retire": ["registry", "partner", "retire", NORTHWIND.id],
    "partner-renumber": ["registry", "partner", "renumber", CONTOSO.id, "7654321"],
    "partner-agreement": ["registry", "partner", "agreement", CONTOSO.id, "DSA-1"],
    "partner-principals": ["registry", "partner", "principals", CONTOSO.id, "--add", "sp-new"],
    "access-add": ["access", "add", OTHER, "sp", "Reader", "--partner", CONTOSO.id],
    "access-remove": ["access", "remove", ONE, "sp", "Reader"],
    "access-restore": ["access", "restore", ONE],
    "demand-add": ["registry", "demand", "add", OTHER, *TOKENS],
    "demand-remove": ["registry", "demand", "remove", "/"],
}


def prepared(make: Callable[[Path], Backend], folder: Path, command: str) -> Backend:
    """A registry with something for every command."""
    folder.mkdir()
    backend = make(folder)
    registry = backend.registry()
    registry.designations.designate(ONE, CONTOSO.id, seen_version=0, owner=None)
    registry.access.add(SCOPE, "sp", "Reader", CONTOSO.id)
    registry.access.add(SCOPE, "sp-gone", "Reader", FABRIKAM.id)
    (held,) = (item.id for item in registry.access.all() if item.principal == "sp-gone")
    registry.access.revoke(ONE, [held])
    if command == "demand-remove":
        trust = Trust(issuer="https://issuer.example.com", audience="a", repository_id="74")
        registry.demands.add(Demand("/", trust))
    return backend


def state(backend: Backend) -> dict[str, Any]:
    """What a registry holds, but for times and ids, which no two runs share."""
    registry = backend.registry()
    content = registry.read()
    return {
        "designations": {
            key: replace(row, designated_at=NEVER) for key, row in content.designations.items()
        },
        "access": {replace(item, id="", granted_at=NEVER) for item in content.access},
        "observations": {
            key: replace(seen, observed_at=NEVER) for key, seen in content.observations.items()
        },
        "former_partners": content.former_partners,
        "grants": content.grants,
        "demands": registry.demands.all(),
        "directory": content.directory,
        "actions": [(entry.action, entry.detail) for entry in registry.audit.entries()],
    }


@pytest.mark.parametrize("make", QUICK.values(), ids=QUICK)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_command_did_all_or_nothing(
    make: Callable[[Path], Backend], tmp_path: Path, command: str, survived: Survived
) -> None:
    portal = tmp_path / "portal.csv"
    portal.write_text(f"subscription_id,partner_id\n{ONE},{CONTOSO.id}\n{OTHER},{FABRIKAM.id}\n")
    one, other = (prepared(make, tmp_path / name, command) for name in ("one", "other"))

    def run(backend: Backend, moment: str | None) -> kill.Done:
        arguments = [str(portal) if word == "FILE" else word for word in COMMANDS[command]]
        return kill.run([DPOR, "--registry", backend.url, *arguments], moment)

    before = state(one)
    assert kill.was_killed(run(one, "before:1"))
    assert state(one) == before
    done = run(one, None)
    assert done.returncode == 0, done.stderr
    whole = state(one)
    assert len(whole["actions"]) > len(before["actions"])

    assert kill.was_killed(run(other, "after:1"))
    assert state(other) == whole
    assert "Traceback" not in run(other, None).stderr
    for backend in (one, other):
        assert backend.registry().verify().problems == ()
    survived("kills of a command around its write", 2)


READ_ONLY = {
    *("access list", "check", "drift", "explain", "rules", "schema", "state verify", "worklist"),
    *("registry head", "registry history", "registry partner list", "registry show"),
    *("registry demand list", "registry verify"),
}
WRITE_FILES = {"discover", "policies init"}
"""Tested where files are: tests/test_files.py."""
RUN_THE_ENGINE = {"destroy", "preview", "refresh", "up"}
"""Tested with the engine: tests/e2e/test_runner_kills.py."""
MAKE = {"registry backup", "registry init", "registry upgrade"}


def test_no_command_that_writes_is_left_out() -> None:
    written = [" ".join([*arguments, ""]) for arguments in COMMANDS.values()]
    killed = {one for one in leaves(dpor) if any(words.startswith(f"{one} ") for words in written)}
    assert set(leaves(dpor)) == killed | READ_ONLY | WRITE_FILES | RUN_THE_ENGINE | MAKE


@pytest.mark.parametrize("command", ["init", "backup"])
def test_a_registry_or_copy_that_is_killed_in_the_making_is_there_whole_or_not_at_all(
    home: Backend, tmp_path: Path, command: str, survived: Survived
) -> None:
    chance, kills = random.Random(20261127), 0
    for number in range(100 if THOROUGH else 8):
        made = tmp_path / f"{number}.db"
        url = f"sqlite:///{made}"
        arguments = {
            "init": ["--registry", url, "registry", "init"],
            "backup": ["--registry", home.url, "registry", "backup", str(made)],
        }[command]
        process = subprocess.Popen([DPOR, *arguments], stdout=subprocess.DEVNULL)
        while not list(tmp_path.glob(f".{made.name}.*.new")) and process.poll() is None:
            time.sleep(0.001)
        # Making it takes some hundredths of a second.
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        if not made.exists():
            assert subprocess.run([DPOR, *arguments], check=False).returncode == 0
        assert Backend(url, "portal").registry().verify().problems == ()
    survived("kills of a command around its write", kills)


UPGRADE = """
import sys
from dpor_provider.registry import upgrade_registry
upgrade_registry(sys.argv[1], principal=sys.argv[2])
"""


@pytest.mark.parametrize("schema", tables.OLDER)
@pytest.mark.parametrize("moment", ["before:1", "after:1"])
def test_an_upgrade_that_is_killed_did_all_or_nothing(
    tmp_path: Path, schema: str, moment: str, survived: Survived
) -> None:
    file = tmp_path / "registry.db"
    older = Backend(released.load_file(file, schema), "portal")
    kept = released.rows_of_file(file)
    upgrade = ["-c", UPGRADE, older.url, released.ADMIN]
    assert kill.was_killed(kill.run(upgrade, moment))
    if moment == "before:1":
        assert released.rows_of_file(file) == kept
        with pytest.raises(Unavailable, match="dpor registry upgrade"):
            older.registry().read()
        assert kill.run(upgrade, None).returncode == 0
    assert released.lost(kept, released.rows_of_file(file)) == {}
    assert older.registry().verify().problems == ()
    upgrades = [one for one in older.registry().audit.entries() if one.action is Action.UPGRADE]
    assert len(upgrades) == 1
    survived("kills of a command around its write", 1)
