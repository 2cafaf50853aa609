"""What every benchmark here shares: a command's time and memory, a project of any size, results."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / ".results"
BIN = Path(sys.executable).parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.backends import CONTOSO, sqlite_portal  # noqa: E402
from support.pulumi_project import Project, of  # noqa: E402

OFTEN_S, SELDOM_S = 0.02, 0.2
"""How often memory is looked at, at the beginning and later on."""

PATIENCE_S = 3600


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command took."""

    seconds: float
    peak_mib: int
    """The most that it and all its processes held at once (resident; what they share counts for
    each)."""
    exit_code: int


def run(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    patience_s: float = PATIENCE_S,
    exits: Sequence[int] = (0,),
) -> Taken:
    """Run a command.

    Raises:
        SystemExit: it ended otherwise than it may; what it printed is shown.
        subprocess.TimeoutExpired: it took longer than it may.
    """
    output = folder / ".output"
    with output.open("w") as stream:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
        peak = _Peak(process.pid)
        late = threading.Event()
        # A wait with a limit looks from time to time only, which is too coarse for what is short.
        limit = threading.Timer(patience_s, lambda: (late.set(), process.kill()))
        limit.start()
        try:
            code = process.wait()
        finally:
            seconds = time.perf_counter() - began
            limit.cancel()
            bytes_ = peak.end()
    if late.is_set():
        raise subprocess.TimeoutExpired(command, patience_s)
    if code not in exits:
        raise SystemExit(f"{command} ended with {code}:\n{output.read_text()[-4000:]}")
    return Taken(seconds, bytes_ // 2**20, code)


class _Peak:
    """Looks at the memory of a process and all its descendants from time to time."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        pause = OFTEN_S
        while not self._ended.wait(pause):
            self._peak = max(self._peak, self._now())
            pause = min(SELDOM_S, pause * 1.1)

    def _now(self) -> int:
        total = 0
        try:
            root = psutil.Process(self._pid)
            for process in (root, *root.children(recursive=True)):
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            return 0
        return total

    def end(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._peak


def engine() -> Path:
    """The folder of the real engine."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools" / "engine" / "engine.py"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Path(found.stdout.strip())


def project(folder: Path, binaries: Path, size: int) -> Project:
    """A project that declares so many subscriptions, each a resource, in a registry of its own."""
    folder.mkdir()
    made = Project(folder / "estate", binaries).prepare(sqlite_portal(folder).config)
    ids = [str(uuid.uuid4()) for _ in range(size)]
    made.declare(*(of(one, CONTOSO.id, name=one) for one in ids))
    return made


def say(text: str) -> None:
    """Show a person how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def keep(name: str, found: Mapping[str, Any]) -> None:
    """Keep a benchmark's figures, and on what they were measured, for `report.py`."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine(), **found}, indent=1))


def machine() -> dict[str, str]:
    """What this machine is, in words."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": f"{os.cpu_count()} cores, {model}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Pulumi": _version(engine() / "pulumi"),
        "Pulumi's SDK": version("pulumi"),
        "SQLite": sqlite3.sqlite_version,
        "date": time.strftime("%Y-%m-%d"),
        "load": f"{os.getloadavg()[0]:.1f} at the end of the run",
    }


def _version(command: Path) -> str:
    found = subprocess.run([command, "version"], stdout=subprocess.PIPE, text=True, check=True)
    return found.stdout.strip().removeprefix("v")
