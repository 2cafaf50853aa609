"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backends import BACKENDS, Backend
from support.pulumi_project import Project
from support.thorough import THOROUGH


@pytest.fixture(params=BACKENDS if THOROUGH else ["sqlite-portal"])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    """The embedded registry; with `DPOR_TEST_ALL`, and where a test asks for it, every one."""
    with BACKENDS[request.param](tmp_path).here(monkeypatch) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, engine: Path, backend: Backend) -> Project:
    """A project on the backend, with the stack `dev`."""
    return Project(tmp_path / "estate", engine).prepare(backend.config)
