"""The command `dpor`: its results, its errors and its exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dpor_provider.cli import main
from dpor_provider.registry import Owner, open_registry

DPOR = Path(sys.executable).parent / "dpor"
SUBSCRIPTION = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
CONTOSO = "4567890"
FABRIKAM = "5127255"


@dataclass(frozen=True)
class Done:
    """What one command did."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The result, from JSON."""
        assert self.exit_code == 0, self.err
        return json.loads(self.out)


Dpor = Callable[..., Done]


@pytest.fixture
def dpor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Dpor:
    """Runs `dpor` in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        stream = io.BytesIO(stdin)
        vars(stream)["name"] = "<stdin>"
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def made(dpor: Dpor) -> Dpor:
    """The same, with a registry that has two partners."""
    for arguments in (
        ("registry", "init"),
        ("registry", "partner", "add", CONTOSO, "Contoso Consulting", "--principal", "sp-contoso"),
        ("registry", "partner", "add", FABRIKAM, "Fabrikam Cloud Services"),
    ):
        assert dpor(*arguments).exit_code == 0
    return dpor


@pytest.mark.parametrize(
    "arguments",
    [
        ("registry", "show"),
        ("registry", "designate", SUBSCRIPTION, CONTOSO),
        ("registry", "partner", "list"),
        ("worklist",),
        ("access", "list"),
        ("confirm", SUBSCRIPTION, "--no-partner"),
    ],
)
def test_nothing_makes_a_registry_but_init(
    dpor: Dpor, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = dpor(*arguments)
    assert (done.exit_code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "make one with: dpor registry init" in done.err
    assert list(tmp_path.iterdir()) == []


def test_init_and_show(dpor: Dpor, tmp_path: Path) -> None:
    done = dpor("registry", "init", "--format", "json")
    shown = dpor("registry", "show", "--format", "json").json
    assert shown["registry"]["id"] == done.json["id"]
    assert shown["designations"] == []
    assert [role["role"] for role in shown["roles"]] == ["Global Administrator"]
    assert (tmp_path / ".dpor" / "registry.db").stat().st_mode & 0o777 == 0o600
    again = dpor("registry", "init")
    assert again.exit_code == 2
    assert "was left as it is" in again.err


def test_the_registry_is_that_of_the_project(made: Dpor, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    below = tmp_path / "examples" / "deep"
    below.mkdir(parents=True)
    done = subprocess.run([DPOR, "registry", "show"], cwd=below, check=False)
    assert done.returncode == 0


def test_designate_show_withdraw_history(made: Dpor) -> None:
    first = made("registry", "designate", SUBSCRIPTION.upper(), CONTOSO)
    assert first.out == f"{SUBSCRIPTION}: Contoso Consulting ({CONTOSO}) is partner of record\n"
    second = made("registry", "designate", f"/subscriptions/{SUBSCRIPTION}", FABRIKAM)
    assert "it replaces Contoso Consulting" in second.err
    (row,) = made("registry", "show", "--format", "json").json["designations"]
    assert set(row) == {
        "subscription_id",
        "partner_id",
        "partner_name",
        "version",
        "effective",
        "managed_by",
        "designated_by",
        "designated_at",
        "former_partner_id",
    }
    assert (row["partner_id"], row["version"], row["effective"]) == (FABRIKAM, 2, "pending")
    lines = made("registry", "show").out.splitlines()
    assert lines[0].split("\t")[:3] == ["subscription", "partner id", "partner"]
    assert lines[1].split("\t")[:3] == [SUBSCRIPTION, FABRIKAM, "Fabrikam Cloud Services"]
    assert made("registry", "withdraw", SUBSCRIPTION).exit_code == 0
    assert made("registry", "withdraw", SUBSCRIPTION).exit_code == 2
    assert made("registry", "show", "--format", "json").json["designations"] == []
    history = made("registry", "history", SUBSCRIPTION, "--format", "json").json["history"]
    assert [entry["partner_id"] for entry in history] == [CONTOSO, FABRIKAM, None]
    assert [entry["former_partner_id"] for entry in history] == [None, CONTOSO, FABRIKAM]
    before = made("registry", "history", SUBSCRIPTION, "--on", "2000-01-01", "--format", "json")
    assert before.json["history"] == []
    later = made("registry", "history", SUBSCRIPTION, "--on", "2999-01-01", "--format", "json")
    assert [entry["action"] for entry in later.json["history"]] == ["withdraw"]


def test_a_change_behind_a_deployments_back_says_so(made: Dpor, tmp_path: Path) -> None:
    registry = open_registry(None, start=tmp_path)
    registry.designations.designate(
        SUBSCRIPTION, CONTOSO, seen_version=0, owner=Owner("estate/dev/payments", "claim")
    )
    done = made("registry", "designate", SUBSCRIPTION, FABRIKAM)
    assert "estate/dev/payments declares this subscription's partner" in done.err
    assert "shows this as drift" in done.err


def test_a_refusal_exits_1_and_changes_nothing(made: Dpor, tmp_path: Path) -> None:
    assert made("registry", "grant", "alice", "global-administrator").exit_code == 0
    me = made("registry", "show", "--format", "json").json["roles"]
    (mine,) = (role["principal"] for role in me if role["principal"] != "alice")
    assert made("registry", "ungrant", mine, "Global Administrator").exit_code == 0
    done = made("registry", "designate", SUBSCRIPTION, CONTOSO)
    assert (done.exit_code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert f"{mine} may not designate {CONTOSO}" in done.err
    assert made("registry", "show", "--format", "json").json["designations"] == []
    audit = open_registry(None, start=tmp_path).audit.entries()
    assert audit[-1].action == "refuse"


def test_the_last_global_administrator_stays(made: Dpor) -> None:
    roles = made("registry", "show", "--format", "json").json["roles"]
    done = made("registry", "ungrant", roles[0]["principal"], "Global Administrator")
    assert done.exit_code == 1
    assert made("registry", "show", "--format", "json").json["roles"] == roles


def test_the_worklist_and_its_confirmation(made: Dpor) -> None:
    made("registry", "designate", SUBSCRIPTION, CONTOSO)
    (task,) = made("worklist", "--format", "json").json["tasks"]
    assert task["partner_name"] == "Contoso Consulting"
    assert any("Contoso Consulting" in step for step in task["steps"])
    assert f"{SUBSCRIPTION}: Contoso Consulting ({CONTOSO})" in made("worklist").out
    wrong = made("confirm", SUBSCRIPTION, "--partner-name", "Contoso Fake")
    assert wrong.exit_code == 1
    assert "the portal shows Contoso Fake, where Contoso Consulting" in wrong.err
    assert len(made("worklist", "--format", "json").json["tasks"]) == 1
    assert made("confirm", SUBSCRIPTION, "--partner-name", " contoso  CONSULTING").exit_code == 0
    done = made("worklist")
    assert (done.exit_code, done.out) == (0, "")
    assert "The worklist is empty" in done.err
    assert made("confirm", SUBSCRIPTION).exit_code == 2
    assert made("confirm", str(uuid.uuid4()), "--no-partner").exit_code == 2


def test_observe(made: Dpor, tmp_path: Path) -> None:
    made("registry", "designate", SUBSCRIPTION, CONTOSO)
    other = str(uuid.uuid4())
    rows = f'"Subscription ID";"Partner ID"\r\n"{SUBSCRIPTION}";{CONTOSO}\r\n{other};\r\n'
    done = made("observe", "-", "--format", "json", stdin=b"\xef\xbb\xbf" + rows.encode())
    assert done.json == {"imported": 2, "confirmed": 1}
    (tmp_path / "portal.csv").write_text("Subscription ID,Partner ID\nx,1\ny,2\n")
    bad = made("observe", "portal.csv")
    assert bad.exit_code == 2
    assert "portal.csv:2:" in bad.err
    assert "portal.csv:3:" in bad.err
    assert "nothing was imported" in bad.err


def test_access(made: Dpor) -> None:
    add = ("access", "add", SUBSCRIPTION)
    assert made(*add, "sp-contoso", "Reader").exit_code == 0
    assert made(*add, "sp-contoso", "Reader").exit_code == 2
    unknown = made(*add, "sp-nobody", "Reader")
    assert unknown.exit_code == 2
    assert "--partner PARTNER_ID" in unknown.err
    assert made(*add, "sp-x", "Reader", "--partner", FABRIKAM).exit_code == 0
    held = made("access", "list", SUBSCRIPTION, "--format", "json").json["access"]
    assert [(item["principal"], item["partner_id"], item["stale"]) for item in held] == [
        ("sp-contoso", CONTOSO, False),
        ("sp-x", FABRIKAM, False),
    ]
    made("registry", "partner", "retire", FABRIKAM, "--replaced-by", CONTOSO)
    held = made("access", "list", "--format", "json").json["access"]
    assert [item["stale"] for item in held] == [False, True]
    assert made("access", "remove", SUBSCRIPTION, "sp-x", "Reader").exit_code == 0
    assert made("access", "remove", SUBSCRIPTION, "sp-x", "Reader").exit_code == 2
    assert made("access", "restore", SUBSCRIPTION).exit_code == 2
    assert made("access", "list", "--removed", "--format", "json").json["removed"] == []


def test_partners(made: Dpor) -> None:
    assert made("registry", "partner", "rename", CONTOSO, "Contoso Group").exit_code == 0
    partners = made("registry", "partner", "list", "--format", "json").json["partners"]
    assert partners[0]["former_names"] == ["Contoso Consulting"]
    assert f"{CONTOSO}\tContoso Group\tactive" in made("registry", "partner", "list").out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("registry", "designate", "payments", CONTOSO), "'payments' is no subscription id"),
        (("registry", "designate", SUBSCRIPTION, "MPN-4567890"), "did you mean '4567890'"),
        (("registry", "partner", "add", "7654320", "a\x1b[31mb"), "cannot be printed"),
        (("registry", "partner", "add", "7654320", " "), "must not be empty"),
        (("registry", "grant", "bob", "Emperor"), "none of Global Administrator, Owner"),
        (("registry", "grant", "bob", "Owner", "--scope", "/x"), "neither / nor a subscription"),
        (("registry", "history", SUBSCRIPTION, "--on", "yesterday"), "yesterday"),
        (("--platform", "cloud", "worklist"), "platform 'cloud' is not known"),
        (("--registry", "postgres://u:secret@h/d", "registry", "show"), "only sqlite:///PATH"),
        (("--registry", "sqlite://", "registry", "show"), "a registry needs a file"),
        (("bogus",), "No such command 'bogus'"),
        (("observe", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_bad_input_gets_one_line(made: Dpor, arguments: tuple[str, ...], expected: str) -> None:
    done = made(*arguments)
    assert (done.exit_code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert expected in done.err
    assert "secret" not in done.err
    assert "\x1b" not in done.err


def test_schema_is_the_published_one(dpor: Dpor) -> None:
    assert dpor("schema").json["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from dpor_provider.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'alembic', 'pulumi', 'rich', 'jsonschema', 'yaml'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_closed_pipe_is_no_error(made: Dpor, tmp_path: Path) -> None:
    done = subprocess.run(
        f"'{DPOR}' schema | head -c 1",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
