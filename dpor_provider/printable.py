"""Text that a terminal shows and does not obey."""

from __future__ import annotations

import json


def printable(text: str) -> str:
    r"""The text with `\uXXXX` for what a terminal would obey or hide; lines stay lines."""
    return "\n".join(
        line
        if line.isprintable()
        else "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)
        for line in text.split("\n")
    )
