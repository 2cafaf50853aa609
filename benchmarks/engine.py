"""What a partner of record costs in the engine, beside a dynamic class that does nothing.

R is (ours - empty) / (idle - empty): the time of PartnerOfRecord beside that of a class that does
nothing with properties of equal length, both less the time of the same program with no resource.
`quick` is `idle` with what makes our programs quick, so that it differs in its provider only.
All run `pulumi` without checkpoints, as `dpor up` does, and take turns in one run.

Usage: python benchmarks/engine.py [--trials N] [--sizes N …]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from measure import engine, keep, project, run, say
from support.pulumi_project import Project

HERE = Path(__file__).parent
WITHOUT_CHECKPOINTS = {"PULUMI_SKIP_CHECKPOINTS": "true"}
QUIET = ("--non-interactive", "--suppress-progress")
STEPS = {
    "create": ("up", "--yes", "--skip-preview"),
    "no-op up": ("up", "--yes", "--skip-preview"),
    "preview": ("preview",),
    "preview --refresh": ("preview", "--refresh"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
}
QUICK = "QUICK"
"""As in `idle_program.py`, which cannot be imported outside an engine."""


def main(trials: int, sizes: Sequence[int]) -> None:
    """Measure, and keep the figures."""
    binaries = engine()
    found = {"sizes": {}, "state": {}}
    for size in sizes:
        seconds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        with tempfile.TemporaryDirectory() as temporary:
            projects = variants(Path(temporary), binaries, size)
            for trial in range(trials):
                # Who goes first changes with each round.
                names = list(projects)[trial % 4 :] + list(projects)[: trial % 4]
                for name in names:
                    say(f"{size} resources, trial {trial + 1} of {trials}: {name}")
                    one = projects[name]
                    for step, arguments in STEPS.items():
                        command = (one.engine / "pulumi", *arguments, *QUIET)
                        taken = run(command, one.folder, one.environment())
                        seconds[step][name].append(taken.seconds)
                        if step == "create":
                            found["state"].setdefault(str(size), {})[name] = state_bytes(one)
        found["sizes"][str(size)] = seconds
        keep("engine", found)


def variants(folder: Path, binaries: Path, size: int) -> dict[str, Project]:
    """The same program with no resource, with idle ones, quick or not, and with ours."""
    projects = {
        name: replace(
            project(folder / name, binaries, 0 if name == "empty" else size),
            settings=WITHOUT_CHECKPOINTS,
        )
        for name in ("empty", "idle", "quick", "ours")
    }
    return projects | {
        "idle": idle(projects["idle"], {}),
        "quick": idle(projects["quick"], {QUICK: "true"}),
    }


def idle(project: Project, settings: Mapping[str, str]) -> Project:
    """The same project with the class that does nothing."""
    shutil.copy(HERE / "idle_program.py", project.folder / "__main__.py")
    # Where it can be imported, as ours can: else the class itself would be in every resource.
    shutil.copy(HERE / "idle_provider.py", project.folder)
    found = {"PYTHONPATH": str(project.folder), **settings}
    return replace(project, settings=WITHOUT_CHECKPOINTS | found)


def state_bytes(of: Project) -> int:
    """The size of a stack's state."""
    states = of.folder.parent.rglob(f".pulumi/stacks/{of.name}/dev.json")
    return next(states).stat().st_size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500, 2000])
    given = parser.parse_args()
    main(given.trials, given.sizes)
