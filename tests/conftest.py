"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from support.backends import BACKENDS, Backend, sqlite_portal

ENGINE_SCRIPT = Path(__file__).parent.parent / "tools" / "engine" / "engine.py"


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """A fresh registry with three partners, and its platform."""
    return BACKENDS[request.param](tmp_path)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry's file, which is made once, since making one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("made-once")
    sqlite_portal(folder)
    return folder / "registry.db"


@pytest.fixture
def home(made_once: Path, tmp_path: Path) -> Backend:
    """A SQLite registry with three partners and two Global Administrators."""
    shutil.copy(made_once, tmp_path)
    return Backend(f"sqlite:///{tmp_path / made_once.name}", "portal")


@pytest.fixture(scope="session")
def engine() -> Path:
    """The folder that holds the real engine (`DPOR_ENGINE`, or what the script finds)."""
    if given := os.environ.get("DPOR_ENGINE"):
        return Path(given)
    found = subprocess.run(
        [sys.executable, ENGINE_SCRIPT], stdout=subprocess.PIPE, text=True, check=True
    )
    return Path(found.stdout.strip())


@pytest.fixture
def subscription() -> str:
    """A subscription's id."""
    return str(uuid.uuid4())
