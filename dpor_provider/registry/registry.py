"""The system of record, put together."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dpor_provider.model import (
    ROOT_SCOPE,
    Access,
    Designation,
    Directory,
    Grant,
    Observation,
    Role,
)
from dpor_provider.registry import (
    access,
    audit,
    database,
    designations,
    directory,
    observations,
    roles,
    url,
)
from dpor_provider.registry.create import create
from dpor_provider.registry.database import Database
from dpor_provider.registry.upgrade import upgrade
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

    def __init__(self, database: Database, principal: str) -> None:
        self._database = database
        self.name = database.name
        self.principal = principal
        writer = Writer(database, principal)
        self.partners = directory.Partners(database, writer)
        self.designations = designations.Designations(database, writer)
        self.observations = observations.Observations(database, writer)
        self.roles = roles.Roles(database, writer)
        self.access = access.AccessTable(database, writer)
        self.audit = audit.AuditLog(database)

    def identity(self) -> str:
        """The registry's identity, which no other registry has."""
        with self._database.read() as connection:
            return database.identity(connection)

    def read(self) -> Content:
        """Everything at once, as of one moment.

        Raises:
            Unavailable: the registry cannot be read.
        """
        with self._database.read() as connection:
            return Content(
                identity=database.identity(connection),
                directory=directory.read(connection),
                designations=designations.read(connection),
                former_partners=designations.former_partners(connection),
                grants=roles.grants(connection),
                access=access.read(connection),
                observations=observations.read(connection),
            )


def open_registry(
    text: str | None, *, start: Path | None = None, principal: str | None = None
) -> Registry:
    """Open the registry at a URL (`dpor_provider.registry.url.resolve` reads it).

    Args:
        text: The URL; None means the default.
        start: Where the search for Pulumi.yaml begins; the working folder by default.
        principal: Who acts; the user of the operating system by default.

    Raises:
        Invalid: the URL cannot be read.
    """
    return Registry(Database(url.resolve(text, start)), principal or operating_system_user())


def init_registry(
    text: str | None, *, start: Path | None = None, principal: str | None = None
) -> Registry:
    """Make a registry, with its maker as Global Administrator.

    Raises:
        Invalid: the URL cannot be read, or there is a registry already.
        Unavailable: the place cannot be written.
    """
    maker = principal or operating_system_user()
    made = create(url.resolve(text, start), Grant(maker, Role.GLOBAL_ADMINISTRATOR, ROOT_SCOPE))
    return Registry(made, maker)


def upgrade_registry(
    text: str | None, *, start: Path | None = None, principal: str | None = None
) -> tuple[str, str]:
    """Bring a registry to this version's schema (`dpor_provider.registry.upgrade.upgrade`)."""
    database = Database(url.resolve(text, start))
    return upgrade(database, principal or operating_system_user())


def operating_system_user() -> str:
    """The user that the operating system knows, whatever the environment claims."""
    if hasattr(os, "geteuid"):
        import pwd

        try:
            return pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            return f"uid-{os.geteuid()}"
    return getpass.getuser()
