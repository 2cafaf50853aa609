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
from datetime import UTC, datetime
from pathlib import Path

from measure import engine, keep, project, run, say
from sqlalchemy import Engine, event
from support.backends import CONTOSO, sqlite_portal
from support.pulumi_project import Project

from dpor_provider.platforms import open_platform
from dpor_provider.registry import open_registry
from dpor_provider.resources.partner_of_record import Lifecycle

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
WRITES = 50
QUICK = "QUICK"
"""As in `idle_program.py`, which cannot be imported outside an engine."""


def main(trials: int, sizes: Sequence[int]) -> None:
    """Measure, and keep the figures."""
    binaries = engine()
    found = {"statements": statements(), "sizes": {}, "state": {}}
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


def statements() -> float:
    """How many SQL statements one designation takes, with one writer."""
    with tempfile.TemporaryDirectory() as temporary:
        registry = open_registry(sqlite_portal(Path(temporary)).url)
        lifecycle = Lifecycle(
            registry, open_platform("portal", registry), today=datetime.now(UTC).date()
        )
        assert lifecycle.live
        count = 0

        def one_more(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(Engine, "before_cursor_execute", one_more)
        for number in range(WRITES):
            one = f"0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f{number:04d}"
            lifecycle.create(
                {"subscription_id": one, "partner_id": CONTOSO.id, "managed_by": f"a/b/{number}"}
            )
        event.remove(Engine, "before_cursor_execute", one_more)
        return count / WRITES


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500, 2000])
    given = parser.parse_args()
    main(given.trials, given.sizes)
