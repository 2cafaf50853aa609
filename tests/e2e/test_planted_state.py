"""A state with planted code: Pulumi would run it, `dpor state verify` finds it and does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.planted import plant
from support.pulumi_project import Project, of

DPOR = Path(sys.executable).parent / "dpor"


def verify(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DPOR, "state", "verify"], input=text, capture_output=True, text=True, check=False
    )


def test_planted_code_is_found_before_pulumi_runs_it(
    project: Project, subscription: str, tmp_path: Path
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    exported = project.run("stack", "export", "--stack", "dev").ok().output
    assert verify(exported).returncode == 0

    marker = tmp_path / "marker"
    planted = plant(exported, marker)
    found = verify(planted)
    assert found.returncode == 1
    assert "may run anything" in found.stdout
    assert not marker.exists()

    (tmp_path / "planted.json").write_text(planted)
    project.run("stack", "import", "--stack", "dev", "--file", str(tmp_path / "planted.json")).ok()
    project.destroy()
    assert marker.exists(), "the danger is no longer there: Pulumi did not run what was planted"
