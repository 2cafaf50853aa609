"""`dpor access`: what partners may reach, as people maintain it."""

from __future__ import annotations

from dataclasses import asdict

import click

from dpor_provider.cli.output import Format, format_option, print_json, print_result, print_table
from dpor_provider.cli.session import PARTNER_ID, SCOPE, SUBSCRIPTION, TEXT, Session, pass_session
from dpor_provider.errors import Invalid
from dpor_provider.model import Access, Status
from dpor_provider.registry import Content


@click.group()
def access() -> None:
    """Access that partners hold, as people maintain it."""


@access.command("list")
@click.argument("subscription", type=SUBSCRIPTION, required=False)
@click.option("--removed", is_flag=True, help="What was revoked, and can be restored.")
@format_option
@pass_session
def list_(session: Session, subscription: str | None, removed: bool, output_format: Format) -> None:
    """List access, everywhere or at one subscription, and which of it is stale."""
    registry = session.registry
    if removed:
        gone = [
            item
            for item in registry.access.removed()
            if subscription in (None, item.subscription_id)
        ]
        if output_format == "json":
            print_json({"version": 1, "removed": [asdict(item) for item in gone]})
            return
        print_table(
            "Revoked access",
            ("Subscription", "Principal", "Role", "Partner ID", "Removed by", "Removed at"),
            (
                (
                    item.subscription_id,
                    item.access.principal,
                    item.access.role,
                    item.access.partner_id,
                    item.removed_by,
                    item.removed_at,
                )
                for item in gone
            ),
            "Nothing was revoked.",
        )
        return
    content = registry.read()
    held = [item for item in content.access if subscription is None or item.reaches(subscription)]
    stale = {item.id for item in held if _stale(item, content)}
    if output_format == "json":
        print_json(
            {
                "version": 1,
                "access": [asdict(item) | {"stale": item.id in stale} for item in held],
            }
        )
        return
    print_table(
        "Access",
        ("Scope", "Principal", "Role", "Partner ID", "Granted by", "Granted at", "Stale"),
        (
            (
                item.scope,
                item.principal,
                item.role,
                item.partner_id,
                item.granted_by,
                item.granted_at,
                "stale" if item.id in stale else "",
            )
            for item in held
        ),
        "No access is on record.",
    )


@access.command()
@click.argument("scope", type=SCOPE)
@click.argument("principal", type=TEXT)
@click.argument("role", type=TEXT)
@click.option("--partner", "partner_id", type=PARTNER_ID, metavar="PARTNER_ID")
@click.option("--condition", type=TEXT, help="The condition of the role assignment.")
@format_option
@pass_session
def add(
    session: Session,
    scope: str,
    principal: str,
    role: str,
    partner_id: str | None,
    condition: str | None,
    output_format: Format,
) -> None:
    """Note that PRINCIPAL holds ROLE at SCOPE (a subscription, or /).

    The partner is the one whose directory entry lists the principal, unless --partner names it.
    """
    registry = session.registry
    directory = registry.partners.directory()
    if partner_id is None:
        owner = next((p for p in directory.partners.values() if principal in p.principals), None)
        if owner is None:
            raise Invalid(
                f"no partner of the directory lists the principal {principal}; name its partner"
                " with --partner PARTNER_ID"
            )
        partner_id = owner.id
    elif directory.find(partner_id) is None:
        raise Invalid(f"no partner {partner_id} in the directory; see: dpor registry partner list")
    held = registry.access.add(scope, principal, role, partner_id, condition)
    print_result(output_format, asdict(held), f"noted: {role} of {principal} at {scope}")


@access.command()
@click.argument("scope", type=SCOPE)
@click.argument("principal", type=TEXT)
@click.argument("role", type=TEXT)
@format_option
@pass_session
def remove(session: Session, scope: str, principal: str, role: str, output_format: Format) -> None:
    """Strike access that was ended elsewhere; it cannot be restored from here."""
    held = session.registry.access.remove(scope, principal, role)
    print_result(output_format, asdict(held), f"struck: {role} of {principal} at {scope}")


@access.command()
@click.argument("subscription", type=SUBSCRIPTION)
@click.option("--principal", type=TEXT, help="Only this principal's access.")
@format_option
@pass_session
def restore(
    session: Session, subscription: str, principal: str | None, output_format: Format
) -> None:
    """Bring back what a switch of partners revoked at a subscription."""
    restored = session.platform.restore(subscription, principal)
    print_result(
        output_format,
        [asdict(item) for item in restored],
        "\n".join(f"restored: {item.role} of {item.principal}" for item in restored),
    )


def _stale(item: Access, content: Content) -> bool:
    directory = content.directory
    partner = directory.find(item.partner_id)
    if partner is not None and partner.status is Status.RETIRED:
        return True
    return any(
        directory.same(former, item.partner_id)
        for subscription_id, ended in content.former_partners.items()
        if item.reaches(subscription_id)
        and (row := content.designations.get(subscription_id)) is not None
        and not directory.same(row.partner_id, item.partner_id)
        for former in ended
    )
