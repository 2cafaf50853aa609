"""`dpor drift`."""

from __future__ import annotations

from dataclasses import asdict

import click

from dpor_provider.cli.output import Format, format_option, note, print_json, print_table
from dpor_provider.cli.session import SCOPE, Session, pass_session
from dpor_provider.printable import line


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--registry", "registry_url", metavar="URL", help="The registry to look at.")
@click.option("--platform", "platform_name", metavar="NAME", help="The platform to look at.")
@click.option(
    "--scope",
    type=SCOPE,
    help="Where to look for designations that nobody declares: / or a subscription.",
)
@format_option
@pass_session
@click.pass_context
def drift(
    ctx: click.Context,
    session: Session,
    /,
    paths: tuple[str, ...],
    registry_url: str | None,
    platform_name: str | None,
    scope: str | None,
    output_format: Format,
) -> None:
    """Compare declarations with what is live.

    Exit codes: 0 all is as declared, 1 something is not, 2 something could not be read.
    """
    from dpor_provider.checker.drift import Kind
    from dpor_provider.checker.drift import drift as compare
    from dpor_provider.declaration import load
    from dpor_provider.platforms import read_live

    session = session.naming(registry_url, platform_name)
    loaded = load(paths or (".",))
    live = read_live(session.registry, session.platform)
    # What could not be read may declare what nobody else does.
    drifted = list(compare(loaded.estate, live, None if loaded.findings else scope))
    if output_format == "json":
        print_json(
            {
                "version": 1,
                "checked": len(loaded.estate.subscriptions),
                "drifted": [asdict(one) for one in drifted],
            }
        )
    else:
        label = live.directory.label
        print_table(
            "Drift",
            ("Subscription", "Kind", "Declared", "Live", "Owner", "Changed by", "Changed at"),
            (
                (
                    one.subscription_id,
                    one.kind,
                    label(one.declared_partner_id) if one.declared_partner_id else None,
                    one.cause or (label(one.live_partner_id) if one.live_partner_id else None),
                    one.managed_by,
                    one.changed_by,
                    one.changed_at,
                )
                for one in drifted
            ),
            f"{len(loaded.estate.subscriptions)} subscriptions are as declared.",
        )
    for finding in loaded.findings:
        note(line(f"dpor: {finding}"))
    if loaded.findings or any(one.kind is Kind.UNREADABLE for one in drifted):
        ctx.exit(2)
    if drifted:
        ctx.exit(1)
