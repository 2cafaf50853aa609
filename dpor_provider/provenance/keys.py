"""The public keys that issuers publish."""

from __future__ import annotations

from typing import Any

from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.provenance.extra import jwt
from dpor_provider.provenance.fetch import TIMEOUT, fetch
from dpor_provider.provenance.trust import ALGORITHMS

DISCOVERY = "/.well-known/openid-configuration"
"""Where an issuer describes itself (OpenID Connect Discovery 1.0, section 4)."""

LIFESPAN = 300.0
"""Seconds that keys are kept; a key that its issuer withdrew counts no longer than that."""

COOLDOWN = 30.0
"""Seconds between two looks for a key that was not among those kept."""


class Keys:
    """The public keys of issuers, fetched when they are needed and kept for a while.

    Args:
        lifespan: Seconds that keys are kept.
        cooldown: Seconds between two looks for an unknown key.
        timeout: Seconds that an issuer may take to answer.
    """

    def __init__(
        self, lifespan: float = LIFESPAN, cooldown: float = COOLDOWN, timeout: float = TIMEOUT
    ) -> None:
        self._options = (lifespan, cooldown, timeout)
        self._issuers: dict[str, _Issuer] = {}

    def find(self, issuer: str, key_id: str) -> jwt.PyJWK:
        """The issuer's key of this name.

        Raises:
            Invalid: the issuer publishes none of this name.
            Unavailable: what it publishes cannot be had.
        """
        client = self._issuers.setdefault(issuer, _Issuer(issuer, *self._options))
        try:
            return client.get_signing_key(key_id)
        except jwt.exceptions.PyJWKSetError:
            raise Unavailable(
                f"{issuer} publishes no key for {' or '.join(ALGORITHMS)}; see that it is the"
                " issuer of pipelines' tokens"
            ) from None
        except jwt.PyJWKClientError:
            raise Invalid(
                f"the OIDC token is signed with a key that {issuer} does not publish, or no"
                " longer; take a new token from that issuer"
            ) from None


class _Issuer(jwt.PyJWKClient):
    def __init__(self, issuer: str, lifespan: float, cooldown: float, timeout: float) -> None:
        super().__init__(
            issuer.removesuffix("/") + DISCOVERY,
            lifespan=lifespan,
            cooldown_duration=cooldown,
            timeout=timeout,
        )
        self._issuer = issuer

    def fetch_data(self) -> dict[str, Any]:
        """Get the keys from where the issuer says that they are, which must be its own place."""
        about = fetch(self.uri, "what the issuer says of itself", timeout=self.timeout)
        place = about.get("jwks_uri")
        if about.get("issuer") != self._issuer:
            raise Unavailable(
                f"{self.uri} describes another issuer than {self._issuer}; demand the issuer by"
                " the very name that it gives itself"
            )
        if not isinstance(place, str) or _origin(place) != _origin(self.uri):
            raise Unavailable(
                f"{self._issuer} says that its keys (jwks_uri) are at another place than its own"
            )
        found = fetch(place, "the issuer's keys", timeout=self.timeout)
        keys = found.get("keys")
        return {"keys": [key for key in keys if _usable(key)] if isinstance(keys, list) else []}


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def _usable(key: object) -> bool:
    return (
        isinstance(key, dict)
        and key.get("kty") in ("RSA", "EC")
        and key.get("alg") in (None, *ALGORITHMS)
        and "d" not in key  # a private key that everybody can read
    )
