"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.backends import BACKENDS, Backend
from support.pulumi_project import Project
from support.thorough import THOROUGH


@pytest.fixture(params=BACKENDS if THOROUGH else ["sqlite-portal"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """The embedded registry; with `DPOR_TEST_ALL`, and where a test asks for it, every one."""
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def project(tmp_path: Path, engine: Path, backend: Backend) -> Project:
    """A project on the backend, with the stack `dev`."""
    return Project(tmp_path / "estate", engine).prepare(backend.config)
