"""The registries and platforms that the contract and end-to-end tests run on.

A further one joins by a line in `BACKENDS`.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure_stand_in.builtin_roles import OWNER, READER, SUPPORT_REQUEST_CONTRIBUTOR
from azure_stand_in.estate import (
    Estate,
    ManagementGroup,
    ServicePrincipal,
    Subscription,
    Tenant,
    assignment,
    guid,
)
from azure_stand_in.server import StandIn

from dpor_provider.model import Designation, Grant, Partner, Role
from dpor_provider.platforms import Platform, open_platform
from dpor_provider.registry import Registry, init_registry, open_registry
from dpor_provider.registry.registry import operating_system_user
from support import postgres
from support.thorough import thorough

CONTOSO = Partner("4567890", "Contoso Consulting", former_ids=("3456789",))
FABRIKAM = Partner("5127255", "Fabrikam Cloud Services")
NORTHWIND = Partner("2345678", "Northwind Traders IT")
PARTNERS = (CONTOSO, FABRIKAM, NORTHWIND)

ADMIN = "admin"
"""A Global Administrator who runs no deployment: acts behind the deployer's back."""


@dataclass(frozen=True)
class Backend:
    """A registry with three partners, and the platform over it."""

    url: str
    platform_name: str

    @property
    def config(self) -> dict[str, str]:
        """The stack's configuration."""
        return {"dpor:registry": self.url, "dpor:platform": self.platform_name}

    def url_as(self, principal: str) -> str:
        """The URL that a principal uses."""
        return self.url

    def registry(self, principal: str | None = None) -> Registry:
        """The registry, opened by a principal; by the one that runs the tests if None."""
        return open_registry(self.url_as(principal) if principal else self.url, principal=principal)

    def platform(self, principal: str | None = None) -> Platform:
        """The platform, as that principal sees it."""
        return open_platform(self.platform_name, self.registry(principal))

    @contextlib.contextmanager
    def here(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
        """What it takes to reach it, from this process and those that it starts."""
        del monkeypatch
        yield self

    @property
    def administrator(self) -> str:
        """The platform's name of a principal that may designate everywhere."""
        return ADMIN

    @property
    def deployer(self) -> str:
        """Who deploys, as messages name it."""
        return operating_system_user()

    def subscription(self, subscription_id: str | None = None) -> str:
        """A new subscription; its id."""
        return subscription_id or str(uuid.uuid4())

    def give_access_above(self, partner: Partner, principal: str) -> None:
        """Let a partner's principal hold a role above every subscription."""
        self.registry(ADMIN).access.add("/", principal, "Reader", partner.id)

    def designate(self, subscription_id: str, partner: Partner) -> Designation:
        """Designate by hand, as somebody else than the deployer."""
        registry = self.registry(ADMIN)
        row = registry.designations.find(subscription_id)
        return registry.designations.designate(
            subscription_id, partner.id, seen_version=row.version if row else 0, owner=None
        )

    def withdraw(self, subscription_id: str) -> Designation:
        """Withdraw by hand."""
        registry = self.registry(ADMIN)
        row = registry.designations.find(subscription_id)
        assert row is not None
        return registry.designations.withdraw(subscription_id, seen_version=row.version)

    def live(self, subscription_id: str) -> str | None:
        """The live partner's ID."""
        row = self.registry().designations.find(subscription_id)
        return row.partner_id if row else None

    def give_access(self, subscription_id: str, partner: Partner, principal: str) -> None:
        """Let a partner's principal hold a role at a subscription."""
        self.registry(ADMIN).access.add(
            f"/subscriptions/{subscription_id}",
            principal,
            "Support Request Contributor",
            partner.id,
        )

    def principals(self) -> set[str]:
        """The partners' principals that hold any access."""
        return {item.principal for item in self.registry().access.all()}

    def demote_deployer(self) -> None:
        """Take the deployer's role away."""
        registry = self.registry(ADMIN)
        for grant in registry.roles.all():
            if grant.principal == operating_system_user():
                registry.roles.ungrant(grant)

    def promote_deployer(self, subscription_id: str) -> None:
        """Let the deployer be Owner of a subscription."""
        scope = f"/subscriptions/{subscription_id}"
        self.registry(ADMIN).roles.grant(Grant(operating_system_user(), Role.OWNER, scope))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The turn to write, so that whoever else writes waits."""
        file = self.url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
            holder.execute("ROLLBACK")

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """No registry where it was."""
        file = Path(self.url.removeprefix("sqlite:///"))
        kept = file.rename(file.with_name("away.db"))
        yield
        assert not file.exists()
        kept.rename(file)

    def writes(self) -> list[str]:
        """The audit log's actions on designations and access, in order."""
        return [
            entry.action.value
            for entry in self.registry().audit.entries()
            if entry.subscription_id is not None
        ]


@dataclass(frozen=True)
class ServerBackend(Backend):
    """A registry on a PostgreSQL server, where each principal is a login."""

    database: str

    def url_as(self, principal: str) -> str:
        server = postgres.server()
        url = server.url(principal, self.database)
        server.admit(principal, self.database)
        return url

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        server = postgres.server()
        server.run("ALTER SCHEMA dpor RENAME TO away", self.database)
        yield
        server.run("ALTER SCHEMA away RENAME TO dpor", self.database)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        server = postgres.server()
        with server.connect(postgres.OWNER, self.database) as holder, holder.transaction():
            holder.execute("SELECT FROM dpor.registry FOR UPDATE")
            yield
            # Those who wait and are gone are seen within a second; others wait for half a minute.
            until = time.monotonic() + 10
            while holder.execute(postgres.WAITING).rowcount and time.monotonic() < until:
                time.sleep(0.1)


TENANT = Tenant(id=guid("tenant", "estate"), name="Woodgrove")


def _service_principal(name: str) -> ServicePrincipal:
    return ServicePrincipal(
        id=guid("principal", name),
        tenant_id=TENANT.id,
        name=name,
        application_id=guid("application", name),
    )


DEPLOYER, ADMINISTRATOR = _service_principal("deployer"), _service_principal("administrator")
PARTNER_PRINCIPALS = tuple(
    _service_principal(name) for name in ("sp-contoso", "sp-fabrikam", "sp-northwind")
)
TELLING = tuple(replace(one, id=one.name) for one in PARTNER_PRINCIPALS)
"""The same with ids that tell, where Azure's are UUIDs: no role is assigned to such a one."""

ROOT = ManagementGroup(name=TENANT.id, tenant_id=TENANT.id, display_name="Tenant Root Group")
GROUP = ManagementGroup(name="estate", tenant_id=TENANT.id, display_name="Estate", parent=TENANT.id)


@dataclass(frozen=True)
class AzureBackend(Backend):
    """A registry over a stand-in for Azure, whose subscriptions come with the tests."""

    stand_in: StandIn
    partner_principals: tuple[ServicePrincipal, ...] = PARTNER_PRINCIPALS

    @contextlib.contextmanager
    def here(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
        with self.stand_in.serving():
            for name, value in self.environment().items():
                monkeypatch.setenv(name, value)
            yield self

    def environment(self, principal: ServicePrincipal = DEPLOYER) -> dict[str, str]:
        """The environment of a process that acts as a principal of Azure."""
        return {
            "DPOR_AZURE_ENDPOINT": self.stand_in.url,
            "DPOR_AZURE_TOKEN": self.stand_in.token(principal),
        }

    @property
    def administrator(self) -> str:
        return ADMINISTRATOR.id

    @property
    def deployer(self) -> str:
        return f"{DEPLOYER.application_id} ({DEPLOYER.id})"

    def give_access_above(self, partner: Partner, principal: str) -> None:
        found = next(one for one in self.partner_principals if one.name == principal)
        with self.stand_in.world.lock:
            self.stand_in.world.role_assignments.put(assignment(found, READER, GROUP.scope))

    def subscription(self, subscription_id: str | None = None) -> str:
        made = Subscription(
            id=subscription_id or str(uuid.uuid4()),
            name="A subscription",
            tenant_id=TENANT.id,
            management_group="estate",
            tags={"env": "test"},
        )
        with self.stand_in.world.lock:
            self.stand_in.world.subscriptions.put(made)
        return made.id

    def give_access(self, subscription_id: str, partner: Partner, principal: str) -> None:
        found = next(one for one in self.partner_principals if one.name == principal)
        with self.stand_in.world.lock:
            made = assignment(
                found, SUPPORT_REQUEST_CONTRIBUTOR, f"/subscriptions/{subscription_id}"
            )
            self.stand_in.world.role_assignments.put(replace(made, created_on=datetime.now(UTC)))

    def principals(self) -> set[str]:
        names = {one.id: one.name for one in self.partner_principals}
        with self.stand_in.world.lock:
            held = [item.principal_id for _, item in self.stand_in.world.role_assignments.items()]
        return {names[principal] for principal in held if principal in names}

    def demote_deployer(self) -> None:
        world = self.stand_in.world
        with world.lock:
            for key, item in list(world.role_assignments.items()):
                if item.principal_id == DEPLOYER.id:
                    world.role_assignments.remove(key)
                    world.role_assignments.put(assignment(DEPLOYER, READER, item.scope))

    def promote_deployer(self, subscription_id: str) -> None:
        with self.stand_in.world.lock:
            self.stand_in.world.role_assignments.put(
                assignment(DEPLOYER, OWNER, f"/subscriptions/{subscription_id}")
            )

    def shown(self, subscription_id: str) -> tuple[object, ...]:
        """What is to be the same, however often it took: in Azure, and in the registry."""
        world = self.stand_in.world
        with world.lock:
            held = {
                (item.principal_id, item.role)
                for item in world.assignments_at(f"/subscriptions/{subscription_id}")
            }
        return world.tags(subscription_id), held, self.live(subscription_id)

    def writes(self) -> list[str]:
        # Each label is confirmed, and what is revoked is noted first.
        return [one for one in super().writes() if one not in ("confirm", "access-add")]


@dataclass(frozen=True)
class AzureServerBackend(AzureBackend, ServerBackend):
    """A registry on a PostgreSQL server, over a stand-in for Azure."""


def sqlite_azure(
    folder: Path, partner_principals: tuple[ServicePrincipal, ...] = PARTNER_PRINCIPALS
) -> AzureBackend:
    """The embedded registry over Azure, with a service principal for each partner."""
    url = f"sqlite:///{folder / 'registry.db'}"
    _fill(init_registry(url), _with_principals(partner_principals))
    return AzureBackend(url, "azure", _stand_in(partner_principals), partner_principals)


def postgresql_azure(
    _folder: Path, partner_principals: tuple[ServicePrincipal, ...] = PARTNER_PRINCIPALS
) -> AzureBackend:
    """A registry on a server over Azure, with a service principal for each partner."""
    url, database = _on_server(_with_principals(partner_principals))
    return AzureServerBackend(
        url=url,
        platform_name="azure",
        database=database,
        stand_in=_stand_in(partner_principals),
        partner_principals=partner_principals,
    )


def _stand_in(partner_principals: tuple[ServicePrincipal, ...]) -> StandIn:
    return StandIn(
        Estate(
            tenants=(TENANT,),
            principals=(DEPLOYER, ADMINISTRATOR, *partner_principals),
            management_groups=(ROOT, GROUP),
            role_assignments=(
                assignment(DEPLOYER, OWNER, GROUP.scope),
                assignment(ADMINISTRATOR, OWNER, ROOT.scope),
            ),
        )
    )


def _with_principals(partner_principals: tuple[ServicePrincipal, ...]) -> list[Partner]:
    return [
        replace(partner, principals=(principal.id,))
        for partner, principal in zip(PARTNERS, partner_principals, strict=True)
    ]


def sqlite_portal(folder: Path) -> Backend:
    """The embedded registry with people as the platform."""
    url = f"sqlite:///{folder / 'registry.db'}"
    _fill(init_registry(url))
    return Backend(url, "portal")


def postgresql_portal(_folder: Path) -> Backend:
    """A registry on a server, with people as the platform."""
    url, database = _on_server()
    return ServerBackend(url, "portal", database)


def _fill(registry: Registry, partners: Iterable[Partner] = PARTNERS) -> None:
    registry.roles.grant(Grant(ADMIN, Role.GLOBAL_ADMINISTRATOR, "/"))
    for partner in partners:
        registry.partners.add(partner)


def _on_server(partners: Iterable[Partner] = PARTNERS) -> tuple[str, str]:
    """A filled registry on a server: its URL for the deployer, and its database."""
    server = postgres.server()
    database = server.database()
    made = init_registry(server.url(postgres.OWNER, database))
    deployer = server.login(operating_system_user())
    made.roles.grant(Grant(deployer, Role.GLOBAL_ADMINISTRATOR, "/"))
    server.login(ADMIN)
    _fill(made, partners)
    url = server.url(deployer, database)
    open_registry(url).roles.ungrant(Grant(postgres.OWNER, Role.GLOBAL_ADMINISTRATOR, "/"))
    return url, database


REGISTRIES: dict[str, Callable[[Path], Backend]] = {
    "postgresql-portal": postgresql_portal,
    "sqlite-portal": sqlite_portal,
}
BACKENDS: dict[str, Callable[[Path], Backend]] = {
    **REGISTRIES,
    "postgresql-azure": lambda folder: postgresql_azure(folder, TELLING),
    "sqlite-azure": lambda folder: sqlite_azure(folder, TELLING),
}
"""The registries, and the platforms beside the portal."""

EVERYWHERE = pytest.mark.parametrize(
    "backend",
    [pytest.param(name, marks=thorough if name == "postgresql-azure" else ()) for name in BACKENDS],
    indirect=True,
)
"""Marks an end-to-end test for all of them; what two show together takes a long run."""
