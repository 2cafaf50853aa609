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
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise Invalid("the registry's URL cannot be read; write sqlite:///PATH to a file") from None
    shown = url.set(query={}).render_as_string(hide_password=True)
    if url.get_backend_name() != "sqlite":
        raise Invalid(f"registry {shown}: only sqlite:///PATH is supported by this version")
    if url.host or url.username or url.password or url.query:
        raise Invalid(
            f"registry {shown}: a SQLite URL has neither host, user nor parameters; write"
            " sqlite:///PATH"
        )
    path = str(url.database or "")
    if path in ("", ":memory:") or path.startswith("file:") or "\0" in path:
        raise Invalid("a registry needs a file: write sqlite:///PATH, say " + DEFAULT_URL)
    folder = project_folder((start or Path.cwd()).absolute())
    return url.set(drivername="sqlite+pysqlite", database=str(folder / path))
