"""Processes that are killed around a write of theirs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

Done = subprocess.CompletedProcess[str]


def settings(kill: str | None) -> dict[str, str]:
    """What the environment says to a process that is to be killed (`sitecustomize`)."""
    return {"PYTHONPATH": str(Path(__file__).parent), "DPOR_TEST_KILL": kill} if kill else {}


def run(arguments: Sequence[str | Path], kill: str | None, stdin: str = "") -> Done:
    """Run Python."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | settings(kill),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def was_killed(done: Done) -> bool:
    """Whether a process was killed, rather than ended."""
    return done.returncode == -signal.SIGKILL
