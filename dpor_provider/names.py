"""Comparing names of companies as people write them."""

from __future__ import annotations

import unicodedata


def same_name(one: str, other: str) -> bool:
    """Whether two names differ at most in case, blanks and Unicode form."""
    return folded(one) == folded(other)


def folded(name: str) -> str:
    """A name in the form in which it is compared."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
