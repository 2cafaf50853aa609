"""Writes down a registry with content as the code that is found makes it: a release's dumps."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

from support import postgres
from support.released import (
    ADMIN,
    CONTOSO,
    DEPLOYER,
    DUMPS,
    FABRIKAM,
    NORTHWIND,
    ONE,
    OTHER,
    READER,
)

from dpor_provider.errors import DporError
from dpor_provider.model import Grant, Observation, Partner, Role
from dpor_provider.registry import Owner, Registry, init_registry, open_registry

PIPELINE = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "woodgrove/estate",
    "GITHUB_RUN_ID": "42",
    "GITHUB_SHA": "0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_ACTOR": DEPLOYER,
}
SEEN_AT = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def fill(opened: Callable[[str], Registry]) -> None:
    """Use everything that the version has, as its administrator and as a deployer."""
    _administer(opened(ADMIN))
    os.environ.update(PIPELINE)
    deployer = opened(DEPLOYER)
    for name in PIPELINE:
        del os.environ[name]
    _deploy(deployer)
    _use_what_came_later(opened(ADMIN))


def _administer(admin: Registry) -> None:
    gone = Grant(READER, Role.CONTRIBUTOR, "/")
    admin.roles.grant(Grant(DEPLOYER, Role.OWNER, f"/subscriptions/{ONE}"))
    admin.roles.grant(gone)
    admin.roles.ungrant(gone)
    admin.partners.add(
        Partner(CONTOSO, "Contoso Consulting", former_ids=("3456789",), principals=("sp-contoso",))
    )
    admin.partners.add(Partner(FABRIKAM, "Fabrikam"))
    admin.partners.rename(FABRIKAM, "Fabrikam Cloud Services")
    admin.partners.add(Partner(NORTHWIND, "Northwind „Traders“ 北風; it's"))
    admin.partners.retire(NORTHWIND, FABRIKAM)
    admin.designations.designate(ONE, CONTOSO, seen_version=0, owner=None)
    admin.designations.designate(OTHER, CONTOSO, seen_version=0, owner=None)
    admin.designations.withdraw(OTHER, seen_version=1)
    admin.access.add(f"/subscriptions/{ONE}", "sp-contoso", "Reader", CONTOSO)
    admin.access.add("/", "sp-fabrikam", "Reader", FABRIKAM, "@Resource[name] == 'it''s'")
    admin.observations.record([Observation(OTHER, FABRIKAM, "Fabrikam", ADMIN, SEEN_AT)])


def _deploy(deployer: Registry) -> None:
    owner = Owner("estate/prod/payments", "4f" * 32)
    deployer.designations.designate(ONE, FABRIKAM, seen_version=1, owner=owner)
    held = [one.id for one in deployer.access.all() if one.principal == "sp-contoso"]
    deployer.access.revoke(ONE, held)
    name = "Fabrikam Cloud Services"
    deployer.observations.confirm(Observation(ONE, FABRIKAM, name, DEPLOYER, SEEN_AT))
    with suppress(DporError):
        deployer.partners.rename(CONTOSO, "Evil Corp")


def _use_what_came_later(admin: Registry) -> None:
    if hasattr(admin.partners, "agree"):
        from dpor_provider.model import Agreement

        admin.partners.agree(CONTOSO, Agreement("DSA-1", date(2027, 6, 30)))
        admin.partners.renumber(CONTOSO, "4567891")
    if hasattr(admin, "demands"):
        from dpor_provider.provenance import Demand, Trust

        trust = Trust(issuer="https://issuer.example.com", audience="dpor", repository_id="74")
        admin.demands.add(Demand(f"/subscriptions/{OTHER}", trust))


def sqlite() -> tuple[str, str]:
    """The schema of a registry in a file, and its dump."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "registry.db"
        init_registry(f"sqlite:///{file}", principal=ADMIN)
        fill(lambda principal: open_registry(f"sqlite:///{file}", principal=principal))
        with closing(sqlite3.connect(file)) as connection:
            (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            (kind,) = connection.execute("PRAGMA application_id").fetchone()
            lines = [f"PRAGMA application_id = {kind};", *connection.iterdump()]
    return schema, "".join(f"{line}\n" for line in lines)


def postgresql() -> tuple[str, str]:
    """The same on a server."""
    server = postgres.server()
    database = server.database()
    init_registry(server.url(ADMIN, database))
    for login in (DEPLOYER, READER):
        server.login(login)
        server.admit(login, database)
    fill(lambda principal: open_registry(server.url(principal, database)))
    with server.connect(ADMIN, database) as connection:
        row = connection.execute("SELECT version_num FROM dpor.alembic_version").fetchone()
    assert row is not None
    return str(row[0]), server.dump(database)


def main() -> None:
    """Write the dumps of the version of dpor-provider that is found."""
    schema, made = sqlite()
    (DUMPS / f"sqlite-{schema}.sql").write_text(made, "utf-8")
    # Until 0003 there was none on a server.
    if find_spec("dpor_provider.registry.postgresql"):
        schema, made = postgresql()
        (DUMPS / f"postgresql-{schema}.sql").write_text(made, "utf-8")


if __name__ == "__main__":
    main()
