"""The registry's tables as a server changes them: reading is the same, each write is one call."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

from typing_extensions import override

from dpor_provider.model import (
    Access,
    Action,
    Agreement,
    Designation,
    Grant,
    Observation,
    Partner,
)
from dpor_provider.provenance import Demand, Evidence
from dpor_provider.registry import access, demands, designations, directory, observations, roles
from dpor_provider.registry.database import Database
from dpor_provider.registry.designations import Owner
from dpor_provider.registry.parts import Parts
from dpor_provider.registry.postgresql.calls import Calls
from dpor_provider.registry.postgresql.server import Postgresql


def server_parts(server: Postgresql, database: Database, evidence: Evidence) -> Parts:
    """The parts of a registry on a server."""
    calls = Calls(server, database, evidence)
    return Parts(
        ServerPartners(database, calls),
        ServerDesignations(database, calls),
        ServerObservations(database, calls),
        ServerRoles(database, calls),
        ServerAccess(database, calls),
        ServerDemands(database, calls),
    )


class ServerDesignations(designations.Designations):
    """Designations on a server."""

    def __init__(self, database: Database, calls: Calls) -> None:
        self._database = database
        self._calls = calls

    @override
    def designate(
        self,
        subscription_id: str,
        partner_id: str,
        *,
        seen_version: int,
        owner: Owner | None,
        action: Action = Action.DESIGNATE,
        former_partner_id: str | None = None,
    ) -> Designation:
        return _designation(
            self._calls(
                "designate",
                subscription_id=subscription_id,
                partner_id=partner_id,
                seen_version=seen_version,
                managed_by=owner.managed_by if owner else None,
                claim=owner.claim if owner else None,
                action=action.value,
                former_partner_id=former_partner_id,
            )
        )

    @override
    def adopt(
        self,
        subscription_id: str,
        partner_id: str,
        *,
        seen_version: int,
        owner: Owner,
        former_partner_id: str | None = None,
    ) -> Designation:
        return _designation(
            self._calls(
                "adopt",
                subscription_id=subscription_id,
                partner_id=partner_id,
                seen_version=seen_version,
                managed_by=owner.managed_by,
                claim=owner.claim,
                former_partner_id=former_partner_id,
            )
        )

    @override
    def withdraw(self, subscription_id: str, *, seen_version: int) -> Designation:
        return _designation(
            self._calls("withdraw", subscription_id=subscription_id, seen_version=seen_version)
        )

    @override
    def release(self, subscription_id: str, *, seen_version: int) -> Designation:
        return _designation(
            self._calls("release", subscription_id=subscription_id, seen_version=seen_version)
        )


class ServerPartners(directory.Partners):
    """The directory on a server."""

    def __init__(self, database: Database, calls: Calls) -> None:
        self._database = database
        self._calls = calls

    @override
    def add(self, partner: Partner) -> None:
        directory.require_well_formed(partner)
        row = directory.as_row(partner)
        expires = partner.agreement.expires if partner.agreement else None
        row["agreement_expires"] = expires.isoformat() if expires else None
        self._calls("add-partner", **row)

    @override
    def rename(self, partner_id: str, name: str) -> Partner:
        return _partner(self._calls("rename-partner", partner_id=partner_id, name=name))

    @override
    def retire(self, partner_id: str, replaced_by: str | None) -> Partner:
        return _partner(
            self._calls("retire-partner", partner_id=partner_id, replaced_by=replaced_by)
        )

    @override
    def renumber(self, partner_id: str, new_id: str) -> Partner:
        directory.require_partner_id(new_id)
        return _partner(self._calls("renumber-partner", partner_id=partner_id, new_id=new_id))

    @override
    def agree(self, partner_id: str, agreement: Agreement | None) -> Partner:
        expires = agreement.expires if agreement else None
        return _partner(
            self._calls(
                "agree-with-partner",
                partner_id=partner_id,
                agreement=agreement.reference if agreement else None,
                agreement_expires=expires.isoformat() if expires else None,
            )
        )

    @override
    def know_by(
        self,
        partner_id: str,
        *,
        principals: Collection[str] = (),
        tenants: Collection[str] = (),
        without: Collection[str] = (),
    ) -> Partner:
        return _partner(
            self._calls(
                "know-partner-by",
                partner_id=partner_id,
                principals=list(principals),
                tenants=list(tenants),
                without=list(without),
            )
        )


class ServerRoles(roles.Roles):
    """Roles on a server; a principal is a login of it."""

    def __init__(self, database: Database, calls: Calls) -> None:
        self._database = database
        self._calls = calls

    @override
    def grant(self, grant: Grant) -> None:
        self._calls(
            "grant",
            principal=grant.principal,
            role=grant.role.value,
            scope=roles.read_scope(grant.scope),
        )

    @override
    def ungrant(self, grant: Grant) -> None:
        self._calls("ungrant", principal=grant.principal, role=grant.role.value, scope=grant.scope)


class ServerDemands(demands.Demands):
    """What is demanded, on a server."""

    def __init__(self, database: Database, calls: Calls) -> None:
        self._database = database
        self._calls = calls

    @override
    def add(self, demand: Demand) -> None:
        roles.read_scope(demand.scope)
        self._calls("add-demand", **demands.as_row(demand))

    @override
    def remove(self, scope: str) -> Demand:
        return demands.from_row(self._calls("remove-demand", scope=scope))


class ServerAccess(access.AccessTable):
    """Access of partners, on a server."""

    def __init__(self, database: Database, calls: Calls) -> None:
        self._database = database
        self._calls = calls

    @override
    def add(
        self, scope: str, principal: str, role: str, partner_id: str, condition: str | None = None
    ) -> Access:
        return _access(
            self._calls(
                "add-access",
                scope=roles.read_scope(scope),
                principal=principal,
                role=role,
                partner_id=partner_id,
                condition=condition,
            )
        )

    @override
    def remove(self, scope: str, principal: str, role: str) -> Access:
        return _access(self._calls("remove-access", scope=scope, principal=principal, role=role))

    @override
    def revoke(self, subscription_id: str, ids: Collection[str]) -> tuple[Access, ...]:
        revoked = self._calls("revoke-access", subscription_id=subscription_id, ids=sorted(ids))
        return tuple(map(_access, revoked))

    @override
    def restore(self, subscription_id: str, principal: str | None = None) -> tuple[Access, ...]:
        restored = self._calls(
            "restore-access", subscription_id=subscription_id, principal=principal
        )
        return tuple(map(_access, restored))


class ServerObservations(observations.Observations):
    """What people saw on the portal, on a server, which itself notes by whom and when."""

    def __init__(self, database: Database, calls: Calls) -> None:
        self._database = database
        self._calls = calls

    @override
    def confirm(self, seen: Observation, seen_version: int | None = None) -> bool:
        return bool(
            self._calls(
                "confirm",
                subscription_id=seen.subscription_id,
                partner_id=seen.partner_id,
                partner_name=seen.partner_name,
                seen_version=seen_version,
            )
        )

    @override
    def record(self, seen: Iterable[Observation]) -> int:
        return int(
            self._calls(
                "observe",
                seen=[
                    {
                        "subscription_id": item.subscription_id,
                        "partner_id": item.partner_id,
                        "partner_name": item.partner_name,
                    }
                    for item in seen
                ],
            )
        )


def _designation(row: dict[str, Any]) -> Designation:
    return Designation(**row | {"designated_at": _time(row["designated_at"])})


def _access(row: dict[str, Any]) -> Access:
    known = {field.name: row[field.name] for field in fields(Access)}
    return Access(**known | {"granted_at": _time(row["granted_at"])})


def _partner(row: dict[str, Any]) -> Partner:
    expires = row["agreement_expires"]
    return directory.from_row(
        row | {"agreement_expires": date.fromisoformat(expires) if expires else None}
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
