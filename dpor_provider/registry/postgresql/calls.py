"""Writing to a registry on a server: each change is one call of one function, which checks it.

A call carries a mark of its own, so that it can be repeated when the connection is lost and nobody
can tell whether it was committed: the server answers a repeated call and does not carry it out
again.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from dpor_provider.errors import Conflict, DporError, Invalid, Refused, Unavailable
from dpor_provider.provenance import Evidence, Provenance
from dpor_provider.registry import demands, tables
from dpor_provider.registry.database import Database
from dpor_provider.registry.postgresql.server import Postgresql, sqlstate

PERFORM = text(
    "SELECT dpor.perform(:operation, CAST(:arguments AS jsonb), CAST(:request AS uuid),"
    " :provenance, :known_schema)"
)
PATIENCE_S = 30
REPEATED = {"40001", "40P01"}
"""serialization_failure, deadlock_detected: the whole transaction is to be repeated."""

LOST = {"57P01", "57P02", "57P03"}
"""admin_shutdown, crash_shutdown, cannot_connect_now."""

ENDINGS: dict[str, type[DporError]] = {
    "refused": Refused,
    "conflict": Conflict,
    "invalid": Invalid,
}


class Calls:
    """The only way in which a registry on a server is changed."""

    def __init__(self, server: Postgresql, database: Database, evidence: Evidence) -> None:
        self._server = server
        self._database = database
        self._evidence = evidence

    def __call__(self, operation: str, **arguments: object) -> Any:
        """Have an operation carried out once.

        Args:
            operation: One that `functions/perform.sql` knows.
            arguments: What it needs: strings, integers, None, and lists and objects of them.

        Returns:
            What it answers, as JSON.

        Raises:
            Conflict: the record is not at the version that was seen.
            Invalid: an argument is not what it must be.
            Refused: the login holds no role for it, the partner may not be designated, or there is
                no OIDC token that meets the demand.
            Unavailable: the server cannot be reached; the error says where it is not known whether
                the change was recorded. Or a token, or its issuer's keys, cannot be had.
        """
        reply = self._repeated(operation, arguments, self._evidence.provenance)
        if "demanded" in reply:
            try:
                shown = self._evidence.meet(demands.from_row(reply["demanded"]))
            except Refused as problem:
                lacking = {"lacking": str(problem)}
                reply = self._repeated(operation, arguments | lacking, self._evidence.provenance)
            else:
                reply = self._repeated(operation, arguments, shown.recorded)
        if "demanded" in reply:
            raise Conflict(
                "what the registry demands was changed meanwhile, or the server's clock is ahead of"
                " this machine's; nothing was written, run it again"
            )
        if "schema" in reply:
            self._database.require_schema(str(reply["schema"]))
        for ending, kind in ENDINGS.items():
            if ending in reply:
                raise kind(reply[ending])
        return reply["done"]

    def _repeated(
        self, operation: str, arguments: dict[str, object], provenance: Provenance | None
    ) -> dict[str, Any]:
        values = {
            "operation": operation,
            "arguments": json.dumps(arguments),
            "request": str(uuid.uuid4()),
            "provenance": provenance.to_json() if provenance else None,
            "known_schema": tables.SCHEMA,
        }
        sent = False

        def again(error: BaseException) -> bool:
            nonlocal sent
            lost = isinstance(error, DBAPIError) and (
                error.connection_invalidated or sqlstate(error) in LOST
            )
            sent = sent or lost
            return isinstance(error, DBAPIError) and (
                lost or sqlstate(error) in REPEATED or (sent and sqlstate(error) is None)
            )

        try:
            return Retrying(
                retry=retry_if_exception(again),
                stop=stop_after_delay(PATIENCE_S),
                wait=wait_exponential_jitter(multiplier=0.1, max=3),
                reraise=True,
            )(self._once, values)
        except DataError as error:
            raise Invalid(f"registry {self._server.name}: {self._server.cause(error)}") from error
        except DBAPIError as error:
            unknown = (
                "; the connection was lost, and whether the change was recorded is not known: see"
                " dpor registry history, or run it again, which repeats nothing"
                if sent
                else ""
            )
            raise Unavailable(
                f"registry {self._server.name}: {self._server.cause(error)}{unknown}"
            ) from error

    def _once(self, values: dict[str, object]) -> dict[str, Any]:
        with self._server.connection() as connection:
            reply: dict[str, Any] = connection.execute(PERFORM, values).scalar_one()
            return reply
