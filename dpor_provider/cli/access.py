"""`dpor access`: what partners may reach, as people maintain it or as the platform has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from dpor_provider.cli.output import (
    Format,
    format_option,
    note,
    print_json,
    print_result,
    print_table,
)
from dpor_provider.cli.session import PARTNER_ID, SCOPE, SUBSCRIPTION, TEXT, Session, pass_session
from dpor_provider.errors import Invalid
from dpor_provider.model import ROOT_SCOPE, Access, subscription_scope
from dpor_provider.printable import line

if TYPE_CHECKING:
    from dpor_provider.platforms.base import View
    from dpor_provider.registry import Content


@click.group()
def access() -> None:
    """Access that partners hold: as people maintain it for a portal, or as Azure has it."""


@access.command("list")
@click.argument("subscription", type=SUBSCRIPTION, required=False)
@click.option("--removed", is_flag=True, help="What was revoked, and can be restored.")
@format_option
@pass_session
@click.pass_context
def list_(
    ctx: click.Context,
    session: Session,
    /,
    subscription: str | None,
    removed: bool,
    output_format: Format,
) -> None:
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
            (
                "Subscription",
                "Principal",
                "Role",
                "Partner ID",
                "Removed by",
                "Removed at",
                "Carried out at",
                "Condition",
            ),
            (
                (
                    item.subscription_id,
                    item.access.principal,
                    item.access.role,
                    item.access.partner_id,
                    item.removed_by,
                    item.removed_at,
                    item.carried_out_at,
                    item.access.condition,
                )
                for item in gone
            ),
            "Nothing was revoked.",
            details=2,
        )
        return
    content = registry.read()
    view = session.platform.read(content)
    reaching = view.scopes(subscription) if subscription else None
    held = [item for item in view.access if reaching is None or item.scope in reaching]
    ended = _ended(content, subscription)
    stale = {item.id for item in held if _stale(item, content, ended)}
    _print(held, stale, output_format)
    unseen = tuple(_unseen(view, subscription))
    for cause in unseen:
        note(line(f"dpor: not all of it could be read: {cause}"))
    if unseen:
        ctx.exit(2)


def _print(held: Collection[Access], stale: Collection[str], output_format: Format) -> None:
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
        (
            "Scope",
            "Principal",
            "Role",
            "Partner ID",
            "Granted by",
            "Granted at",
            "Stale",
            "Condition",
        ),
        (
            (
                item.scope,
                item.principal,
                item.role,
                item.partner_id,
                item.granted_by,
                item.granted_at,
                "stale" if item.id in stale else "",
                item.condition,
            )
            for item in held
        ),
        "No access is on record.",
        details=1,
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
    _require_table(session)
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
    _require_table(session)
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


def _require_table(session: Session) -> None:
    platform = session.platform
    if platform.name != "portal":
        raise Invalid(
            f"on the platform {platform.name} access is what is there, and no table of people's;"
            " assign or remove roles there"
        )


def _unseen(view: View, subscription: str | None) -> Iterator[str]:
    """Why there may be more than was read."""
    if view.deployer.unknown:
        yield view.deployer.unknown
    if subscription and view.visible is not None and subscription not in view.visible:
        yield view.invisible_because
    elif subscription:
        yield from filter(None, (view.unreadable.get(subscription),))
    else:
        yield from dict.fromkeys(view.unreadable.values())


def _ended(content: Content, subscription: str | None) -> Mapping[str, Collection[str]]:
    """By scope, the partners that are former there, and not partner of record again."""
    current = content.directory.current
    ended: dict[str, set[str]] = defaultdict(set)
    for subscription_id, former in content.former_partners.items():
        if subscription not in (None, subscription_id):
            continue
        row = content.designations.get(subscription_id)
        live = {current(row.partner_id)} if row and row.partner_id else set()
        ids = {current(partner_id) for partner_id in former} - live
        ended[subscription_scope(subscription_id)] |= ids
        ended[ROOT_SCOPE] |= ids
    return ended


def _stale(item: Access, content: Content, ended: Mapping[str, Collection[str]]) -> bool:
    directory = content.directory
    # What is held within a subscription is stale with it, and all above as that at / is.
    parts = item.scope.split("/")
    counted = subscription_scope(parts[2]) if parts[1] == "subscriptions" else ROOT_SCOPE
    return directory.retired(item.partner_id) or directory.current(item.partner_id) in ended.get(
        counted, ()
    )
