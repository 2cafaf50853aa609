"""Reading what the portal shows from a CSV file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dpor_provider.errors import Invalid
from dpor_provider.model import Directory, Partner, subscription_uuid
from dpor_provider.names import folded, same_name
from dpor_provider.printable import brief, printable

COLUMNS = {
    "subscription_id": ("subscription id", "subscription_id", "subscriptionid"),
    "subscription_name": ("subscription name", "subscription_name", "subscriptionname"),
    "partner_id": ("partner id", "partner_id", "partnerid", "mpn id", "mpnid"),
    "partner_name": ("partner name", "partner_name", "partnername", "partner"),
}
"""Each column by the headings that it may have; case does not matter."""


PARTNER_ID = re.compile("[0-9]{1,20}")
"""What the portal may show, which the directory need not know."""


@dataclass(frozen=True, slots=True)
class Row:
    """One subscription as the portal shows it."""

    subscription_id: str
    partner_id: str | None
    partner_name: str | None
    subscription_name: str | None = None


def read(data: bytes, source: str, directory: Directory) -> tuple[Row, ...]:
    """Read the rows of a CSV file.

    A heading row names the columns: the subscription's id, and the Partner ID, the partner's name
    or both; the subscription's own name where it is there. Where only the partner's name is there,
    it is looked up in the directory. Both empty means that the portal shows no partner. Commas,
    semicolons and tabs separate, quotes enclose, and a byte order mark is ignored.

    Args:
        data: The file's content, in UTF-8.
        source: The file's name, for messages.
        directory: The registry's directory.

    Raises:
        Invalid: the file cannot be used; every problem is named with its line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            f"{source}: byte {error.start} is not UTF-8; save the file as CSV UTF-8"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    problems: list[str] = []
    rows: dict[str, Row] = {}
    lines: dict[str, int] = {}
    try:
        columns = _columns(next(reader, []), source)
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            try:
                row = _row(cells, columns, directory)
                if row.subscription_id in rows:
                    raise Invalid(
                        f"subscription {row.subscription_id} is in line"
                        f" {lines[row.subscription_id]} already"
                    )
            except Invalid as error:
                problems.append(f"{source}:{line}: {error}")
                continue
            rows[row.subscription_id] = row
            lines[row.subscription_id] = line
    except csv.Error as error:
        problems.append(f"{source}:{reader.line_num}: {printable(str(error))}")
    if problems:
        raise Invalid(*problems, "nothing was imported")
    if not rows:
        raise Invalid(f"{source} has no rows below its headings; nothing was imported")
    return tuple(rows.values())


def _delimiter(text: str) -> str:
    heading = text.lstrip().splitlines()[0] if text.strip() else ""
    return max(",;\t", key=heading.count)


def _columns(headings: list[str], source: str) -> Mapping[str, int]:
    names = [folded(heading) for heading in headings]
    found: dict[str, int] = {}
    for column, known in COLUMNS.items():
        places = [index for index, name in enumerate(names) if name in known]
        if len(places) > 1:
            raise Invalid(f"{source}: the column {brief(headings[places[0]])} is there twice")
        if places:
            found[column] = places[0]
    if "subscription_id" not in found:
        raise Invalid(
            f"{source}: no column 'Subscription ID'; the first line must name the columns"
        )
    if found.keys().isdisjoint(("partner_id", "partner_name")):
        raise Invalid(f"{source}: neither a column 'Partner ID' nor 'Partner name'")
    return found


def _row(cells: list[str], columns: Mapping[str, int], directory: Directory) -> Row:
    values = dict(_values(cells, columns))
    subscription_id = subscription_uuid(values["subscription_id"])
    if subscription_id is None:
        raise Invalid(f"{brief(values['subscription_id'])} is no subscription id (a UUID)")
    partner_id = values.get("partner_id") or None
    partner_name = values.get("partner_name") or None
    if partner_id is not None and not PARTNER_ID.fullmatch(partner_id):
        raise Invalid(f"{brief(partner_id)} is no Partner ID (digits)")
    if partner_id is None and partner_name is not None:
        matches = [
            partner for partner in directory.partners.values() if _called(partner, partner_name)
        ]
        if len(matches) != 1:
            raise Invalid(
                f"the partner {brief(partner_name)} is"
                f" {'several times' if matches else 'not'} in the directory; add a column"
                " 'Partner ID'"
            )
        partner_id = matches[0].id
    known = directory.partners.get(partner_id or "")
    if known and partner_name and not _called(known, partner_name):
        raise Invalid(
            f"Partner ID {partner_id} is on record as {known.name!r}, not {brief(partner_name)};"
            " if the partner was renamed, run: dpor registry partner rename"
        )
    return Row(subscription_id, partner_id, partner_name, values.get("subscription_name") or None)


def _called(partner: Partner, name: str) -> bool:
    return any(same_name(name, known) for known in (partner.name, *partner.former_names))


def _values(cells: list[str], columns: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for column, index in columns.items():
        if index >= len(cells):
            raise Invalid(f"only {len(cells)} fields, where the headings have more")
        value = "".join(" " if char.isspace() else char for char in cells[index].strip())
        if not value.isprintable():
            raise Invalid(f"{brief(value)} holds a character that cannot be printed")
        yield column, value
