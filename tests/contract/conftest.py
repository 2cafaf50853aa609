"""The contract runs on every registry and platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backends import BACKENDS, Backend


@pytest.fixture(params=sorted(BACKENDS))
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    """A fresh registry with three partners, and its platform."""
    with BACKENDS[request.param](tmp_path).here(monkeypatch) as made:
        yield made
