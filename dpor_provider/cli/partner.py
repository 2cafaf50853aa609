"""`dpor registry partner`: the directory of partners."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import click

from dpor_provider.cli.output import Format, format_option, print_json, print_result, print_table
from dpor_provider.cli.session import DAY, PARTNER_ID, TEXT, Session, pass_session
from dpor_provider.model import Agreement, Partner


@click.group()
def partner() -> None:
    """The directory of partners: which IDs are real, and whose they are."""


@partner.command()
@click.argument("partner_id", type=PARTNER_ID)
@click.argument("name", type=TEXT)
@click.option("--former-id", "former_ids", type=PARTNER_ID, multiple=True)
@click.option("--former-name", "former_names", type=TEXT, multiple=True)
@click.option(
    "--principal",
    "principals",
    type=TEXT,
    multiple=True,
    help="An object id of the partner in our tenant.",
)
@click.option("--tenant", "tenants", type=TEXT, multiple=True, help="A home tenant of the partner.")
@format_option
@pass_session
def add(session: Session, /, output_format: Format, **fields: Any) -> None:
    """Enter a partner with its Partner ID (MPN ID) and its name as the portal shows it."""
    added = Partner(id=fields.pop("partner_id"), **fields)
    session.registry.partners.add(added)
    print_result(output_format, _partner(added), f"entered: {added.name} ({added.id})")


@partner.command()
@click.argument("partner_id", type=PARTNER_ID)
@click.argument("name", type=TEXT)
@format_option
@pass_session
def rename(session: Session, partner_id: str, name: str, output_format: Format) -> None:
    """Give a partner a new name; the old one is kept as a former name."""
    renamed = session.registry.partners.rename(partner_id, name)
    print_result(output_format, _partner(renamed), f"partner {partner_id} is called {name} now")


@partner.command()
@click.argument("partner_id", type=PARTNER_ID)
@click.option("--replaced-by", type=PARTNER_ID, metavar="PARTNER_ID", help="Its successor.")
@format_option
@pass_session
def retire(
    session: Session, partner_id: str, replaced_by: str | None, output_format: Format
) -> None:
    """Forbid to designate a partner; its access is stale from then on."""
    retired = session.registry.partners.retire(partner_id, replaced_by)
    print_result(output_format, _partner(retired), f"{retired.name} ({retired.id}) is retired")


@partner.command()
@click.argument("partner_id", type=PARTNER_ID)
@click.argument("new_id", metavar="NEW_PARTNER_ID", type=PARTNER_ID)
@format_option
@pass_session
def renumber(session: Session, partner_id: str, new_id: str, output_format: Format) -> None:
    """Give a partner another Partner ID; it stays the same company, and nothing is revoked."""
    renumbered = session.registry.partners.renumber(partner_id, new_id)
    print_result(
        output_format,
        _partner(renumbered),
        f"{renumbered.name} has Partner ID {new_id} now; declarations of {partner_id} are told so",
    )


@partner.command()
@click.argument("partner_id", type=PARTNER_ID)
@click.argument("reference", type=TEXT, required=False)
@click.option("--expires", metavar="YYYY-MM-DD", type=DAY, help="Its last day.")
@click.option("--none", "ended", is_flag=True, help="There is no agreement any more.")
@format_option
@pass_session
def agreement(
    session: Session,
    partner_id: str,
    reference: str | None,
    expires: date | None,
    ended: bool,
    output_format: Format,
) -> None:
    """Enter the data-sharing agreement with a partner: where it is filed, and its last day."""
    if (reference is None) != ended:
        raise click.UsageError("name the agreement's REFERENCE, or say --none")
    entered = Agreement(reference, expires) if reference else None
    agreed = session.registry.partners.agree(partner_id, entered)
    until = f" until {expires}" if expires else ""
    print_result(
        output_format,
        _partner(agreed),
        f"{agreed.name} ({partner_id}): "
        + (f"agreement {reference}{until}" if reference else "no agreement"),
    )


@partner.command()
@click.argument("partner_id", type=PARTNER_ID)
@click.option("--add", "principals", type=TEXT, multiple=True, metavar="OBJECT_ID")
@click.option("--add-tenant", "tenants", type=TEXT, multiple=True, metavar="TENANT_ID")
@click.option(
    "--remove", "without", type=TEXT, multiple=True, metavar="ID", help="A principal or tenant."
)
@format_option
@pass_session
def principals(
    session: Session,
    partner_id: str,
    principals: tuple[str, ...],
    tenants: tuple[str, ...],
    without: tuple[str, ...],
    output_format: Format,
) -> None:
    """Say by which principals of our tenant, and from which tenants, a partner comes."""
    if not (principals or tenants or without):
        raise click.UsageError("say what is to change: --add, --add-tenant or --remove")
    known = session.registry.partners.know_by(
        partner_id, principals=principals, tenants=tenants, without=without
    )
    print_result(
        output_format,
        _partner(known),
        f"{known.name} ({partner_id}) comes as {', '.join(known.principals) or 'no principal'},"
        f" from {', '.join(known.tenants) or 'no tenant'}",
    )


@partner.command("list")
@format_option
@pass_session
def list_(session: Session, output_format: Format) -> None:
    """List the directory."""
    partners = session.registry.partners.directory().partners.values()
    if output_format == "json":
        print_json({"version": 1, "partners": [_partner(item) for item in partners]})
        return
    print_table(
        "Partners",
        (
            "Partner ID",
            "Name",
            "Status",
            "Replaced by",
            "Former IDs",
            "Former names",
            "Agreement",
            "Agreed until",
        ),
        (
            (
                item.id,
                item.name,
                item.status,
                item.replaced_by,
                ", ".join(item.former_ids),
                ", ".join(item.former_names),
                item.agreement.reference if item.agreement else None,
                item.agreement.expires if item.agreement else None,
            )
            for item in partners
        ),
        "The directory is empty; enter a partner with: dpor registry partner add",
        details=4,
    )


def _partner(item: Partner) -> dict[str, Any]:
    return asdict(item)
