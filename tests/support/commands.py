"""The commands of our command line."""

from __future__ import annotations

from collections.abc import Iterator

import click


def leaves(command: click.Command, *path: str) -> Iterator[str]:
    """All commands below one, by their words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from leaves(below, *path, name)
    else:
        yield " ".join(path)
