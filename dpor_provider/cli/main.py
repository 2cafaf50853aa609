"""The entry point: groups that are imported when they are used, and errors as one line."""

from __future__ import annotations

import importlib
import io
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import NoReturn

import click

from dpor_provider.cli.output import note
from dpor_provider.errors import Conflict, DporError, Refused
from dpor_provider.printable import line

EXIT_FOUND = 1
"""Something was found, or was refused."""
EXIT_FAILED = 2
"""The job could not be done."""

COMMANDS: Mapping[str, tuple[str, str]] = {
    "access": ("dpor_provider.cli.access", "What partners may reach, and bringing it back."),
    "check": ("dpor_provider.cli.check", "Check declarations, as the policy pack would."),
    "confirm": ("dpor_provider.cli.portal", "Confirm what the portal shows for a subscription."),
    "destroy": ("dpor_provider.cli.engine", "Take a stack's resources away, with the engine."),
    "discover": ("dpor_provider.cli.discover", "Write a declaration from what is live."),
    "drift": ("dpor_provider.cli.drift", "Compare declarations with what is live."),
    "explain": ("dpor_provider.cli.rules", "Explain one rule."),
    "observe": ("dpor_provider.cli.portal", "Import what the portal shows from a CSV file."),
    "policies": ("dpor_provider.cli.policies", "Write a policy pack of one's own."),
    "preview": ("dpor_provider.cli.engine", "Show what `dpor up` would do."),
    "refresh": ("dpor_provider.cli.engine", "Bring a stack's state to what is live."),
    "registry": ("dpor_provider.cli.registry", "The system of record."),
    "rules": ("dpor_provider.cli.rules", "List the rules."),
    "schema": ("dpor_provider.cli.schema", "Print the declaration's JSON Schema."),
    "state": ("dpor_provider.cli.state", "What a Pulumi state would run."),
    "up": ("dpor_provider.cli.engine", "Deploy a Pulumi project, fast, with the engine."),
    "worklist": ("dpor_provider.cli.portal", "What a person still has to do in the portal."),
}
"""Each command's module, and its line in the help, which must not need the module."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--registry",
    envvar="DPOR_REGISTRY",
    metavar="URL",
    help="The registry: sqlite:///PATH or postgresql+psycopg://LOGIN@HOST/DATABASE."
    "  [env: DPOR_REGISTRY]",
)
@click.option(
    "--platform",
    envvar="DPOR_PLATFORM",
    metavar="NAME",
    help="The platform: portal (the default) or azure.  [env: DPOR_PLATFORM]",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="dpor-provider", message="%(version)s")
@click.pass_context
def dpor(ctx: click.Context, registry: str | None, platform: str | None, debug: bool) -> None:
    """Control who is the digital partner of record of every cloud subscription."""
    from dpor_provider.cli.session import Session

    del debug
    ctx.obj = Session(registry, platform)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit.

    Exit codes: 0 fine, 1 something was found or refused, 2 the job could not be done.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal's character set lacks is printed as an escape, not an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = dpor.main(arguments, prog_name="dpor", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        note(error.format_message())
        sys.exit(EXIT_FAILED)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "dpor"
        _fail(f"{error.format_message().rstrip('.')}; see: {path} --help", code=EXIT_FAILED)
    except click.ClickException as error:
        _fail(error.format_message(), code=EXIT_FAILED)
    except SystemExit as ended:
        # Click itself ends with 1 when the reader of stdout is gone; here that means a finding.
        sys.exit(EXIT_FAILED if ended.code == 1 else ended.code)
    except Exception as error:
        if "--debug" in arguments:
            note(traceback.format_exc().rstrip())
        found = isinstance(error, Conflict | Refused)
        lines = error.args if isinstance(error, DporError) else (_said(error),)
        _fail(*lines, code=EXIT_FOUND if found else EXIT_FAILED)
    sys.exit(code if isinstance(code, int) else 0)


def _said(error: Exception) -> str:
    what = " ".join(str(error).split())
    if isinstance(error, OSError):
        return what
    return (
        f"this is a bug in dpor: {type(error).__name__}: {what}; please report it with what"
        " `dpor --debug` prints"
    )


def _fail(*lines: str, code: int) -> NoReturn:
    # What was given may hold a line break, and would seem to be a line of ours.
    note("\n".join(line(text) for text in (f"dpor: {lines[0]}", *lines[1:])))
    sys.exit(code)
