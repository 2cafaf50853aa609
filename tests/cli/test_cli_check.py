"""`dpor check`, `dpor drift`, `dpor rules` and `dpor explain`: results, errors and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend

from dpor_provider.checker.drift import Kind, drift
from dpor_provider.checker.reporters import formats
from dpor_provider.cli import main
from dpor_provider.cli.check import FORMATS
from dpor_provider.declaration import load
from dpor_provider.model import Grant, Observation, Role
from dpor_provider.platforms import read_live
from dpor_provider.platforms.portal import Portal
from dpor_provider.registry import Owner
from dpor_provider.rules import all_rules
from dpor_provider.rules.page import page

DPOR = Path(sys.executable).parent / "dpor"
ONE, TWO, THREE, FOUR = (f"0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a0{digit}" for digit in "1234")
DAY = "2026-11-23"

PARTNERS = """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting, agreement: {reference: DSA-1}}
  fabrikam: {id: "5127255", name: Fabrikam Cloud Services, agreement: {reference: DSA-2}}
  gone: {id: "6127255", name: Litware, status: retired, agreement: {reference: DSA-3}}
subscriptions:
"""
SOUND = f"{PARTNERS}  - {{id: {ONE}, partner: contoso}}\n"
UNDECIDED = f"{PARTNERS}  - {{id: {ONE}, partner: undecided}}\n"
RETIRED = f"{PARTNERS}  - {{id: {ONE}, partner: gone}}\n"
UNREADABLE = "version: 1\nbogus: 1\n"


@dataclass(frozen=True)
class Done:
    """What one command did."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rules(self) -> list[str]:
        """The rules of the findings that nothing suppresses."""
        return [one["rule"] for one in self.json["findings"] if one["suppressed"] is None]

    @property
    def said(self) -> str:
        """The only line on stderr, of a command that could not do its job."""
        assert (self.exit_code, self.out) == (2, ""), self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("dpor: ")
        assert "bug" not in self.err
        assert "Traceback" not in self.err
        return self.err


Dpor = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which is empty."""
    made = tmp_path / "estate"
    made.mkdir()
    monkeypatch.chdir(made)
    for name in ("DPOR_REGISTRY", "DPOR_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture
def dpor(folder: Path, capfd: pytest.CaptureFixture[str]) -> Dpor:
    """Runs `dpor`."""

    def run(*arguments: str | Path) -> Done:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def file(folder: Path) -> Path:
    """A declaration in the working folder."""
    path = folder / "partners.yaml"
    path.write_text(SOUND)
    return path


def deployed(home: Backend, subscription: str) -> None:
    home.registry().designations.designate(
        subscription, CONTOSO.id, seen_version=0, owner=Owner("estate/prod/payments", "claim")
    )


# --- Exit codes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "exit_code", "rules"),
    [
        (SOUND, 0, []),
        (UNDECIDED, 0, ["DPOR402"]),
        (RETIRED, 1, ["DPOR301"]),
        (UNREADABLE, 1, ["DPOR001"]),
        ("[", 1, ["DPOR001"]),
        ("", 1, ["DPOR001"]),
    ],
)
def test_the_exit_code_says_whether_a_mandatory_finding_counts(
    dpor: Dpor, file: Path, text: str, exit_code: int, rules: list[str]
) -> None:
    file.write_text(text)
    done = dpor("check", "--offline", "--format", "json")
    assert (done.exit_code, done.rules) == (exit_code, rules)
    for output_format in FORMATS:
        assert dpor("check", "--offline", "--format", output_format).exit_code == exit_code


def test_a_file_that_cannot_be_parsed_is_a_finding_and_the_others_are_checked(
    dpor: Dpor, file: Path
) -> None:
    file.write_text(RETIRED)
    file.with_name("a.partners.yaml").write_text("[")
    done = dpor("check", "--offline", "--format", "json")
    assert (done.exit_code, done.rules) == (1, ["DPOR001", "DPOR301"])


def test_a_registry_adds_what_it_knows(dpor: Dpor, file: Path, home: Backend) -> None:
    home.designate(ONE, FABRIKAM)
    offline = dpor("check", "--offline", "--format", "json")
    assert (offline.exit_code, offline.rules) == (0, [])
    done = dpor("check", "--registry", home.url, "--format", "json")
    assert (done.exit_code, done.rules) == (1, ["DPOR304"])
    assert done.json["summary"]["not_run"] == []


@pytest.mark.parametrize("how", ["option", "option of dpor", "environment"])
def test_the_registry_is_named_by_option_or_environment(
    dpor: Dpor, file: Path, home: Backend, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    home.designate(ONE, FABRIKAM)
    if how == "environment":
        monkeypatch.setenv("DPOR_REGISTRY", home.url)
    arguments = {
        "option": ("check", "--registry", home.url),
        "option of dpor": ("--registry", home.url, "check"),
        "environment": ("check",),
    }[how]
    assert dpor(*arguments, "--format", "json").rules == ["DPOR304"]


def test_offline_leaves_the_environments_registry_alone(
    dpor: Dpor, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPOR_REGISTRY", f"sqlite:///{tmp_path / 'nowhere.db'}")
    assert dpor("check").exit_code == 2
    assert dpor("check", "--offline").exit_code == 0


def test_a_registry_is_never_looked_for_but_named(dpor: Dpor, file: Path) -> None:
    assert dpor("registry", "init").exit_code == 0
    assert (file.parent / ".dpor" / "registry.db").exists()
    said = dpor("check").said
    for way in ("--registry URL", "DPOR_REGISTRY", "--offline"):
        assert way in said


def test_whose_roles_count_is_whose_who_is_named(dpor: Dpor, file: Path, home: Backend) -> None:
    check = ("check", "--registry", home.url, "--format", "json")
    assert dpor(*check).rules == []
    assert dpor(*check, "--deployer", "nobody").rules == ["DPOR201"]
    home.registry().roles.grant(Grant("nobody", Role.OWNER, f"/subscriptions/{ONE}"))
    assert dpor(*check, "--deployer", "nobody").rules == []


def test_a_check_writes_nothing_to_the_registry(dpor: Dpor, file: Path, home: Backend) -> None:
    before = home.registry().read()
    entries = home.registry().audit.entries()
    dpor("check", "--registry", home.url, "--deployer", "nobody")
    dpor("drift", "--registry", home.url, "--scope", "/")
    assert home.registry().read() == before
    assert home.registry().audit.entries() == entries


# --- Paths -------------------------------------------------------------------------------------


def test_the_working_folder_is_checked_where_no_path_is_given(dpor: Dpor, file: Path) -> None:
    below = file.parent / "teams" / "retail.partners.yml"
    below.parent.mkdir()
    below.write_text(f"version: 1\nsubscriptions: [{{id: {TWO}, partner: undecided}}]\n")
    for paths in ((), (".",), (str(file.parent),)):
        done = dpor("check", "--offline", "--format", "json", *paths)
        assert done.json["summary"]["subscriptions"] == 2
        assert done.rules == ["DPOR402"]
    both = dpor("check", "--offline", "--format", "json", "partners.yaml", "teams/*.yml")
    assert both.json["summary"]["subscriptions"] == 2
    one = dpor("check", "--offline", "--format", "json", "teams")
    assert (one.json["findings"][0]["file"], one.json["summary"]["subscriptions"]) == (
        "teams/retail.partners.yml",
        1,
    )


@pytest.mark.parametrize("command", [("check", "--offline"), ("drift", "--registry", "REGISTRY")])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere.yaml", "nowhere.yaml: no such file or folder"),
        ("no*.yaml", "no declaration matches this pattern"),
        ("empty", "no declaration in this folder"),
        (".", "no declaration in this folder"),
        ("x" * 5000, "no such file or folder"),
    ],
)
def test_a_path_that_leads_to_no_declaration_is_no_result(
    dpor: Dpor, folder: Path, home: Backend, command: tuple[str, ...], path: str, said: str
) -> None:
    (folder / "empty").mkdir()
    arguments = [home.url if word == "REGISTRY" else word for word in command]
    assert said in dpor(*arguments, path).said


# --- What is asked for wrongly -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("check", "say what to check against: --registry URL"),
        ("check --offline --registry sqlite:///x.db", "--offline and --registry exclude each"),
        ("check --offline --deployer ci", "--offline and --deployer exclude each other"),
        ("check --offline --baseline a --write-baseline b", "exclude each other"),
        ("check --offline --as-of yesterday", "'yesterday' is no day; write it as 2026-12-31"),
        ("check --offline --as-of 2026-02-30", "'2026-02-30' is no day"),
        ("check --offline --as-of 23.11.2026", "'23.11.2026' is no day"),
        ("check --offline --as-of=", "'' is no day"),
        ("check --offline --format xml", "'xml' is not one of"),
        ("check --offline --select DPOR3O1", "'DPOR3O1' is no rule; did you mean DPOR301?"),
        ("check --offline --ignore retired-partnr", "no rule; did you mean DPOR301?"),
        ("check --offline --select everything", "'everything' is no rule; see: dpor rules"),
        ("check --offline --ignore DPOR001", "DPOR001 cannot be ignored"),
        ("check --offline --ignore dpor001", "DPOR001 cannot be ignored"),
        ("check --offline --ignore invalid-declaration", "DPOR001 cannot be ignored"),
        ("check --offline --baseline nowhere.json", "the baseline nowhere.json cannot be read"),
        ("check --offline --baseline .", "is a directory"),
        ("check --offline --baseline partners.yaml", "partners.yaml is no JSON"),
        ("check --offline --write-baseline .", "is a directory"),
        ("check --offline --write-baseline no/where.json", "no/where.json cannot be written"),
        ("check --offline --output .", "is a directory"),
        ("check --offline --output no/where.txt", "no/where.txt cannot be written"),
        ("check --offline --output partners.yaml/x", "partners.yaml/x cannot be written"),
        ("check --offline --bogus", "No such option"),
        ("check --registry sqlite:///no/where.db", "make one with: dpor registry init"),
        ("check --registry sqlite:///partners.yaml", "partners.yaml"),
        ("check --registry postgres://u:secret@h/d", "write sqlite:///PATH"),
        ("check --registry REGISTRY --platform cloud", "platform 'cloud' is not known"),
        ("drift --registry sqlite:///no/where.db", "make one with: dpor registry init"),
        ("drift --registry REGISTRY --platform cloud", "platform 'cloud' is not known"),
        ("drift --registry REGISTRY --scope payments", "'payments' is neither / nor a"),
        ("drift --registry REGISTRY --format sarif", "'sarif' is not one of"),
        ("drift", "make one with: dpor registry init"),
        ("rules --format xml", "'xml' is not one of"),
        ("rules DPOR301", "unexpected extra argument"),
        ("explain", "Missing argument"),
        ("explain DPOR3O1", "'DPOR3O1' is no rule; did you mean DPOR301?"),
        ("explain stale-acces", "did you mean DPOR302?"),
        ("explain everything", "'everything' is no rule; see: dpor rules"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    dpor: Dpor, file: Path, home: Backend, arguments: str, said: str
) -> None:
    file.write_text(RETIRED)
    before = sorted(file.parent.iterdir())
    line = dpor(*(arguments.replace("REGISTRY", home.url).split(" "))).said
    assert said in line
    assert "secret" not in line
    assert sorted(file.parent.iterdir()) == before
    assert file.read_text() == RETIRED


# --- Which rules run ---------------------------------------------------------------------------


def test_rules_are_chosen_by_id_or_name_whatever_the_case(dpor: Dpor, file: Path) -> None:
    file.write_text(RETIRED + f"  - {{id: {TWO}, partner: undecided}}\n")

    def rules(*options: str) -> list[str]:
        return dpor("check", "--offline", "--format", "json", *options).rules

    assert rules() == ["DPOR301", "DPOR402"]
    for name in ("DPOR301", "dpor301", "retired-partner", "Retired-Partner"):
        assert rules("--select", name) == ["DPOR301"]
        assert rules("--ignore", name) == ["DPOR402"]
    assert rules("--select", "DPOR301", "--select", "DPOR402") == ["DPOR301", "DPOR402"]
    assert rules("--ignore", "DPOR301", "--ignore", "DPOR402") == []
    assert rules("--select", "DPOR301", "--ignore", "DPOR301") == []
    assert rules("--select", "DPOR304") == []


def test_an_ignored_rule_fails_nothing(dpor: Dpor, file: Path) -> None:
    file.write_text(RETIRED)
    assert dpor("check", "--offline", "--ignore", "DPOR301").exit_code == 0
    assert dpor("check", "--offline", "--select", "DPOR402").exit_code == 0


def test_what_cannot_be_read_is_told_whichever_rules_are_chosen(dpor: Dpor, file: Path) -> None:
    file.write_text(UNREADABLE)
    for rule in all_rules():
        assert dpor("check", "--offline", "--select", rule).exit_code == 1


def test_offline_names_the_rules_that_did_not_run(dpor: Dpor, file: Path, home: Backend) -> None:
    needing = [rule.id for rule in all_rules().values() if rule.needs_live]
    text, as_json = (dpor("check", "--offline", "--format", name) for name in ("text", "json"))
    assert as_json.json["summary"]["not_run"] == needing
    for said in (text.out, as_json.err):
        assert all(rule in said for rule in needing)
        assert "DPOR301" not in said
    chosen = dpor("check", "--offline", "--select", "DPOR304", "--select", "DPOR402")
    assert chosen.out.count("DPOR") == 1
    assert "DPOR304" in chosen.out
    assert "DPOR" not in dpor("check", "--registry", home.url).out


def test_the_day_may_be_given(dpor: Dpor, file: Path) -> None:
    file.write_text(
        f"{PARTNERS}  - id: {ONE}\n    partner: gone\n    exceptions:\n"
        "      - {rule: DPOR301, reason: Handover, expires: 2026-11-23}\n"
    )
    check = ("check", "--offline", "--format", "json", "--as-of")
    last, next_ = dpor(*check, "2026-11-23"), dpor(*check, "2026-11-24")
    assert (last.exit_code, last.rules) == (0, ["DPOR002"])
    assert (next_.exit_code, next_.rules) == (1, ["DPOR301", "DPOR002"])


# --- The result --------------------------------------------------------------------------------


def test_every_format_that_is_there_can_be_chosen() -> None:
    assert formats() == FORMATS


def test_text_is_on_stdout_alone(dpor: Dpor, file: Path) -> None:
    file.write_text(RETIRED)
    done = dpor("check", "--offline")
    assert done.err == ""
    place, line, caret = done.out.splitlines()[:3]
    assert place.startswith("partners.yaml:7:57: DPOR301 partner Litware (6127255) is retired")
    assert line.endswith(f"  - {{id: {ONE}, partner: gone}}")
    assert caret.index("^") - line.index("gone") == 0
    assert caret.count("^") == len("gone")


@pytest.mark.parametrize("output_format", [name for name in FORMATS if name != "text"])
def test_what_a_person_wants_to_know_is_on_stderr_where_stdout_is_for_programs(
    dpor: Dpor, file: Path, output_format: str
) -> None:
    file.write_text(RETIRED)
    done = dpor("check", "--offline", "--format", output_format)
    assert done.exit_code == 1
    assert done.out
    assert done.err.count("\n") == 1
    assert done.err.startswith("1 subscription: 1 mandatory, 0 advisory, 0 suppressed; not run")


def test_json_says_everything_of_a_finding(dpor: Dpor, file: Path) -> None:
    file.write_text(RETIRED)
    result = dpor("check", "--offline", "--format", "json").json
    (finding,) = result.pop("findings")
    assert result["version"] == 1
    assert (
        result["summary"].items()
        >= {
            "subscriptions": 1,
            "mandatory": 1,
            "advisory": 0,
            "suppressed": 0,
        }.items()
    )
    assert not {"base", "changes"} & result.keys()
    fingerprint = finding.pop("fingerprint")
    digest, _, count = fingerprint.partition(":")
    assert (len(digest), count) == (32, "1")
    assert (
        finding.items()
        >= {
            "rule": "DPOR301",
            "name": "retired-partner",
            "level": "mandatory",
            "message": "partner Litware (6127255) is retired; declare another partner",
            "file": "partners.yaml",
            "line": 7,
            "column": 57,
            "end_line": 7,
            "end_column": 61,
            "subscription_id": ONE,
            "partner_id": "6127255",
            "suppressed": None,
        }.items()
    )


def test_json_keeps_what_is_suppressed_and_says_why(dpor: Dpor, file: Path) -> None:
    file.write_text(
        f"{PARTNERS}  - id: {ONE}\n    partner: gone\n    exceptions:\n"
        "      - {rule: DPOR301, reason: Handover, expires: 2027-11-23}\n"
        f"  - {{id: {TWO}, partner: gone}}\n"
    )
    check = ("check", "--offline", "--as-of", DAY)
    assert dpor(*check, "--write-baseline", "known.json").exit_code == 0
    done = dpor(*check, "--format", "json", "--baseline", "known.json")
    assert (done.exit_code, done.rules) == (0, [])
    assert done.json["summary"]["suppressed"] == 2
    assert [one["suppressed"] for one in done.json["findings"]] == [
        {"kind": "exception", "reason": "Handover", "expires": "2027-11-23"},
        {"kind": "baseline", "reason": None, "expires": None},
    ]


# --- Baselines ---------------------------------------------------------------------------------


def test_a_baseline_hides_what_was_there_and_nothing_that_comes(dpor: Dpor, file: Path) -> None:
    file.write_text(RETIRED)
    written = dpor("check", "--offline", "--write-baseline", "known.json")
    assert (written.exit_code, written.out) == (0, "")
    assert written.err == "wrote known.json with 1 finding\n"
    check = ("check", "--offline", "--baseline", "known.json")
    assert dpor(*check).exit_code == 0
    file.write_text("# moved\n\n" + RETIRED)
    assert dpor(*check).exit_code == 0
    file.write_text(RETIRED + f"  - {{id: {TWO}, partner: gone}}\n")
    assert dpor(*check).exit_code == 1
    assert dpor(*check, "--format", "json").json["findings"][1]["subscription_id"] == TWO


def test_a_new_baseline_takes_the_place_of_the_old_one(dpor: Dpor, file: Path) -> None:
    known = file.with_name("known.json")
    known.write_text("nonsense")
    file.write_text(RETIRED + f"  - {{id: {TWO}, partner: gone}}\n")
    written = dpor("check", "--offline", "--write-baseline", known)
    assert written.err.endswith("with 2 findings\n")
    assert len(json.loads(known.read_text())["findings"]) == 2
    file.write_text(SOUND)
    assert dpor("check", "--offline", "--write-baseline", known).exit_code == 0
    assert json.loads(known.read_text()) == {"version": 1, "findings": []}


# --- Output ------------------------------------------------------------------------------------


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize(("text", "exit_code"), [(SOUND, 0), (RETIRED, 1)])
def test_a_file_gets_what_stdout_would(
    dpor: Dpor, file: Path, output_format: str, text: str, exit_code: int
) -> None:
    file.write_text(text)
    check = ("check", "--offline", "--as-of", DAY, "--format", output_format)
    shown = dpor(*check).out
    result = file.with_name("result.txt")
    result.write_text("old")
    done = dpor(*check, "--output", result)
    assert (done.exit_code, done.out) == (exit_code, "")
    assert done.err.count("\n") == 1
    assert result.read_bytes().decode() == shown
    assert sorted(path.name for path in file.parent.iterdir()) == ["partners.yaml", "result.txt"]


def test_a_check_that_cannot_be_done_leaves_the_old_result(dpor: Dpor, file: Path) -> None:
    result = file.with_name("result.txt")
    result.write_text("old")
    for arguments in (
        ("check", "--offline", "nowhere.yaml"),
        ("check", "--registry", "sqlite:///nowhere.db"),
        ("check", "--offline", "--baseline", "nowhere.json"),
    ):
        assert dpor(*arguments, "--output", result).said
        assert result.read_text() == "old"
    assert sorted(path.name for path in file.parent.iterdir()) == ["partners.yaml", "result.txt"]


# --- Rules -------------------------------------------------------------------------------------


def test_rules_are_listed_in_order_with_what_they_find(dpor: Dpor) -> None:
    done = dpor("rules")
    heading, *lines = (line.split("\t") for line in done.out.splitlines())
    assert (done.exit_code, done.err) == (0, "")
    assert heading == ["rule", "name", "level", "offline", "finds"]
    assert lines == [
        [rule.id, rule.name, rule.level, "no" if rule.needs_live else "yes", rule.summary]
        for rule in all_rules().values()
    ]


def test_rules_are_listed_for_programs(dpor: Dpor) -> None:
    done = dpor("rules", "--format", "json")
    assert (done.exit_code, done.err, done.json["version"]) == (0, "", 1)
    rules = {rule["id"]: rule for rule in done.json["rules"]}
    assert list(rules) == list(all_rules())
    assert rules["DPOR304"] == {
        "id": "DPOR304",
        "name": "unexpected-partner",
        "level": "mandatory",
        "summary": "Another partner is live, and `replaces` does not name it.",
        "exceptions": True,
        "offline": False,
    }
    assert (rules["DPOR201"]["exceptions"], rules["DPOR402"]["offline"]) == (False, True)
    assert rules["DPOR402"]["level"] == "advisory"


@pytest.mark.parametrize("name", ["DPOR302", "dpor302", "Dpor302", "stale-partner-access"])
def test_a_rule_is_explained_by_its_page(dpor: Dpor, name: str) -> None:
    done = dpor("explain", name)
    assert (done.exit_code, done.err) == (0, "")
    assert done.out == page(all_rules()["DPOR302"])
    assert done.out.startswith("# DPOR302: stale-partner-access\n")


@pytest.mark.parametrize("rule", all_rules())
def test_every_rule_can_be_explained(dpor: Dpor, rule: str) -> None:
    assert dpor("explain", rule).out == page(all_rules()[rule])


# --- Drift -------------------------------------------------------------------------------------


ESTATE = f"""\
{PARTNERS}\
  - {{id: {ONE}, partner: contoso}}
  - {{id: {TWO}, partner: contoso}}
"""


def drifted(done: Done) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (
            one["subscription_id"],
            one["kind"],
            one["declared_partner_id"],
            one["live_partner_id"],
        )
        for one in done.json["drifted"]
    ]


@pytest.fixture
def as_declared(file: Path, home: Backend) -> Backend:
    """A registry that is as the file declares."""
    file.write_text(ESTATE)
    deployed(home, ONE)
    deployed(home, TWO)
    return home


@pytest.fixture
def compare(dpor: Dpor, home: Backend) -> Dpor:
    """Runs `dpor drift`, with JSON as the format."""
    return lambda *arguments: dpor("drift", "--registry", home.url, "--format", "json", *arguments)


def test_what_is_as_declared_is_no_drift(dpor: Dpor, compare: Dpor, as_declared: Backend) -> None:
    done = compare()
    assert (done.exit_code, done.err) == (0, "")
    assert done.json == {"version": 1, "checked": 2, "drifted": []}
    text = dpor("drift", "--registry", as_declared.url)
    assert (text.exit_code, text.out) == (0, "")
    assert text.err == "2 subscriptions are as declared.\n"


def test_another_partner_is_a_change_with_who_made_it_and_when(
    dpor: Dpor, compare: Dpor, as_declared: Backend
) -> None:
    row = as_declared.designate(TWO, FABRIKAM)
    done = compare()
    assert done.exit_code == 1
    assert done.err == ""
    assert done.json["checked"] == 2
    (one,) = done.json["drifted"]
    assert (
        one.items()
        >= {
            "subscription_id": TWO,
            "kind": "changed",
            "declared_partner_id": CONTOSO.id,
            "live_partner_id": FABRIKAM.id,
            "changed_by": ADMIN,
            "changed_at": row.designated_at.isoformat(),
        }.items()
    )
    text = dpor("drift", "--registry", as_declared.url)
    assert (text.exit_code, text.err) == (1, "")
    heading, line = (line.split("\t") for line in text.out.splitlines())
    assert (
        dict(zip(heading, line, strict=True)).items()
        >= {
            "subscription": TWO,
            "kind": "changed",
            "declared": "4567890 (Contoso Consulting)",
            "live": "5127255 (Fabrikam Cloud Services)",
            "changed by": ADMIN,
        }.items()
    )


def test_no_partner_is_missing_however_it_came_to_that(
    compare: Dpor, as_declared: Backend, file: Path
) -> None:
    as_declared.withdraw(ONE)
    file.write_text(f"{ESTATE}  - {{id: {THREE}, partner: fabrikam}}\n")
    done = compare()
    assert done.exit_code == 1
    assert drifted(done) == [
        (ONE, "missing", CONTOSO.id, None),
        (THREE, "missing", FABRIKAM.id, None),
    ]
    assert [one["changed_by"] for one in done.json["drifted"]] == [ADMIN, None]


def test_a_partner_where_none_is_wanted_is_a_change(
    compare: Dpor, as_declared: Backend, file: Path
) -> None:
    file.write_text(
        f"{PARTNERS}  - {{id: {ONE}, partner: none, reason: Sandbox}}\n"
        f"  - {{id: {THREE}, partner: none, reason: Sandbox}}\n"
        f"  - {{id: {TWO}, partner: undecided}}\n"
    )
    done = compare()
    assert drifted(done) == [(ONE, "changed", None, CONTOSO.id)]
    assert done.json["checked"] == 3


def test_a_renumbered_partner_is_no_drift(compare: Dpor, file: Path, home: Backend) -> None:
    (former,) = CONTOSO.former_ids
    file.write_text(ESTATE.replace("4567890", former))
    deployed(home, ONE)
    deployed(home, TWO)
    assert drifted(compare()) == []


def test_what_a_person_saw_on_the_platform_counts(compare: Dpor, as_declared: Backend) -> None:
    Portal(as_declared.registry()).confirm(ONE, CONTOSO.name)
    row = as_declared.registry().designations.find(ONE)
    assert row is not None
    seen = Observation(ONE, FABRIKAM.id, FABRIKAM.name, "bob", row.designated_at)
    as_declared.registry().observations.record([seen])
    done = compare()
    assert drifted(done) == [(ONE, "changed", CONTOSO.id, FABRIKAM.id)]
    assert done.json["drifted"][0]["changed_by"] == "bob"


def test_what_nobody_declares_is_drift_where_these_declarations_are_responsible(
    compare: Dpor, as_declared: Backend
) -> None:
    as_declared.designate(THREE, NORTHWIND)
    as_declared.designate(FOUR, NORTHWIND)
    as_declared.withdraw(FOUR)
    assert drifted(compare()) == []
    expected = [(THREE, "undeclared", None, NORTHWIND.id)]
    for scope in ("/", THREE, f"/subscriptions/{THREE}", THREE.upper()):
        done = compare("--scope", scope)
        assert (done.exit_code, drifted(done)) == (1, expected), scope
        assert done.json["drifted"][0]["changed_by"] == ADMIN
    for scope in (ONE, FOUR):
        assert (compare("--scope", scope).exit_code, drifted(compare("--scope", scope))) == (0, [])


def test_a_declaration_that_cannot_be_read_is_named_and_no_partner_is_called_undeclared(
    compare: Dpor, as_declared: Backend, file: Path
) -> None:
    as_declared.designate(THREE, NORTHWIND)
    file.with_name("z.partners.yaml").write_text(UNREADABLE)
    done = compare("--scope", "/")
    assert done.exit_code == 2
    assert done.json == {"version": 1, "checked": 2, "drifted": []}
    assert done.err.count("\n") == 1
    assert "dpor: z.partners.yaml:2:1: unknown key 'bogus'" in done.err
    as_declared.designate(ONE, FABRIKAM)
    again = compare()
    assert again.exit_code == 2
    assert drifted(again) == [(ONE, "changed", CONTOSO.id, FABRIKAM.id)]


def test_what_the_platform_cannot_read_is_not_taken_for_missing(
    file: Path, as_declared: Backend
) -> None:
    file.write_text(f"{ESTATE}  - {{id: {THREE}, partner: undecided}}\n")
    live = read_live(as_declared.registry(), as_declared.platform())
    live = replace(live, unreadable={ONE: "no right to read", THREE: "no right to read"})
    one, three = drift(load([file]).estate, live, "/")
    assert asdict(one) == {
        "subscription_id": ONE,
        "kind": Kind.UNREADABLE,
        "declared_partner_id": CONTOSO.id,
        "live_partner_id": None,
        "changed_by": None,
        "changed_at": None,
        "managed_by": None,
        "cause": "no right to read",
    }
    assert (three.subscription_id, three.kind) == (THREE, Kind.UNREADABLE)


# --- As a process ------------------------------------------------------------------------------


HEAVY = "alembic azure pulumi pulumi_policy rich sqlalchemy"


@pytest.mark.parametrize(
    "arguments",
    [
        "check --offline",
        "check --offline --format json --output result.json",
        "check --offline --write-baseline known.json",
        "check --offline --format sarif",
        "check --offline --format junit",
        "check --help",
        "check",
        "drift --help",
        "rules",
        "rules --format json",
        "explain DPOR302",
    ],
)
def test_what_needs_no_registry_imports_none(file: Path, arguments: str) -> None:
    file.write_text(RETIRED)
    code = (
        "import sys\n"
        "from dpor_provider.cli import main\n"
        "try: main(sys.argv[2:])\n"
        "except SystemExit: pass\n"
        "print('heavy:', *sorted(set(sys.argv[1].split()) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, HEAVY, *arguments.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "heavy:"


def test_a_check_against_a_registry_imports_no_engine(file: Path, home: Backend) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", DPOR, "check", "--registry", home.url],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "sqlalchemy" in imported
    assert not {"pulumi", "pulumi_policy", "grpc", "rich"} & imported


@pytest.mark.parametrize("arguments", ["check --offline", "rules", "explain DPOR302"])
def test_a_reader_that_is_gone_is_no_finding_and_no_traceback(file: Path, arguments: str) -> None:
    file.write_text(RETIRED)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [DPOR, *arguments.split()], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_what_the_terminal_cannot_show_is_an_escape_and_no_error(
    folder: Path, encoding: str
) -> None:
    (folder / "Käse 株.partners.yaml").write_text(RETIRED.replace("Litware", "Köhler 株"), "utf-8")
    done = subprocess.run(
        [DPOR, "check", "--offline"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    shown = "partner Köhler 株 (6127255)".encode(encoding, "backslashreplace")
    assert shown in done.stdout


def test_what_a_declaration_holds_cannot_command_the_terminal(dpor: Dpor, file: Path) -> None:
    file.write_text(RETIRED.replace("Litware", '"a\\e[31m\\u202e\\nDPOR999"'))
    for output_format in ("text", "json"):
        done = dpor("check", "--offline", "--format", output_format)
        assert done.exit_code == 1
        assert (done.out + done.err).replace("\n", "").isprintable()
    assert not any(
        line.startswith("DPOR999") for line in dpor("check", "--offline").out.split("\n")
    )
