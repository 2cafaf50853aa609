"""The system of record, put together."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from dpor_provider.model import (
    ROOT_SCOPE,
    Access,
    Designation,
    Directory,
    Grant,
    Observation,
    Role,
)
from dpor_provider.provenance import Evidence
from dpor_provider.registry import (
    access,
    audit,
    demands,
    designations,
    directory,
    observations,
    roles,
    url,
)
from dpor_provider.registry.backup import backup
from dpor_provider.registry.chain import Head
from dpor_provider.registry.create import create
from dpor_provider.registry.database import Database, identity
from dpor_provider.registry.parts import Parts
from dpor_provider.registry.sqlite import Sqlite
from dpor_provider.registry.upgrade import upgrade
from dpor_provider.registry.url import on_server
from dpor_provider.registry.verify import Verified, verify
from dpor_provider.registry.writer import Writer


@dataclass(frozen=True, slots=True)
class Content:
    """All that decides on a designation, read in one transaction and a handful of queries."""

    identity: str
    directory: Directory
    designations: dict[str, Designation]
    former_partners: Mapping[str, frozenset[str]]
    grants: tuple[Grant, ...]
    access: tuple[Access, ...]
    observations: dict[str, Observation]


class Registry:
    """A registry, opened by a principal.

    Opening costs nothing: the first read or write says whether it can be reached.
    """

    def __init__(self, database: Database, parts: Parts, principal: Callable[[], str]) -> None:
        self._database = database
        self._principal = principal
        self.name = database.name
        self.partners = parts.partners
        self.designations = parts.designations
        self.observations = parts.observations
        self.roles = parts.roles
        self.access = parts.access
        self.demands = parts.demands
        self.audit = audit.AuditLog(database)

    @functools.cached_property
    def principal(self) -> str:
        """Who acts: the user of the operating system, or the login that a server knows.

        Raises:
            Unavailable: the server cannot be reached.
        """
        return self._principal()

    def identity(self) -> str:
        """The registry's identity, which no other registry has."""
        with self._database.read() as connection:
            return identity(connection)

    def verify(self, exported: Head | None = None) -> Verified:
        """Whether the log is whole and the tables hold what it says (`verify.verify`)."""
        return verify(self._database, exported)

    def backup(self, file: Path) -> None:
        """Copy everything into a SQLite file, as of one moment (`backup.backup`)."""
        backup(self._database, file)

    def exposed(self) -> str | None:
        """Who else may reach the registry's file, in words; None where that is nobody."""
        return self._database.exposed()

    def read(self) -> Content:
        """Everything at once, as of one moment.

        Raises:
            Unavailable: the registry cannot be read.
        """
        with self._database.read() as connection:
            return Content(
                identity=identity(connection),
                directory=directory.read(connection),
                designations=designations.read(connection),
                former_partners=designations.former_partners(connection),
                grants=roles.grants(connection),
                access=access.read(connection),
                observations=observations.read(connection),
            )


def open_registry(
    text: str | None,
    *,
    start: Path | None = None,
    principal: str | None = None,
    before_commit: Callable[[], None] | None = None,
) -> Registry:
    """Open the registry at a URL (`dpor_provider.registry.url.resolve` reads it).

    Args:
        text: The URL; None means the default.
        start: Where the search for Pulumi.yaml begins; the working folder by default.
        principal: Who acts, on a SQLite registry; the user of the operating system by default. A
            server knows by itself.
        before_commit: What an embedded registry calls when it has the turn to write and is about to
            commit; a server looks by itself whether its client is still there.

    Raises:
        Invalid: the URL cannot be read.
    """
    return _open(url.resolve(text, start), principal, before_commit)


def init_registry(
    text: str | None, *, start: Path | None = None, principal: str | None = None
) -> Registry:
    """Make a registry, with its maker as Global Administrator.

    Raises:
        Invalid: the URL cannot be read, or there is a registry already.
        Unavailable: the place cannot be written.
    """
    place = url.resolve(text, start)
    if on_server(place):
        from dpor_provider.registry.postgresql.server import Postgresql

        Postgresql(place).create()
    else:
        maker = principal or operating_system_user()
        create(place, Grant(maker, Role.GLOBAL_ADMINISTRATOR, ROOT_SCOPE))
    return _open(place, principal)


def upgrade_registry(
    text: str | None, *, start: Path | None = None, principal: str | None = None
) -> tuple[str, str]:
    """Bring a registry to this version's schema (`dpor_provider.registry.upgrade.upgrade`)."""
    opened = _open(url.resolve(text, start), principal)
    return upgrade(opened._database, opened.principal)


def _open(
    place: URL, principal: str | None, before_commit: Callable[[], None] | None = None
) -> Registry:
    if on_server(place):
        from dpor_provider.registry.postgresql.server import Postgresql
        from dpor_provider.registry.postgresql.writes import server_parts

        server = Postgresql(place)
        database = Database(server)
        return Registry(
            database, server_parts(server, database, Evidence(os.environ)), server.session_user
        )
    database = Database(Sqlite(place, before_commit))
    who = principal or operating_system_user()
    writer = Writer(database, who, Evidence(os.environ))
    parts = Parts(
        directory.Partners(database, writer),
        designations.Designations(database, writer),
        observations.Observations(database, writer),
        roles.Roles(database, writer),
        access.AccessTable(database, writer),
        demands.Demands(database, writer),
    )
    return Registry(database, parts, lambda: who)


def operating_system_user() -> str:
    """The user that the operating system knows, whatever the environment claims."""
    if hasattr(os, "geteuid"):
        import pwd

        try:
            return pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            return f"uid-{os.geteuid()}"
    return getpass.getuser()
