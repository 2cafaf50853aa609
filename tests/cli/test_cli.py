"""The command `dpor`: its results, its errors and its exit codes."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dpor_provider.cli import main
from dpor_provider.model import Partner
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
    assert "it replaces Contoso Consulting (4567890)" in done.err
    restored = made("registry", "designate", SUBSCRIPTION, CONTOSO)
    assert "it replaces Fabrikam Cloud Services" in restored.err
    assert "drift" not in restored.err
    withdrawn = made("registry", "withdraw", SUBSCRIPTION)
    assert "its next deployment designates it again" in withdrawn.err


def test_history_on_a_day_is_what_held_at_its_end_in_utc(made: Dpor, tmp_path: Path) -> None:
    made("registry", "designate", SUBSCRIPTION, CONTOSO)
    made("registry", "designate", SUBSCRIPTION, FABRIKAM)
    made("registry", "withdraw", SUBSCRIPTION)
    times = ["2026-03-01 23:59:59.999999", "2026-03-02 00:00:00.000000", "2026-03-04 12:00:00"]
    with closing(sqlite3.connect(tmp_path / ".dpor" / "registry.db")) as connection, connection:
        for version, at in enumerate(times, 1):
            connection.execute("UPDATE audit_log SET at = ? WHERE version = ?", (at, version))

    def partner_on(day: str) -> list[tuple[str | None, str]]:
        result = made("registry", "history", SUBSCRIPTION, "--on", day, "--format", "json").json
        return [(entry["partner_id"], entry["action"]) for entry in result["history"]]

    assert partner_on("2026-02-28") == []
    assert partner_on("2026-03-01") == [(CONTOSO, "designate")]
    assert partner_on("2026-03-02") == [(FABRIKAM, "designate")]
    assert partner_on("2026-03-03") == [(FABRIKAM, "designate")]
    assert partner_on("2026-03-04") == [(None, "withdraw")]
    assert partner_on("9999-12-31") == [(None, "withdraw")]
    (line,) = made("registry", "history", SUBSCRIPTION, "--on", "2026-03-02").out.splitlines()[1:]
    assert line.split("\t")[:3] == ["2026-03-02 00:00:00Z", "designate", FABRIKAM]
    nobody = made("registry", "history", SUBSCRIPTION, "--on", "2026-02-28")
    assert (nobody.exit_code, nobody.out) == (0, "")
    assert "no designation there up to 2026-02-28" in nobody.err


def test_a_renumbered_partner_is_pointed_at(made: Dpor) -> None:
    assert made("registry", "partner", "add", "7654320", "Tailspin", "--former-id", "6543219").out
    done = made("registry", "designate", SUBSCRIPTION, "6543219")
    assert done.exit_code == 1
    assert "Tailspin has 7654320 now" in done.err


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


@pytest.mark.parametrize("role", ["Owner", "owner", "OWNER"])
def test_a_role_is_read_whatever_its_case(made: Dpor, role: str) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    granted = made("registry", "grant", "bob", role, "--scope", SUBSCRIPTION, "--format", "json")
    assert granted.json == {"principal": "bob", "role": "Owner", "scope": scope}
    assert granted.json in made("registry", "show", "--format", "json").json["roles"]
    assert made("registry", "grant", "bob", role, "--scope", scope).exit_code == 2
    assert made("registry", "ungrant", "bob", role, "--scope", scope.upper()).exit_code == 2
    assert made("registry", "ungrant", "bob", role, "--scope", scope).exit_code == 0


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
    assert made("confirm", SUBSCRIPTION, "--partner-name", "x", "--no-partner").exit_code == 2
    made("registry", "withdraw", SUBSCRIPTION)
    assert "clear the partner" in made("worklist").out
    assert made("confirm", SUBSCRIPTION, "--partner-name", "Contoso Consulting").exit_code == 1
    assert made("confirm", SUBSCRIPTION, "--no-partner").exit_code == 0
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
    assert len(bad.err.splitlines()) == 3
    assert open_registry(None, start=tmp_path).observations.all().keys() == {SUBSCRIPTION, other}


def test_what_never_ends_is_not_read_to_its_end(made: Dpor, tmp_path: Path) -> None:
    (tmp_path / "partners.yaml").write_text("version: 1\nsubscriptions: []\n")
    for command in (
        ("observe", "/dev/zero"),
        ("discover", "/dev/zero"),
        ("check", "--offline", "--baseline", "/dev/zero"),
    ):
        done = made(*command)
        assert done.exit_code == 2
        assert done.err == "dpor: /dev/zero holds more than 64 MiB, and was not read\n"


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


def test_access_is_stale_where_its_partner_is_former_and_only_there(made: Dpor) -> None:
    other = str(uuid.uuid4())
    for subscription, partner in ((SUBSCRIPTION, CONTOSO), (other, CONTOSO)):
        made("registry", "designate", subscription, partner)
    for scope in (SUBSCRIPTION, other, "/"):
        made("access", "add", scope, "sp-contoso", "Reader")

    def stale(*arguments: str) -> list[str]:
        held = made("access", "list", *arguments, "--format", "json").json["access"]
        return [item["scope"].rpartition("/")[2] for item in held if item["stale"]]

    assert stale() == []
    made("registry", "designate", SUBSCRIPTION, FABRIKAM)
    assert stale() == ["", SUBSCRIPTION]
    assert stale(SUBSCRIPTION) == ["", SUBSCRIPTION]
    assert stale(other) == []
    lines = made("access", "list", SUBSCRIPTION).out.splitlines()
    assert [line.split("\t")[6] for line in lines] == ["stale", "stale", "stale"]
    made("registry", "designate", SUBSCRIPTION, CONTOSO)
    assert stale() == []
    made("registry", "withdraw", other)
    assert stale() == sorted(["", other])


def test_revoked_access_is_listed_and_restored(made: Dpor, tmp_path: Path) -> None:
    for principal, role in (("sp-contoso", "Reader"), ("sp-contoso", "Owner"), ("sp-b", "Reader")):
        add = ("access", "add", SUBSCRIPTION, principal, role, "--partner", CONTOSO)
        assert made(*add, "--condition", "only blobs").exit_code == 0
    registry = open_registry(None, start=tmp_path)
    held = registry.access.all()
    registry.access.revoke(SUBSCRIPTION, [item.id for item in held])
    assert made("access", "list").out == ""
    removed = made("access", "list", "--removed", "--format", "json").json["removed"]
    assert {item["access"]["condition"] for item in removed} == {"only blobs"}
    assert len(made("access", "list", "--removed", SUBSCRIPTION).out.splitlines()) == 4
    assert made("access", "list", "--removed", str(uuid.uuid4())).out == ""
    some = made("access", "restore", SUBSCRIPTION, "--principal", "sp-contoso")
    assert sorted(some.out.splitlines()) == [
        "restored: Owner of sp-contoso",
        "restored: Reader of sp-contoso",
    ]
    rest = made("access", "restore", SUBSCRIPTION, "--format", "json").json
    assert [item["principal"] for item in rest] == ["sp-b"]
    assert {(item.principal, item.role, item.condition) for item in registry.access.all()} == {
        (item.principal, item.role, item.condition) for item in held
    }


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
        (("--registry", "postgres://u:secret@h/d", "registry", "show"), "write sqlite:///PATH"),
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
    assert dpor("schema", "--format", "json").json == dpor("schema").json


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_nothing_that_a_terminal_obeys_or_hides_is_printed_raw(
    made: Dpor, tmp_path: Path, output_format: str
) -> None:
    name = "a\x1bc\x1b[31m\x9b31m\u202e\u2028\t\r\x00\x7fb"
    open_registry(None, start=tmp_path).partners.add(Partner("7654320", name))
    for arguments in (
        ("registry", "designate", SUBSCRIPTION, "7654320"),
        ("registry", "show"),
        ("registry", "partner", "list"),
        ("worklist",),
        ("confirm", SUBSCRIPTION, "--partner-name", "x"),
        ("registry", "designate", SUBSCRIPTION, FABRIKAM),
        ("registry", "partner", "retire", "7654320"),
        ("registry", "designate", SUBSCRIPTION, "7654320"),
    ):
        done = made(*arguments, "--format", output_format)
        printed = (done.out + done.err).replace("\t", "").replace("\n", "")
        assert printed.isprintable(), (arguments, printed)
        if done.out and output_format == "json":
            assert json.loads(done.out)
    partners = made("registry", "partner", "list", "--format", "json").json["partners"]
    assert name in {partner["name"] for partner in partners}


@pytest.mark.parametrize("arguments", [(), ("registry",), ("registry", "partner"), ("access",)])
def test_without_a_command_the_help_is_shown_as_it_is(
    dpor: Dpor, arguments: tuple[str, ...]
) -> None:
    done = dpor(*arguments)
    assert (done.exit_code, done.out) == (2, "")
    assert done.err == dpor(*arguments, "--help").out


@pytest.mark.parametrize(
    ("arguments", "exit_code", "kind"),
    [
        (("worklist",), 2, "Unavailable"),
        (("--platform", "cloud", "worklist"), 2, "Invalid"),
    ],
)
def test_debug_adds_the_traceback_and_changes_no_exit_code(
    dpor: Dpor, arguments: tuple[str, ...], exit_code: int, kind: str
) -> None:
    quiet, loud = dpor(*arguments), dpor("--debug", *arguments)
    assert quiet.exit_code == loud.exit_code == exit_code
    assert "Traceback" not in quiet.err
    assert loud.err.startswith("Traceback")
    assert f"dpor_provider.errors.{kind}: " in loud.err
    assert loud.err.endswith(quiet.err)


def test_debug_keeps_the_exit_code_of_a_refusal(made: Dpor) -> None:
    made("registry", "partner", "retire", FABRIKAM)
    for debug in ((), ("--debug",)):
        assert made(*debug, "registry", "designate", SUBSCRIPTION, FABRIKAM).exit_code == 1


def test_what_nobody_expected_is_called_a_bug_in_one_line(
    made: Dpor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpor_provider.registry.directory.from_row", lambda row: row["\n"] + 1)
    done = made("registry", "partner", "list")
    assert (done.exit_code, done.out) == (2, "")
    assert done.err.startswith("dpor: this is a bug in dpor: KeyError: ")
    assert "`dpor --debug`" in done.err
    assert done.err.count("\n") == 1
