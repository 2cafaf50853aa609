"""Scopes under which nothing changes without an OIDC token that counts, and by whom one was used.

A demand holds for designations and access. It does not hold for what people see (a confirmation, an
import) nor for what a Global Administrator does to the registry itself: who may remove a demand
needs none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from dpor_provider.errors import Invalid, Refused
from dpor_provider.model import ROOT_SCOPE, Action, subscription_scope
from dpor_provider.provenance import Demand, Trust, Verified
from dpor_provider.provenance.trust import DEMANDABLE
from dpor_provider.registry import chain, tables
from dpor_provider.registry.database import Database
from dpor_provider.registry.roles import read_scope

if TYPE_CHECKING:
    from dpor_provider.registry.writer import Writer


_SCOPE = tables.demands.c.scope
_OVER = (
    select(tables.demands)
    .where(_SCOPE.in_([ROOT_SCOPE, bindparam("own")]))
    .order_by(func.length(_SCOPE).desc())
    .limit(1)
)


def read(connection: Connection) -> Iterator[Demand]:
    """Every demand, ordered by scope."""
    for row in connection.execute(select(tables.demands).order_by(tables.demands.c.scope)):
        yield from_row(dict(row._mapping))


def over(connection: Connection, subscription_id: str) -> Demand | None:
    """The demand that holds at a subscription: its own, else the one at `/`."""
    row = connection.execute(_OVER, {"own": subscription_scope(subscription_id)}).one_or_none()
    return from_row(dict(row._mapping)) if row else None


def take(connection: Connection, shown: Verified, principal: str) -> None:
    """Note who uses a token; it is nobody else's until it expires.

    Raises:
        Refused: another principal used it before.
    """
    uses = tables.token_uses
    now = datetime.now(UTC)
    connection.execute(delete(uses).where(uses.c.expires_at < now))
    issuer = shown.provenance.issuer
    user = connection.execute(
        select(uses.c.principal).where(uses.c.issuer == issuer, uses.c.token_id == shown.token_id)
    ).scalar_one_or_none()
    if user is None:
        connection.execute(
            insert(uses).values(
                issuer=issuer,
                token_id=shown.token_id,
                principal=principal,
                expires_at=shown.expires_at,
            )
        )
    elif user != principal:
        raise Refused(f"the OIDC token was used by {user} before; take a token of your own")


class Demands:
    """Reads and changes what is demanded."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def all(self) -> tuple[Demand, ...]:
        """Every demand, ordered by scope."""
        with self._database.read() as connection:
            return tuple(read(connection))

    def add(self, demand: Demand) -> None:
        """Demand a token for every change of designations and access under a scope.

        Raises:
            Invalid: the scope is none, or has a demand already.
            Refused: the writer is no Global Administrator.
        """
        scope = read_scope(demand.scope)
        with self._writer.everything(f"demand tokens at {scope}") as connection:
            try:
                connection.execute(insert(tables.demands).values(as_row(demand)))
            except IntegrityError:
                raise Invalid(
                    f"there is a demand at {scope} already; remove it first with: dpor registry"
                    f" demand remove {scope}"
                ) from None
            self._writer.record(connection, Action.DEMAND, detail=describe(demand))

    def remove(self, scope: str) -> Demand:
        """Demand nothing more at a scope; takes no token.

        Raises:
            Invalid: nothing is demanded there.
            Refused: the writer is no Global Administrator.
        """
        with self._writer.everything(f"remove the demand at {scope}") as connection:
            removed = next((demand for demand in read(connection) if demand.scope == scope), None)
            if removed is None:
                raise Invalid(f"nothing is demanded at {scope}; see: dpor registry demand list")
            connection.execute(delete(tables.demands).where(tables.demands.c.scope == scope))
            self._writer.record(connection, Action.UNDEMAND, detail=describe(removed))
        return removed


def as_row(demand: Demand) -> dict[str, str | None]:
    """A demand as the table keeps it."""
    values = {name: getattr(demand.trust, name) for name in ("issuer", "audience", *DEMANDABLE)}
    return {"scope": demand.scope, **values}


def from_row(row: Mapping[str, Any]) -> Demand:
    """A demand from its row."""
    return Demand(row["scope"], Trust(**{key: row[key] for key in row if key != "scope"}))


def describe(demand: Demand) -> str:
    """One demand as the audit log keeps it."""
    return chain.canonical(as_row(demand))
