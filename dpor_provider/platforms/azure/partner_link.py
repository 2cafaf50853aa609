"""Partner Admin Link: the partner to which the signed-in identity is linked, read and written.

Sources: Microsoft.ManagementPartner 2018-02-01 (its OpenAPI description, and recorded answers,
which differ from it); Microsoft's "Link a partner ID to your account".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from dpor_provider.errors import DporError, Unavailable
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.errors import azure_errors
from dpor_provider.platforms.azure.identity import Identity
from dpor_provider.printable import line

NO_LINK = "NotFound"
"""Azure's code for an identity without a link; any other 404 says nothing about it."""

DELETED = "deleted"

NO_RECORD = "have a record for this partner id"
NO_ACCOUNT = "does not have an account in this tenant"
"""What Azure's refusals say, in lower case."""


@dataclass(frozen=True, slots=True)
class Link:
    """What an identity is linked to."""

    partner_id: str
    partner_name: str | None
    """As Azure says it, if it does."""
    version: int | None
    """Counts the changes, also over an end and a new beginning."""
    etag: int | None
    state: str | None
    changed_at: datetime | None
    """In UTC. The time of creation, which Azure gives too, is that of the first link ever."""

    def __str__(self) -> str:
        """The partner, and which change made it so."""
        name = f" ({self.partner_name})" if self.partner_name else ""
        version = f", version {self.version}" if self.version is not None else ""
        since = f", since {self.changed_at:%Y-%m-%d %H:%M:%S} UTC" if self.changed_at else ""
        return line(f"partner {self.partner_id}{name}{version}{since}")


class PartnerLinks:
    """The signed-in identity's link; nobody else's can be read or written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = connection.client(
            extra.managementpartner.ACEProvisioningManagementPartnerAPI
        )

    def identity(self) -> Identity:
        """Who is signed in.

        Raises:
            Unavailable: there is no sign-in that works.
        """
        return self._connection.identity()

    def find(self) -> Link | None:
        """The link; None if there is none.

        Raises:
            Unavailable: it cannot be read, which is not to say that there is none.
        """
        doing = "reading this identity's partner link"
        with _explained(doing):
            try:
                found = self._client.partners.get()
            except ResourceNotFoundError as error:
                if getattr(error.error, "code", None) == NO_LINK:
                    return None
                raise
        if found is not None and str(found.state).lower() == DELETED:
            return None
        if found is None or not found.partner_id:
            raise Unavailable(
                f"{doing}: the answer names no partner; see whether a proxy answers in Azure's"
                " place"
            )
        return Link(
            partner_id=found.partner_id,
            partner_name=found.partner_name or None,
            version=found.version,
            etag=found.etag,
            state=found.state,
            changed_at=found.updated_time.astimezone(UTC) if found.updated_time else None,
        )

    def link(self, partner_id: str) -> None:
        """Link an identity that has no link.

        Raises:
            Conflict: it has one.
            Invalid: Azure refuses the ID, or the identity.
            Unavailable: Azure cannot be reached; the link may have been made.
        """
        with _explained(f"linking this identity to partner {partner_id}", partner_id):
            self._client.partner.create(partner_id)

    def change(self, partner_id: str) -> None:
        """Link an identity to another partner than now.

        Raises:
            Invalid: Azure refuses the ID, or the identity.
            Unavailable: it has no link, or Azure cannot be reached; the change may have been made.
        """
        with _explained(f"changing this identity's link to partner {partner_id}", partner_id):
            self._client.partner.update(partner_id)

    def unlink(self, partner_id: str) -> None:
        """End the link to this partner; a link to another one stays.

        Raises:
            Unavailable: there is none to this partner, or Azure cannot be reached; the link may
                have ended.
        """
        with _explained(f"ending this identity's link to partner {partner_id}"):
            self._client.partner.delete(partner_id)


@contextlib.contextmanager
def _explained(doing: str, partner_id: str | None = None) -> Iterator[None]:
    """Azure's errors, with what to do where Azure's own text does not say it."""
    try:
        with azure_errors(doing):
            yield
    except DporError as error:
        advice = _advice(error.__cause__, partner_id)
        if advice is None:
            raise
        raise type(error)(f"{error}; {advice}") from error.__cause__


def _advice(cause: BaseException | None, partner_id: str | None) -> str | None:
    if not isinstance(cause, HttpResponseError):
        return None
    said = str(getattr(cause.error, "message", None) or "").lower()
    if NO_ACCOUNT in said:
        return (
            "an identity is linked in its own tenant: let the customer's administrator make a"
            " service principal or invite the user there, and sign in to that tenant"
            " (AZURE_TENANT_ID); a CSP partner's delegated administrator cannot be linked"
        )
    if NO_RECORD in said and partner_id is not None and partner_id.isdecimal():
        return (
            "a global account ID cannot be linked; the first location ID is"
            f" {int(partner_id) + 1}, if {partner_id} is one: ask the partner which of its location"
            " IDs to link"
        )
    return None
