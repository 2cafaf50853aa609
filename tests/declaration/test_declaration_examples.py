"""Every file and folder in `examples/` is a case; an invalid one stands beside its findings."""

from pathlib import Path

import pytest

from dpor_provider.declaration import load

EXAMPLES = Path(__file__).parent / "examples"
VALID = sorted((EXAMPLES / "valid").iterdir())
INVALID = sorted(path for path in (EXAMPLES / "invalid").iterdir() if path.suffix != ".txt")


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid(path: Path) -> None:
    loaded = load([path])

    assert [str(finding) for finding in loaded.findings] == []
    assert loaded.estate.files


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    expected = path.with_suffix(".txt").read_text("utf-8").splitlines()

    findings = load([path.name]).findings

    assert [str(finding) for finding in findings] == expected
    assert expected


def test_no_expectation_is_left_over() -> None:
    expectations = {path.stem for path in (EXAMPLES / "invalid").glob("*.txt")}

    assert expectations == {path.stem for path in INVALID}
