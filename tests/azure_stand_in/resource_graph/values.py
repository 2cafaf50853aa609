"""Values of the query language: types, nulls and comparisons, as Kusto defines them.

Source: Kusto Query Language overview: scalar data types, null values, string operators.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

Type = Literal["string", "long", "bool", "dynamic"]
Value = Any

_WORD = re.compile(r"[A-Za-z0-9]+")


def text(value: Value) -> str:
    """A value as `tostring` gives it; null is an empty string."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def equals(left: Value, right: Value) -> bool | None:
    """`==`: two nulls are neither equal nor different; values of different types differ."""
    if left is None and right is None:
        return None
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def differs(left: Value, right: Value) -> bool | None:
    found = equals(left, right)
    return None if found is None else not found


def equals_ignoring_case(left: Value, right: Value) -> bool:
    return text(left).lower() == text(right).lower()


def has(left: Value, right: Value) -> bool:
    """Whether a term is in a text as a whole, between characters that are no letters or digits."""
    words = _WORD.findall(text(right).lower())
    within = _WORD.findall(text(left).lower())
    if not words:
        return False
    size = len(words)
    adjoining = any(within[at : at + size] == words for at in range(len(within) - size + 1))
    return adjoining and text(right).lower() in text(left).lower()


def less(left: Value, right: Value) -> bool | None:
    if isinstance(left, int) and isinstance(right, int):
        return left < right
    return text(left) < text(right) if isinstance(left, str) and isinstance(right, str) else None


def negated(test: Callable[[Value, Value], bool | None]) -> Callable[[Value, Value], bool | None]:
    def opposite(left: Value, right: Value) -> bool | None:
        found = test(left, right)
        return None if found is None else not found

    return opposite


def _contains(left: Value, right: Value) -> bool:
    return text(right).lower() in text(left).lower()


def _startswith(left: Value, right: Value) -> bool:
    return text(left).lower().startswith(text(right).lower())


def _endswith(left: Value, right: Value) -> bool:
    return text(left).lower().endswith(text(right).lower())


COMPARISONS: Mapping[str, Callable[[Value, Value], bool | None]] = {
    "==": equals,
    "!=": differs,
    "=~": equals_ignoring_case,
    "!~": negated(equals_ignoring_case),
    "<": less,
    ">=": negated(less),
    ">": lambda left, right: less(right, left),
    "<=": negated(lambda left, right: less(right, left)),
    "has": has,
    "!has": negated(has),
    "contains": _contains,
    "!contains": negated(_contains),
    "startswith": _startswith,
    "!startswith": negated(_startswith),
    "endswith": _endswith,
    "!endswith": negated(_endswith),
}
TEXT_OPERATORS = frozenset(COMPARISONS) - {"==", "!=", "<", ">", "<=", ">="}


def sort_key(value: Value) -> tuple[bool, Value]:
    """Nulls are less than anything."""
    return value is not None, value if value is not None else 0
