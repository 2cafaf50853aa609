"""`dpor check --base`: what counts, and what changes, since a revision of a real git repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dpor_provider.checker.result import ChangeKind
from dpor_provider.checker.revision import Revision, changes
from dpor_provider.cli import main
from dpor_provider.declaration import load
from dpor_provider.errors import Invalid

DPOR = Path(sys.executable).parent / "dpor"
ONE, TWO, THREE = (f"0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a0{digit}" for digit in "123")
DAY = "2026-11-23"

PARTNERS = """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting, agreement: {reference: DSA-1}}
  fabrikam: {id: "5127255", name: Fabrikam Cloud Services, agreement: {reference: DSA-2}}
  gone: {id: "2345678", name: Litware, status: retired, agreement: {reference: DSA-3}}
subscriptions:
"""


def entry(subscription: str = ONE, partner: str = "contoso") -> str:
    return f"  - {{id: {subscription}, partner: {partner}}}\n"


def excepted(last_day: str, subscription: str = ONE, rule: str = "DPOR301") -> str:
    """A subscription with a retired partner, and an exception from a rule."""
    return (
        f"  - id: {subscription}\n    partner: gone\n    exceptions:\n"
        f"      - {{rule: {rule}, reason: 'Handover, CHG-1', expires: {last_day}}}\n"
    )


@pytest.fixture(autouse=True)
def _nothing_of_the_users_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("DPOR_REGISTRY", raising=False)


@dataclass(frozen=True)
class Repository:
    """A git repository."""

    root: Path

    def git(self, *arguments: str | Path, **variables: str) -> str:
        """What git prints."""
        done = subprocess.run(
            [
                *("git", "-c", "user.name=Test", "-c", "user.email=test@example.org"),
                *("-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always", *arguments),
            ],
            cwd=self.root,
            env=os.environ | variables,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return os.fsdecode(done.stdout)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the working tree."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(text))
        return path

    def commit(self, files: Mapping[str, str] | None = None) -> str:
        """Write files and commit all there is; returns the commit's name."""
        for name, text in (files or {}).items():
            self.write(name, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", "change")
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository, which is the working folder."""
    root = tmp_path / "repository"
    root.mkdir()
    made = Repository(root)
    made.git("init", "--quiet", "--initial-branch", "main")
    monkeypatch.chdir(root)
    return made


@dataclass(frozen=True)
class Done:
    """What one command did."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.exit_code in {0, 1}, self.err
        return json.loads(self.out)

    @property
    def counting(self) -> list[tuple[str, str]]:
        """The findings that count, and those that are advisory: rule and level."""
        return [
            (finding["rule"], finding["level"])
            for finding in self.json["findings"]
            if finding["suppressed"] is None
        ]

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [(change["kind"], change["subscription_id"]) for change in self.json["changes"]]

    @property
    def said(self) -> str:
        """The only line on stderr, of a command that could not do its job."""
        assert (self.exit_code, self.out) == (2, ""), self.err
        assert self.err.count("\n") == 1
        assert self.err.startswith("dpor: ")
        assert "bug" not in self.err
        return self.err


Check = Callable[..., Done]


@pytest.fixture
def check(capfd: pytest.CaptureFixture[str]) -> Check:
    """Runs `dpor check --offline`, with JSON as the format."""

    def run(*arguments: str | Path, base: str | None = "HEAD") -> Done:
        since = () if base is None else ("--base", base)
        fixed = ("check", "--offline", "--as-of", DAY, "--format", "json", *since)
        with pytest.raises(SystemExit) as ended:
            main([*fixed, *map(str, arguments)])
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, captured.out, captured.err)

    return run


# --- Exceptions --------------------------------------------------------------------------------


def test_an_exception_that_only_the_head_has_does_not_count_and_is_a_request(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry(partner="gone")})
    repository.write("partners.yaml", PARTNERS + excepted("2027-06-30"))
    done = check()
    assert done.exit_code == 1
    assert done.counting == [("DPOR301", "mandatory"), ("DPOR002", "advisory")]
    requested = done.json["findings"][1]
    assert "is requested" in requested["message"]
    assert "revision HEAD has it" in requested["message"]
    assert (requested["file"], requested["line"], requested["column"]) == ("partners.yaml", 10, 9)
    assert done.json["base"] == "HEAD"
    assert done.json["changes"] == [
        {
            "kind": "exception-requested",
            "subscription_id": ONE,
            "before": None,
            "after": None,
            "detail": "DPOR301 until 2027-06-30: Handover, CHG-1",
        }
    ]


def test_the_same_exception_counts_without_a_base_and_once_the_base_has_it(
    repository: Repository, check: Check
) -> None:
    repository.commit()
    repository.write("partners.yaml", PARTNERS + excepted("2027-06-30"))
    alone = check(base=None)
    assert (alone.exit_code, alone.counting) == (0, [])
    assert "base" not in alone.json
    repository.commit()
    done = check()
    assert (done.exit_code, done.counting, done.changes) == (0, [], [])
    assert done.json["summary"]["suppressed"] == 1


@pytest.mark.parametrize(
    ("last_day", "counts"),
    [("2026-11-23", True), ("2027-06-29", True), ("2027-06-30", True), ("2027-07-01", False)],
)
def test_an_exception_may_be_shortened_and_not_lengthened(
    repository: Repository, check: Check, last_day: str, counts: bool
) -> None:
    repository.commit({"partners.yaml": PARTNERS + excepted("2027-06-30")})
    repository.write("partners.yaml", PARTNERS + excepted(last_day))
    done = check()
    assert (("DPOR301", "mandatory") in done.counting) is not counts
    assert done.changes == ([] if counts else [("exception-requested", ONE)])
    assert done.exit_code == (0 if counts else 1)


def test_a_shorter_exception_still_ends(repository: Repository, check: Check) -> None:
    repository.commit({"partners.yaml": PARTNERS + excepted("2027-06-30")})
    repository.write("partners.yaml", PARTNERS + excepted("2026-11-22"))
    assert check().counting == [("DPOR301", "mandatory"), ("DPOR002", "mandatory")]


def test_what_the_base_excepts_covers_nothing_that_the_head_does_not_except(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + excepted("2027-06-30")})
    repository.write("partners.yaml", PARTNERS + entry(partner="gone"))
    assert check().counting == [("DPOR301", "mandatory")]


def test_an_exception_counts_for_its_own_rule_and_subscription_alone(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + excepted("2027-06-30", rule="DPOR403")})
    head = excepted("2027-06-30") + excepted("2027-06-30", TWO, "DPOR403")
    repository.write("partners.yaml", PARTNERS + head)
    done = check()
    requested = ("exception-requested", ONE), ("exception-requested", TWO)
    assert done.changes == [("designated", TWO), *requested]
    assert done.counting.count(("DPOR301", "mandatory")) == 2
    assert done.counting.count(("DPOR002", "advisory")) == 2


def test_an_exception_counts_wherever_its_declaration_moves(
    repository: Repository, check: Check
) -> None:
    exception = "{rule: DPOR301, reason: 'Handover, CHG-1', expires: 2027-06-30}"
    head = PARTNERS.replace("subscriptions:\n", "")
    group = (
        f"groups:\n  - name: Retail\n    partner: gone\n    exceptions: [{exception}]\n"
        f"    subscriptions: [{{id: {ONE}}}, {{id: {TWO}}}]\n"
    )
    repository.commit({"partners.yaml": head + group})
    repository.git("mv", "partners.yaml", "moved.partners.yaml")
    moved = excepted("2027-06-30", TWO) + excepted("2027-06-30", ONE)
    repository.write("moved.partners.yaml", PARTNERS + moved)
    done = check()
    assert (done.exit_code, done.counting, done.changes) == (0, [], [])


def test_what_the_base_says_in_a_way_that_cannot_be_read_approves_nothing(
    repository: Repository, check: Check
) -> None:
    broken = PARTNERS + excepted("2027-06-30").replace("partner:", "partnr:")
    repository.commit({"partners.yaml": broken, "b.partners.yaml": "version: 1\n"})
    repository.write("partners.yaml", PARTNERS + excepted("2027-06-30"))
    done = check()
    assert done.exit_code == 1
    assert done.counting == [("DPOR301", "mandatory"), ("DPOR002", "advisory")]
    assert "1 problem in the declarations of HEAD" in done.err


# --- Baseline ----------------------------------------------------------------------------------


def test_a_baseline_is_taken_from_the_base(repository: Repository, check: Check) -> None:
    repository.write("partners.yaml", PARTNERS + entry(partner="gone"))
    assert check("--write-baseline", "baseline.json", base=None).exit_code == 0
    repository.commit()
    both = PARTNERS + entry(partner="gone") + entry(TWO, "gone")
    repository.write("partners.yaml", both)
    # A pull request that writes its own findings down hides nothing with that.
    assert check("--write-baseline", "baseline.json", base=None).exit_code == 0
    assert check("--baseline", "baseline.json", base=None).exit_code == 0
    done = check("--baseline", "baseline.json")
    assert done.exit_code == 1
    (counting,) = (one for one in done.json["findings"] if one["suppressed"] is None)
    assert (counting["rule"], counting["subscription_id"]) == ("DPOR301", TWO)
    assert done.json["summary"]["suppressed"] == 1
    Path("baseline.json").unlink()
    assert check("--baseline", "baseline.json").out == done.out
    repository.write("baseline.json", "nonsense")
    assert check("--baseline", "baseline.json").out == done.out


def test_a_baseline_that_the_base_does_not_have_hides_nothing(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry(partner="gone")})
    assert check("--write-baseline", "baseline.json", base=None).exit_code == 0
    done = check("--baseline", "baseline.json")
    assert done.exit_code == 1
    assert "baseline.json is not in HEAD: there is no baseline yet" in done.err


def test_a_baseline_of_the_base_that_is_none_is_refused(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry(), "baseline.json": "nonsense"})
    assert check("--write-baseline", "baseline.json", base=None).exit_code == 0
    assert "baseline.json of HEAD is no JSON" in check("--baseline", "baseline.json").said


def test_a_baseline_outside_the_repository_has_no_revisions(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    assert check("--write-baseline", "../baseline.json", base=None).exit_code == 0
    assert "is not in the repository" in check("--baseline", "../baseline.json").said


def test_a_baseline_is_found_from_a_folder_below(
    repository: Repository, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("estate/partners.yaml", PARTNERS + entry(partner="gone"))
    monkeypatch.chdir(repository.root / "estate")
    assert check("--write-baseline", "../baseline ü.json", base=None).exit_code == 0
    repository.commit()
    done = check("--baseline", "../baseline ü.json")
    assert (done.exit_code, done.json["summary"]["suppressed"]) == (0, 1)


# --- Changes -----------------------------------------------------------------------------------


def test_every_kind_of_change_is_named_with_both_partners(
    repository: Repository, check: Check
) -> None:
    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(8)]
    before = ["-", "contoso", "contoso", "contoso", "none, reason: x", "contoso", "undecided", "-"]
    after = ["contoso", "fabrikam", "-", "none, reason: x", "contoso", "contoso", "none, reason: x"]
    then = "".join(
        entry(one, partner) for one, partner in zip(ids, before, strict=False) if partner != "-"
    )
    now = "".join(
        entry(one, partner) for one, partner in zip(ids, after, strict=False) if partner != "-"
    )
    repository.commit({"partners.yaml": PARTNERS + then})
    repository.write("partners.yaml", PARTNERS + now + excepted("2027-06-30", ids[7]))
    contoso = {"id": "4567890", "name": "Contoso Consulting"}
    fabrikam = {"id": "5127255", "name": "Fabrikam Cloud Services"}
    litware = {"id": "2345678", "name": "Litware"}
    seen = [
        (one["kind"], one["subscription_id"], one["before"], one["after"])
        for one in check().json["changes"]
    ]
    assert seen == [
        ("designated", ids[0], None, contoso),
        ("switched", ids[1], contoso, fabrikam),
        ("withdrawn", ids[2], contoso, None),
        ("withdrawn", ids[3], contoso, None),
        ("designated", ids[4], None, contoso),
        ("designated", ids[7], None, litware),
        ("exception-requested", ids[7], None, None),
    ]
    assert {kind for kind, *_ in seen} == set(ChangeKind)


def test_a_declaration_that_moves_or_is_written_differently_changes_nothing(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry() + entry(TWO, "fabrikam")})
    repository.write("partners.yaml", PARTNERS + entry(TWO, "fabrikam"))
    repository.write(
        "teams/a.partners.yaml", f"version: 1\nsubscriptions: [{{id: {ONE.upper()}, partner: it}}]"
    )
    repository.write(
        "b.partners.yaml", PARTNERS[: PARTNERS.index("  fab")].replace("contoso:", "it:")
    )
    assert check().changes == []


def test_a_renumbered_partner_is_no_switch(repository: Repository, check: Check) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    renumbered = PARTNERS.replace('"4567890",', '"7567890", former_ids: ["4567890"],')
    repository.write("partners.yaml", renumbered + entry())
    assert check().changes == []
    repository.write("partners.yaml", renumbered.replace("former_ids", "former_ids") + entry(TWO))
    assert check().changes == [("withdrawn", ONE), ("designated", TWO)]
    repository.write("partners.yaml", PARTNERS.replace("4567890", "7567890") + entry())
    assert check().changes == [("switched", ONE)]


def test_who_claims_the_id_of_another_partner_has_not_become_it(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    claims = PARTNERS.replace('"5127255",', '"5127255", former_ids: ["4567890"],')
    repository.write("partners.yaml", claims + entry(partner="fabrikam"))
    assert check().changes == [("switched", ONE)]
    alone = "\n".join(line for line in claims.split("\n") if "contoso:" not in line)
    repository.write("partners.yaml", alone + entry(partner="fabrikam"))
    assert check().changes == [("switched", ONE)]


def test_what_cannot_be_read_now_is_not_called_withdrawn(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry() + entry(TWO) + entry(THREE)})
    head = f"  - {{id: {ONE}, partnr: contoso}}\n" + entry(TWO, "none, reason: x")
    repository.write("partners.yaml", PARTNERS + head + entry(THREE, "fabrikam"))
    done = check()
    assert done.exit_code == 1
    assert done.changes == [("withdrawn", TWO), ("switched", THREE)]


def test_what_could_not_be_read_then_is_not_called_designated(
    repository: Repository, check: Check
) -> None:
    base = f"  - {{id: {ONE}, partnr: contoso}}\n" + entry(TWO, "none, reason: x") + entry(THREE)
    repository.commit({"partners.yaml": PARTNERS + base})
    repository.write("partners.yaml", PARTNERS + entry() + entry(TWO))
    done = check()
    assert done.changes == [("designated", TWO), ("withdrawn", THREE)]
    assert "1 problem in the declarations of HEAD" in done.err


def test_any_name_of_a_commit_will_do(repository: Repository, check: Check) -> None:
    first = repository.commit({"partners.yaml": PARTNERS + entry()})
    repository.git("tag", "--annotate", "v1", "--message", "release")
    repository.git("branch", "release/ü")
    repository.commit({"partners.yaml": PARTNERS + entry(partner="fabrikam")})
    for name in (first, first[:10], "v1", "release/ü", "HEAD~1", "HEAD^", "main@{1}", "@~"):
        done = check(base=name)
        assert done.changes == [("switched", ONE)], name
        assert done.json["base"] == name
    assert check(base="main").changes == []


def test_changes_of_two_loaded_declarations_are_the_same(
    tmp_path: Path, repository: Repository
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    repository.write("partners.yaml", PARTNERS + entry(partner="fabrikam"))
    before, after = Revision.find("HEAD").load(["partners.yaml"]), load(["partners.yaml"])
    (change,) = changes(before, after)
    assert (change.kind, change.subscription_id) == (ChangeKind.SWITCHED, ONE)
    assert change.before is not None
    assert change.after is not None
    assert (change.before.name, change.after.name) == (
        "Contoso Consulting",
        "Fabrikam Cloud Services",
    )


# --- Paths -------------------------------------------------------------------------------------


@pytest.fixture
def switched(repository: Repository) -> Repository:
    """A repository in which `estate/partners.yaml` switches one subscription since HEAD."""
    repository.commit(
        {"estate/partners.yaml": PARTNERS + entry(), ".editorconfig": "root = true\n"}
    )
    repository.write("estate/partners.yaml", PARTNERS + entry(partner="fabrikam"))
    return repository


@pytest.mark.parametrize(
    ("folder", "paths"),
    [
        (".", []),
        (".", ["."]),
        (".", ["estate"]),
        (".", ["./estate/"]),
        (".", ["estate/partners.yaml"]),
        (".", ["estate/../estate/partners.yaml"]),
        (".", ["*"]),
        (".", ["**/*.yaml"]),
        (".", ["estate/*.y*ml"]),
        (".", ["e[rst]tate/partners.yaml"]),
        (".", ["estate/partners.yaml", "estate", "**"]),
        ("estate", []),
        ("estate", [".."]),
        ("estate", ["../estate"]),
        ("estate", ["partners.yaml"]),
        ("estate", ["p*"]),
        ("estate/below/that", ["../.."]),
        ("estate/below/that", ["../../partners.yaml"]),
    ],
)
def test_a_path_means_the_same_at_the_base_as_it_does_now(
    switched: Repository,
    check: Check,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    paths: list[str],
) -> None:
    (switched.root / folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(switched.root / folder)
    for given in (paths, [str(switched.root / folder / path) for path in paths]):
        done = check(*given)
        assert done.changes == [("switched", ONE)], given
        assert done.err.count("\n") == 1


def test_a_link_that_leads_to_the_repository_is_followed(
    switched: Repository, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(switched.root)
    inside = switched.root / "current"
    inside.symlink_to("estate")
    for path in (link / "estate" / "partners.yaml", link, inside / "partners.yaml"):
        assert check(path).changes == [("switched", ONE)], path
    monkeypatch.chdir(link / "estate")
    assert check().changes == [("switched", ONE)]


def test_a_link_of_the_repository_leads_where_it_led(repository: Repository, check: Check) -> None:
    link = repository.root / "partners.yaml"
    link.symlink_to("v1.yaml")
    repository.commit(
        {"v1.yaml": PARTNERS + entry(), "v2.yaml": PARTNERS + entry(partner="fabrikam")}
    )
    link.unlink()
    link.symlink_to("v2.yaml")
    assert check("partners.yaml").changes == [("switched", ONE)]
    assert check().changes == [("switched", ONE)]
    link.unlink()
    repository.write("partners.yaml", PARTNERS + entry(partner="fabrikam"))
    assert check("partners.yaml").changes == [("switched", ONE)]


def test_a_file_that_the_base_does_not_have_declared_nothing(
    switched: Repository, check: Check
) -> None:
    switched.write("new.partners.yaml", PARTNERS + entry(TWO))
    done = check("new.partners.yaml")
    assert (done.exit_code, done.changes) == (0, [("designated", TWO)])


@pytest.mark.parametrize("new", ["new/*.yaml", "new", "new/partners.yaml", "n*", "docs"])
def test_a_path_that_was_not_there_takes_nothing_from_the_others(
    switched: Repository, check: Check, new: str
) -> None:
    switched.commit({"docs/other.yaml": "a: b\n", "estate/partners.yaml": PARTNERS + entry()})
    for folder in ("new", "docs"):
        switched.write(f"{folder}/partners.yaml", f"version: 1\nsubscriptions:\n{entry(TWO)}")
    done = check("estate/partners.yaml", new)
    assert done.changes == [("designated", TWO)]
    assert done.exit_code == 0


def test_a_file_that_is_gone_now_withdraws_what_it_declared(
    switched: Repository, check: Check
) -> None:
    switched.commit({"other.partners.yaml": f"version: 1\nsubscriptions:\n{entry(TWO)}"})
    (switched.root / "other.partners.yaml").unlink()
    assert check().changes == [("withdrawn", TWO)]
    assert check("estate/partners.yaml").changes == []


def test_declarations_of_any_name_are_read_where_a_path_names_them(
    repository: Repository, check: Check
) -> None:
    names = ["declaration", "estate/partners.json", "estate/a.dpor", "b.dpor"]
    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)]
    repository.commit({name: PARTNERS + entry(one) for name, one in zip(names, ids, strict=True)})
    for name, one in zip(names, ids, strict=True):
        repository.write(name, PARTNERS + entry(one, "fabrikam"))
    for paths, expected in (
        (["declaration"], ids[:1]),
        (["estate/*.json"], ids[1:2]),
        (["**/*.dpor"], ids[2:]),
        (["*.dpor", "est*/a.*"], ids[2:]),
    ):
        assert check(*paths).changes == [("switched", one) for one in expected], paths


@pytest.mark.parametrize("pattern", ["*.dpor", "**/*.dpor", "**/a*", "?.dpor", "[ab].dpor"])
def test_a_pattern_finds_what_is_gone_now(
    repository: Repository, check: Check, pattern: str
) -> None:
    repository.commit({"a.dpor": PARTNERS + entry(), "b.dpor": PARTNERS + entry(TWO)})
    (repository.root / "a.dpor").unlink()
    repository.write("a2.dpor", PARTNERS + entry(TWO))
    assert ("withdrawn", ONE) in check(pattern).changes


def test_files_that_no_path_leads_to_do_not_count(repository: Repository, check: Check) -> None:
    repository.commit(
        {
            "estate/partners.yaml": PARTNERS + entry(),
            "other/partners.yaml": PARTNERS + entry(TWO),
            ".hidden/partners.yaml": PARTNERS + entry(THREE),
            "estate/values.yaml": PARTNERS + entry(THREE),
        }
    )
    repository.write("estate/partners.yaml", PARTNERS + entry(partner="fabrikam"))
    assert check("estate").changes == [("switched", ONE)]
    assert check("estate/partners.yaml").changes == [("switched", ONE)]


@pytest.mark.parametrize("name", ["partners.yaml", "directory.json"])
def test_a_directory_that_another_folder_shares_is_found_at_the_base(
    repository: Repository, check: Check, name: str
) -> None:
    def team(partner: str) -> str:
        return f"version: 1\ndirectory: ../shared/{name}\nsubscriptions:\n{entry(partner=partner)}"

    directory = PARTNERS.replace("subscriptions:\n", "")
    repository.commit({f"shared/{name}": directory, "team/partners.yaml": team("contoso")})
    repository.write("team/partners.yaml", team("fabrikam"))
    for path in ("team", "team/partners.yaml"):
        done = check(path)
        assert done.changes == [("switched", ONE)]
        assert done.err.count("\n") == 1


def test_a_directory_outside_the_repository_makes_the_base_unreadable_and_no_more(
    repository: Repository, check: Check
) -> None:
    repository.write("../shared.yaml", PARTNERS.replace("subscriptions:\n", ""))
    text = "version: 1\ndirectory: ../shared.yaml\nsubscriptions:\n"
    repository.commit({"partners.yaml": text + excepted("2027-06-30")})
    done = check()
    assert done.counting == [("DPOR301", "mandatory"), ("DPOR002", "advisory")]
    assert done.changes == [("exception-requested", ONE)]
    assert "in the declarations of HEAD" in done.err


NAMES = [
    "with space",
    " blanks around ",
    'it\'s "quoted" `here` $HOME',
    "Käse 株式会社",
    "Ka\u0308se",
    "new\nline",
    "carriage\rreturn",
    "tab\tbell\x07",
    "back\\slash",
    "--output=x",
    "-h",
    "-",
    ":(glob)x",
    ":(exclude)x",
    ":!x",
    ":/x",
    "^x",
    "[ab]*?",
    "**",
    "!x",
    "#x",
    "~x",
    "@{0}",
    "\udcff",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["file", "named", "folder", "below"])
def test_a_file_may_have_any_name(
    repository: Repository, check: Check, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    folder = f"{name}/" if way in {"folder", "below"} else ""
    file = "partners.yaml" if folder else f"{name}.partners.yaml"
    if way == "named":
        file = name
    try:
        repository.commit({f"{folder}{file}": PARTNERS + entry(), "x": "", "other.yaml": "- 1\n"})
    except OSError:
        pytest.skip("no such name here")
    repository.write(f"{folder}{file}", PARTNERS + entry(partner="fabrikam"))
    if way == "below":
        monkeypatch.chdir(repository.root / name)
    done = check(*{"file": (), "below": (), "named": ("--", name), "folder": ("--", name)}[way])
    assert done.changes == [("switched", ONE)]
    assert (done.exit_code, done.err.count("\n")) == (0, 1)
    assert repository.git("status", "--porcelain", "--ignored").count("\n") == 1


def test_a_repository_may_have_any_name(
    tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "a [b]*\n"
    root.mkdir()
    repository = Repository(root)
    repository.git("init", "--quiet")
    repository.commit({"partners.yaml": PARTNERS + entry()})
    repository.write("partners.yaml", PARTNERS + entry(partner="fabrikam"))
    monkeypatch.chdir(root)
    assert check().changes == [("switched", ONE)]
    assert check("*.yaml").changes == [("switched", ONE)]


# --- What cannot be done -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("nowhere", "origin/main", "HEAD~2", "f" * 40, "", "HEAD:partners.yaml", "HEAD^{tree}"),
        *("^HEAD", "HEAD..HEAD", "HEAD --all", "--output=x", "-h", "--help", "--all", "--not"),
        *("--", "-", "--end-of-options", "--exec=touch x", "\udcff", "$(touch x)", "a\nb"),
    ],
)
def test_a_name_that_means_no_commit_is_refused_and_is_no_option_of_git(
    repository: Repository, check: Check, name: str
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    repository.commit()
    said = check(base=name).said
    assert f"--base {name!r}: there is no such revision here" in said
    assert "fetch it first" in said
    assert sorted(path.name for path in repository.root.iterdir()) == [".git", "partners.yaml"]


def test_a_repository_without_a_commit_has_no_revision(
    repository: Repository, check: Check
) -> None:
    repository.write("partners.yaml", PARTNERS + entry())
    assert "there is no such revision here" in check().said


def test_a_path_outside_the_repository_has_no_revisions(
    repository: Repository, check: Check, tmp_path: Path
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    outside = tmp_path / "partners.yaml"
    outside.write_text(PARTNERS + entry(TWO))
    for path in (outside, "../partners.yaml", "../*.yaml"):
        assert f"{str(path)!r} is not in the repository" in check(path).said
    (repository.root / "link").symlink_to(tmp_path)
    assert "is not in the repository" in check("link/partners.yaml").said


def test_outside_a_repository_there_is_no_base(
    tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "partners.yaml").write_text(PARTNERS + entry())
    monkeypatch.chdir(tmp_path)
    said = check().said
    assert "not a git repository" in said
    assert "run this in a git repository" in said


def test_where_git_keeps_its_own_there_is_no_working_tree(
    repository: Repository, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    bare = tmp_path / "bare.git"
    repository.git("clone", "--quiet", "--bare", ".", bare)
    for folder in (repository.root / ".git", bare):
        monkeypatch.chdir(folder)
        shutil.copy(repository.root / "partners.yaml", folder)
        assert "must be run in a work tree" in check().said


def test_without_git_there_is_no_base(
    repository: Repository, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check(base=None).exit_code == 0
    assert "git cannot be run" in check().said


def test_a_revision_of_which_git_has_lost_a_file_cannot_be_read(
    repository: Repository, check: Check
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    blob = repository.git("rev-parse", "HEAD:partners.yaml").strip()
    (repository.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    said = check().said
    assert "--base 'HEAD': that revision cannot be read" in said
    assert blob in said


def test_a_shallow_clone_has_the_revisions_that_it_has(
    repository: Repository, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"partners.yaml": PARTNERS + entry()})
    repository.commit({"partners.yaml": PARTNERS + entry(partner="fabrikam")})
    shallow = Repository(tmp_path / "shallow")
    repository.git("clone", "--quiet", "--depth", "1", repository.root.as_uri(), shallow.root)
    monkeypatch.chdir(shallow.root)
    for name in ("HEAD", "origin/main"):
        assert check(base=name).changes == []
    assert "with the whole history: fetch-depth 0" in check(base="HEAD~1").said
    shallow.git("fetch", "--quiet", "--unshallow")
    assert check(base="HEAD~1").changes == [("switched", ONE)]


# --- What stays as it is -----------------------------------------------------------------------


@pytest.fixture
def busy(repository: Repository) -> Repository:
    """A repository with changes of every kind, staged and not."""
    repository.commit(
        {
            "partners.yaml": PARTNERS + entry(),
            "staged.yaml": "a: 1\n",
            "removed.yaml": "a: 1\n",
            "renamed.yaml": "a: 1\nb: 2\n",
            ".gitignore": "*.log\n",
        }
    )
    repository.write("staged.yaml", "a: 2\n")
    repository.write("added.yaml", "a: 3\n")
    repository.git("add", "staged.yaml", "added.yaml")
    repository.write("staged.yaml", "a: 4\n")
    repository.git("rm", "--quiet", "removed.yaml")
    repository.git("mv", "renamed.yaml", "new name.yaml")
    repository.write("partners.yaml", PARTNERS + entry(partner="fabrikam"))
    repository.write("untracked.yaml", "a: 5\n")
    repository.write("ignored.log", "a: 6\n")
    return repository


def everything(repository: Repository) -> dict[str, bytes]:
    """Every file of the folder, those of git too."""
    return {
        str(path.relative_to(repository.root)): path.read_bytes()
        for path in sorted(repository.root.rglob("*"))
        if path.is_file()
    }


def status(repository: Repository) -> str:
    return repository.git("status", "--porcelain=v2", "--branch", "--ignored", "--show-stash", "-z")


@pytest.mark.parametrize("setting", ["core.splitIndex", "core.sparseCheckout", "core.fsmonitor"])
def test_index_and_working_tree_stay_as_they_are(
    busy: Repository, check: Check, setting: str
) -> None:
    busy.git("config", setting, "true" if setting != "core.fsmonitor" else "false")
    before = status(busy), everything(busy)
    assert check().changes == [("switched", ONE)]
    assert everything(busy) == before[1]
    assert status(busy) == before[0]


def test_no_hook_of_the_user_runs(busy: Repository, check: Check) -> None:
    hooks = [path.stem for path in (busy.root / ".git" / "hooks").glob("*.sample")]
    for name in {*hooks, "post-index-change", "post-checkout", "reference-transaction"}:
        hook = busy.write(f".git/hooks/{name}", '#!/bin/sh\necho ran >> "$HOME/hooks-that-ran"\n')
        hook.chmod(0o755)
    busy.git("add", "untracked.yaml")
    ran = Path(os.environ["HOME"]) / "hooks-that-ran"
    assert ran.read_text() == "ran\n"
    assert check().changes == [("switched", ONE)]
    assert ran.read_text() == "ran\n"


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": ".git"},
        {"GIT_DIR": "ROOT/.git"},
        {"GIT_DIR": "ROOT/.git", "GIT_WORK_TREE": "ROOT"},
        {"GIT_DIR": "ROOT/.git", "GIT_WORK_TREE": "."},
        {"GIT_DIR": "nowhere", "GIT_WORK_TREE": "nowhere"},
        {"GIT_INDEX_FILE": ".git/index"},
        {"GIT_INDEX_FILE": "ROOT/.git/index"},
        {"GIT_INDEX_FILE": "ROOT/.git/next-index-1.lock"},
        {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": "estate/"},
        {"GIT_LITERAL_PATHSPECS": "1"},
        {"GIT_NOGLOB_PATHSPECS": "1"},
        {"GIT_ICASE_PATHSPECS": "1"},
        {"GIT_OPTIONAL_LOCKS": "0"},
        {"GIT_TRACE": "1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("folder", [".", "estate"])
def test_what_a_hook_finds_in_its_environment_neither_breaks_nor_is_touched(
    switched: Repository,
    check: Check,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    folder: str,
) -> None:
    switched.write("staged.yaml", "a: 1\n")
    switched.git("add", "staged.yaml")
    before = status(switched), everything(switched)
    monkeypatch.chdir(switched.root / folder)
    with monkeypatch.context() as hook:
        for name, value in variables.items():
            hook.setenv(name, value.replace("ROOT", str(switched.root)))
        assert check().changes == [("switched", ONE)]
    assert everything(switched) == before[1]
    assert status(switched) == before[0]


def test_it_runs_in_a_hook_before_a_commit_of_some_files(switched: Repository) -> None:
    hook = switched.write(
        ".git/hooks/pre-commit",
        f"#!/bin/sh\ncd estate && exec '{DPOR}' check --offline --base HEAD --output ../seen.txt\n",
    )
    hook.chmod(0o755)
    switched.write("staged.yaml", "a: 1\n")
    switched.git("add", "staged.yaml")
    switched.git("commit", "--quiet", "--message", "switch", "estate/partners.yaml")
    assert f"switched {ONE}: Contoso Consulting" in (switched.root / "seen.txt").read_text()
    assert switched.git("show", "--name-only", "--format=").split() == ["estate/partners.yaml"]
    assert switched.git("status", "--porcelain").split("\n")[0] == "A  staged.yaml"


def test_a_linked_working_tree_is_a_repository_too(
    switched: Repository, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = Repository(tmp_path / "linked")
    switched.git("worktree", "add", "--quiet", linked.root)
    linked.write("estate/partners.yaml", PARTNERS + entry(partner="fabrikam"))
    monkeypatch.chdir(linked.root / "estate")
    assert check(base="main").changes == [("switched", ONE)]


@pytest.mark.parametrize(
    "attributes",
    [
        "* export-ignore",
        "*.yaml export-ignore export-subst",
        "*.yaml working-tree-encoding=UTF-16",
        "*.yaml ident eol=crlf",
        "*.yaml filter=broken",
        "*.yaml -text -diff binary",
        "*.yaml textconv diff=broken",
    ],
)
@pytest.mark.parametrize("place", [".gitattributes", "estate/.gitattributes"])
def test_attributes_that_the_head_adds_change_nothing_of_the_base(
    switched: Repository, check: Check, attributes: str, place: str
) -> None:
    for name, value in (
        ("filter.broken.smudge", "false"),
        ("filter.broken.clean", "cat"),
        ("filter.broken.required", "true"),
        ("diff.broken.textconv", "false"),
    ):
        switched.git("config", name, value)
    switched.write(place, f"{attributes}\n")
    assert check().changes == [("switched", ONE)]


@pytest.mark.parametrize("place", [".gitattributes", ".git/info/attributes", "../home/attributes"])
def test_what_an_export_leaves_out_is_not_left_out_here(
    repository: Repository, check: Check, place: str
) -> None:
    repository.write(place, "* export-ignore\n")
    repository.git("config", "core.attributesFile", repository.root / "../home/attributes")
    repository.commit({"partners.yaml": PARTNERS + excepted("2027-06-30")})
    done = check()
    assert (done.exit_code, done.counting, done.changes) == (0, [], [])


def test_a_text_is_that_of_the_revision(repository: Repository) -> None:
    repository.commit({"a/b.txt": "ü\r\n", "c.txt": "then"})
    repository.write("c.txt", "now")
    revision = Revision.find("HEAD")
    assert revision.text(Path("a/b.txt")) == "ü\r\n"
    assert revision.text(repository.root / "c.txt") == "then"
    assert revision.text(Path("nowhere.txt")) is None
    with pytest.raises(Invalid, match="not in the repository"):
        revision.text(repository.root.parent / "outside.txt")
