"""Every example runs as its README says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from support.pulumi_project import Project

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
CONTOSO = ("4567890", "Contoso Consulting")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a user gets it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "dpor_provider", source / "dpor_provider")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (built,) = folder.glob("*.whl")
    return built


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], check=True)


def command(path: Path, folder: Path) -> Callable[..., str]:
    """Runs a command in a folder; gives what it prints."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(path), *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    return run


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == {
        "azure",  # test_azure_example.py
        "ci",  # test_ci_examples.py
        "embedded",
        "existing_program",
    }


def test_existing_program(tmp_path: Path, engine: Path, wheel: Path) -> None:
    folder = tmp_path / "landing-zone"
    shutil.copytree(EXAMPLES / "existing_program", folder)
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    pip("--python", str(venv / "bin" / "python"), "install", "--no-deps", str(wheel))
    # The dependencies are those of the environment that runs the tests.
    purelib = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    dpor = command(venv / "bin" / "dpor", folder)
    assert json.loads(dpor("schema"))["title"]
    dpor("registry", "init")
    dpor("registry", "partner", "add", *CONTOSO)
    project = Project(folder, engine, "landing-zone")
    (tmp_path / "state").mkdir()
    project.run("stack", "init", "dev").ok()
    project.preview().ok()
    assert json.loads(dpor("registry", "show", "--format", "json"))["designations"] == []
    project.up().ok()
    (made,) = json.loads(dpor("registry", "show", "--format", "json"))["designations"]
    assert (made["partner_id"], made["partner_name"]) == CONTOSO
    assert made["managed_by"] == "landing-zone/dev/payments-partner"
    assert made["subscription_id"] in dpor("worklist")
    project.assert_settled()
    project.destroy().ok()
    assert json.loads(dpor("registry", "show", "--format", "json"))["designations"] == []


def test_embedded(tmp_path: Path, engine: Path) -> None:
    folder = tmp_path / "checkout"
    (folder / "examples").mkdir(parents=True)
    shutil.copytree(EXAMPLES / "embedded", folder / "examples" / "embedded")
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    (folder / ".dpor").mkdir()
    subprocess.run(
        ["examples/embedded/seed", ".dpor/registry.db"], cwd=folder, env=environment, check=True
    )
    (tmp_path / "state").mkdir()
    project = Project(folder, engine, "dpor-embedded")
    project.run("stack", "init", "dev").ok()
    assert "sp-northwind-support" in project.preview().ok().output
    project.up().ok()
    project.up("--expect-no-changes").ok()

    dpor = command(Path(sys.executable).parent / "dpor", folder)
    shown = json.loads(dpor("registry", "show", "--format", "json"))["designations"]
    assert len(shown) == 12
    assert {row["partner_name"] for row in shown} == {
        "Contoso Consulting",
        "Fabrikam Cloud Services",
    }
    drifted = shown[0]
    other = ({"4567890", "5127255"} - {drifted["partner_id"]}).pop()
    dpor("registry", "designate", drifted["subscription_id"], other)
    preview = project.preview().ok().output
    for expected in (drifted["subscription_id"], drifted["partner_id"], other):
        assert expected in preview
