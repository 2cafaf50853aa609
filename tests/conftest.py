"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from support.backends import REGISTRIES, Backend, sqlite_portal
from support.thorough import THOROUGH, InputSurvived, Survived

# A change is judged by the same examples every time; `make torture` looks for new ones.
settings.register_profile("repeatable", derandomize=True)
if not THOROUGH:
    settings.load_profile("repeatable")

ENGINE_SCRIPT = Path(__file__).parent.parent / "tools" / "engine" / "engine.py"


@pytest.fixture(params=sorted(REGISTRIES))
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """A fresh registry with three partners, and the portal over it."""
    return REGISTRIES[request.param](tmp_path)


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
def subscription(request: pytest.FixtureRequest) -> str:
    """A subscription's id; one of the backend's, where the test has one."""
    if "backend" in request.fixturenames:
        backend: Backend = request.getfixturevalue("backend")
        return backend.subscription()
    return str(uuid.uuid4())


@pytest.fixture
def survived(record_property: Callable[[str, object], None]) -> Survived:
    """Notes what a test has seen through, for the end of the run."""
    return lambda kind, count: record_property("survived", (kind, count))


@pytest.fixture(autouse=True)
def _survives(request: pytest.FixtureRequest, survived: Survived) -> None:
    """Counts each test of `pytest.mark.survives(KIND)`."""
    if marker := request.node.get_closest_marker("survives"):
        survived(marker.args[0], 1)


@pytest.fixture
def input_survived(record_property: Callable[[str, object], None]) -> InputSurvived:
    """Notes each input that a test has seen through, for the end of the run."""
    # The report is made of what the lists hold when the test has ended.
    noted: dict[str, list[Any]] = {}

    def count(kind: str) -> None:
        if kind not in noted:
            noted[kind] = [kind, 0]
            record_property("survived", noted[kind])
        noted[kind][1] += 1

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was survived."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in report.user_properties:
            if name == "survived":
                counts[value[0]] += value[1]
    for kind, count in sorted(counts.items()):
        terminalreporter.write_line(f"survived, with nothing lost or doubled: {count} {kind}")
