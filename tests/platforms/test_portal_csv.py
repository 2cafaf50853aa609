"""What the portal shows, read from a CSV file: rows, or every problem with its line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.backends import CONTOSO, FABRIKAM, NORTHWIND, PARTNERS

from dpor_provider.errors import Invalid
from dpor_provider.model import Directory, Partner, subscription_uuid
from dpor_provider.platforms.portal_csv import Row, read

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
DIRECTORY = Directory.of(
    (
        *PARTNERS,
        Partner("7654321", "Tailspin; Toys, “Inc”", former_names=("Tailspin",)),
        Partner("8765432", "Twin"),
        Partner("8765433", "TWIN"),
    )
)


def rows(text: str | bytes) -> tuple[Row, ...]:
    data = text.encode() if isinstance(text, str) else text
    return read(data, "portal.csv", DIRECTORY)


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(Invalid) as error:
        rows(text)
    lines = str(error.value).split("\n")
    assert all(line.isprintable() for line in lines), lines
    return lines


# --- What is understood ------------------------------------------------------------------------

BOTH = Row(ONE, CONTOSO.id, CONTOSO.name)


@pytest.mark.parametrize(
    "text",
    [
        f"Subscription ID,Partner ID,Partner name\n{ONE},4567890,Contoso Consulting\n",
        f"Subscription ID,Partner ID,Partner name\r\n{ONE},4567890,Contoso Consulting\r\n",
        f"Subscription ID,Partner ID,Partner name\r{ONE},4567890,Contoso Consulting\r",
        f"Subscription ID,Partner ID,Partner name\n{ONE},4567890,Contoso Consulting",
        f"Subscription ID;Partner ID;Partner name\n{ONE};4567890;Contoso Consulting\n",
        f"Subscription ID\tPartner ID\tPartner name\n{ONE}\t4567890\tContoso Consulting\n",
        f"\ufeffSubscription ID,Partner ID,Partner name\n{ONE},4567890,Contoso Consulting\n",
        f'"Subscription ID","Partner ID","Partner name"\n"{ONE}","4567890","Contoso Consulting"\n',
        f"SUBSCRIPTION ID,partner id,Partner  Name\n{ONE.upper()},4567890,Contoso Consulting\n",
        f"subscription_id,partner_id,partner_name\n{ONE},4567890,Contoso Consulting\n",
        f"SubscriptionId,MPN ID,Partner\n{ONE},4567890,Contoso Consulting\n",
        f"Partner,State,SubscriptionId,MpnId\nContoso Consulting,Active,{ONE},4567890\n",
        f"Subscription ID,Partner ID,Partner name\n\n ,,\n{ONE}, 4567890 , Contoso Consulting \n\n",
        f"Subscription ID,Partner ID,Partner name\n{ONE},4567890,Contoso Consulting,extra,\n",
    ],
)
def test_separators_quotes_headings_and_blanks_of_many_programs_are_understood(text: str) -> None:
    assert rows(text) == (BOTH,)


def test_only_the_partner_id_or_only_the_name_is_enough() -> None:
    assert rows(f"Subscription ID,Partner ID\n{ONE},4567890\n") == (Row(ONE, CONTOSO.id, None),)
    assert rows(f"Subscription ID,Partner\n{ONE},contoso  CONSULTING\n") == (
        Row(ONE, CONTOSO.id, "contoso  CONSULTING"),
    )


def test_a_former_name_is_looked_up_too() -> None:
    assert rows(f"Subscription ID,Partner\n{ONE},Tailspin\n")[0].partner_id == "7654321"


def test_both_empty_means_that_there_is_no_partner() -> None:
    text = f"Subscription ID,Partner ID,Partner name\n{ONE},,\n{OTHER},5127255,\n"
    assert rows(text) == (Row(ONE, None, None), Row(OTHER, FABRIKAM.id, None))
    assert rows(f"Subscription ID,Partner ID\n{ONE}, \n") == (Row(ONE, None, None),)


def test_a_quoted_name_may_hold_separators_quotes_and_newlines() -> None:
    text = (
        "Subscription ID;Partner name\n"
        f'{ONE};"Tailspin; Toys, “Inc”"\n'
        f'{OTHER};"Northwind\nTraders IT"\n'
    )
    assert [row.partner_id for row in rows(text)] == ["7654321", NORTHWIND.id]


def test_a_partner_that_the_directory_does_not_know_is_read_by_its_id() -> None:
    text = f"Subscription ID,Partner ID,Partner name\n{ONE},9876543,Somebody\n"
    assert rows(text) == (Row(ONE, "9876543", "Somebody"),)


# --- What is not -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "\n\n", "\ufeff", "Partner ID,Partner name\n1,2\n", "Subscription\nx\n", "\0"]
)
def test_a_file_without_the_subscriptions_column_says_which_is_missing(text: str) -> None:
    assert problems(text) == [
        "portal.csv: no column 'Subscription ID'; the first line must name the columns"
    ]


def test_a_file_without_any_partner_column_says_so() -> None:
    assert problems(f"Subscription ID,Owner\n{ONE},x\n") == [
        "portal.csv: neither a column 'Partner ID' nor 'Partner name'"
    ]


@pytest.mark.parametrize(
    "heading", ["Partner ID,Partner ID", "Partner ID,partner_id", "MPN ID,Partner ID"]
)
def test_a_column_that_is_there_twice_is_invalid(heading: str) -> None:
    name = heading.split(",", 1)[0]
    assert problems(f"Subscription ID,{heading}\n{ONE},4567890,5127255\n") == [
        f"portal.csv: the column {name!r} is there twice"
    ]


def test_a_file_without_rows_says_so() -> None:
    assert problems("Subscription ID,Partner ID\n,\n") == [
        "portal.csv has no rows below its headings; nothing was imported"
    ]


@pytest.mark.parametrize(
    ("data", "byte"),
    [
        (f"Subscription ID,Partner\n{ONE},Töys\n".encode("latin-1"), 62),
        (f"Subscription ID,Partner\n{ONE},x\n".encode("utf-16"), 0),
    ],
)
def test_a_file_that_is_not_utf_8_says_where_and_what_to_do(data: bytes, byte: int) -> None:
    assert problems(data) == [f"portal.csv: byte {byte} is not UTF-8; save the file as CSV UTF-8"]


@pytest.mark.parametrize(
    "text",
    [
        "payments",
        "",
        ONE.replace("-", ""),
        f"{{{ONE}}}",
        f"/subscriptions/{ONE}",
        ONE[:-1],
        ONE.replace("0", "０"),
    ],
)
def test_what_is_no_uuid_is_named_with_its_line(text: str) -> None:
    assert problems(f"Subscription ID,Partner ID\n{text},4567890\n") == [
        f"portal.csv:2: {text!r} is no subscription id (a UUID)",
        "nothing was imported",
    ]


@pytest.mark.parametrize(
    "text", ["MPN-4567890", "4567890.0", "４５６７８９０", "4 567 890", "-", "1e6"]
)
def test_a_partner_id_that_is_not_digits_is_named_with_its_line(text: str) -> None:
    assert problems(f"Subscription ID,Partner ID\n{ONE},{text}\n")[0] == (
        f"portal.csv:2: {text!r} is no Partner ID (digits)"
    )


@pytest.mark.parametrize(("name", "how_often"), [("Nobody", "not"), ("twin", "several times")])
def test_a_name_that_is_not_there_just_once_needs_a_partner_id(name: str, how_often: str) -> None:
    assert problems(f"Subscription ID,Partner ID,Partner name\n{ONE},,{name}\n")[0] == (
        f"portal.csv:2: the partner {name!r} is {how_often} in the directory; add a column"
        " 'Partner ID'"
    )


def test_a_name_that_is_not_on_record_for_its_id_is_named_with_its_line() -> None:
    (line, nothing) = problems(
        f"Subscription ID,Partner ID,Partner name\n{ONE},{CONTOSO.id},{FABRIKAM.name}\n"
    )
    assert line.startswith(
        f"portal.csv:2: Partner ID {CONTOSO.id} is on record as '{CONTOSO.name}', not"
        f" '{FABRIKAM.name}'"
    )
    assert nothing == "nothing was imported"


@pytest.mark.parametrize("again", [ONE, ONE.upper(), f" {ONE} "])
def test_a_subscription_that_is_there_twice_is_named_with_both_lines(again: str) -> None:
    text = f"Subscription ID,Partner ID\n{ONE},4567890\n{OTHER},4567890\n{again},4567890\n"
    assert problems(text)[0] == f"portal.csv:4: subscription {ONE} is in line 2 already"


def test_a_row_with_too_few_fields_is_named_with_its_line() -> None:
    assert problems(f"Subscription ID,Partner ID,Partner name\n{ONE},4567890\n")[0] == (
        "portal.csv:2: only 2 fields, where the headings have more"
    )


def test_every_problem_is_named_and_a_quoted_newline_does_not_shift_the_lines() -> None:
    text = (
        "Subscription ID,Partner name\r\n"
        'payments,"Contoso\r\nConsulting"\r\n'
        f'{ONE},"No\nbody"\r\n'
        "\r\n"
        f"{OTHER},Contoso Consulting\r\n"
        f"{OTHER},Contoso Consulting\r\n"
    )
    assert problems(text) == [
        "portal.csv:2: 'payments' is no subscription id (a UUID)",
        "portal.csv:4: the partner 'No body' is not in the directory; add a column 'Partner ID'",
        f"portal.csv:8: subscription {OTHER} is in line 7 already",
        "nothing was imported",
    ]


@pytest.mark.parametrize("row", [f'{ONE},"4567890', f'{ONE},"4567890"x', f'"{ONE}" ,4567890'])
def test_broken_quotes_are_named_with_their_line(row: str) -> None:
    found = problems(f"Subscription ID,Partner ID\n{OTHER},4567890\n{row}\n")
    assert found[0].startswith("portal.csv:3: ")
    assert found[-1] == "nothing was imported"


# --- Whatever there is -------------------------------------------------------------------------

quick = settings(max_examples=150, deadline=None)
headings = st.sampled_from(
    [
        b"Subscription ID,Partner ID,Partner name\n",
        b"subscription_id;partner\n",
        b"",
    ]
)


@quick
@given(headings, st.binary(max_size=200))
@example(b"Subscription ID,Partner ID\n", b'"' + b"x" * 200_000)
@example(b"Subscription ID,Partner ID\n", f"{ONE},{'1' * 5000}\n".encode())
def test_any_bytes_give_rows_or_are_invalid(heading: bytes, data: bytes) -> None:
    try:
        found = read(heading + data, "portal.csv", DIRECTORY)
    except Invalid as error:
        for line in str(error).split("\n"):
            assert line.isprintable()
        return
    assert found
    for row in found:
        assert subscription_uuid(row.subscription_id) == row.subscription_id
        assert row.partner_id is None or row.partner_id.isdigit()


printable = st.characters(codec="utf-8").filter(str.isprintable)
cells = st.text(printable, max_size=12)


@quick
@given(
    st.lists(st.tuples(st.uuids(), st.integers(10_000, 99_999_999), cells), min_size=1, max_size=5),
    st.sampled_from(",;\t"),
    st.booleans(),
)
def test_what_a_csv_writer_wrote_comes_back(
    written: list[tuple[object, int, str]], delimiter: str, mark: bool
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["Subscription ID", "Partner ID", "Partner name"])
    writer.writerows(written)
    by_id = {
        str(one): Row(str(one), str(two), three.strip() or None) for one, two, three in written
    }
    data = file.getvalue().encode("utf-8-sig" if mark else "utf-8")
    if len(by_id) == len(written):
        assert read(data, "portal.csv", DIRECTORY) == tuple(by_id.values())
