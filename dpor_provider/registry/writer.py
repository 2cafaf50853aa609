"""Writes by a principal: the role is checked inside the transaction, and a refusal is recorded."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator

from sqlalchemy import Connection

from dpor_provider.errors import Refused
from dpor_provider.model import Action, Deployer, Role
from dpor_provider.registry import audit, roles
from dpor_provider.registry.database import Database


class Writer:
    """The only way in which the registry is changed."""

    def __init__(self, database: Database, principal: str, provenance: str | None = None) -> None:
        self._database = database
        self.principal = principal
        self._provenance = provenance

    def record(
        self,
        connection: Connection,
        action: Action,
        *,
        subscription_id: str | None = None,
        partner_id: str | None = None,
        previous_partner_id: str | None = None,
        former_partner_id: str | None = None,
        version: int | None = None,
        managed_by: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Append an entry to the audit log; it stands or falls with the transaction."""
        audit.record(
            connection,
            self.principal,
            action,
            subscription_id=subscription_id,
            partner_id=partner_id,
            previous_partner_id=previous_partner_id,
            former_partner_id=former_partner_id,
            version=version,
            managed_by=managed_by,
            detail=detail,
            provenance=self._provenance,
        )

    @contextlib.contextmanager
    def subscription(self, subscription_id: str, attempt: str) -> Iterator[Connection]:
        """A transaction that may change one subscription's record and access.

        Raises:
            Refused: the principal is neither Global Administrator nor Owner or Contributor at or
                above the subscription; the refusal is in the audit log.
        """
        with self._transaction(attempt, subscription_id) as connection:
            if not self._deployer(connection).may_designate(subscription_id):
                command = f"dpor registry grant {shlex.quote(self.principal)} Owner"
                raise Refused(
                    f"{self.principal} may not {attempt}: it holds none of Global Administrator,"
                    f" Owner and Contributor at or above subscription {subscription_id}; ask a"
                    f" Global Administrator to run: {command}"
                    f" --scope /subscriptions/{subscription_id}"
                )
            yield connection

    @contextlib.contextmanager
    def everything(self, attempt: str) -> Iterator[Connection]:
        """A transaction of a Global Administrator.

        Raises:
            Refused: the principal is none; the refusal is in the audit log.
        """
        with self._transaction(attempt) as connection:
            grants = self._deployer(connection).grants
            if not any(grant.role is Role.GLOBAL_ADMINISTRATOR for grant in grants):
                raise Refused(
                    f"{self.principal} may not {attempt}: only a Global Administrator may;"
                    " see who is one with: dpor registry show"
                )
            yield connection

    def _deployer(self, connection: Connection) -> Deployer:
        return Deployer(self.principal, roles.grants(connection, self.principal))

    @contextlib.contextmanager
    def _transaction(
        self, attempt: str, subscription_id: str | None = None
    ) -> Iterator[Connection]:
        try:
            with self._database.write() as connection:
                yield connection
        except Refused as refusal:
            with self._database.write() as connection:
                self.record(
                    connection,
                    Action.REFUSE,
                    subscription_id=subscription_id,
                    detail=f"{attempt}: {refusal}",
                )
            raise
