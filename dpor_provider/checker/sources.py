"""The lines of the files that findings are about."""

from __future__ import annotations

from pathlib import Path

from dpor_provider.model import Position

LONGEST = 1000
"""Characters of a line that are kept."""


class Sources:
    """Reads a file once, when a line of it is asked for."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def line(self, where: Position | None) -> str | None:
        """The line that a place begins in; None where it cannot be read."""
        if where is None:
            return None
        if where.file not in self._lines:
            try:
                text = Path(where.file).read_bytes().decode("utf-8-sig", "replace")
            except (OSError, ValueError):
                text = ""
            # As YAML counts them.
            self._lines[where.file] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = self._lines[where.file]
        return lines[where.line - 1][:LONGEST] if where.line <= len(lines) else None
