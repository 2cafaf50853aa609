"""What the policy pack adds to a preview, beside a pack of as many policies that do nothing.

The three take turns in one run.

Usage: python benchmarks/pack.py [RESOURCES] [ROUNDS]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.backends import CONTOSO, sqlite_portal  # noqa: E402
from support.pulumi_project import Project, of  # noqa: E402

from dpor_provider.rules import all_rules  # noqa: E402

IDLE = """\
from pulumi_policy import (
    EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy,
)

idle = [
    ResourceValidationPolicy(f"idle-{number}", "does nothing", lambda args, report: None)
    for number in range(%d)
]
whole = StackValidationPolicy("idle-stack", "does nothing", lambda args, report: None)
PolicyPack("idle", [*idle, whole], EnforcementLevel.MANDATORY)
"""
"""A pack of as many policies as ours."""


def main(resources: int, rounds: int) -> None:
    """Print the seconds of each preview, and what the pack costs for each resource."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools" / "engine" / "engine.py"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        backend = sqlite_portal(folder)
        project = Project(folder / "estate", Path(found.stdout.strip())).prepare(backend.config)
        project.declare(
            *(of(str(uuid.uuid4()), CONTOSO.id, name=f"r{number}") for number in range(resources))
        )
        config = folder / "pack.json"
        config.write_text(
            json.dumps({"settings": {"registry": backend.url, "platform": backend.platform_name}})
        )
        pack = ("--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(config))
        idle = folder / "idle"
        idle.mkdir()
        (idle / "PulumiPolicy.yaml").write_text("runtime: python\n")
        (idle / "__main__.py").write_text(IDLE % len(all_rules()))
        runs = {"no pack": (), "idle pack": ("--policy-pack", str(idle)), "our pack": pack}
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, arguments in runs.items():
                start = time.perf_counter()
                project.run("preview", *arguments).ok()
                seconds[name].append(time.perf_counter() - start)
        for name, each in seconds.items():
            median = statistics.median(each)
            each_resource = 1000 * (median - statistics.median(seconds["no pack"])) / resources
            print(
                f"{name:9} {median:6.2f} s (from {min(each):.2f} to {max(each):.2f}),"
                f" {each_resource:+.2f} ms for each of {resources} resources"
            )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(1000, 3)[len(given) :])
