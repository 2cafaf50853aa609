"""`dpor check`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dpor_provider.cli.output import note
from dpor_provider.cli.session import DAY, RULE, Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dpor_provider.checker import Result
    from dpor_provider.checker.revision import Revision
    from dpor_provider.declaration import Loaded
    from dpor_provider.live import Live
    from dpor_provider.rules import Rule


FORMATS = ("text", "azure-pipelines", "github", "gitlab", "json", "junit", "sarif")


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--registry", "registry_url", metavar="URL", help="The registry to look at.")
@click.option("--platform", "platform_name", metavar="NAME", help="The platform to look at.")
@click.option("--offline", is_flag=True, help="Look at the declarations alone.")
@click.option(
    "--deployer",
    metavar="PRINCIPAL",
    help="Whose roles are looked up; by default those of who runs this.",
)
@click.option(
    "--base",
    metavar="REF",
    help="A git revision: exceptions and baseline are taken from there, and the change since is"
    " summed up.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How the result is printed.",
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--select", metavar="RULE", type=RULE, multiple=True, help="Run this rule only.")
@click.option("--ignore", metavar="RULE", type=RULE, multiple=True, help="Do not run this rule.")
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Findings that were there before, and do not count.",
)
@click.option(
    "--write-baseline",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the findings as the new baseline.",
)
@click.option("--as-of", metavar="YYYY-MM-DD", type=DAY, help="The day to check for; today.")
@pass_session
@click.pass_context
def check(
    ctx: click.Context,
    session: Session,
    /,
    paths: tuple[str, ...],
    registry_url: str | None,
    platform_name: str | None,
    offline: bool,
    deployer: str | None,
    base: str | None,
    output_format: str,
    output: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    baseline: Path | None,
    write_baseline: Path | None,
    as_of: date | None,
) -> None:
    """Check declarations, as the policy pack would, without an engine.

    A PATH is a declaration file, a folder or a glob pattern; by default the working folder.
    """
    from dpor_provider.checker import check as run
    from dpor_provider.checker.reporters import render
    from dpor_provider.declaration import load
    from dpor_provider.rules import Terms, approvals

    if write_baseline and (baseline or output):
        other = "--baseline" if baseline else "--output"
        raise click.UsageError(f"--write-baseline and {other} exclude each other", ctx)
    if offline and (registry_url or deployer):
        given = "--registry" if registry_url else "--deployer"
        raise click.UsageError(f"--offline and {given} exclude each other", ctx)
    rules = _rules(select, ignore)
    paths = paths or (".",)
    loaded = load(paths)
    session = session.naming(registry_url, platform_name)
    live = None if offline else _live(session, deployer, ctx)
    terms = Terms(as_of or datetime.now(UTC).date())
    revision, before = _base(base, paths, loaded)
    if revision and before:
        approved = approvals(before.estate)
        terms = replace(terms, approved=approved, approved_in=f"revision {revision.name}")
    known = _known(baseline, revision)
    result = run(loaded, terms, live, rules, known)
    if revision and before:
        from dpor_provider.checker.revision import changes

        since = tuple(changes(before, loaded))
        result = replace(result, base=revision.name, changes=since)
    if write_baseline:
        from dpor_provider.checker import baseline as baselines

        written = baselines.write(result, write_baseline)
        note(f"wrote {write_baseline} with {written} finding{'' if written == 1 else 's'}")
        return
    _print(render(result, output_format), result, output_format, output)
    if result.failed:
        ctx.exit(1)


def _rules(select: tuple[str, ...], ignore: tuple[str, ...]) -> Mapping[str, Rule]:
    from dpor_provider.rules import all_rules

    if "DPOR001" in ignore:
        raise click.UsageError("DPOR001 cannot be ignored: what cannot be read is not checked")
    return {
        rule_id: rule
        for rule_id, rule in all_rules().items()
        if (not select or rule_id in select) and rule_id not in ignore
    }


def _live(session: Session, deployer: str | None, ctx: click.Context) -> Live:
    if session.registry_url is None:
        raise click.UsageError(
            "say what to check against: --registry URL (or DPOR_REGISTRY), or --offline for the"
            " declarations alone",
            ctx,
        )
    from dpor_provider.platforms import read_live

    return read_live(session.registry, session.platform, principal=deployer)


def _base(
    name: str | None, paths: tuple[str, ...], now: Loaded
) -> tuple[Revision | None, Loaded | None]:
    if name is None:
        return None, None
    from dpor_provider.checker.revision import Revision

    revision = Revision.find(name)
    before = revision.load(paths, now.estate.files)
    if before.findings:
        count = len(before.findings)
        note(
            f"dpor: {count} problem{'' if count == 1 else 's'} in the declarations of {name}: what"
            " cannot be read there does not count as approved"
        )
    return revision, before


def _known(baseline: Path | None, revision: Revision | None) -> tuple[str, ...]:
    if baseline is None:
        return ()
    from dpor_provider.checker import baseline as baselines

    if revision is None:
        return baselines.read_file(baseline)
    text = revision.text(baseline)
    if text is None:
        note(f"dpor: {baseline} is not in {revision.name}: there is no baseline yet")
        return ()
    return baselines.read(text, f"{baseline} of {revision.name}")


def _print(text: str, result: Result, output_format: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
    else:
        from dpor_provider.files import write_whole

        write_whole(output, text)
    if output is not None or output_format != "text":
        from dpor_provider.checker.words import summary

        note(summary(result))
