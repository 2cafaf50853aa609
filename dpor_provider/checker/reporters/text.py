"""For people: file:line:column, the line, and a caret below what is meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import accumulate

from dpor_provider.checker.result import Reported, Result, SuppressedBy
from dpor_provider.checker.words import change, summary, why_suppressed
from dpor_provider.model import Level, Position
from dpor_provider.printable import inert, line

WIDTH = 100
"""Columns of a quoted line; of a longer one, the part around the caret is shown."""


def report(result: Result) -> str:
    """The findings, then what does not count, then what changed, then the summary."""
    return "".join(f"{text}\n" for text in _lines(result))


def _lines(result: Result) -> Iterator[str]:
    for one in result.findings:
        if not one.suppressed:
            yield from _finding(one)
    known = 0
    for one in result.findings:
        if one.suppressed and one.suppressed.kind is SuppressedBy.BASELINE:
            known += 1
        elif one.suppressed:
            yield f"{_place(one)}suppressed {one.finding.rule}, {why_suppressed(one)}"
    if known:
        yield f"suppressed, in the baseline: {known}"
    if result.base:
        yield f"since {line(result.base)}:{'' if result.changes else ' nothing changes'}"
        yield from (f"  {change(one)}" for one in result.changes)
    yield summary(result)


def _finding(one: Reported) -> Iterator[str]:
    finding = one.finding
    advisory = " (advisory)" if finding.level is Level.ADVISORY else ""
    yield f"{_place(one)}{finding.rule}{advisory} {line(finding.message)}"
    if finding.where and one.excerpt is not None:
        yield from _quoted(finding.where, one.excerpt)


def _place(one: Reported) -> str:
    if one.finding.where is None:
        return ""
    place = line(str(one.finding.where))
    # A line that begins with two colons is a command to GitHub's runner.
    return f"./{place}: " if place.lstrip().startswith("::") else f"{place}: "


def _quoted(where: Position, text: str) -> Iterator[str]:
    start = where.column - 1
    end = where.end_column - 1 if where.end_line == where.line else len(text)
    before, meant, after = (_shown(part) for part in (text[:start], text[start:end], text[end:]))
    room = WIDTH - min(_width(meant), WIDTH)
    if _width(before) > room:
        before = "…" + _fitting(before[::-1], room - 1)[::-1]
    quoted = inert(before + meant + after)
    if _width(quoted) > WIDTH:
        quoted = _fitting(quoted, WIDTH - 1) + "…"
    number = str(where.line)
    carets = "^" * max(1, min(_width(meant), WIDTH - _width(before)))
    yield f"  {number} | {quoted}"
    yield f"  {' ' * len(number)} | {' ' * _width(before)}{carets}"


def _shown(text: str) -> str:
    return line(text.replace("\t", "    "))


def _fitting(text: str, columns: int) -> str:
    """The beginning of a text, as far as it fits."""
    widths = accumulate(_width(char) for char in text)
    return "".join(char for char, width in zip(text, widths, strict=True) if width <= columns)


def _width(text: str) -> int:
    """The columns that a terminal takes for it."""
    return sum(
        0
        if unicodedata.category(char) in ("Mn", "Me")
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )
