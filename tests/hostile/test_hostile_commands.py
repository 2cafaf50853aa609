"""Whatever a command is given, it ends with 0, 1 or 2 and one line, and the registry holds."""

from __future__ import annotations

import contextlib
import csv
import io
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.backends import CONTOSO, FABRIKAM, sqlite_portal
from support.commands import leaves
from support.thorough import InputSurvived, fuzz

from dpor_provider.cli import main
from dpor_provider.cli.main import dpor
from dpor_provider.registry import open_registry

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OUTPUTS = ("text", "json", "csv")

SQL = [
    "'; DROP TABLE partners; --",
    "' OR '1'='1",
    "x', 'y'); DELETE FROM audit_log; --",
    '"; VACUUM INTO "x',
    "%s %(x)s :name ? $1 {0} {name} %n",
    "\\'; ATTACH 'x' AS y; --",
]
FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    '=HYPERLINK("http://x")',
    "\t=1",
    "|=1",
]
SIGNS = [
    "\0",
    "\x1b[2J",
    "\x1b]0;x\x07",
    "a\nb",
    "a\r\nb",
    "\u202e",
    "\u2028",
    "\ud800",
    "\udcff",
    "\x7f",
]
WORKFLOW = ["::error::x", "##vso[task.setvariable]x", "##[error]x", "a\n::set-output name=x::y"]
NUMBERS = [
    "9" * 5000,
    "1e999",
    "-1",
    "0",
    "NaN",
    "0x10",
    "١٢٣٤٥٦٧",
    "4567890\u200b",
    " 4567890",
    "1_0",
]
PATHS = [
    "..",
    "../x",
    "/",
    "//",
    "/dev/null/x",
    "/proc/self/mem",
    "~",
    "$(id)",
    "a\0b",
    "x" * 5000,
    "-",
    "con",
]
HOSTILE = st.sampled_from([*SQL, *FORMULAS, *SIGNS, *WORKFLOW, *NUMBERS, *PATHS]) | st.text(
    max_size=20
)
WORDS = st.one_of(HOSTILE, st.sampled_from(["", " ", "sp-1", "bob", "Contoso", "A" * 10_000]))

SUBSCRIPTIONS = st.one_of(st.just(ONE), st.just(ONE), HOSTILE, st.just(f"/subscriptions/{ONE}"))
PARTNER_IDS = st.one_of(
    st.sampled_from([CONTOSO.id, FABRIKAM.id]), st.integers(10_000, 99_999_999).map(str), HOSTILE
)
SCOPES = st.one_of(st.sampled_from(["/", ONE]), HOSTILE)
ROLES = st.one_of(st.sampled_from(["owner", "Contributor", "global-administrator"]), HOSTILE)
DAYS = st.one_of(
    st.dates().map(str),
    st.sampled_from(
        ["2026-11-31", "20261123", "2026-W47-1", "0000-01-01", "10000-01-01", "tomorrow"]
    ),
    HOSTILE,
)
CELLS = st.one_of(st.just(ONE), st.uuids().map(str), PARTNER_IDS, WORDS)
TABLES = st.lists(st.lists(CELLS, max_size=3), max_size=3).map(
    lambda rows: "\n".join(",".join(row) for row in [["Subscription ID", "Partner ID"], *rows])
)
CONTENTS = st.binary(max_size=50) | TABLES.map(lambda text: text.encode("utf-8", "surrogatepass"))
FILES = st.sampled_from(["given", "given", "folder", "a\nb", "a\x1b[2Jb", *PATHS]) | st.text(
    max_size=10
)

Arguments = st.SearchStrategy[list[str]]


def command(*parts: str | st.SearchStrategy[str]) -> Arguments:
    """A command of fixed words and of what is given."""
    given_parts = (st.just(part) if isinstance(part, str) else part for part in parts)
    # No process can be given a NUL.
    return st.tuples(*given_parts).map(lambda words: [word.replace("\0", "") for word in words])


GIVEN: tuple[tuple[str | st.SearchStrategy[str], ...], ...] = (
    ("registry", "partner", "add", PARTNER_IDS, WORDS),
    ("registry", "partner", "add", PARTNER_IDS, WORDS, "--former-name", WORDS),
    ("registry", "partner", "add", PARTNER_IDS, WORDS, "--principal", WORDS),
    ("registry", "partner", "add", PARTNER_IDS, WORDS, "--tenant", WORDS),
    ("registry", "partner", "rename", PARTNER_IDS, WORDS),
    ("registry", "partner", "renumber", PARTNER_IDS, PARTNER_IDS),
    ("registry", "partner", "agreement", PARTNER_IDS, WORDS, "--expires", DAYS),
    ("registry", "partner", "list"),
    ("registry", "partner", "retire", PARTNER_IDS, "--replaced-by", PARTNER_IDS),
    ("registry", "partner", "principals", PARTNER_IDS, "--add", WORDS, "--add-tenant", WORDS),
    ("registry", "partner", "principals", PARTNER_IDS, "--remove", WORDS),
    ("registry", "init"),
    ("registry", "upgrade"),
    ("registry", "grant", WORDS, ROLES, "--scope", SCOPES),
    ("registry", "ungrant", WORDS, ROLES, "--scope", SCOPES),
    ("registry", "designate", SUBSCRIPTIONS, PARTNER_IDS),
    ("registry", "withdraw", SUBSCRIPTIONS),
    ("registry", "show"),
    ("registry", "history", SUBSCRIPTIONS, "--format", st.sampled_from(OUTPUTS)),
    ("registry", "history", SUBSCRIPTIONS, "--on", DAYS),
    ("registry", "head"),
    ("registry", "verify", "--head", FILES),
    ("registry", "backup", FILES),
    ("registry", "demand", "add", SCOPES, "--issuer", WORDS, "--audience", WORDS),
    ("registry", "demand", "list"),
    ("registry", "demand", "remove", SCOPES),
    ("access", "add", SCOPES, WORDS, WORDS, "--partner", PARTNER_IDS, "--condition", WORDS),
    ("access", "remove", SCOPES, WORDS, WORDS),
    ("access", "restore", SUBSCRIPTIONS, "--principal", WORDS),
    ("access", "list", SUBSCRIPTIONS),
    ("worklist",),
    ("confirm", SUBSCRIPTIONS, "--partner-name", WORDS),
    ("observe", FILES),
    ("check", FILES, "--offline"),
    ("check", "given", "--offline", "--baseline", FILES),
    ("check", "given", "--offline", "--output", FILES),
    ("check", "given", "--offline", "--write-baseline", FILES),
    ("check", "given", "--offline", "--as-of", DAYS),
    ("check", "given", "--offline", "--base", WORDS),
    ("discover", FILES),
    ("discover", "given", "--output", FILES),
    ("drift", FILES),
    ("drift", "a\nb"),
    ("explain", WORDS),
    ("rules",),
    ("schema",),
    ("state", "verify", FILES),
    ("state", "verify", "given", "--allow", WORDS),
    (WORDS, WORDS),
)
COMMANDS: Arguments = st.one_of(*(command(*parts) for parts in GIVEN))

RUN_THE_ENGINE = {"destroy", "preview", "refresh", "up"}
"""What they are given is the engine's: tests/e2e."""
WRITE_A_FOLDER = {"policies init"}
"""Tested where folders are: tests/test_files.py."""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    exit_code: object
    out: str
    err: str


def run(arguments: list[str]) -> Done:
    """Run `dpor` in this process, with text streams as a terminal in UTF-8 has them."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = [io.TextIOWrapper(stream, "utf-8", write_through=True) for stream in (out, err)]
    with (
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
        pytest.raises(SystemExit) as ended,
    ):
        main(arguments)
    return Done(ended.value.code, out.getvalue().decode(), err.getvalue().decode())


class Home:
    """A registry in a folder so deep that no relative path leads out of what is the test's own."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "a" / "b" / "c"
        self.folder.mkdir(parents=True)
        (root / "made").mkdir()
        self._made = Path(sqlite_portal(root / "made").url.removeprefix("sqlite:///"))
        self.url = f"sqlite:///{self.folder.parent / self._made.name}"

    def begin(self) -> None:
        """Have the registry as it was made, so that an input that fails fails again."""
        for left in self.folder.parent.glob(f"{self._made.name}*"):
            left.unlink()
        shutil.copy(self._made, self.folder.parent)

    def holds(self) -> None:
        """Everything that was recorded is as it was recorded."""
        registry = open_registry(self.url)
        registry.read()
        assert registry.verify().problems == ()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The folder and the registry that each example changes."""
    made = Home(tmp_path_factory.mktemp("hostile"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.folder)
        patch.setenv("DPOR_REGISTRY", made.url)
        patch.setenv("HOME", str(made.folder))
        yield made


def stdin(content: bytes) -> io.TextIOWrapper:
    stream: BinaryIO = io.BytesIO(content)
    vars(stream)["name"] = "<stdin>"
    return io.TextIOWrapper(stream)


def survives(arguments: list[str], content: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", stdin(content))
        done = run(arguments)

    assert done.exit_code in (0, 1, 2)
    assert "bug in dpor" not in done.err
    assert all(text.isprintable() for text in done.err.splitlines())
    assert all(text.replace("\t", "").isprintable() for text in done.out.split("\n"))
    if arguments[0] == "drift":
        told = [text for text in done.err.splitlines() if not text.endswith("as declared.")]
        assert all(text.startswith("dpor: ") for text in told)
    if done.exit_code == 2 and arguments[0] not in (
        "observe",
        "drift",
        "discover",
    ):  # which say it of each line
        (said,) = done.err.splitlines()
        assert said.startswith("dpor: ")


@fuzz(150)
@example(commands=[["registry", "backup", "/"], ["registry", "backup", "."]], content=b"")
@given(commands=st.lists(COMMANDS, min_size=1, max_size=3), content=CONTENTS)
def test_a_command_survives_anything(
    home: Home, commands: list[list[str]], content: bytes, input_survived: InputSurvived
) -> None:
    home.begin()
    (home.folder / "folder").mkdir(exist_ok=True)
    for name in ("given", "a\nb", "a\x1b[2Jb"):
        (home.folder / name).write_bytes(content)
    for arguments in commands:
        survives(arguments, content)
        home.holds()
        input_survived("hostile commands")


def test_no_command_is_left_out() -> None:
    fixed = (takewhile(lambda part: isinstance(part, str), parts) for parts in GIVEN)
    written = [" ".join(map(str, [*words, ""])) for words in fixed]
    tried = {one for one in leaves(dpor) if any(words.startswith(f"{one} ") for words in written)}
    assert set(leaves(dpor)) == tried | RUN_THE_ENGINE | WRITE_A_FOLDER


@fuzz(50)
@given(name=WORDS)
def test_no_cell_of_a_history_is_a_formula(
    home: Home, name: str, input_survived: InputSurvived
) -> None:
    home.begin()
    run(["registry", "partner", "rename", CONTOSO.id, name])
    run(["registry", "designate", ONE, CONTOSO.id])
    done = run(["registry", "history", ONE, "--format", "csv"])
    rows = list(csv.reader(io.StringIO(done.out)))
    assert len(rows) > 1
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0"))
    input_survived("hostile names in a spreadsheet")
