"""Where the registry is: its URL, read the same way by every process that reads it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from dpor_provider.errors import Invalid

DEFAULT_URL = "sqlite:///.dpor/registry.db"


def project_folder(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds Pulumi.yaml; `start` where none does."""
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    return start


def resolve(text: str | None, start: Path | None = None) -> URL:
    """Read a registry URL; a relative SQLite path counts from the Pulumi project's folder.

    Args:
        text: The URL as configured; None means the default, `sqlite:///.dpor/registry.db`.
        start: Where the search for Pulumi.yaml begins; the working folder by default.

    Raises:
        Invalid: it is no URL, or of a kind that is not supported.
    """
    try:
        url = make_url(text or DEFAULT_URL)
    except ArgumentError:
        # The text may hold a password, so it is not repeated.
        raise Invalid("the registry's URL cannot be read; write sqlite:///PATH to a file") from None
    if url.get_backend_name() != "sqlite":
        raise Invalid(
            f"registry {url.render_as_string(hide_password=True)}: only sqlite:///PATH is"
            " supported by this version"
        )
    if url.database in (None, "", ":memory:") or str(url.database).startswith("file:"):
        raise Invalid("a registry needs a file: write sqlite:///PATH, say " + DEFAULT_URL)
    path = project_folder(start or Path.cwd()) / str(url.database)
    return url.set(drivername="sqlite+pysqlite", database=str(path))
