"""Results on stdout: a table on a terminal, tabs in a pipe, JSON on demand; notes on stderr."""

from __future__ import annotations

import codecs
import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Literal

import click

from dpor_provider.printable import printable

SHORT = 12
"""Columns up to this many characters are not wrapped."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
"""What a cell starts with that a spreadsheet computes (OWASP, "CSV Injection")."""

Format = Literal["text", "json"]

format_option: Callable[[Any], Any] = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed.",
)


def print_json(result: object) -> None:
    """Print a result as JSON; times in ISO 8601."""
    unicode = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    text = json.dumps(result, indent=2, ensure_ascii=not unicode, default=_plain)
    click.echo(printable(text))


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    empty: str,
    details: int = 0,
) -> None:
    """Print rows: as a table on a terminal, else as a heading and lines, separated by tabs.

    Args:
        title: What the rows are, above the table.
        columns: The headings.
        rows: The cells of each row.
        empty: What is said where there are no rows.
        details: How many of the last columns a terminal is too narrow for.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        note(empty)
        return
    if not sys.stdout.isatty():
        for line in ([column.lower() for column in columns], *cells):
            click.echo("\t".join(line))
        return
    columns = columns[: len(columns) - details]
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for index, column in enumerate(columns):
        width = max(len(column), *(len(line[index]) for line in cells))
        # The first column is what people copy into the next command; short ones stay whole too.
        whole = index == 0 or width <= SHORT
        table.add_column(column, no_wrap=whole, min_width=width if whole else None, overflow="fold")
    for line in cells:
        table.add_row(*line[: len(columns)])
    Console(markup=False, highlight=False).print(table)


def print_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Print rows as CSV (RFC 4180) whose cells no spreadsheet takes for a formula."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if value is None else _inert_cell(value) for value in row])


def print_result(output_format: Format, result: object, sentence: str) -> None:
    """Print what a change did: as JSON, or as a sentence."""
    if output_format == "json":
        print_json(result)
    else:
        print_text(sentence)


def print_text(text: str) -> None:
    """Print lines of a result."""
    click.echo(printable(text))


def note(line: str) -> None:
    """Tell a person something that is not the result."""
    click.echo(printable(line), err=True)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    text = str(value)
    return text if text.isprintable() else repr(text)


def _inert_cell(value: object) -> str:
    text = value.isoformat() if isinstance(value, datetime) else printable(str(value))
    return f"'{text}" if text.startswith(FORMULA) else text


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no form in JSON")
