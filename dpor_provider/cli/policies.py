"""`dpor policies`: a policy pack of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from dpor_provider.cli.output import Format, format_option, print_result
from dpor_provider.errors import Invalid


@click.group()
def policies() -> None:
    """The policy pack, for `pulumi preview --policy-pack`."""


@policies.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@format_option
def init(folder: Path, output_format: Format) -> None:
    """Write a policy pack: the two files of it, which run as they are."""
    from dpor_provider.files import write_whole
    from dpor_provider.policies.template import files

    written = {folder / name: text for name, text in files().items()}
    if there := next((path for path in written if path.exists()), None):
        raise Invalid(f"{there} exists already, and nothing was written; name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"{folder} cannot be made: {error.strerror}") from None
    for path, text in written.items():
        write_whole(path, text)
    print_result(
        output_format,
        {"version": 1, "files": [str(path) for path in written]},
        f"wrote {' and '.join(map(str, written))}; try: pulumi preview --policy-pack {folder}",
    )
