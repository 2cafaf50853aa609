"""Several processes that do the same thing at the same moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence


def race(program: str, starters: Iterable[Sequence[str]]) -> list[str]:
    """Start a program once for each list of arguments, and let all go at once.

    Args:
        program: Python that prints `ready`, waits for a line on standard input, and then does
            what it is for.
        starters: The arguments of each process.

    Returns:
        What each printed after that, in the order of the starters.
    """
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for arguments in starters
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate()[0].strip() for process in processes]
