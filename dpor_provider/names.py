"""Comparing names of companies as people write them."""

from __future__ import annotations

import functools
import re
import unicodedata

COMPARED_WITHOUT = "case, blanks, Unicode form, commas and points, Ltd/Limited and the like"
"""What two spellings of one name may differ in."""

_SAME_WORDS = {
    "&": "and",
    "+": "and",
    "co": "company",
    "corp": "corporation",
    "inc": "incorporated",
    "ltd": "limited",
    "pty": "proprietary",
}


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are of one name (see `COMPARED_WITHOUT`)."""
    return one == other or folded(one) == folded(other)


@functools.lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A name in the form in which it is compared."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # "S.A." is written "SA" too.
    words = re.sub(r"([&+])", r" \1 ", re.sub("[.’']", "", plain).replace(",", " ")).split()
    return " ".join(_SAME_WORDS.get(word, word) for word in words)
