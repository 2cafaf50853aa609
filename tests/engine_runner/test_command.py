"""`dpor up` where it cannot even begin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, *arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("dpor"), *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["up", "preview", "destroy", "refresh"])
def test_without_pulumi_or_a_project_it_is_one_line(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, "--stack", "dev", path="/nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"dpor: neither {tmp_path} nor a folder above it has a Pulumi")
    (tmp_path / "Pulumi.yaml").write_text("{name: estate, runtime: python}")
    done = run(tmp_path.parent, command, "-C", tmp_path.name, path="/nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("dpor: there is no pulumi on the PATH; install")
    assert done.stderr.count("\n") == 1


def test_a_pulumi_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("{name: estate, runtime: python}")
    fake = tmp_path / "bin" / "pulumi"
    fake.parent.mkdir()
    for script in ("#!/bin/sh\nexit 3\n", "#!/bin/sh\necho v2.0.0\n", "#!/bin/sh\necho what\n"):
        fake.write_text(script)
        fake.chmod(0o755)
        done = run(tmp_path, "up", path=f"{fake.parent}:/usr/bin:/bin")
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert "bug in dpor" not in done.stderr


@pytest.mark.parametrize("shard", ["0/4", "5/4", "half", ""])
def test_what_is_no_shard_is_a_usage_error(tmp_path: Path, shard: str) -> None:
    done = run(tmp_path, "up", "--shard", shard, path="/nowhere")
    assert done.returncode == 2
    assert "is no shard; write K/N, say 1/4 for the first of four" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_needs_neither_pulumi_nor_its_sdk(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom dpor_provider.cli.main import main\n"
        "try:\n    main(['up', '--help'])\nfinally:\n    assert 'pulumi' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
