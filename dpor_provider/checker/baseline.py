"""The baseline: findings that were there before, known by what they are about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dpor_provider.checker.result import Result, SuppressedBy
from dpor_provider.errors import Invalid
from dpor_provider.files import read_some, write_whole

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "findings"],
    "properties": {
        "version": {"const": 1},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["fingerprint"],
                "properties": {"fingerprint": {"type": "string"}},
            },
        },
    },
}


def read(text: str, source: str) -> tuple[str, ...]:
    """The fingerprints of a baseline.

    Args:
        text: The file's content.
        source: The file's name, for messages.

    Raises:
        Invalid: it is no baseline.
    """
    from jsonschema import Draft202012Validator

    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(f"{source} is no JSON; write it with: dpor check --write-baseline") from None
    if next(Draft202012Validator(SCHEMA).iter_errors(content), None):
        raise Invalid(
            f"{source} is no baseline of version 1; write it with: dpor check --write-baseline"
        )
    return tuple(entry["fingerprint"] for entry in content["findings"])


def read_file(path: Path) -> tuple[str, ...]:
    """The fingerprints of a baseline file.

    Raises:
        Invalid: it is no baseline, or is not there.
    """
    try:
        with path.open("rb") as stream:
            return read(read_some(stream, str(path)).decode(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Invalid(f"the baseline {path} cannot be read: {said}") from None


def write(result: Result, path: Path) -> int:
    """Write a result's findings as the new baseline, whole or not at all; returns how many.

    What an exception covers is left out: when the exception is over, it is to be found.
    """
    entries = [
        {
            "fingerprint": one.fingerprint,
            "rule": one.finding.rule,
            "file": one.finding.where.file if one.finding.where else None,
            "message": one.finding.message,
        }
        for one in result.findings
        if not (one.suppressed and one.suppressed.kind is SuppressedBy.EXCEPTION)
    ]
    write_whole(path, json.dumps({"version": 1, "findings": entries}, indent=2) + "\n")
    return len(entries)
