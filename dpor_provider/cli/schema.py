"""`dpor schema`."""

from __future__ import annotations

import click

from dpor_provider.cli.output import print_json


@click.command()
def schema() -> None:
    """Print the JSON Schema of the declaration, for editors and other checkers."""
    from dpor_provider.declaration import schema as declaration_schema

    print_json(declaration_schema())
