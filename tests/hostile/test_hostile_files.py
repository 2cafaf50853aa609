"""Whatever a file holds, it is read, or refused in lines that can be printed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.backends import PARTNERS
from support.thorough import InputSurvived, fuzz

from dpor_provider.checker import baseline
from dpor_provider.errors import Invalid
from dpor_provider.model import Directory, subscription_uuid
from dpor_provider.platforms import portal_csv
from dpor_provider.platforms.portal_csv import COLUMNS

DIRECTORY = Directory.of(PARTNERS)
LONGEST_LINE = 1000
"""Characters; what is shown of a value is cut, or a log would be flooded."""

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-7"]
SIGNS = ["\0", "\x1b[2J", "\r", "\n", "\r\n", "\u2028", "\u202e", "\ufeff", '"', '""', "'", "\x85"]
WORDS = st.one_of(
    st.text(max_size=10),
    st.sampled_from([*SIGNS, "=cmd|' /C calc'!A0", "@x", "9" * 5000, "x" * 200_000, " ", ""]),
    st.sampled_from([name for partner in PARTNERS for name in (partner.id, partner.name)]),
    st.uuids().map(str),
)
HEADINGS = st.sampled_from([*(name for names in COLUMNS.values() for name in names)])


def printable_lines(error: Invalid) -> None:
    for line in str(error).split("\n"):
        assert line.isprintable()
        assert len(line) < LONGEST_LINE


# --- What the portal shows, as CSV ---------------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A table that a spreadsheet might have written, or somebody with a grudge."""
    headings = draw(
        st.lists(HEADINGS | WORDS, min_size=1, max_size=4) | st.just(["Subscription ID"])
    )
    if draw(st.booleans()):
        headings = ["Subscription ID", draw(st.sampled_from(["Partner ID", "Partner name"]))]
    shown = st.tuples(st.uuids().map(str), WORDS, WORDS).map(list)
    rows = draw(st.lists(shown | st.lists(WORDS, max_size=4), max_size=4))
    text = io.StringIO(newline="")
    delimiter, end = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    if draw(st.booleans()):
        writer.writerows([headings, *rows])
    else:
        text.write(end.join(delimiter.join(row) for row in [headings, *rows]))
    return text.getvalue().encode(draw(st.sampled_from(ENCODINGS)), "replace")


def read_csv(data: bytes) -> None:
    try:
        rows = portal_csv.read(data, "portal.csv", DIRECTORY)
    except Invalid as error:
        printable_lines(error)
        return
    assert rows
    assert len({row.subscription_id for row in rows}) == len(rows)
    for row in rows:
        assert subscription_uuid(row.subscription_id) == row.subscription_id
        assert row.partner_id is None or (row.partner_id.isdecimal() and len(row.partner_id) <= 20)
        assert row.partner_name is None or row.partner_name.isprintable()


@fuzz(300)
@given(data=tables())
def test_any_table(data: bytes, input_survived: InputSurvived) -> None:
    read_csv(data)
    input_survived("hostile tables")


@fuzz(200)
@given(data=st.binary(max_size=300))
@example(data=b'\t"a"b')
def test_any_bytes_as_a_table(data: bytes, input_survived: InputSurvived) -> None:
    read_csv(data)
    read_csv(b"Subscription ID,Partner ID,Partner name\n" + data)
    input_survived("hostile tables")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (f"{'9' * 5000},", "is no Partner ID"),
        ("4567890,Contoso\x1b[2J", "holds a character that cannot be printed"),
        ("4567890,Contoso\0", "holds a character that cannot be printed"),
        (",Fabrikam\u202e", "holds a character that cannot be printed"),
    ],
)
def test_what_no_portal_shows_is_refused_with_its_line(cells: str, said: str) -> None:
    text = f"Subscription ID,Partner ID,Partner name\n0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01,{cells}"
    with pytest.raises(Invalid, match=f"^portal.csv:2: .*{said}") as error:
        portal_csv.read(text.encode(), "portal.csv", DIRECTORY)
    printable_lines(error.value)


# --- Baselines -----------------------------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["version", "findings", "fingerprint"]) | st.text(), inner, max_size=4
        )
    ),
    max_leaves=12,
)
BASELINES = st.fixed_dictionaries(
    {
        "version": st.just(1) | JSON,
        "findings": JSON | st.lists(JSON | st.fixed_dictionaries({"fingerprint": JSON})),
    }
)


def read_baseline(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    try:
        known = baseline.read_file(file)
    except Invalid as error:
        printable_lines(error)
    else:
        assert all(isinstance(fingerprint, str) for fingerprint in known)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each example stands."""
    return tmp_path_factory.mktemp("files") / "baseline.json"


@fuzz(200)
@given(data=st.binary(max_size=300))
@example(data=b"[" * 100_000)
@example(data=b'{"version": ' + b"9" * 5000 + b"}")
@example(data=b'{"version": 1, "findings": [{"fingerprint": "\\ud800"}]}')
@example(data=b'{"version": 1e999, "findings": []}')
@example(data=b'\xef\xbb\xbf{"version": 1, "findings": []}')
def test_any_bytes_as_a_baseline(file: Path, data: bytes, input_survived: InputSurvived) -> None:
    read_baseline(file, data)
    input_survived("hostile baselines")


@fuzz(200)
@given(content=BASELINES | JSON)
def test_any_json_as_a_baseline(file: Path, content: Any, input_survived: InputSurvived) -> None:
    read_baseline(file, json.dumps(content).encode())
    input_survived("hostile baselines")


# --- Heads of a registry's log -------------------------------------------------------------------

HEADS = st.fixed_dictionaries(
    {"version": st.just(1) | JSON, "registry_id": JSON, "sequence": JSON, "hash": JSON}
).map(lambda head: json.dumps(head).encode())


@fuzz(200)
@given(data=HEADS | st.binary(max_size=100))
@example(data=b"[" * 4096)
@example(data=b'{"version":1,"registry_id":"x","hash":"x","sequence":1e999}')
@example(data=b'{"version":1,"registry_id":"x","hash":"x","sequence":NaN}')
@example(data=b'{"version":1,"registry_id":"\\u001b[2J\\nx","hash":"\\ud800","sequence":1}')
def test_anything_as_a_head(file: Path, data: bytes, input_survived: InputSurvived) -> None:
    from dpor_provider.cli.audit import _read_head
    from dpor_provider.registry import chain

    file.write_bytes(data)
    try:
        head = _read_head(file)
    except Invalid as error:
        printable_lines(error)
    else:
        assert all(problem.isprintable() for problem in chain.verify((), "registry", head))
    input_survived("hostile heads")
