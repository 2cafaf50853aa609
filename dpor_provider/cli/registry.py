"""`dpor registry`: the system of record."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from dpor_provider.cli.audit import head, history, verify
from dpor_provider.cli.demand import demand
from dpor_provider.cli.output import (
    Format,
    format_option,
    note,
    print_json,
    print_result,
    print_table,
)
from dpor_provider.cli.partner import partner
from dpor_provider.cli.session import (
    PARTNER_ID,
    ROLE,
    SCOPE,
    SUBSCRIPTION,
    TEXT,
    Session,
    pass_session,
)
from dpor_provider.model import Designation, Grant, Role


@click.group()
def registry() -> None:
    """The system of record: who is partner of record where, by whom, since when."""


for command in (partner, demand, history, head, verify):
    registry.add_command(command)


@registry.command()
@format_option
@pass_session
def init(session: Session, output_format: Format) -> None:
    """Make a registry, with the current user as its Global Administrator."""
    from dpor_provider.registry import init_registry

    made = init_registry(session.registry_url)
    print_result(
        output_format,
        {"id": made.identity(), "url": made.name, "global_administrator": made.principal},
        f"made {made.name}, with {made.principal} as Global Administrator",
    )


@registry.command()
@format_option
@pass_session
def upgrade(session: Session, output_format: Format) -> None:
    """Bring a registry that an older version made to this version's schema."""
    from dpor_provider.registry import upgrade_registry

    before, after = upgrade_registry(session.registry_url)
    print_result(
        output_format,
        {"version": 1, "before": before, "after": after},
        (
            f"the registry had schema {before}, and has {after} now"
            if before != after
            else f"the registry has the functions of this version now; its schema remains {after}"
        ),
    )


@registry.command()
@format_option
@pass_session
def show(session: Session, output_format: Format) -> None:
    """Show every subscription's partner of record, and who may change it."""
    opened = session.registry
    content = opened.read()
    rows = [row for row in content.designations.values() if row.partner_id]
    if output_format == "json":
        print_json(
            {
                "version": 1,
                "registry": {"id": content.identity, "url": opened.name},
                "designations": [_designation(row) for row in rows],
                "roles": [asdict(grant) for grant in content.grants],
            }
        )
        return
    note(f"registry {opened.name} ({content.identity})")
    print_table(
        "Partners of record",
        (
            "Subscription",
            "Partner ID",
            "Partner",
            "Effective",
            "Since",
            "By",
            "Managed by",
            "Version",
        ),
        (
            (
                row.subscription_id,
                row.partner_id,
                row.partner_name,
                _effective(row),
                row.designated_at.date(),
                row.designated_by,
                row.managed_by,
                row.version,
            )
            for row in rows
        ),
        "No subscription has a partner of record.",
        details=3,
    )
    if pending := sum(not row.effective for row in content.designations.values()):
        note(f"{pending} pending: a person sets them in the portal; the steps: dpor worklist")
    if exposed := opened.exposed():
        note(exposed)
    note("who may change them:")
    for grant in content.grants:
        note(f"  {grant.principal}: {grant.role} at {grant.scope}")


@registry.command()
@click.argument("principal", type=TEXT)
@click.argument("role", type=ROLE)
@click.option("--scope", type=SCOPE, default="/", show_default=True)
@format_option
@pass_session
def grant(session: Session, principal: str, role: Role, scope: str, output_format: Format) -> None:
    """Let PRINCIPAL designate: Global Administrator, Owner or Contributor."""
    granted = Grant(principal, role, scope)
    session.registry.roles.grant(granted)
    print_result(output_format, asdict(granted), f"{principal} is {role} at {scope} now")


@registry.command()
@click.argument("principal", type=TEXT)
@click.argument("role", type=ROLE)
@click.option("--scope", type=SCOPE, default="/", show_default=True)
@format_option
@pass_session
def ungrant(
    session: Session, principal: str, role: Role, scope: str, output_format: Format
) -> None:
    """Take a role away."""
    taken = Grant(principal, role, scope)
    session.registry.roles.ungrant(taken)
    print_result(output_format, asdict(taken), f"{principal} is no longer {role} at {scope}")


@registry.command()
@click.argument("subscription", type=SUBSCRIPTION)
@click.argument("partner_id", type=PARTNER_ID)
@format_option
@pass_session
def designate(session: Session, subscription: str, partner_id: str, output_format: Format) -> None:
    """Designate a partner by hand, whoever it was before."""
    opened = session.registry
    before = opened.designations.find(subscription)
    row = opened.designations.designate(
        subscription, partner_id, seen_version=before.version if before else 0, owner=None
    )
    if before and before.partner_id and before.partner_id != partner_id:
        note(f"it replaces {before.partner_name} ({before.partner_id})")
    if row.managed_by and row.partner_id != row.written_partner_id:
        note(
            f"{row.managed_by} declares this subscription's partner: its next deployment shows"
            " this as drift, and restores what is declared"
        )
    print_result(
        output_format,
        _designation(row),
        f"{subscription}: {row.partner_name} ({row.partner_id}) is partner of record",
    )


@registry.command()
@click.argument("subscription", type=SUBSCRIPTION)
@format_option
@pass_session
def withdraw(session: Session, subscription: str, output_format: Format) -> None:
    """End a designation by hand."""
    opened = session.registry
    before = opened.designations.find(subscription)
    row = opened.designations.withdraw(subscription, seen_version=before.version if before else 0)
    if before and before.managed_by:
        note(
            f"{before.managed_by} declares this subscription's partner: its next deployment"
            " designates it again"
        )
    print_result(
        output_format, _designation(row), f"{subscription} has no partner of record any more"
    )


@registry.command()
@click.argument("file", type=click.Path(path_type=Path))
@format_option
@pass_session
def backup(session: Session, file: Path, output_format: Format) -> None:
    """Copy the registry into FILE, as of one moment, while others write."""
    session.registry.backup(file)
    print_result(
        output_format,
        {"version": 1, "file": str(file)},
        f"copied to {file}; look at it with: dpor --registry sqlite:///{file} registry verify",
    )


def _effective(row: Designation) -> str:
    return "yes" if row.effective else "pending"


def _designation(row: Designation) -> dict[str, Any]:
    return {
        "subscription_id": row.subscription_id,
        "partner_id": row.partner_id,
        "partner_name": row.partner_name,
        "version": row.version,
        "effective": _effective(row),
        "managed_by": row.managed_by,
        "designated_by": row.designated_by,
        "designated_at": row.designated_at,
        "former_partner_id": row.former_partner_id,
    }
