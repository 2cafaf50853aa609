"""Fixtures for the tests that run the engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from engine.harness import Project

SCRIPT = Path(__file__).parents[2] / "tools" / "engine" / "engine.py"


@pytest.fixture(scope="session")
def engine() -> Path:
    """The folder of the engine that is under test: `DPOR_ENGINE`, or the one built from here."""
    if given := os.environ.get("DPOR_ENGINE"):
        return Path(given)
    made = subprocess.run([sys.executable, SCRIPT, "--own"], stdout=subprocess.PIPE, text=True)
    assert made.returncode == 0
    return Path(made.stdout.strip())


@pytest.fixture
def project(engine: Path, tmp_path: Path) -> Project:
    """A project that is not written yet."""
    return Project(tmp_path, engine)
