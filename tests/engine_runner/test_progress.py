"""How far a long run is, on a terminal and in a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
import time
from contextlib import suppress

import pytest

from dpor_provider.cli import progress
from dpor_provider.cli.progress import Lines

CONTROL = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
"""How a terminal is told to move and to colour."""

HOSTILE = "\x1b[2J\x07\u202e\r"

RUN = f"""
import itertools
import rich.console
from dpor_provider.cli.progress import progress

clock = itertools.count(step=1 / {{rate}})
now = next(clock)
rich.console.monotonic = lambda: now
with progress() as bar:
    bar.phase("first", 5)
    bar.phase({{name!r}}, {{total}})
    for _ in range({{done}}):
        now = next(clock)
        bar.advance()
    bar.say("one [bold] {HOSTILE.encode("unicode_escape").decode()} two")
"""


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


def advance(lines: Lines, clock: Clock, count: int, each: float) -> None:
    for _ in range(count):
        clock.now += each
        lines.advance()


def test_a_line_each_ten_seconds_says_how_many_how_fast_and_how_long(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Lines() as lines:
        lines.phase("deploying", 4000)
        advance(lines, clock, 99, 0.125)
        assert capsys.readouterr().err == (
            "deploying: 80 of 4000 resources, 8 a second, 490 s left\n"
        )
        advance(lines, clock, 100, 0.125)
        advance(lines, clock, 1, 25)
        assert capsys.readouterr().err == (
            "deploying: 160 of 4000 resources, 8 a second, 480 s left\n"
            "deploying: 200 of 4000 resources, 4 a second, 948 s left\n"
        )


def test_a_phase_counts_anew(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Lines() as lines:
        lines.phase("previewing", 9)
        advance(lines, clock, 9, 1)
        clock.now += 9
        lines.phase("deploying", 40)
        advance(lines, clock, 10, 1)
    assert capsys.readouterr().err == "deploying: 10 of 40 resources, 1 a second, 30 s left\n"


def test_where_there_is_no_total_what_is_done_is_counted(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Lines() as lines:
        lines.phase("refreshing", None)
        advance(lines, clock, 30, 0.5)
    assert capsys.readouterr().err.startswith("refreshing: 20 resources, 2 a second")


def test_more_than_there_were_the_last_time_is_counted_without_a_total(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Lines() as lines:
        lines.phase("previewing", 5)
        advance(lines, clock, 10, 1)
    assert capsys.readouterr().err == "previewing: 10 resources, 1 a second\n"
    *_, last = shown(on_a_terminal(RUN.format(name="previewing", done=10, total=5, rate=1)))
    assert re.search(r"10/\? +1/s", last), last


def test_what_is_said_in_a_pipe_is_one_line_that_nothing_obeys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.progress() as lines:
        assert isinstance(lines, Lines)
        lines.say(f"one {HOSTILE} two")
    assert capsys.readouterr().err == "dpor: one \\u001b[2J\\u0007\\u202e\\r two\n"


def on_a_terminal(program: str, columns: int = 80) -> str:
    """What a program writes to a terminal on stderr."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    environment = {key: value for key, value in os.environ.items() if key not in SIZES}
    running = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env=environment | {"TERM": "xterm-256color"},
    )
    os.close(slave)
    written = b""
    # A terminal that nobody writes to any more cannot be read.
    with suppress(OSError):
        while part := os.read(master, 65536):
            written += part
    os.close(master)
    assert running.wait() == 0, written.decode()
    return written.decode()


SIZES = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE")
"""The environment's own words on what a terminal is."""


def shown(written: str) -> list[str]:
    """The lines that a person has seen, one after the other."""
    return [line.rstrip() for line in re.split(r"[\r\n]+", CONTROL.sub("", written)) if line]


@pytest.mark.parametrize(
    ("name", "done", "total", "rate", "left"),
    [
        ("deploying", 10, 40, 8, "0:00:04"),
        ("previewing", 10_000, 48_400, 128, "0:05:00"),
        ("previewing", 40_000, 500_800, 128, "1:00:00"),
        ("previewing", 40_000, 409_600, 2048, "0:03:01"),
    ],
)
@pytest.mark.parametrize("columns", [80, 60])
def test_a_bar_says_how_many_how_fast_and_how_long_also_on_a_narrow_terminal(
    name: str, done: int, total: int, rate: int, left: str, columns: int
) -> None:
    program = RUN.format(name=name, done=done, total=total, rate=rate)
    *_, last = shown(on_a_terminal(program, columns))
    assert re.search(rf" {name} ━.* +{done}/{total} +{rate:,}/s +{left}$", last), last
    assert len(last) <= columns


def test_what_is_said_is_a_line_above_the_bar_that_nothing_obeys() -> None:
    written = on_a_terminal(RUN.format(name="deploying", done=10, total=40, rate=8))
    said = "dpor: one [bold] \\u001b[2J\\u0007\\u202e\\r two"
    lines = shown(written)
    assert said in lines
    assert all(" deploying " in line for line in lines[lines.index(said) + 1 :])
    assert "\x1b[2J" not in written
    assert "\x07" not in written
    assert "\u202e" not in written
