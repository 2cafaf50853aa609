"""`dpor discover`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from dpor_provider.cli.output import note, print_text
from dpor_provider.cli.session import Session, pass_session
from dpor_provider.files import read_some

if TYPE_CHECKING:
    from dpor_provider.checker.discover import Shown
    from dpor_provider.live import Live


@click.command()
@click.argument("file", metavar="[FILE.csv]", type=click.File("rb"), required=False)
@click.option("--from", "platform_name", type=click.Choice(["azure"]), help="Ask this platform.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a new file, instead of to standard output.",
)
@pass_session
@click.pass_context
def discover(
    ctx: click.Context,
    session: Session,
    /,
    file: BinaryIO | None,
    platform_name: str | None,
    output: Path | None,
) -> None:
    """Write a declaration from what is live.

    The subscriptions are those that Azure shows, or those of FILE.csv, which has the columns of
    `dpor observe` and may have one more, Subscription name; - is standard input. Nothing is
    imported. Partners are the registry's, and `undecided` stands where none is known.
    """
    from dpor_provider.checker.discover import discover as run
    from dpor_provider.declaration.draft import draft

    if (file is None) is (platform_name is None):
        raise click.UsageError("say either --from azure or FILE.csv, what the portal shows", ctx)
    live, shown = _azure(session) if file is None else _portal(session, file)
    found = run(live, shown)
    text = draft(
        live.directory.partners.values(),
        [one.declared for one in found],
        {one.declared.subscription_id: one.remarks for one in found},
    )
    if output is None:
        print_text(text.rstrip("\n"))
    else:
        from dpor_provider.files import write_new

        write_new(output, text)
        note(f"wrote {output}; check it with: dpor check {output}")
    undecided = sum(one.declared.partner_id is None for one in found)
    note(
        f"{len(found)} subscription{'' if len(found) == 1 else 's'}:"
        f" {len(found) - undecided} with a partner of record, {undecided} undecided"
    )


def _azure(session: Session) -> tuple[Live, Shown]:
    from dpor_provider.checker.discover import Shown
    from dpor_provider.platforms.azure.platform import Azure

    registry = session.registry
    found = Azure.open(registry, credit=False).subscriptions()
    shown = Shown(
        "Azure", {one.id: one.name for one in found}, {one.id: one.label for one in found}
    )
    # On Azure nobody's eyes are evidence.
    return replace(_recorded(session), observations={}), shown


def _portal(session: Session, file: BinaryIO) -> tuple[Live, Shown]:
    from dpor_provider.checker.discover import Shown
    from dpor_provider.model import Observation
    from dpor_provider.platforms import portal_csv

    live = _recorded(session)
    rows = portal_csv.read(read_some(file, file.name), file.name, live.directory)
    now = datetime.now(UTC)
    seen = {
        row.subscription_id: Observation(
            row.subscription_id, row.partner_id, row.partner_name, session.registry.principal, now
        )
        for row in rows
    }
    shown = Shown(file.name, {row.subscription_id: row.subscription_name for row in rows})
    return replace(live, observations={**live.observations, **seen}), shown


def _recorded(session: Session) -> Live:
    """What the registry holds, and what people saw in the portal."""
    from dpor_provider.platforms import Portal, read_live

    registry = session.registry
    return read_live(registry, Portal(registry))
