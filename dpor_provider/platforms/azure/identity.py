"""Who the deployer is, by its own access token.

Source: Microsoft's "Access token claims reference". The token is our own, fresh from the
credential, and Azure verifies it on every request: it is read here, not checked.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from dpor_provider.errors import Unavailable
from dpor_provider.printable import line

LONGEST = 200
"""Characters of a name that are kept."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The principal that Azure sees."""

    object_id: str
    """In the tenant that the token is for: a guest's there, not at home."""
    tenant_id: str
    name: str
    """A user's sign-in name, else the application's id; for people."""
    directory_roles: frozenset[str]
    """Template ids of the Entra roles that the token names (`wids`)."""
    groups: frozenset[str] | None
    """The groups that the token names; None where it names none, or too many to name."""
    guest: bool
    application: bool
    """Whether it is a service principal: an application, a managed or a workload identity."""


def read_identity(token: str) -> Identity:
    """Read an access token's claims.

    Raises:
        Unavailable: it is no token of Entra's; the error does not show it.
    """
    claims = _claims(token)
    object_id, tenant_id = claims.get("oid"), claims.get("tid")
    if not isinstance(object_id, str) or not isinstance(tenant_id, str):
        raise Unavailable(
            "the Azure sign-in is of no principal of a tenant (its token has no oid or tid); sign"
            " in as a user, a service principal or a managed identity"
        )
    issuer, home = claims.get("iss"), claims.get("idp")
    groups = claims.get("groups")
    application = claims.get("idtyp") == "app"
    name = next(
        (
            claims[key]
            for key in ("upn", "preferred_username", "unique_name", "appid", "azp")
            if isinstance(claims.get(key), str)
        ),
        object_id,
    )
    return Identity(
        object_id=line(object_id)[:LONGEST].lower(),
        tenant_id=line(tenant_id)[:LONGEST].lower(),
        name=line(name)[:LONGEST],
        directory_roles=_texts(claims.get("wids")) or frozenset(),
        groups=_texts(groups),
        guest=claims.get("acct") == 1 or (isinstance(home, str) and home != issuer),
        application=application,
    )


def _claims(token: str) -> dict[str, Any]:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, binascii.Error, ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise Unavailable(
            "the Azure access token is no JWT; sign in anew, or take DPOR_AZURE_TOKEN away"
        ) from None
    return claims


def _texts(value: object) -> frozenset[str] | None:
    if not isinstance(value, list):
        return None
    return frozenset(item.lower() for item in value if isinstance(item, str))
