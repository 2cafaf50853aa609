"""Which lines of files are quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpor_provider.checker.sources import Sources
from dpor_provider.declaration import load, schema
from dpor_provider.declaration.structure import _KEYS
from dpor_provider.model import Position


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; beside it lies what is nobody's business."""
    (tmp_path / "secret.yaml").write_text("password: hunter2\n")
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def line(file: str) -> str | None:
    return Sources().line(Position(file, 1, 1, 1, 2))


def test_a_file_below_the_working_folder_is_quoted(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "partners.yaml").write_text("version: 1\n")
    for name in ("deep/partners.yaml", str(folder / "deep" / "partners.yaml")):
        assert line(name) == "version: 1"


def test_a_file_outside_of_it_is_not_however_it_is_reached(folder: Path) -> None:
    (folder / "link.yaml").symlink_to("../secret.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    for name in ("../secret.yaml", "link.yaml", "loop.yaml", str(folder.parent / "secret.yaml")):
        assert line(name) is None


def test_what_is_no_declaration_is_not_repeated(folder: Path) -> None:
    (folder / "partners.yaml").write_text("version: 1\ndirectory: ../secret.yaml\n")
    (finding,) = load(["partners.yaml"]).findings
    assert "this is no declaration" in finding.message
    assert "password" not in finding.message
    assert "hunter2" not in finding.message


def test_the_keys_of_a_declaration_are_the_schemas() -> None:
    assert schema()["properties"].keys() == _KEYS
