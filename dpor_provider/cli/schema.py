"""`dpor schema`."""

from __future__ import annotations

import click

from dpor_provider.cli.output import Format, format_option, print_json


@click.command()
@format_option
def schema(output_format: Format) -> None:
    """Print the JSON Schema of the declaration, for editors and other checkers.

    It is the same JSON in either format.
    """
    del output_format
    from dpor_provider.declaration import schema as declaration_schema

    print_json(declaration_schema())
