"""Every promise of docs/reliability.md names a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_promise_has_its_test() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and "Proved" not in line]
    proofs = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page)
    assert len(proofs) == len(rows) > 30
    for file, name in proofs:
        assert f"\ndef {name}(" in (ROOT / file).read_text(), f"{file}::{name}"
