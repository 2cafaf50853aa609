"""The processes of a run, which outlive an engine that was killed."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime

import psutil

MARK = "DPOR_RUNNER"
"""The environment variable by which the processes of our runs are known."""

GRACE_S = 5
"""How long a process that is asked to end may take."""


def is_gone(pid: int, since: datetime) -> bool:
    """Whether the process that had this id at a time has ended; another may have the id now."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        # The times come from two clocks, one of which counts whole seconds.
        return process.create_time() > since.timestamp() + 1
    except psutil.NoSuchProcess:
        return True


def end_session(leader: int) -> int:
    """End what an engine of ours, the leader of its session, left behind; wait until it is gone.

    A system gives the leader's id to nobody else as long as its session has members (POSIX,
    "Process ID Reuse").

    Returns:
        How many processes there were.
    """
    left = [process for process in psutil.process_iter() if _left_by(leader, process)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=GRACE_S)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=GRACE_S)
    return len(left)


def _left_by(leader: int, process: psutil.Process) -> bool:
    try:
        if process.pid == leader or os.getsid(process.pid) != leader:
            return False
        return MARK in process.environ()
    except (OSError, psutil.Error):
        return False
