"""The processes of a run, which outlive an engine that was killed."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime

import psutil

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
    """End all other processes of the session that a process led, and wait until they are gone.

    Returns:
        How many there were.
    """
    left = [process for process in psutil.process_iter() if _session(process.pid) == leader]
    left = [process for process in left if process.pid != leader]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=GRACE_S)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=GRACE_S)
    return len(left)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None
