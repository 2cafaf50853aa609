"""Roles with their scopes: who may designate where."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from dpor_provider.errors import Invalid, Refused
from dpor_provider.model import (
    ROOT_SCOPE,
    Action,
    Grant,
    Role,
    subscription_scope,
    subscription_uuid,
)
from dpor_provider.registry import tables
from dpor_provider.registry.database import Database

if TYPE_CHECKING:
    from dpor_provider.registry.writer import Writer


_ALL = select(tables.grants).order_by(*tables.grants.primary_key)
_HELD = _ALL.where(tables.grants.c.principal == bindparam("principal"))


def grants(connection: Connection, principal: str | None = None) -> tuple[Grant, ...]:
    """The grants of one principal, or all of them."""
    rows = (
        connection.execute(_ALL)
        if principal is None
        else connection.execute(_HELD, {"principal": principal})
    )
    return tuple(Grant(row.principal, Role(row.role), row.scope) for row in rows)


def read_scope(text: str) -> str:
    """A scope in its canonical form.

    Raises:
        Invalid: it is neither `/` nor `/subscriptions/UUID`.
    """
    if text == ROOT_SCOPE:
        return text
    prefix, _, identifier = text.rpartition("/")
    subscription_id = subscription_uuid(identifier)
    if prefix != "/subscriptions" or subscription_id is None:
        raise Invalid(f"{text!r} is no scope; write / or /subscriptions/UUID")
    return subscription_scope(subscription_id)


class Roles:
    """Reads and changes the roles."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def all(self) -> tuple[Grant, ...]:
        """Every grant, ordered by principal."""
        with self._database.read() as connection:
            return grants(connection)

    def grant(self, grant: Grant) -> None:
        """Give a role.

        Raises:
            Invalid: it is held already, its scope is none, or it is Global Administrator at a
                subscription.
            Refused: the writer is no Global Administrator.
        """
        grant = replace(grant, scope=read_scope(grant.scope))
        if grant.role is Role.GLOBAL_ADMINISTRATOR and grant.scope != ROOT_SCOPE:
            raise Invalid("Global Administrator has no scope below /; grant Owner there instead")
        with self._writer.everything(f"grant {describe(grant)}") as connection:
            try:
                connection.execute(insert(tables.grants).values(_row(grant)))
            except IntegrityError:
                raise Invalid(f"{describe(grant)} is granted already") from None
            self._writer.record(connection, Action.GRANT, detail=describe(grant))

    def ungrant(self, grant: Grant) -> None:
        """Take a role away.

        Raises:
            Invalid: it is not held.
            Refused: the writer is no Global Administrator, or this is the last one.
        """
        with self._writer.everything(f"ungrant {describe(grant)}") as connection:
            held = tables.grants.c
            removed = connection.execute(
                delete(tables.grants).where(
                    held.principal == grant.principal,
                    held.role == grant.role.value,
                    held.scope == grant.scope,
                )
            )
            if not removed.rowcount:
                raise Invalid(f"{describe(grant)} is not granted; see: dpor registry show")
            if not any(left.role is Role.GLOBAL_ADMINISTRATOR for left in grants(connection)):
                raise Refused(
                    "the last Global Administrator cannot be removed; grant the role to"
                    " somebody else first"
                )
            self._writer.record(connection, Action.UNGRANT, detail=describe(grant))


def _row(grant: Grant) -> dict[str, str]:
    return {"principal": grant.principal, "role": grant.role.value, "scope": grant.scope}


def describe(grant: Grant) -> str:
    """One grant in words."""
    return f"{grant.role} at {grant.scope} to {grant.principal}"
