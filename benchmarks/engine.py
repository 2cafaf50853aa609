"""What an estate costs in the engine: ours, a class that does nothing, and `dpor up`.

R is (ours - empty) / (idle - empty): what is ours, beside a dynamic class that does nothing with
the same arguments, both without checkpoints. The variants take turns in one run. Writes
results.md beside this file.

Usage: python benchmarks/engine.py [TRIALS [SIZE…]]
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.backends import CONTOSO, sqlite_portal  # noqa: E402
from support.pulumi_project import Project, Run, of  # noqa: E402

IDLE = """\
import json
from pathlib import Path

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider


class Idle(ResourceProvider):
    serialize_as_secret_always = False

    def diff(self, _id, _olds, _news):
        return DiffResult(changes=False)

    def create(self, props):
        return CreateResult(props["subscription_id"], props)


class Thing(Resource, module="idle", name="Idle"):
    pass


for one in json.loads(Path(f"{pulumi.get_stack()}.json").read_text())["resources"]:
    Thing(Idle(), one.pop("name"), one)
"""
LEAN = {"PULUMI_SKIP_CHECKPOINTS": "true"}
STEPS = ("create", "no-op up", "preview", "preview --refresh", "destroy")


@dataclass(frozen=True)
class Variant:
    """A project and how it is deployed."""

    project: Project
    up: Callable[..., Run]
    destroy: Callable[..., Run]
    preview: Callable[..., Run]

    def run(self) -> dict[str, float]:
        """The seconds of each step; the stack is empty before and after."""
        steps: Sequence[Callable[[], Run]] = (
            self.up,
            self.up,
            self.preview,
            lambda: self.preview("--refresh"),
            self.destroy,
        )
        seconds = {}
        for name, step in zip(STEPS, steps, strict=True):
            began = time.perf_counter()
            step().ok()
            seconds[name] = time.perf_counter() - began
        return seconds


def plain(project: Project) -> Variant:
    """Deployed with `pulumi`."""
    return Variant(
        project, project.up, project.destroy, lambda *rest: project.run("preview", *rest)
    )


def ours(project: Project, size: int) -> Variant:
    """Deployed with `dpor`."""
    return Variant(
        project,
        lambda: project.dpor("up"),
        lambda: project.dpor("destroy", "--allow-withdrawals", str(size)),
        lambda *rest: project.dpor("preview", *rest),
    )


def measure(engine: Path, size: int, trials: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by variant and step."""
    seconds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as temporary:
        variants = {}
        for name in ("empty", "idle", "ours", "pulumi", "dpor"):
            folder = Path(temporary) / name
            folder.mkdir()
            project = Project(folder / "estate", engine).prepare(sqlite_portal(folder).config)
            count = 0 if name == "empty" else size
            ids = [str(uuid.uuid4()) for _ in range(count)]
            project.declare(*(of(one, CONTOSO.id, name=one) for one in ids))
            if name == "idle":
                (project.folder / "__main__.py").write_text(IDLE)
            if name in ("empty", "idle", "ours"):
                project = replace(project, settings=LEAN)
            variants[name] = ours(project, size) if name == "dpor" else plain(project)
        for _ in range(trials):
            for name, variant in variants.items():
                for step, taken in variant.run().items():
                    seconds[name][step].append(taken)
    return seconds


def table(size: int, seconds: dict[str, dict[str, list[float]]]) -> str:
    """The medians, with their spread, and R."""
    lines = [
        f"\n## {size} subscriptions\n",
        f"| | {' | '.join(STEPS)} |",
        f"|---|{'---|' * len(STEPS)}",
    ]
    middle = {
        name: {step: statistics.median(taken) for step, taken in each.items()}
        for name, each in seconds.items()
    }
    for name, each in seconds.items():
        cells = (
            f"{middle[name][step]:.1f} s ({min(each[step]):.1f} to {max(each[step]):.1f})"
            for step in STEPS
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    ratios = (
        (middle["ours"][step] - middle["empty"][step])
        / (middle["idle"][step] - middle["empty"][step])
        for step in STEPS
    )
    lines.append(f"| R | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")
    times = (middle["pulumi"][step] / middle["dpor"][step] for step in STEPS)
    lines.append(f"| pulumi / dpor | {' | '.join(f'{ratio:.1f}' for ratio in times)} |")
    return "\n".join(lines)


def main(trials: int, sizes: Sequence[int]) -> None:
    """Measure, and write the results."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools" / "engine" / "engine.py"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    engine = Path(found.stdout.strip())
    version = subprocess.run(
        [engine / "pulumi", "version"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    results = [
        "# Results\n",
        (
            f"`make bench`: {trials} trials, which take turns; medians, with the smallest and the"
            " largest. SQLite, platform portal, file backend.\n"
        ),
        (
            f"Machine: {os.cpu_count()} cores, {platform.machine()}, load"
            f" {os.getloadavg()[0]:.0f} when it began; Python {platform.python_version()}, Pulumi"
            f" {version}.\n"
        ),
        (
            "empty, idle, ours: `pulumi` without checkpoints, with no resource, a class that does"
            " nothing, and PartnerOfRecord; R compares them. pulumi, dpor: PartnerOfRecord with"
            " plain `pulumi up`, and with `dpor up`."
        ),
    ]
    for size in sizes:
        results.append(table(size, measure(engine, size, trials)))
        Path(__file__).with_name("results.md").write_text("\n".join(results) + "\n")
        print(results[-1])


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given[:1] or (5,), given[1:] or (100, 500, 2000))
