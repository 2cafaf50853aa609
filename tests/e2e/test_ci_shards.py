"""`examples/ci/github-shards.yml`: its matrix deploys the whole estate, each part once."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.backends import CONTOSO, Backend
from support.pulumi_project import Project

FILE = Path(__file__).parent.parent.parent / "examples" / "ci" / "github-shards.yml"
ESTATE = 20


@pytest.fixture
def job() -> dict[str, Any]:
    """The job that is run once for each shard."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["jobs"]["deploy"]
    return found


def test_the_workflow_follows_githubs_schema() -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    subprocess.run([check, "--builtin-schema", "vendor.github-workflows", FILE], check=True)


@pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)
def test_the_matrix_deploys_every_subscription_once(
    project: Project, backend: Backend, job: dict[str, Any]
) -> None:
    ids = {str(uuid.uuid4()) for _ in range(ESTATE)}
    project.configure(backend.config, "prod")
    (project.folder / "partners.yaml").write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "partners": {"contoso": {"id": CONTOSO.id, "name": CONTOSO.name}},
                "subscriptions": [{"id": one, "partner": "contoso"} for one in sorted(ids)],
            }
        )
    )
    (project.folder / "__main__.py").write_text(
        'from dpor_provider import declare\n\ndeclare("partners.yaml")\n'
    )
    project.run("stack", "init", "prod").ok()
    script = job["steps"][-1]["run"]
    shards = job["strategy"]["matrix"]["shard"]
    held: list[str] = []
    for shard in shards:
        words = script.replace("${{ matrix.shard }}", str(shard))
        words = words.replace("${{ strategy.job-total }}", str(len(shards)))
        assert "${{" not in words
        subprocess.run(
            ["bash", "-e", "-c", words],
            cwd=project.folder,
            env=project.environment(),
            check=True,
        )
        state = project.state(f"prod-{shard}-of-{len(shards)}")
        held += [one["outputs"]["subscription_id"] for one in state]
    assert sorted(held) == sorted(ids)
    assert set(backend.registry().designations.all()) == ids
