"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.backends import Backend
from support.pulumi_project import Project


@pytest.fixture
def project(tmp_path: Path, engine: Path, backend: Backend) -> Project:
    """A project on the backend, with the stack `dev`."""
    return Project(tmp_path / "estate", engine).prepare(backend.config)
