"""Pulumi's public modules alone: any release may move the others."""

from __future__ import annotations

import re
from pathlib import Path

import dpor_provider


def test_no_private_module_of_pulumis_is_imported() -> None:
    private = re.compile(r"^\s*(?:from|import)\s+pulumi[\w.]*\._", re.MULTILINE)
    files = list(Path(dpor_provider.__file__).parent.rglob("*.py"))
    assert [file for file in files if private.search(file.read_text("utf-8"))] == []
