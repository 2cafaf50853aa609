"""The command `dpor` as a process: what it imports, terminals, pipes, signals and environment."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.backends import CONTOSO, Backend

from dpor_provider.model import Partner
from dpor_provider.registry import Owner

DPOR = Path(sys.executable).parent / "dpor"
SUBSCRIPTION = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
LONG = "A partner whose name is longer than most terminals are wide, so that its cell is folded"


def run(
    home: Backend, *arguments: str, encoding: str = "utf-8", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DPOR, *arguments],
        capture_output=True,
        encoding=encoding,
        check=False,
        env=os.environ | {"DPOR_REGISTRY": home.url, "PYTHONIOENCODING": encoding} | variables,
    )


def on_a_terminal(home: Backend, *arguments: str) -> str:
    """What a terminal of 80 columns gets on stdout."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [DPOR, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"DPOR_REGISTRY": home.url, "COLUMNS": "80", "TERM": "dumb"},
    )
    os.close(theirs)
    got = b""
    while chunk := _read(ours):
        got += chunk
    os.close(ours)
    assert done.wait() == 0
    return got.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux says so when the other end is closed.
        return b""


# --- Imports -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "--version",
        "",
        "access --help",
        "confirm --help",
        "observe --help",
        "registry --help",
        "registry partner add --help",
        "schema --help",
        "worklist --help",
        "registry designate nonsense 4567890",
    ],
)
def test_help_and_usage_import_nothing_heavy(arguments: str) -> None:
    code = (
        "import sys\n"
        "from dpor_provider.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'alembic', 'pulumi', 'rich', 'jsonschema', 'yaml'}\n"
        "print('heavy:', *heavy & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "heavy:"


# --- Environment -------------------------------------------------------------------------------


def test_the_registry_and_the_platform_come_from_the_environment_or_the_options(
    home: Backend, tmp_path: Path
) -> None:
    assert run(home, "registry", "partner", "list").returncode == 0
    nowhere = f"sqlite:///{tmp_path / 'nowhere.db'}"
    assert run(home, "registry", "show", DPOR_REGISTRY=nowhere).returncode == 2
    assert run(home, "--registry", nowhere, "registry", "show").returncode == 2
    assert run(home, "--registry", home.url, "worklist", DPOR_REGISTRY=nowhere).returncode == 0
    assert "platform 'cloud'" in run(home, "worklist", DPOR_PLATFORM="cloud").stderr
    assert run(home, "--platform", "portal", "worklist", DPOR_PLATFORM="cloud").returncode == 0


def test_a_working_folder_that_is_gone_is_one_line(home: Backend, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f"rmdir '{gone}' && exec '{DPOR}' --registry sqlite:///x.db registry show"],
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "bug" not in done.stderr


def test_a_character_that_the_terminal_lacks_is_an_escape_and_no_error(home: Backend) -> None:
    home.registry().partners.add(Partner("7654321", "Köhler 株式会社"))
    show = ("registry", "partner", "list")
    as_text = run(home, *show, encoding="latin-1")
    assert as_text.returncode == 0
    assert r"Köhler \u682a\u5f0f\u4f1a\u793e" in as_text.stdout
    as_json = run(home, *show, "--format", "json", encoding="latin-1")
    names = [partner["name"] for partner in json.loads(as_json.stdout)["partners"]]
    assert "Köhler 株式会社" in names
    for output_format in ("text", "json"):
        assert "Köhler 株式会社" in run(home, *show, "--format", output_format).stdout


# --- Terminals and pipes -----------------------------------------------------------------------


def test_a_terminal_gets_a_table_that_keeps_whole_what_people_copy(home: Backend) -> None:
    home.registry().partners.add(Partner("7654321", LONG))
    home.registry().designations.designate(
        SUBSCRIPTION, "7654321", seen_version=0, owner=Owner("estate/dev/payments", "claim")
    )
    shown = on_a_terminal(home, "registry", "show")
    assert "Partners of record" in shown
    assert "\t" not in shown
    assert SUBSCRIPTION in shown
    assert "7654321" in shown
    assert "pending" in shown
    assert "estate/dev/payments" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_pipe_gets_every_column_between_tabs(home: Backend) -> None:
    home.registry("admin").designations.designate(
        SUBSCRIPTION, CONTOSO.id, seen_version=0, owner=Owner("estate/dev/payments", "claim")
    )
    heading, line = (row.split("\t") for row in run(home, "registry", "show").stdout.splitlines())
    shown = dict(zip(heading, line, strict=True))
    assert shown.pop("since")[:2] == "20"
    assert shown == {
        "subscription": SUBSCRIPTION,
        "partner id": CONTOSO.id,
        "partner": CONTOSO.name,
        "effective": "pending",
        "by": "admin",
        "managed by": "estate/dev/payments",
        "version": "1",
    }


def test_a_terminal_is_not_given_what_it_would_obey(home: Backend) -> None:
    home.registry().partners.add(Partner("7654321", "a\x1bc\x1b[31m\x9b31m\u202eb"))
    for arguments in (
        ("registry", "partner", "list"),
        ("registry", "partner", "list", "--format", "json"),
        ("registry", "designate", SUBSCRIPTION, "7654321"),
    ):
        shown = on_a_terminal(home, *arguments)
        assert "".join(shown.split()).isprintable(), arguments


def test_an_argument_is_not_printed_raw_in_an_error(home: Backend) -> None:
    for arguments in (
        ("observe", "x\x1b[31m.csv"),
        ("--registry", "sqlite:///x\x1b[31m.db", "registry", "show"),
        ("x\x1b[31m",),
        ("--x\x1b[31m",),
    ):
        done = run(home, *arguments)
        assert done.returncode == 2
        assert done.stderr.endswith("\n")
        assert done.stderr[:-1].isprintable(), arguments


def test_a_closed_pipe_is_silent_and_no_finding(home: Backend) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([DPOR, "schema"], stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line_and_no_bug() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [DPOR, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "bug" not in done.stderr


def test_an_interrupt_ends_it_without_a_traceback(home: Backend, tmp_path: Path) -> None:
    fifo = tmp_path / "portal.csv"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [DPOR, "observe", fifo],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"DPOR_REGISTRY": home.url},
        # A shell's background jobs, and so perhaps these tests, ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with fifo.open("wb"):
        # It has opened the file, and waits for its content.
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err.strip()) == (130, "", "")
    assert home.registry().observations.all() == {}
