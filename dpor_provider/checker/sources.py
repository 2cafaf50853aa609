"""The lines of the files that findings are about."""

from __future__ import annotations

from pathlib import Path

from dpor_provider.declaration.reader import LINE_BREAK
from dpor_provider.model import Position

LONGEST = 1000
"""Characters of a line that are kept."""


class Sources:
    """Reads a file once, when a line of it is asked for.

    Only files below the working folder are quoted: a pull request may name any other file of the
    machine in `directory:`, or by a symbolic link, and the quoted line would be in a public log.
    """

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self._folder = Path.cwd().resolve()

    def line(self, where: Position | None) -> str | None:
        """The line that a place begins in; None where it cannot be read."""
        if where is None:
            return None
        if where.file not in self._lines:
            self._lines[where.file] = self._read(Path(where.file))
        lines = self._lines[where.file]
        return lines[where.line - 1][:LONGEST] if where.line <= len(lines) else None

    def _read(self, file: Path) -> list[str]:
        try:
            if not file.resolve().is_relative_to(self._folder):
                return []
            return LINE_BREAK.split(file.read_bytes().decode("utf-8-sig", "replace"))
        except (OSError, ValueError, RuntimeError):
            return []
