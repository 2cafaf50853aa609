"""Where the registry is: its URL, read the same way by every process that reads it."""

from __future__ import annotations

import difflib
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from dpor_provider.errors import Invalid

DEFAULT_URL = "sqlite:///.dpor/registry.db"

PROJECT_FILES = ("Pulumi.json", "Pulumi.yaml", "Pulumi.yml")
"""How a project's file may be called, in the order in which Pulumi looks (its `marshal.go`)."""

PARAMETERS = {
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "host",
    "krbsrvname",
    "passfile",
    "port",
    "require_auth",
    "sslcert",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "ssl_min_protocol_version",
    "target_session_attrs",
}
"""What the URL of a server may say of the connection (libpq, "Parameter Key Words")."""


def project_file(start: Path) -> Path | None:
    """The nearest file of a Pulumi project, from `start` upwards; None if there is none."""
    for folder in (start, *start.parents):
        for name in PROJECT_FILES:
            if (folder / name).is_file():
                return folder / name
    return None


def resolve(text: str | None, start: Path | None = None) -> URL:
    """Read a registry URL; a relative SQLite path counts from the Pulumi project's folder.

    Args:
        text: The URL as configured; None means the default, `sqlite:///.dpor/registry.db`.
        start: Where the search for the project begins; the working folder by default.

    Raises:
        Invalid: it is no URL, or of a kind that is not supported.
    """
    text = text or DEFAULT_URL
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise Invalid("the registry's URL cannot be read; write sqlite:///PATH to a file") from None
    if on_server(url):
        return _server(url, text)
    shown = _shown(url)
    if url.get_backend_name() != "sqlite":
        raise Invalid(
            f"registry {shown}: write sqlite:///PATH, or postgresql+psycopg://USER@HOST/DATABASE"
        )
    if url.host or url.username or url.password or "?" in text:
        raise Invalid(
            f"registry {shown}: a SQLite URL has neither host, user nor parameters; write"
            " sqlite:///PATH"
        )
    path = str(url.database or "")
    if path in ("", ":memory:") or path.startswith("file:") or "\0" in path:
        raise Invalid("a registry needs a file: write sqlite:///PATH, say " + DEFAULT_URL)
    start = (start or Path.cwd()).absolute()
    project = project_file(start)
    folder = project.parent if project else start
    return url.set(drivername="sqlite+pysqlite", database=str(folder / path))


def on_server(url: URL) -> bool:
    """Whether a registry is on a PostgreSQL server."""
    return url.get_backend_name() == "postgresql"


def _server(url: URL, text: str) -> URL:
    shown = _shown(url)
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise Invalid(f"registry {shown}: write postgresql+psycopg://USER@HOST/DATABASE")
    if _holds_password(url):
        raise Invalid(
            f"registry {shown}: a password does not belong into a URL, which is kept in files and"
            " shown in lists of processes; set PGPASSWORD, or use a password file (PGPASSFILE)"
        )
    if any("=" not in field for field in text.partition("?")[2].split("&") if field):
        # SQLAlchemy leaves it out, and with it what a password with a question mark ends in.
        raise Invalid(
            f"registry {shown}: what follows its question mark is not NAME=VALUE; write a question"
            " mark that belongs to a name as %3F"
        )
    if unknown := sorted(url.query.keys() - PARAMETERS):
        # Its name may be the rest of a password that has a question mark.
        near = difflib.get_close_matches(unknown[0], PARAMETERS, n=1)
        raise Invalid(
            f"registry {shown}: it has an unknown parameter;"
            + (f" did you mean {near[0]}?" if near else "")
            + f" known are {', '.join(sorted(PARAMETERS))}"
        )
    if not url.database:
        raise Invalid(f"registry {shown}: it names no database; write …HOST/DATABASE")
    return url.set(drivername="postgresql+psycopg")


def _holds_password(url: URL) -> bool:
    """Whether there is a password, or a part that is one, written without its escapes.

    libpq reads a database with = in it as a whole connection string ("Parameter Key Words").
    """
    hosts = url.normalized_query.get("host", ())
    return (
        url.password is not None
        or any(name.casefold() == "password" for name in url.query)
        or ":" in (url.username or "")
        or any(sign in (url.database or "") for sign in "@/:=")
        or any("@" in host for host in (url.host or "", *hosts))
    )


def _shown(url: URL) -> str:
    """The kind alone: any other part may be a password that was written without its escapes."""
    return f"{url.drivername}://…"
