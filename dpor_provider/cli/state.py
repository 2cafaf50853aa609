"""`dpor state`: what a Pulumi state would run."""

from __future__ import annotations

from dataclasses import asdict
from typing import BinaryIO

import click

from dpor_provider.cli.output import Format, format_option, note, print_json, print_text
from dpor_provider.errors import Invalid
from dpor_provider.printable import line


class Reference(click.ParamType[tuple[str, str]]):
    """A class that a state may refer to."""

    name = "reference"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read MODULE:CLASS."""
        module, _, name = str(value).partition(":")
        parts = (*module.split("."), *name.split("."))
        if not all(part.isidentifier() for part in parts) or len(str(value)) > 200:
            self.fail(f"{value!r} is no class; write module:Class", param, ctx)
        return module, name


@click.group()
def state() -> None:
    """What a Pulumi state would run."""


@state.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--allow",
    type=Reference(),
    multiple=True,
    metavar="MODULE:CLASS",
    help="A further dynamic provider that may be referred to.",
)
@format_option
def verify(file: BinaryIO, allow: tuple[tuple[str, str], ...], output_format: Format) -> int:
    """Refuse a state whose dynamic providers are anything but references to known classes.

    FILE is an export (`pulumi stack export | dpor state verify`) or a file of the file backend.
    Nothing of it is run.
    """
    from dpor_provider.state import LARGEST_MIB, OURS
    from dpor_provider.state import verify as verify_state

    try:
        providers = verify_state(file.read(LARGEST_MIB * 2**20 + 1), {*OURS, *allow})
    except Invalid as error:
        raise Invalid(f"{file.name}: {error}") from error
    refused = [provider for provider in providers if provider.problem]
    if output_format == "json":
        print_json(
            {
                "version": 1,
                "providers": len(providers),
                "refused": [asdict(provider) for provider in refused],
            }
        )
    else:
        for provider in refused:
            print_text(line(f"{provider.urn or 'no resource'}: {provider.problem}"))
    note(
        f"{len(refused)} of {len(providers)} dynamic providers are refused: run no pulumi command"
        " on this state"
        if refused
        else f"{len(providers)} dynamic providers, each a reference to a known class"
    )
    return 1 if refused else 0
