"""Writes by a principal: the role is checked inside the transaction, and a refusal is recorded."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from dpor_provider.errors import Refused
from dpor_provider.model import Action, Deployer, Role
from dpor_provider.provenance import Demand, Evidence
from dpor_provider.registry import audit, demands, roles
from dpor_provider.registry.database import Database


class Writer:
    """The only way in which the registry is changed."""

    def __init__(self, database: Database, principal: str, evidence: Evidence) -> None:
        self._database = database
        self.principal = principal
        self._evidence = evidence

    def record(
        self,
        connection: Connection,
        action: Action,
        *,
        at: datetime | None = None,
        subscription_id: str | None = None,
        partner_id: str | None = None,
        previous_partner_id: str | None = None,
        former_partner_id: str | None = None,
        version: int | None = None,
        managed_by: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Append an entry to the audit log; it stands or falls with the transaction."""
        provenance = self._evidence.provenance
        audit.record(
            connection,
            self.principal,
            action,
            at=at,
            subscription_id=subscription_id,
            partner_id=partner_id,
            previous_partner_id=previous_partner_id,
            former_partner_id=former_partner_id,
            version=version,
            managed_by=managed_by,
            detail=detail,
            provenance=provenance.to_json() if provenance else None,
        )

    @contextlib.contextmanager
    def subscription(self, subscription_id: str, attempt: str) -> Iterator[Connection]:
        """A transaction that may change one subscription's designation and access.

        Raises:
            Refused: the principal is neither Global Administrator nor Owner or Contributor at or
                above the subscription, or has no OIDC token that meets the demand there; the
                refusal is in the audit log.
            Unavailable: a token, or its issuer's keys, cannot be had.
        """
        with self._recording_refusals(attempt, subscription_id):
            while True:
                with self._database.write() as connection:
                    self._require_role(connection, subscription_id, attempt)
                    demand = demands.over(connection, subscription_id)
                    shown = self._evidence.kept(demand) if demand else None
                    if shown:
                        demands.take(connection, shown, self.principal)
                    if shown or not demand:
                        yield connection
                        return
                # An issuer may take its time to answer: nobody else has to wait for that.
                self._meet(demand, attempt)

    @contextlib.contextmanager
    def observation(self, subscription_id: str, attempt: str) -> Iterator[Connection]:
        """A transaction that notes what a person saw at one subscription.

        Raises:
            Refused: the principal is neither Global Administrator nor Owner or Contributor at or
                above the subscription; the refusal is in the audit log.
        """
        with (
            self._recording_refusals(attempt, subscription_id),
            self._database.write() as connection,
        ):
            self._require_role(connection, subscription_id, attempt)
            yield connection

    @contextlib.contextmanager
    def everything(self, attempt: str) -> Iterator[Connection]:
        """A transaction of a Global Administrator.

        Raises:
            Refused: the principal is none; the refusal is in the audit log.
        """
        with self._recording_refusals(attempt), self._database.write() as connection:
            grants = self._deployer(connection).grants
            if not any(grant.role is Role.GLOBAL_ADMINISTRATOR for grant in grants):
                raise Refused(
                    f"{self.principal} may not {attempt}: only a Global Administrator may;"
                    " see who is one with: dpor registry show"
                )
            yield connection

    def _require_role(self, connection: Connection, subscription_id: str, attempt: str) -> None:
        if not self._deployer(connection).may_designate(subscription_id):
            command = f"dpor registry grant {shlex.quote(self.principal)} Owner"
            raise Refused(
                f"{self.principal} may not {attempt}: it holds none of Global Administrator,"
                f" Owner and Contributor at or above subscription {subscription_id}; ask a"
                f" Global Administrator to run: {command}"
                f" --scope /subscriptions/{subscription_id}"
            )

    def _meet(self, demand: Demand, attempt: str) -> None:
        try:
            self._evidence.meet(demand)
        except Refused as problem:
            raise Refused(f"{self.principal} may not {attempt}: {problem}") from problem

    def _deployer(self, connection: Connection) -> Deployer:
        return Deployer(self.principal, roles.grants(connection, self.principal))

    @contextlib.contextmanager
    def _recording_refusals(
        self, attempt: str, subscription_id: str | None = None
    ) -> Iterator[None]:
        try:
            yield
        except Refused as refusal:
            with self._database.write() as connection:
                self.record(
                    connection,
                    Action.REFUSE,
                    subscription_id=subscription_id,
                    detail=f"{attempt}: {refusal}",
                )
            raise
