"""The directory of partners: the authority on Partner IDs, names and status."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from dpor_provider.errors import Invalid
from dpor_provider.model import Action, Agreement, Directory, Partner, Status
from dpor_provider.partner_id import malformed
from dpor_provider.registry.database import Database
from dpor_provider.registry.tables import partners
from dpor_provider.registry.writer import Writer

_ALL = select(partners).order_by(partners.c.id)
_ONE = select(partners).where(partners.c.id == bindparam("partner_id"))


def read(connection: Connection) -> Directory:
    """The whole directory."""
    rows = connection.execute(_ALL)
    return Directory.of(from_row({**row._mapping}) for row in rows)


def find(connection: Connection, partner_id: str) -> Partner | None:
    """The entry that has this Partner ID now."""
    row = connection.execute(_ONE, {"partner_id": partner_id}).one_or_none()
    return from_row({**row._mapping}) if row else None


def from_row(row: Mapping[str, Any]) -> Partner:
    """An entry from its columns."""
    agreement = row["agreement"]
    return Partner(
        id=row["id"],
        name=row["name"],
        former_ids=tuple(row["former_ids"]),
        former_names=tuple(row["former_names"]),
        status=Status(row["status"]),
        replaced_by=row["replaced_by"],
        principals=tuple(row["principals"]),
        tenants=tuple(row["tenants"]),
        agreement=Agreement(agreement, row["agreement_expires"]) if agreement else None,
    )


def as_row(partner: Partner) -> dict[str, Any]:
    """An entry as its columns."""
    return {
        "id": partner.id,
        "name": partner.name,
        "former_ids": list(partner.former_ids),
        "former_names": list(partner.former_names),
        "status": partner.status.value,
        "replaced_by": partner.replaced_by,
        "principals": list(partner.principals),
        "tenants": list(partner.tenants),
        "agreement": partner.agreement.reference if partner.agreement else None,
        "agreement_expires": partner.agreement.expires if partner.agreement else None,
    }


def require_well_formed(partner: Partner) -> None:
    """Refuse an entry whose ids are none, or are named twice, or whose agreement is filed nowhere.

    Raises:
        Invalid: an id is malformed, or there twice, or the agreement has no reference.
    """
    require_reference(partner.agreement)
    ids = (partner.id, *partner.former_ids)
    for partner_id in ids:
        require_partner_id(partner_id)
    if repeated := {one for one in ids if ids.count(one) > 1}:
        raise Invalid(f"Partner ID {min(repeated)} is named twice for {partner.name}")


def require_partner_id(text: str) -> None:
    """Refuse what is no Partner ID.

    Raises:
        Invalid: it is malformed.
    """
    if problem := malformed(text):
        raise Invalid(f"{text!r} is no Partner ID: {problem}")


def require_reference(agreement: Agreement | None) -> None:
    """Refuse an agreement that does not say where it is filed.

    Raises:
        Invalid: its reference is empty.
    """
    if agreement and not agreement.reference:
        raise Invalid("an agreement needs a reference")


class Partners:
    """Reads and changes the directory; only a Global Administrator may change it."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def directory(self) -> Directory:
        """The whole directory."""
        with self._database.read() as connection:
            return read(connection)

    def add(self, partner: Partner) -> None:
        """Enter a partner.

        Raises:
            Invalid: one of its ids is malformed or another partner's already, or a principal is.
        """
        require_well_formed(partner)
        with self._writer.everything(f"add partner {partner.id}") as connection:
            known = read(connection)
            for partner_id in (partner.id, *partner.former_ids):
                if other := known.find(partner_id):
                    raise Invalid(f"Partner ID {partner_id} is {other.name}'s already")
            _require_own(partner, known.partners.values())
            connection.execute(insert(partners).values(as_row(partner)))
            self._record(connection, Action.PARTNER_ADD, partner)

    def rename(self, partner_id: str, name: str) -> Partner:
        """Give a partner a new name; the old one stays known as a former name."""
        with self._writer.everything(f"rename partner {partner_id}") as connection:
            partner = _known(connection, partner_id)
            if partner.name == name:
                raise Invalid(f"partner {partner_id} is called {name} already")
            names = tuple(n for n in partner.former_names if n != name)
            renamed = replace(partner, name=name, former_names=(*names, partner.name))
            self._update(connection, renamed)
            self._record(connection, Action.PARTNER_RENAME, renamed)
            return renamed

    def retire(self, partner_id: str, replaced_by: str | None) -> Partner:
        """Declare that a partner must no longer be designated, and who follows it.

        Raises:
            Invalid: it is retired already, or the successor is unknown, retired or itself.
        """
        with self._writer.everything(f"retire partner {partner_id}") as connection:
            partner = _known(connection, partner_id)
            if partner.status is Status.RETIRED:
                raise Invalid(f"partner {partner_id} is retired already")
            if replaced_by is not None:
                successor = _known(connection, replaced_by)
                if successor.id == partner.id or successor.status is Status.RETIRED:
                    raise Invalid(f"partner {replaced_by} cannot succeed {partner_id}")
            retired = replace(partner, status=Status.RETIRED, replaced_by=replaced_by)
            self._update(connection, retired)
            self._record(connection, Action.PARTNER_RETIRE, retired)
            return retired

    def renumber(self, partner_id: str, new_id: str) -> Partner:
        """Give a partner another Partner ID; the old one stays known as a former one of it.

        It is the same company: no designation is switched, and no access becomes stale.

        Raises:
            Invalid: the new ID is malformed, or somebody's already.
        """
        require_partner_id(new_id)
        with self._writer.everything(f"renumber partner {partner_id}") as connection:
            partner = _known(connection, partner_id)
            if other := read(connection).find(new_id):
                raise Invalid(f"Partner ID {new_id} is {other.name}'s already")
            renumbered = replace(partner, id=new_id, former_ids=(*partner.former_ids, partner.id))
            connection.execute(delete(partners).where(partners.c.id == partner_id))
            connection.execute(insert(partners).values(as_row(renumbered)))
            connection.execute(
                update(partners)
                .where(partners.c.replaced_by == partner_id)
                .values(replaced_by=new_id)
            )
            self._record(connection, Action.PARTNER_RENUMBER, renumbered)
            return renumbered

    def agree(self, partner_id: str, agreement: Agreement | None) -> Partner:
        """Enter the data-sharing agreement with a partner; None strikes it.

        Raises:
            Invalid: the partner is unknown, or the agreement has no reference.
        """
        with self._writer.everything(f"change the agreement with {partner_id}") as connection:
            agreed = replace(_known(connection, partner_id), agreement=agreement)
            require_reference(agreement)
            self._update(connection, agreed)
            self._record(connection, Action.PARTNER_AGREEMENT, agreed)
            return agreed

    def know_by(
        self,
        partner_id: str,
        *,
        principals: Collection[str] = (),
        tenants: Collection[str] = (),
        without: Collection[str] = (),
    ) -> Partner:
        """Say by which principals and tenants a partner reaches subscriptions.

        Args:
            partner_id: The partner.
            principals: Object ids in our tenant, in addition to those that are known.
            tenants: Home tenants of the partner, in addition.
            without: Principals and tenants that are no longer the partner's.

        Raises:
            Invalid: a principal is another partner's, or what is no longer its own never was.
        """
        with self._writer.everything(f"change the principals of {partner_id}") as connection:
            partner = _known(connection, partner_id)
            if strange := set(without) - {*partner.principals, *partner.tenants}:
                raise Invalid(f"{sorted(strange)[0]} is not known of partner {partner_id}")
            known = replace(
                partner,
                principals=_changed(partner.principals, principals, without),
                tenants=_changed(partner.tenants, tenants, without),
            )
            others = read(connection).partners.values()
            _require_own(known, (other for other in others if other.id != partner_id))
            self._update(connection, known)
            self._record(connection, Action.PARTNER_PRINCIPALS, known)
            return known

    def _update(self, connection: Connection, partner: Partner) -> None:
        connection.execute(
            update(partners).where(partners.c.id == partner.id).values(as_row(partner))
        )

    def _record(self, connection: Connection, action: Action, partner: Partner) -> None:
        self._writer.record(
            connection,
            action,
            partner_id=partner.id,
            detail=describe(partner),
        )


def describe(partner: Partner) -> str:
    """An entry of the directory as JSON."""
    return json.dumps(as_row(partner), ensure_ascii=False, sort_keys=True, default=str)


def _changed(
    before: Iterable[str], added: Iterable[str], without: Collection[str]
) -> tuple[str, ...]:
    return tuple(one for one in dict.fromkeys((*before, *added)) if one not in without)


def _require_own(partner: Partner, others: Iterable[Partner]) -> None:
    for other in others:
        if shared := set(partner.principals) & set(other.principals):
            raise Invalid(f"principal {sorted(shared)[0]} is {other.name}'s already")


def _known(connection: Connection, partner_id: str) -> Partner:
    partner = read(connection).partners.get(partner_id)
    if partner is None:
        raise Invalid(f"no partner {partner_id} in the directory; see: dpor registry partner list")
    return partner
