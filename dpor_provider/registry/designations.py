"""Designations: who is partner of record where, changed by compare-and-swap on the version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from dpor_provider.errors import Conflict, Invalid, Refused
from dpor_provider.model import Action, Designation, Partner, Status
from dpor_provider.registry import directory
from dpor_provider.registry.database import Database
from dpor_provider.registry.tables import audit_log, designations, observations
from dpor_provider.registry.writer import Writer

_FIND = select(designations).where(designations.c.subscription_id == bindparam("own"))
_ENTER = insert(designations).on_conflict_do_nothing()
_CHANGE = update(designations).where(
    designations.c.subscription_id == bindparam("own"),
    designations.c.version == bindparam("seen_version"),
)


@dataclass(frozen=True, slots=True)
class Owner:
    """The resource that a designation belongs to."""

    managed_by: str
    """project/stack/resource name."""
    claim: str
    """The random mark of the create that owns it."""


def read(connection: Connection) -> dict[str, Designation]:
    """All rows by subscription, the withdrawn ones too."""
    columns = (designations.c[field.name] for field in fields(Designation))
    query = select(*columns).order_by(designations.c.subscription_id)
    return {row[0]: Designation(*row) for row in connection.execute(query)}


def former_partners(connection: Connection) -> Mapping[str, frozenset[str]]:
    """By subscription, the partners whose term there ended, from the whole history."""
    entry = audit_log.c
    query = (
        select(entry.subscription_id, entry.former_partner_id)
        .where(entry.former_partner_id.is_not(None))
        .distinct()
    )
    former: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(query):
        former[row.subscription_id].add(row.former_partner_id)
    return {subscription_id: frozenset(ids) for subscription_id, ids in former.items()}


class Designations:
    """Reads and changes the designations.

    Every change names the version that its caller saw (0 where there was no row). If the row has
    another by then, `Conflict` says who changed it when, and nothing is written.
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def all(self) -> dict[str, Designation]:
        """All rows by subscription, the withdrawn ones too."""
        with self._database.read() as connection:
            return read(connection)

    def find(self, subscription_id: str) -> Designation | None:
        """One subscription's row."""
        with self._database.read() as connection:
            return find(connection, subscription_id)

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
        """Record a partner; the platform has yet to show it.

        Args:
            subscription_id: The subscription's UUID.
            partner_id: A Partner ID of the directory.
            seen_version: The version of the row that the caller decided upon.
            owner: The resource that it belongs to; None for a change by hand.
            action: What the audit log calls it.
            former_partner_id: The partner whose term ends with this. A change by hand of what a
                deployment wrote ends no term: the declaration still stands.

        Raises:
            Conflict: the row is no longer at `seen_version`.
            Invalid: the partner whose term is to end never was the subscription's.
            Refused: no role, or the partner is unknown or retired.
        """
        attempt = f"designate {partner_id} for subscription {subscription_id}"
        with self._writer.subscription(subscription_id, attempt) as connection:
            partner = _designable(connection, partner_id)
            old = find(connection, subscription_id)
            base = old or _blank(subscription_id)
            _require_seen(connection, base, seen_version)
            former_partner_id = _former(
                connection, base, partner_id, former_partner_id, by_deployment=bool(owner)
            )
            new = replace(
                base,
                partner_id=partner_id,
                partner_name=partner.name,
                version=seen_version + 1,
                managed_by=owner.managed_by if owner else base.managed_by,
                claim=owner.claim if owner else None,
                written_partner_id=partner_id if owner else base.written_partner_id,
                adopted=False,
                effective=False,
                designated_by=self._writer.principal,
                designated_at=datetime.now(UTC),
                former_partner_id=former_partner_id or base.former_partner_id,
            )
            self._swap(connection, old, new, action, former_partner_id)
        return new

    def adopt(
        self,
        subscription_id: str,
        partner_id: str,
        *,
        seen_version: int,
        owner: Owner,
        former_partner_id: str | None = None,
    ) -> Designation:
        """Take a live, identical designation over: only owner and claim are written.

        Where the registry has no row yet, since a person made it on the platform, one is entered.

        Raises:
            Conflict: the row is no longer at `seen_version`.
            Invalid: the partner whose term is to end never was the subscription's.
            Refused: no role, or the partner is unknown or retired.
        """
        attempt = f"adopt the designation of subscription {subscription_id}"
        with self._writer.subscription(subscription_id, attempt) as connection:
            partner = _designable(connection, partner_id)
            old = find(connection, subscription_id)
            base = old or _blank(subscription_id)
            _require_seen(connection, base, seen_version)
            former_partner_id = _former(
                connection, base, partner_id, former_partner_id, by_deployment=True
            )
            ours = base.claim is not None and base.partner_id == partner_id
            if base.partner_id != partner_id:
                base = replace(
                    base,
                    partner_id=partner_id,
                    partner_name=partner.name,
                    effective=True,
                    designated_by=self._writer.principal,
                    designated_at=datetime.now(UTC),
                )
            new = replace(
                base,
                version=seen_version + 1,
                managed_by=owner.managed_by,
                claim=owner.claim,
                written_partner_id=partner_id,
                adopted=base.adopted if ours else True,
                former_partner_id=former_partner_id or base.former_partner_id,
            )
            self._swap(connection, old, new, Action.ADOPT, former_partner_id)
        return new

    def withdraw(self, subscription_id: str, *, seen_version: int) -> Designation:
        """End a designation; the row stays as a mark with its version.

        Raises:
            Conflict: the row is no longer at `seen_version`.
            Invalid: there is no designation.
            Refused: no role.
        """
        attempt = f"withdraw the designation of subscription {subscription_id}"
        with self._writer.subscription(subscription_id, attempt) as connection:
            old = find(connection, subscription_id)
            if old is None or (old.partner_id is None and old.version == seen_version):
                raise Invalid(f"subscription {subscription_id} has no partner of record")
            new = replace(
                old,
                partner_id=None,
                partner_name=None,
                version=seen_version + 1,
                managed_by=None,
                claim=None,
                written_partner_id=None,
                effective=False,
                designated_by=self._writer.principal,
                designated_at=datetime.now(UTC),
                former_partner_id=old.partner_id,
            )
            self._swap(connection, old, new, Action.WITHDRAW, old.partner_id)
        return new

    def release(self, subscription_id: str, *, seen_version: int) -> Designation:
        """Leave a designation as it is and give up its ownership.

        Raises:
            Conflict: the row is no longer at `seen_version`.
            Refused: no role.
        """
        attempt = f"release the designation of subscription {subscription_id}"
        with self._writer.subscription(subscription_id, attempt) as connection:
            old = find(connection, subscription_id)
            if old is None:
                raise Invalid(f"subscription {subscription_id} has no partner of record")
            new = replace(
                old, version=seen_version + 1, managed_by=None, claim=None, written_partner_id=None
            )
            self._swap(connection, old, new, Action.RELEASE, None)
        return new

    def _swap(
        self,
        connection: Connection,
        old: Designation | None,
        new: Designation,
        action: Action,
        former_partner_id: str | None,
    ) -> None:
        seen_version = new.version - 1
        if not _written(connection, new, seen_version):
            raise Conflict(_changed(connection, new.subscription_id))
        designated = old is None or new.designated_at != old.designated_at
        self._writer.record(
            connection,
            action,
            at=new.designated_at if designated else None,
            subscription_id=new.subscription_id,
            partner_id=new.partner_id,
            previous_partner_id=old.partner_id if old else None,
            former_partner_id=former_partner_id,
            version=new.version,
            managed_by=new.managed_by,
        )


def mark_effective(connection: Connection, designation: Designation) -> bool:
    """Note that the platform shows a designation, if it is still at that version."""
    row = designations.c
    result = connection.execute(
        update(designations)
        .where(
            row.subscription_id == designation.subscription_id,
            row.version == designation.version,
        )
        .values(effective=True)
    )
    return result.rowcount == 1


def find(connection: Connection, subscription_id: str) -> Designation | None:
    """One subscription's row."""
    row = connection.execute(_FIND, {"own": subscription_id}).one_or_none()
    return Designation(**row._mapping) if row else None


def _blank(subscription_id: str) -> Designation:
    return Designation(
        subscription_id=subscription_id,
        partner_id=None,
        partner_name=None,
        version=0,
        managed_by=None,
        claim=None,
        written_partner_id=None,
        adopted=False,
        effective=False,
        designated_by="",
        designated_at=datetime.now(UTC),
        former_partner_id=None,
    )


def _written(connection: Connection, new: Designation, seen_version: int) -> bool:
    row = {one.name: getattr(new, one.name) for one in designations.c}
    if not seen_version:
        return connection.execute(_ENTER, row).rowcount == 1
    seen = {"own": new.subscription_id, "seen_version": seen_version}
    return connection.execute(_CHANGE, row | seen).rowcount == 1


def _changed(connection: Connection, subscription_id: str) -> str:
    live = find(connection, subscription_id)
    if live is None:
        return "the designation vanished from the registry; run pulumi preview again"
    entry = audit_log.c
    # Confirming a version is recorded with it too, but later than the change that made it.
    change = connection.execute(
        select(entry.actor, entry.at)
        .where(entry.subscription_id == subscription_id, entry.version == live.version)
        .order_by(entry.sequence)
        .limit(1)
    ).one()
    partner = f"{live.partner_id} ({live.partner_name})" if live.partner_id else "no partner"
    return (
        f"subscription {live.subscription_id} was changed meanwhile: it has {partner} now, by"
        f" {change.actor}{f' for {live.managed_by}' if live.managed_by else ''} at"
        f" {change.at:%Y-%m-%d %H:%M:%S} UTC; nothing was written, run pulumi preview again"
    )


def _require_seen(connection: Connection, live: Designation, seen_version: int) -> None:
    if live.version != seen_version:
        raise Conflict(_changed(connection, live.subscription_id))


def _former(
    connection: Connection,
    live: Designation,
    partner_id: str,
    claimed: str | None,
    *,
    by_deployment: bool,
) -> str | None:
    """The partner whose term ends.

    Only one that the registry or the portal showed there can be named, and one that a deployment
    wrote is never passed over by another deployment.
    """
    if claimed is not None:
        seen = observations.c
        shown = connection.execute(
            select(seen.partner_id).where(seen.subscription_id == live.subscription_id)
        ).scalar_one_or_none()
        if claimed not in (live.partner_id, live.written_partner_id, shown):
            raise Invalid(
                f"partner {claimed} never was the one of subscription {live.subscription_id}"
            )
        return claimed
    written = live.written_partner_id
    if by_deployment:
        if written in (None, partner_id) or directory.read(connection).same(written, partner_id):
            return None
        return written
    return live.partner_id if written is None and live.partner_id != partner_id else None


def _designable(connection: Connection, partner_id: str) -> Partner:
    partner = directory.find(connection, partner_id)
    if partner is None:
        if renumbered := directory.read(connection).find(partner_id):
            raise Refused(
                f"Partner ID {partner_id} was renumbered: {renumbered.name} has {renumbered.id}"
                " now; designate that"
            )
        raise Refused(
            f"Partner ID {partner_id} is not in the directory; see: dpor registry partner list"
        )
    if partner.status is Status.RETIRED:
        successor = f"; its successor is {partner.replaced_by}" if partner.replaced_by else ""
        raise Refused(f"partner {partner.name} ({partner_id}) is retired{successor}")
    return partner
