"""What the policy pack adds to a preview, beside a pack of as many policies that do nothing.

The three take turns in one run.

Usage: python benchmarks/pack.py [RESOURCES] [ROUNDS]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from measure import ROOT, engine, keep, project, run, say

from dpor_provider.rules import all_rules

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
    """Measure, and keep the figures."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        one = project(folder / "made", engine(), resources)
        config = folder / "pack.json"
        settings = {"registry": f"sqlite:///{folder / 'made' / 'registry.db'}"}
        config.write_text(json.dumps({"settings": {**settings, "platform": "portal"}}))
        ours = ("--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(config))
        idle = folder / "idle"
        idle.mkdir()
        (idle / "PulumiPolicy.yaml").write_text("runtime: python\n")
        (idle / "__main__.py").write_text(IDLE % len(all_rules()))
        packs = {"no pack": (), "idle pack": ("--policy-pack", str(idle)), "our pack": ours}
        seconds: dict[str, list[float]] = {name: [] for name in packs}
        for number in range(rounds):
            for name, pack in packs.items():
                say(f"{resources} resources, round {number + 1} of {rounds}: {name}")
                command = (one.engine / "pulumi", "preview", "--non-interactive", *pack)
                seconds[name].append(run(command, one.folder, one.environment()).seconds)
        keep("pack", {"resources": resources, "seconds": seconds})


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(1000, 3)[len(given) :])
