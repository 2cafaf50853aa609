"""Whether the tables hold what the audit log says: a row that no entry accounts for was forged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from dpor_provider.model import (
    DESIGNATION_CHANGES,
    ROOT_SCOPE,
    Action,
    AuditEntry,
    Designation,
    Grant,
    Role,
)
from dpor_provider.registry import demands, designations, directory, roles
from dpor_provider.registry.chain import Unreadable

Recorded = tuple[int | None, str | None, str | None]
"""What the log keeps of a designation: version, Partner ID, owner."""


@dataclass(slots=True)
class Account:
    """Designations, roles, demands and partners as they follow from the log's entries."""

    _designations: dict[str, Recorded] = field(default_factory=dict)
    _grants: set[str] = field(default_factory=set)
    _demands: set[str] = field(default_factory=set)
    _partners: dict[str, dict[str, Any]] = field(default_factory=dict)

    def noting(
        self, entries: Iterable[AuditEntry | Unreadable]
    ) -> Iterator[AuditEntry | Unreadable]:
        """Take note of entries on their way, in the log's order."""
        for entry in entries:
            if isinstance(entry, AuditEntry):
                self._note(entry)
            yield entry

    def differences(self, connection: Connection) -> Iterator[str]:
        """Say which designations, roles, demands and partners are not as the log says."""
        rows = {key: _recorded(row) for key, row in designations.read(connection).items()}
        for subscription_id in sorted(rows.keys() | self._designations.keys()):
            row, logged = rows.get(subscription_id), self._designations.get(subscription_id)
            if row != logged:
                yield (
                    f"the designation of subscription {subscription_id} is"
                    f" {_words(row)}, the log says {_words(logged)}"
                )
        held = {roles.describe(grant) for grant in roles.grants(connection)}
        for text in sorted(held - self._grants):
            yield f"the log knows nothing of a role that is held: {text}"
        for text in sorted(self._grants - held):
            yield f"a role that the log knows is not held: {text}"
        demanded = {demands.describe(demand) for demand in demands.read(connection)}
        for text in sorted(demanded - self._demands):
            yield f"the log knows nothing of a demand that holds: {text}"
        for text in sorted(self._demands - demanded):
            yield f"a demand that the log knows does not hold: {text}"
        partners = {
            partner.id: json.loads(directory.describe(partner))
            for partner in directory.read(connection).partners.values()
        }
        for partner_id in sorted(partners.keys() | self._partners.keys()):
            logged_partner = self._partners.get(partner_id)
            row_partner = partners.get(partner_id)
            if row_partner is None or logged_partner is None:
                where = "is missing in the directory" if logged_partner else "is not in the log"
                yield f"partner {partner_id} {where}"
                continue
            # An entry of an older version knows fewer properties.
            changed = sorted(
                key for key, value in logged_partner.items() if row_partner.get(key) != value
            )
            if changed:
                yield f"partner {partner_id} is not as the log says: {', '.join(changed)}"

    def _note(self, entry: AuditEntry) -> None:
        if entry.action in DESIGNATION_CHANGES and entry.subscription_id:
            self._designations[entry.subscription_id] = (
                entry.version,
                entry.partner_id,
                entry.managed_by,
            )
        elif entry.action is Action.INIT:
            maker = Grant(entry.actor, Role.GLOBAL_ADMINISTRATOR, ROOT_SCOPE)
            self._grants.add(roles.describe(maker))
        elif entry.action is Action.GRANT:
            self._grants.add(entry.detail or "")
        elif entry.action is Action.UNGRANT:
            self._grants.discard(entry.detail or "")
        elif entry.action is Action.DEMAND:
            self._demands.add(entry.detail or "")
        elif entry.action is Action.UNDEMAND:
            self._demands.discard(entry.detail or "")
        elif entry.partner_id and entry.action.startswith("partner-"):
            self._note_partner(entry.partner_id, _partner(entry.detail))

    def _note_partner(self, partner_id: str, partner: dict[str, Any]) -> None:
        for former_id in partner.get("former_ids", ()):
            if self._partners.pop(former_id, None) is not None:
                for other in self._partners.values():
                    if other.get("replaced_by") == former_id:
                        other["replaced_by"] = partner_id
        self._partners[partner_id] = partner


def _partner(detail: str | None) -> dict[str, Any]:
    """What an entry says of a partner; nothing, where it was altered into something else."""
    try:
        found = json.loads(detail or "{}")
        former_ids = [*found.get("former_ids", ())]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return found if all(isinstance(one, str) for one in former_ids) else {}


def _recorded(row: Designation) -> Recorded:
    return row.version, row.partner_id, row.managed_by


def _words(recorded: Recorded | None) -> str:
    if recorded is None:
        return "that there is none"
    version, partner_id, managed_by = recorded
    owner = f" of {managed_by}" if managed_by else ""
    return f"{partner_id or 'no partner'}{owner} at version {version}"
