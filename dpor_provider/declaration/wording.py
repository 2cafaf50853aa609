"""How messages quote what a file says, and what they suggest instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 60


def quote(text: str) -> str:
    """The text in quotes, on one line and of bounded length."""
    return f"'{shown(text)}'"


def shown(text: str) -> str:
    """The text on one line and of bounded length."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    by_lower = {each.lower(): each for each in known}
    lower = word[:_LONGEST].lower().replace("-", "_")
    found = difflib.get_close_matches(lower, by_lower, n=1) if word else []
    return by_lower[found[0]] if found else None


def either(words: Iterable[str]) -> str:
    """The words as a choice: `a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
