"""A fresh registry with people as the platform for each test of the portal."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.backends import Backend, sqlite_portal


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
