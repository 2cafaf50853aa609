"""Text that a terminal or the log of a pipeline shows and does not obey."""

from __future__ import annotations

import json
import re
import reprlib

COMMAND = re.compile(r"##(?=vso|\[)")
"""What makes the agent of Azure Pipelines or GitHub obey a line, wherever it stands in it."""


LONGEST = 400
"""Characters of a value that are shown: of parts of parts, each short, there may be many."""


class _Brief(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:
            # Python writes no longer ones.
            return f"<an integer of {x.bit_length()} bits>"


_BRIEF = _Brief()
_BRIEF.maxstring = _BRIEF.maxother = 100


def brief(value: object) -> str:
    """A value as Python writes it, on one line and of bounded length."""
    text = _BRIEF.repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def printable(text: str) -> str:
    r"""The text with `\uXXXX` for what a terminal would obey or hide; lines stay lines."""
    return "\n".join(
        part
        if part.isprintable()
        else "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in part)
        for part in text.split("\n")
    )


def inert(text: str) -> str:
    """A text that no pipeline's agent obeys."""
    return COMMAND.sub("# #", text)


def line(text: str) -> str:
    """A text as one line that nothing obeys."""
    return inert(" ".join(printable(text).split("\n")))
