"""Access of partners as people maintain it, and what was removed of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dpor_provider.errors import Invalid
from dpor_provider.model import ROOT_SCOPE, Access, Action
from dpor_provider.registry.database import Database
from dpor_provider.registry.roles import read_scope
from dpor_provider.registry.tables import access, removed_access
from dpor_provider.registry.writer import Writer


@dataclass(frozen=True, slots=True)
class RemovedAccess:
    """An access that was taken away, and can be brought back."""

    subscription_id: str
    access: Access
    removed_by: str
    removed_at: datetime
    carried_out_at: datetime | None
    """When a person confirmed that it is gone where it was held; None until then."""


def removed(connection: Connection) -> tuple[RemovedAccess, ...]:
    """What was revoked and not restored, oldest first."""
    query = (
        select(removed_access)
        .where(removed_access.c.restored_at.is_(None))
        .order_by(removed_access.c.removed_at, removed_access.c.id)
    )
    return tuple(_removed(dict(row._mapping)) for row in connection.execute(query))


def read(connection: Connection) -> tuple[Access, ...]:
    """All access, ordered by scope and principal."""
    query = select(access).order_by(access.c.scope, access.c.principal, access.c.role)
    return tuple(Access(**row._mapping) for row in connection.execute(query))


class AccessTable:
    """Reads and changes the access of partners."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def all(self) -> tuple[Access, ...]:
        """All access that is held now."""
        with self._database.read() as connection:
            return read(connection)

    def removed(self) -> tuple[RemovedAccess, ...]:
        """What was revoked and not restored, oldest first."""
        with self._database.read() as connection:
            return removed(connection)

    def add(
        self, scope: str, principal: str, role: str, partner_id: str, condition: str | None = None
    ) -> Access:
        """Note that a partner's principal holds a role at a scope.

        Raises:
            Invalid: it is noted already, or `scope` is none.
        """
        held = Access(
            id=str(uuid.uuid4()),
            scope=read_scope(scope),
            principal=principal,
            role=role,
            partner_id=partner_id,
            condition=condition,
            granted_by=self._writer.principal,
            granted_at=datetime.now(UTC),
        )
        with self._write(held.scope, f"add {describe(held)}") as connection:
            self._insert(connection, held, Action.ACCESS_ADD)
        return held

    def remove(self, scope: str, principal: str, role: str) -> Access:
        """Strike an access that a person has ended; it is not kept for a restore.

        Raises:
            Invalid: there is none.
        """
        with self._write(scope, f"remove {role} of {principal} at {scope}") as connection:
            held = next(
                (
                    item
                    for item in read(connection)
                    if (item.scope, item.principal, item.role) == (scope, principal, role)
                ),
                None,
            )
            if held is None:
                raise Invalid(f"{principal} holds no {role} at {scope}; see: dpor access list")
            connection.execute(delete(access).where(access.c.id == held.id))
            self._record(connection, Action.ACCESS_REMOVE, held)
        return held

    def revoke(self, subscription_id: str, ids: Collection[str]) -> tuple[Access, ...]:
        """Remove access at a subscription's own scope, and keep what it was for a restore.

        Access that is gone already, or is inherited from above, is left out of the result.
        """
        with self._writer.subscription(subscription_id, "revoke access") as connection:
            revoked = tuple(
                item
                for item in read(connection)
                if item.id in ids and not item.inherited(subscription_id)
            )
            now = datetime.now(UTC)
            for item in revoked:
                connection.execute(
                    insert(removed_access).values(
                        **asdict(item),
                        subscription_id=subscription_id,
                        removed_by=self._writer.principal,
                        removed_at=now,
                    )
                )
                connection.execute(delete(access).where(access.c.id == item.id))
                self._record(connection, Action.ACCESS_REVOKE, item, subscription_id)
        return revoked

    def restore(self, subscription_id: str, principal: str | None = None) -> tuple[Access, ...]:
        """Bring back what was revoked at a subscription: all of it, or one principal's.

        Raises:
            Invalid: nothing was revoked there, or it is held again already.
            Refused: no role.
        """
        now = datetime.now(UTC)
        with self._writer.subscription(subscription_id, "restore access") as connection:
            chosen = [
                item
                for item in removed(connection)
                if item.subscription_id == subscription_id
                and principal in (None, item.access.principal)
            ]
            # What came back by hand and was revoked again is there more than once; the last counts.
            last = {(item.access.principal, item.access.role): item.access for item in chosen}
            if not chosen:
                raise Invalid(
                    f"nothing was revoked at subscription {subscription_id}"
                    f"{f' of {principal}' if principal else ''}; see: dpor access list --removed"
                )
            connection.execute(
                update(removed_access)
                .where(removed_access.c.id.in_([item.access.id for item in chosen]))
                .values(restored_at=now)
            )
            restored = []
            for item in last.values():
                held = replace(
                    item,
                    id=str(uuid.uuid4()),
                    granted_by=self._writer.principal,
                    granted_at=now,
                )
                self._insert(connection, held, Action.ACCESS_RESTORE, subscription_id)
                restored.append(held)
        return tuple(restored)

    def _write(self, scope: str, attempt: str) -> Any:
        if scope == ROOT_SCOPE:
            return self._writer.everything(attempt)
        return self._writer.subscription(scope.rpartition("/")[2], attempt)

    def _insert(
        self,
        connection: Connection,
        held: Access,
        action: Action,
        subscription_id: str | None = None,
    ) -> None:
        try:
            connection.execute(insert(access).values(**asdict(held)))
        except IntegrityError:
            raise Invalid(f"{describe(held)} is noted already") from None
        self._record(connection, action, held, subscription_id)

    def _record(
        self,
        connection: Connection,
        action: Action,
        held: Access,
        subscription_id: str | None = None,
    ) -> None:
        own_scope = held.scope.rpartition("/")[2] or None
        self._writer.record(
            connection,
            action,
            subscription_id=subscription_id or own_scope,
            partner_id=held.partner_id,
            detail=describe(held),
        )


def describe(held: Access) -> str:
    """One access in words."""
    condition = f" if {held.condition}" if held.condition else ""
    return f"{held.role} of {held.principal} at {held.scope}{condition}"


def carry_out(connection: Connection, subscription_id: str, at: datetime) -> None:
    """Note that a person has ended what was revoked at a subscription."""
    removed = removed_access.c
    connection.execute(
        update(removed_access)
        .where(removed.subscription_id == subscription_id, removed.carried_out_at.is_(None))
        .values(carried_out_at=at)
    )


def _removed(row: dict[str, Any]) -> RemovedAccess:
    row.pop("restored_at")
    apart = {
        key: row.pop(key)
        for key in ("subscription_id", "removed_by", "removed_at", "carried_out_at")
    }
    return RemovedAccess(access=Access(**row), **apart)
