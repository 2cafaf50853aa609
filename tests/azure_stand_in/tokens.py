"""Bearer tokens of the stand-in's own: JWTs that it signs, and checks when they come back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import jwt

from .errors import ArmError, unauthorized
from .estate import Group, Principal, ServicePrincipal, User
from .rbac import Caller

AUDIENCES = (
    "https://management.azure.com",
    "https://management.azure.com/",
    "https://management.core.windows.net",
    "https://management.core.windows.net/",
)
LIFETIME = 3600.0
MAX_GROUPS = 200


class Tokens:
    """Issues tokens and checks them.

    Args:
        groups_of: Gives the groups that a principal is in, for the `groups` claim.
        clock: Unix time, so that a test can move it.
    """

    def __init__(
        self,
        groups_of: Callable[[str], set[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = secrets.token_hex(32)
        self._groups_of = groups_of
        self._clock = clock
        self._expired_before = 0
        self.issued = 0

    def issue(
        self,
        principal: Principal,
        *,
        audience: str = AUDIENCES[0],
        lifetime: float = LIFETIME,
        groups: bool = False,
    ) -> str:
        """A token for a principal.

        Args:
            audience: What it is for.
            lifetime: Seconds until it expires; negative for one that has expired.
            groups: Whether it carries the `groups` claim, which an application may ask for; for a
                principal in more than 200 groups it says so instead, as Entra does.
        """
        if isinstance(principal, Group):
            raise ValueError("a group has no token")
        self.issued += 1
        now = self._clock()
        claims: dict[str, object] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{principal.tenant_id}/",
            "iat": int(now + min(lifetime, 0)),
            "nbf": int(now + min(lifetime, 0)),
            "exp": int(now + lifetime),
            "oid": principal.id,
            "sub": principal.id,
            "tid": principal.tenant_id,
            "ver": "1.0",
            "uti": str(self.issued),
        }
        if principal.directory_roles:
            claims["wids"] = sorted(principal.directory_roles)
        if isinstance(principal, User):
            claims |= {"idtyp": "user", "name": principal.name, "unique_name": principal.name}
            if principal.home_tenant_id:
                claims["idp"] = f"https://sts.windows.net/{principal.home_tenant_id}/"
        if isinstance(principal, ServicePrincipal):
            claims |= {"idtyp": "app", "appid": principal.application_id}
        if groups:
            claims |= self._groups_claim(principal)
        return jwt.encode(claims, self._key, algorithm="HS256", headers={"typ": "JWT"})

    def expire_all(self) -> None:
        """Let every token that was issued until now be expired."""
        self._expired_before = self.issued

    def check(self, authorization: str | None) -> Caller:
        """Who calls.

        Args:
            authorization: The request's header.

        Raises:
            ArmError: 401: no token, or one that is expired, for another audience or not ours.
        """
        if not authorization:
            raise unauthorized(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
            )
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized(
                "AuthenticationFailedInvalidHeader",
                "Authentication failed. The 'Authorization' header is provided in an invalid "
                "format.",
            )
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=AUDIENCES,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidAudienceError:
            raise unauthorized(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource. It should "
                f"exactly match with one of the allowed audiences '{AUDIENCES[3]}', "
                f"'{AUDIENCES[2]}', '{AUDIENCES[1]}', '{AUDIENCES[0]}'.",
            ) from None
        except jwt.InvalidTokenError:
            raise unauthorized(
                "InvalidAuthenticationToken", "The access token is invalid."
            ) from None
        if claims["exp"] <= self._clock() or int(claims["uti"]) <= self._expired_before:
            raise self._expired(claims["exp"])
        name = claims.get("unique_name") or claims.get("appid") or claims["oid"]
        return Caller(claims["oid"], claims["tid"], name)

    def _expired(self, at: float) -> ArmError:
        def when(seconds: float) -> str:
            return time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime(seconds))

        return unauthorized(
            "ExpiredAuthenticationToken",
            f"The access token expiry UTC time '{when(at)}' is earlier than current UTC time "
            f"'{when(self._clock())}'.",
        )

    def _groups_claim(self, principal: Principal) -> dict[str, object]:
        groups = sorted(self._groups_of(principal.id))
        if len(groups) > MAX_GROUPS:
            return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}
        return {"groups": groups}
