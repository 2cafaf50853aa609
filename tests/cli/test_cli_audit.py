"""`dpor registry history | head | verify | backup`: what an auditor runs."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.backends import CONTOSO, FABRIKAM, Backend

from dpor_provider.provenance import PIPELINES

DPOR = Path(sys.executable).parent / "dpor"
ONE = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "estate/partners",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_RUN_ID": "77",
    "GITHUB_REF": "refs/pull/12/merge",
    "GITHUB_SHA": "0f7a1c5",
    "GITHUB_ACTOR": "=cmd|' /C calc'!A0\x1b[31m",
}

Done = subprocess.CompletedProcess[str]
Dpor = Callable[..., Done]


@pytest.fixture
def dpor(backend: Backend, tmp_path: Path) -> Dpor:
    """Runs `dpor` on the registry, as its users do."""
    marks = {*GITHUB, *PIPELINES}
    clean = {name: value for name, value in os.environ.items() if name not in marks}

    def run(*arguments: str, **environment: str) -> Done:
        return subprocess.run(
            [DPOR, "--registry", backend.url, "registry", *arguments],
            cwd=tmp_path,
            env=clean | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_history_tells_by_which_deployment_and_claims_no_more(dpor: Dpor) -> None:
    assert dpor("designate", ONE, CONTOSO.id, **GITHUB).returncode == 0
    assert dpor("designate", ONE, FABRIKAM.id).returncode == 0
    first, second = json.loads(dpor("history", ONE, "--format", "json").stdout)["history"]
    assert first["partner_name"] == CONTOSO.name
    assert first["deployment"] == {
        "provider": "github",
        "repository": "estate/partners",
        "run_id": "77",
        "run_url": "https://github.com/estate/partners/actions/runs/77",
        "ref": "refs/pull/12/merge",
        "pull_request": "12",
        "commit": "0f7a1c5",
        "actor": "=cmd|' /C calc'!A0\\u001b[31m",
        "verified": False,
    }
    assert second["deployment"] is None
    assert "https://github.com/estate/partners/actions/runs/77 (claimed)\t" in (
        dpor("history", ONE).stdout.replace("\n", "\t")
    )


def test_the_history_tells_who_approved_and_whose_word_that_is(dpor: Dpor) -> None:
    approved = {"DPOR_APPROVED_BY": "carol, dave"}
    assert dpor("designate", ONE, CONTOSO.id, **GITHUB, **approved).returncode == 0
    today = datetime.now(UTC).date().isoformat()
    (row,) = json.loads(dpor("history", ONE, "--on", today, "--format", "json").stdout)["history"]
    assert row["deployment"]["claimed_approver"] == "carol, dave"
    said = dpor("history", ONE, "--on", today).stdout
    assert "runs/77 (claimed), approved by carol, dave (claimed)" in said


def test_the_history_as_csv_holds_no_formula(backend: Backend, dpor: Dpor) -> None:
    backend.registry().partners.rename(CONTOSO.id, "=HYPERLINK(1)")
    dpor("designate", ONE, CONTOSO.id)
    (row,) = csv.DictReader(io.StringIO(dpor("history", ONE, "--format", "csv").stdout))
    assert row["partner_name"] == "'=HYPERLINK(1)"
    assert (row["partner_id"], row["action"], row["version"]) == (CONTOSO.id, "designate", "1")


def test_a_kept_head_holds_the_registry_to_its_log(dpor: Dpor, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    head.write_text(dpor("head").stdout)
    assert dpor("designate", ONE, CONTOSO.id).returncode == 0
    done = dpor("verify", "--head", str(head))
    assert (done.returncode, done.stdout) == (0, "")
    assert "is whole" in done.stderr
    kept = json.loads(head.read_text())
    head.write_text(json.dumps(kept | {"hash": "0" * 64}))
    done = dpor("verify", "--head", str(head))
    assert done.returncode == 1
    assert "is not the one that was exported as the head" in done.stdout
    result = json.loads(dpor("verify", "--head", str(head), "--format", "json").stdout)
    assert len(result["problems"]) == 1
    assert result["head"]["sequence"] == kept["sequence"] + 1


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "null", '{"version": 2}', '{"version": 1, "sequence": 1}', "\0\x80" * 9],
)
def test_what_is_no_head_is_one_line(dpor: Dpor, tmp_path: Path, content: str) -> None:
    (tmp_path / "head.json").write_text(content)
    done = dpor("verify", "--head", "head.json")
    assert done.returncode == 2
    assert done.stderr == (
        "dpor: head.json is no head of a registry; make one with: dpor registry head\n"
    )


def test_a_head_that_is_not_there_is_one_line(dpor: Dpor) -> None:
    done = dpor("verify", "--head", "nowhere.json")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_backup_is_the_whole_registry_and_its_owners_alone(
    backend: Backend, dpor: Dpor, tmp_path: Path
) -> None:
    dpor("designate", ONE, CONTOSO.id)
    assert dpor("backup", "copy.db").returncode == 0
    copy = Backend(f"sqlite:///{tmp_path / 'copy.db'}", "portal").registry()
    assert copy.read() == backend.registry().read()
    assert copy.audit.entries() == backend.registry().audit.entries()
    assert copy.verify(backend.registry().audit.head()).problems == ()
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    again = dpor("backup", "copy.db")
    assert again.returncode == 2
    assert "copy.db exists already and was left as it is" in again.stderr


def test_a_restored_backup_goes_on_where_it_ended(dpor: Dpor, tmp_path: Path) -> None:
    dpor("backup", "copy.db")
    head = tmp_path / "head.json"
    head.write_text(dpor("head").stdout)
    restored = Backend(f"sqlite:///{tmp_path / 'copy.db'}", "portal").registry()
    restored.designations.designate(ONE, CONTOSO.id, seen_version=0, owner=None)
    done = subprocess.run(
        [DPOR, "--registry", "sqlite:///copy.db", "registry", "verify", "--head", head],
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0


def test_a_registry_is_restored_past_the_journal_of_a_crash(
    backend: Backend, home: Backend, tmp_path: Path
) -> None:
    file = Path(home.url.removeprefix("sqlite:///"))
    home.designate(ONE, CONTOSO)
    home.registry().backup(tmp_path / "copy.db")
    kept = home.registry().audit.head()
    for _ in range(20):
        home.designate(str(uuid.uuid4()), CONTOSO)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE audit_log SET detail = 'half written'")
        for one in (file, file.with_name("registry.db-journal")):
            shutil.copy(one, crashed)
    assert (crashed / "registry.db-journal").stat().st_size
    # As docs/registry.md says.
    restore = "mkdir old && mv registry.db* old && cp ../copy.db registry.db"
    subprocess.run(restore, shell=True, check=True, cwd=crashed)
    restored = Backend(f"sqlite:///{crashed / 'registry.db'}", "portal").registry()
    assert restored.verify(kept).problems == ()
    assert set(restored.designations.all()) == {ONE}


def test_a_backup_that_fails_leaves_nothing(dpor: Dpor, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = dpor("backup", "file/copy.db")
    assert done.returncode == 2
    assert "Not a directory" in done.stderr
    assert not list(tmp_path.glob("**/*.new"))


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_file_that_others_may_reach_is_named(home: Backend, mode: int) -> None:
    file = Path(home.url.removeprefix("sqlite:///"))
    file.chmod(mode)
    for command in ("show", "verify"):
        done = subprocess.run(
            [DPOR, "--registry", home.url, "registry", command],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"is open to others than its owner (mode 0{mode:o}): chmod 600" in done.stderr


def test_a_forged_role_is_found(home: Backend) -> None:
    with closing(sqlite3.connect(home.url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("INSERT INTO grants VALUES ('eve', 'Owner', '/')")
    done = subprocess.run(
        [DPOR, "--registry", home.url, "registry", "verify"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == "the log knows nothing of a role that is held: Owner at / to eve\n"


@pytest.mark.parametrize("nonsense", ["nonsense", "[]", "5", "[" * 10_000])
def test_a_history_says_which_entry_was_turned_into_nonsense(
    home: Backend, tmp_path: Path, nonsense: str
) -> None:
    home.designate(ONE, CONTOSO)
    with closing(
        sqlite3.connect(home.url.removeprefix("sqlite:///"), isolation_level=None)
    ) as file:
        file.execute("UPDATE audit_log SET provenance = ? WHERE action = 'designate'", [nonsense])
    done = subprocess.run(
        [DPOR, "--registry", home.url, "registry", "history", ONE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("dpor: entry 6 of the audit log was altered")
    assert len(done.stderr.splitlines()) == 1
