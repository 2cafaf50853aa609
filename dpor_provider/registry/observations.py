"""What people saw on the portal, confirmed one by one or imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from dpor_provider.errors import Conflict
from dpor_provider.model import Action, Observation
from dpor_provider.registry import access, designations
from dpor_provider.registry.database import Database
from dpor_provider.registry.tables import observations
from dpor_provider.registry.writer import Writer


def read(connection: Connection) -> dict[str, Observation]:
    """The latest observation of each subscription."""
    return {
        row.subscription_id: Observation(**row._mapping)
        for row in connection.execute(select(observations))
    }


class Observations:
    """Reads and records observations."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def all(self) -> dict[str, Observation]:
        """The latest observation of each subscription."""
        with self._database.read() as connection:
            return read(connection)

    def confirm(self, seen: Observation, seen_version: int | None = None) -> bool:
        """Record what one person saw; True if it makes a pending designation effective.

        The person has then also ended what access was revoked there.

        Args:
            seen: What the person saw.
            seen_version: The version of the designation that it was compared with.

        Raises:
            Conflict: the designation is no longer at `seen_version`.
            Refused: the writer holds no role at the subscription.
        """
        attempt = f"confirm subscription {seen.subscription_id}"
        with self._writer.observation(seen.subscription_id, attempt) as connection:
            row = designations.find(connection, seen.subscription_id)
            if seen_version is not None and (row is None or row.version != seen_version):
                raise Conflict(
                    f"subscription {seen.subscription_id} was changed meanwhile; nothing was"
                    " confirmed, see what is designated now with: dpor worklist"
                )
            access.carry_out(connection, seen.subscription_id, seen.observed_at)
            return self._record(connection, seen, Action.CONFIRM)

    def record(self, seen: Iterable[Observation]) -> int:
        """Record many, all or nothing; returns how many pending designations became effective.

        Raises:
            Refused: the writer is no Global Administrator.
        """
        with self._writer.everything("import observations") as connection:
            return sum(self._record(connection, item, Action.OBSERVE) for item in seen)

    def _record(self, connection: Connection, seen: Observation, action: Action) -> bool:
        connection.execute(
            delete(observations).where(observations.c.subscription_id == seen.subscription_id)
        )
        connection.execute(insert(observations).values(asdict(seen)))
        designation = designations.find(connection, seen.subscription_id)
        effective = (
            designation is not None
            and not designation.effective
            and designation.partner_id == seen.partner_id
            and designations.mark_effective(connection, designation)
        )
        self._writer.record(
            connection,
            action,
            subscription_id=seen.subscription_id,
            partner_id=seen.partner_id,
            version=designation.version if designation else None,
            detail=seen.partner_name,
        )
        return effective
