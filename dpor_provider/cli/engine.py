"""`dpor up`, `preview`, `destroy` and `refresh`: the Pulumi engine, for large estates."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dpor_provider.cli.outcome import as_json, print_outcome
from dpor_provider.cli.output import Format, format_option, print_json
from dpor_provider.cli.session import Session
from dpor_provider.errors import Invalid

if TYPE_CHECKING:
    from dpor_provider.engine.outcome import Outcome
    from dpor_provider.engine.run import Runner
    from dpor_provider.resources.shard import Shard


def _options(*kinds: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for kind in reversed(kinds):
            command = kind(command)
        return command

    return decorate


class ShardOf(click.ParamType["Shard"]):
    """A shard."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Shard:
        """Read K/N."""
        from dpor_provider.resources.shard import Shard

        try:
            return Shard.parse(str(value))
        except Invalid as error:
            self.fail(str(error), param, ctx)


SHARD = ShardOf()


def _change_folder(ctx: click.Context, _param: click.Parameter, folder: Path | None) -> None:
    if folder:
        ctx.with_resource(chdir(folder))


_common = _options(
    click.option(
        "-C",
        "--cwd",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_change_folder,
        help="Run as if started in this folder.",
    ),
    click.option("--stack", metavar="NAME", help="The stack; the selected one by default."),
    click.option(
        "--shard",
        type=SHARD,
        metavar="K/N",
        help="Only the Kth of N parts of the estate, in a stack of its own: STACK-K-of-N.",
    ),
    click.option(
        "--target", "targets", metavar="URN", multiple=True, help="Only this resource; repeatable."
    ),
    click.option(
        "--parallel", type=click.IntRange(min=1), metavar="N", help="Resources at a time."
    ),
    click.option("--diff", is_flag=True, help="Show the engine's own account of each change."),
    format_option,
)
_refresh_first = click.option(
    "--refresh", is_flag=True, help="Bring the state to what is live first."
)
_expect_no_changes = click.option(
    "--expect-no-changes", is_flag=True, help="Exit with 1 if there is anything to change."
)
_policies = _options(
    click.option(
        "--policy-pack",
        "policy_packs",
        type=click.Path(exists=True, file_okay=False, resolve_path=True),
        multiple=True,
        help="A policy pack to run; repeatable.",
    ),
    click.option(
        "--policy-pack-config",
        "policy_pack_configs",
        type=click.Path(exists=True, dir_okay=False, resolve_path=True),
        multiple=True,
        help="The settings of the pack at the same place; repeatable.",
    ),
)
_limit = click.option(
    "--allow-withdrawals",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Withdraw up to N designations, where 10 or a tenth of the estate would be refused.",
)
_guards = _options(
    _limit,
    click.option(
        "--checkpoints",
        is_flag=True,
        help="Save the state at every step, also where that is not needed.",
    ),
)


@click.command()
@_common
@_refresh_first
@_expect_no_changes
@_policies
@_guards
@click.pass_context
def up(ctx: click.Context, /, output_format: Format, **options: Any) -> None:
    """Deploy the project of the working folder, and what its preview showed.

    Exit codes: 0 deployed, 1 refused by a policy or by the limit on withdrawals, or changes where
    none were expected, 2 it failed.
    """
    _run(ctx, output_format, options, lambda runner: runner.up())


@click.command()
@_common
@_refresh_first
@_expect_no_changes
@_policies
@_limit
@click.pass_context
def preview(ctx: click.Context, /, output_format: Format, **options: Any) -> None:
    """Show what `dpor up` would do.

    Exit codes: 0 it could be done, 1 refused by a policy or by the limit on withdrawals, or changes
    where none were expected, 2 it would fail.
    """
    _run(ctx, output_format, options, lambda runner: runner.preview())


@click.command()
@_common
@_refresh_first
@_guards
@click.pass_context
def destroy(ctx: click.Context, /, output_format: Format, **options: Any) -> None:
    """Take all resources of a stack away, and withdraw what they designated.

    Exit codes: 0 destroyed, 1 refused by the limit on withdrawals, 2 it failed.
    """
    _run(ctx, output_format, options, lambda runner: runner.destroy())


@click.command()
@_common
@_expect_no_changes
@click.pass_context
def refresh(ctx: click.Context, /, output_format: Format, **options: Any) -> None:
    """Bring the state to what is live; nothing but the state is written.

    Exit codes: 0 done, 1 changes where none were expected, 2 it failed.
    """
    _run(ctx, output_format, options, lambda runner: runner.refresh())


def _run(
    ctx: click.Context,
    output_format: Format,
    options: dict[str, Any],
    operation: Callable[[Runner], Outcome],
) -> None:
    from dpor_provider.cli.progress import progress
    from dpor_provider.engine.run import Options, Runner

    with progress() as watcher:
        named = ctx.find_object(Session) or Session(None, None)
        asked = Options(**options, registry=named.registry_url, platform=named.platform_name)
        outcome = operation(Runner(asked, watcher, Path.cwd()))
    if output_format == "json":
        print_json(as_json(outcome))
    else:
        print_outcome(outcome, diff=options["diff"])
    ctx.exit(outcome.exit_code)
