"""`dpor worklist`, `dpor confirm` and `dpor observe`: the portal's side."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from dpor_provider.cli.output import (
    Format,
    format_option,
    note,
    print_json,
    print_result,
    print_text,
)
from dpor_provider.cli.session import SUBSCRIPTION, TEXT, Session, pass_session
from dpor_provider.errors import Invalid
from dpor_provider.files import read_some

if TYPE_CHECKING:
    from dpor_provider.platforms import Portal


def _portal(session: Session) -> Portal:
    from dpor_provider.platforms import Portal

    platform = session.platform
    if not isinstance(platform, Portal):
        raise Invalid(f"the platform {platform.name} needs no person; this is for portal alone")
    return platform


@click.command()
@format_option
@pass_session
def worklist(session: Session, output_format: Format) -> None:
    """Print, for each pending designation, the steps that a person takes in the portal."""
    tasks = _portal(session).worklist()
    if output_format == "json":
        print_json(
            {
                "version": 1,
                "tasks": [
                    {
                        "subscription_id": task.designation.subscription_id,
                        "partner_id": task.designation.partner_id,
                        "partner_name": task.designation.partner_name,
                        "since": task.designation.designated_at,
                        "steps": task.steps,
                    }
                    for task in tasks
                ],
            }
        )
        return
    if not tasks:
        note("The worklist is empty: all that is designated was confirmed.")
        return
    for task in tasks:
        row = task.designation
        wanted = f"{row.partner_name} ({row.partner_id})" if row.partner_id else "no partner"
        print_text(f"{row.subscription_id}: {wanted}, since {row.designated_at:%Y-%m-%d}")
        for number, step in enumerate(task.steps, 1):
            print_text(f"  {number}. {step}")
    note(f"{len(tasks)} to confirm in the portal.")


@click.command()
@click.argument("subscription", type=SUBSCRIPTION)
@click.option("--partner-name", type=TEXT, metavar="NAME", help="The name that the portal shows.")
@click.option("--no-partner", is_flag=True, help="The portal shows no partner.")
@format_option
@pass_session
def confirm(
    session: Session,
    subscription: str,
    partner_name: str | None,
    no_partner: bool,
    output_format: Format,
) -> None:
    """Confirm what the portal shows for a subscription, after the partner was set there."""
    if (partner_name is None) is not no_partner:
        raise click.UsageError("say either --partner-name NAME or --no-partner")
    row = _portal(session).confirm(subscription, partner_name)
    shown = f"{row.partner_name} ({row.partner_id})" if row.partner_id else "no partner"
    print_result(
        output_format,
        {"subscription_id": subscription, "partner_id": row.partner_id, "effective": "yes"},
        f"{subscription} is confirmed: {shown}",
    )


@click.command()
@click.argument("file", type=click.File("rb"))
@format_option
@pass_session
def observe(session: Session, file: BinaryIO, output_format: Format) -> None:
    """Import what the portal shows from FILE, a CSV with headings; - is standard input.

    Columns: Subscription ID, and Partner ID or Partner name, or both. All rows are imported, or
    none.
    """
    imported, confirmed = _portal(session).import_csv(read_some(file, file.name), file.name)
    print_result(
        output_format,
        {"imported": imported, "confirmed": confirmed},
        f"{imported} subscriptions imported, {confirmed} pending designations confirmed by it",
    )
