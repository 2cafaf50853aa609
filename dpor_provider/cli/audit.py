"""`dpor registry history | head | verify`: what an auditor asks of the log."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dpor_provider.cli.output import (
    Format,
    format_option,
    note,
    print_csv,
    print_json,
    print_table,
    print_text,
)
from dpor_provider.cli.session import DAY, SUBSCRIPTION, Session, pass_session
from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.model import DESIGNATION_CHANGES, AuditEntry, Directory

COLUMNS = (
    "at",
    "action",
    "partner_id",
    "partner_name",
    "previous_partner_id",
    "former_partner_id",
    "by",
    "managed_by",
    "version",
    "deployment",
)

if TYPE_CHECKING:
    from dpor_provider.registry import Head

HEAD_BYTES = 4096
"""More than any head has."""


@click.command()
@click.argument("subscription", type=SUBSCRIPTION)
@click.option(
    "--on",
    "day",
    type=DAY,
    metavar="YYYY-MM-DD",
    help="Who was partner of record at the end of that day, in UTC.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="How the result is printed.",
)
@pass_session
def history(session: Session, subscription: str, day: date | None, output_format: str) -> None:
    """Print who was partner of record of a subscription, since when, by whom."""
    registry = session.registry
    entries = [
        entry
        for entry in registry.audit.entries(subscription)
        if entry.action in DESIGNATION_CHANGES
    ]
    if day is not None:
        entries = [entry for entry in entries if entry.at.date() <= day][-1:]
    directory = registry.partners.directory()
    rows = [_row(entry, directory) for entry in entries]
    if output_format == "json":
        print_json({"version": 1, "subscription_id": subscription, "history": rows})
    elif output_format == "csv":
        print_csv(COLUMNS, ((_cell(row[name]) for name in COLUMNS) for row in rows))
    else:
        print_table(
            f"History of {subscription}",
            (
                "At",
                "Action",
                "Partner ID",
                "Partner",
                "Before",
                "By",
                "Managed by",
                "Version",
                "Deployment",
            ),
            (
                (
                    entry.at,
                    entry.action,
                    entry.partner_id,
                    row["partner_name"],
                    entry.previous_partner_id,
                    entry.actor,
                    entry.managed_by,
                    entry.version,
                    _deployed(row["deployment"] or {}),
                )
                for entry, row in zip(entries, rows, strict=True)
            ),
            "The registry knows of no designation there"
            + (f" up to {day:%Y-%m-%d}." if day else "."),
            details=2,
        )


@click.command()
@pass_session
def head(session: Session) -> None:
    """Print the end of the audit log, for an auditor to keep where nobody else may write."""
    print_json({"version": 1, **asdict(session.registry.audit.head())})


@click.command()
@click.option(
    "--head",
    "head_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An end of the log that `dpor registry head` printed before.",
)
@format_option
@pass_session
def verify(session: Session, head_file: Path | None, output_format: Format) -> int:
    """Verify that nothing in the audit log, and no row, was altered past the log.

    Without --head, neither a log whose end was cut off nor one that was made anew as a whole can be
    told from a whole one.
    """
    registry = session.registry
    verified = registry.verify(_read_head(head_file) if head_file else None)
    if output_format == "json":
        print_json(
            {"version": 1, "head": asdict(verified.head), "problems": list(verified.problems)}
        )
    else:
        for problem in verified.problems:
            print_text(problem)
    if exposed := registry.exposed():
        note(exposed)
    note(
        f"{len(verified.problems)} problems in {verified.head.sequence} entries of {registry.name}"
        if verified.problems
        else f"{registry.name} is whole: {verified.head.sequence} entries"
        + (", up to and after the exported head" if head_file else "")
    )
    return 1 if verified.problems else 0


def _read_head(file: Path) -> Head:
    from dpor_provider.registry import Head

    with file.open("rb") as stream:
        data = stream.read(HEAD_BYTES)
    try:
        fields = json.loads(data)
        if fields.pop("version") != 1:
            raise ValueError
        head = Head(**fields)
        if type(head.sequence) is not int or not (head.registry_id + head.hash).isprintable():
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Invalid(
            f"{file} is no head of a registry; make one with: dpor registry head"
        ) from error
    return head


def _row(entry: AuditEntry, directory: Directory) -> dict[str, Any]:
    partner = directory.find(entry.partner_id) if entry.partner_id else None
    return {
        "at": entry.at,
        "action": entry.action,
        "partner_id": entry.partner_id,
        "partner_name": partner.name if partner else None,
        "previous_partner_id": entry.previous_partner_id,
        "former_partner_id": entry.former_partner_id,
        "by": entry.actor,
        "managed_by": entry.managed_by,
        "version": entry.version,
        "deployment": _deployment(entry),
    }


def _deployment(entry: AuditEntry) -> dict[str, Any] | None:
    if entry.provenance is None:
        return None
    try:
        found = json.loads(entry.provenance)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable(
            f"entry {entry.sequence} of the audit log was altered: where the deployment came from"
            " cannot be read; see all that was, with: dpor registry verify"
        )
    return found


def _deployed(deployment: dict[str, Any]) -> str | None:
    """A deployment for people: its run, whose word that is, and who approved it."""
    if not deployment:
        return None
    run = deployment.get("run_url") or deployment.get("provider")
    word = "verified" if deployment.get("verified") is True else "claimed"
    approver = deployment.get("claimed_approver")
    return f"{run} ({word})" + (f", approved by {approver} (claimed)" if approver else "")


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
