"""Where the time of a deployment goes: the CPU seconds of each kind of process.

Usage: python benchmarks/cpu.py [RESOURCES]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import psutil
from measure import BIN, engine, keep, project, say

OFTEN_S = 0.05
KINDS = {
    "the program (Python)": "pulumi-language-python-exec",
    "the provider (Python)": "pulumi.dynamic",
    "the engine, and its hosts": "pulumi",
    "dpor": "dpor",
}
"""What is in the command line of each kind of process, the most telling first."""


def main(resources: int) -> None:
    """Measure, and keep the figures."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        one = project(Path(temporary) / "made", engine(), resources)
        for step, arguments in {
            "preview": ("preview",),
            "create": ("up",),
            "no-op": ("up",),
            "destroy": ("destroy", "--allow-withdrawals", str(resources)),
        }.items():
            say(f"{resources} resources: {step}")
            began = time.perf_counter()
            with subprocess.Popen(
                [BIN / "dpor", *arguments],
                cwd=one.folder,
                env=one.environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as process:
                used = Used(process.pid)
                code = process.wait()
            if code:
                raise SystemExit(f"dpor {step} ended with {code}")
            found[step] = {**used.by_kind(), "by the clock": time.perf_counter() - began}
    keep("cpu", {"resources": resources, "seconds": found})


class Used:
    """Looks from time to time at the CPU time of a process and all its descendants."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._seconds: dict[tuple[int, str], float] = {}
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        with suppress(psutil.NoSuchProcess):
            while self._root.status() != psutil.STATUS_ZOMBIE:
                for process in (self._root, *self._root.children(recursive=True)):
                    with suppress(psutil.Error):
                        times = process.cpu_times()
                        kind = _kind(process.cmdline())
                        self._seconds[process.pid, kind] = times.user + times.system
                time.sleep(OFTEN_S)

    def by_kind(self) -> dict[str, float]:
        """The seconds of each kind of process, once the root has ended."""
        self._thread.join()
        total: defaultdict[str, float] = defaultdict(float)
        for (_, kind), seconds in self._seconds.items():
            total[kind] += seconds
        return {kind: total[kind] for kind in KINDS}


def _kind(words: list[str]) -> str:
    line = " ".join(words)
    return next((kind for kind, mark in KINDS.items() if mark in line), "dpor")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:] or ["1000"]))
