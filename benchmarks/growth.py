"""How an estate's deployment grows: `dpor up` beside plain `pulumi up` of the same program.

Both preview and deploy. `pulumi up` writes the whole state before and after each step, so that its
time grows with the square of the estate; it is measured up to a size that it can do in minutes.

Usage: python benchmarks/growth.py [--trials N] [--sizes N …] [--plain N …]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measure import BIN, Taken, engine, keep, project, run, say
from support.pulumi_project import Project

TRIALS_OF_LARGE = {10_000: 1}
"""There is no time for more of these."""

QUIET = ("--non-interactive", "--suppress-progress")
PULUMI_UP = ("up", "--yes", *QUIET)


def main(trials: int, sizes: Sequence[int], plain: Sequence[int]) -> None:
    """Measure, and keep the figures."""
    binaries = engine()
    found: dict[str, Any] = {"dpor up": {}, "pulumi up": {}}
    for size in sorted({*sizes, *plain}):
        count = TRIALS_OF_LARGE.get(size, trials)
        for trial in range(count):
            for tool, chosen in (("dpor up", sizes), ("pulumi up", plain)):
                if size not in chosen:
                    continue
                say(f"{size} subscriptions, trial {trial + 1} of {count}: {tool}")
                with tempfile.TemporaryDirectory() as temporary:
                    one = project(Path(temporary) / "made", binaries, size)
                    steps = {"create": up(tool, one), "no-op": up(tool, one)}
                    if tool == "dpor up":
                        look = (one.engine / "pulumi", "preview", "--refresh", *QUIET)
                        steps["preview --refresh"] = run(look, one.folder, one.environment())
                        withdrawals = ("--allow-withdrawals", str(size))
                        destroy = (BIN / "dpor", "destroy", *withdrawals)
                        steps["destroy"] = run(destroy, one.folder, one.environment())
                for step, taken in steps.items():
                    each = found[tool].setdefault(step, {}).setdefault(str(size), [])
                    each.append(asdict(taken))
                keep("growth", found)


def up(tool: str, one: Project) -> Taken:
    """Deploy."""
    command = (BIN / "dpor", "up") if tool == "dpor up" else (one.engine / "pulumi", *PULUMI_UP)
    return run(command, one.folder, one.environment())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000, 2000, 10_000])
    parser.add_argument("--plain", type=int, nargs="*", default=[100, 300, 1000, 2000])
    given = parser.parse_args()
    main(given.trials, given.sizes, given.plain)
