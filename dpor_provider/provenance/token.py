"""Verifying an OIDC token of a pipeline (RFC 7519, RFC 8725, OpenID Connect Core 1.0).

What its claims say is recorded as verified provenance. It proves where a deployment comes from, to
whoever runs this code; it is no login at a registry's server.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from dpor_provider.errors import Invalid, Refused
from dpor_provider.provenance.claims import Claims
from dpor_provider.provenance.extra import jwt
from dpor_provider.provenance.fetch import parse_object
from dpor_provider.provenance.keys import Keys
from dpor_provider.provenance.provenance import Provenance
from dpor_provider.provenance.trust import DEMANDABLE, Trust, Verified

LARGEST = 16 * 1024
"""Characters; a GitLab token that lists its user's groups comes to a few thousand."""

LEEWAY = timedelta(seconds=60)
"""How far the issuer's clock and this machine's may be apart."""

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
"""A signed token (RFC 7515, section 7.1)."""

FORBIDDEN = ("crit", "jku", "jwk", "x5c", "x5u")
"""Headers that would change how a token is read, or bring a key of its own along."""


def verify(token: str, trust: Trust, *, now: datetime, keys: Keys) -> Verified:
    """Check a token in every respect, and say what it proves.

    Whether it was used before is not checked: the caller keeps `Verified.token_id`.

    Args:
        token: The token, in its compact form.
        trust: Which tokens count.
        now: The time, with its zone.
        keys: Where the issuer's keys come from.

    Raises:
        Invalid: it is not a valid token of that issuer for that audience at this time.
        Refused: it is, but not from where the trust demands.
        Unavailable: the issuer's keys cannot be had.
    """
    header = _header(token, trust)
    payload = _signed(token, trust, keys.find(trust.issuer, header["kid"]))
    claims = Claims(_object(payload, "payload"))
    if not claims.has("iss", trust.issuer):
        raise Invalid(f"the OIDC token is of another issuer than {trust.issuer}")
    if not claims.has("aud", trust.audience):
        raise Invalid(
            f"the OIDC token is not for the audience {trust.audience} alone; ask the pipeline for"
            " one that is"
        )
    expires_at = _in_time(claims, trust, now)
    provenance = claims.provenance(trust.issuer)
    _demanded(provenance, trust)
    return Verified(provenance, claims.text("jti"), expires_at)


def _header(token: str, trust: Trust) -> dict[str, Any]:
    if len(token) > LARGEST:
        raise Invalid(f"the OIDC token is longer than {LARGEST // 1024} KiB; pass a token alone")
    if not COMPACT.fullmatch(token):
        raise Invalid(
            "the OIDC token is not three parts of base64url with a dot between them; pass the"
            " token as the pipeline gives it, without blanks or quotes"
        )
    encoded = token.split(".")[0]
    try:
        text = jwt.utils.base64url_decode(encoded)
    except ValueError:
        raise Invalid("the OIDC token's header is no base64url; take a new token") from None
    header = _object(text, "header")
    if found := [name for name in FORBIDDEN if name in header]:
        raise Invalid(f"the OIDC token's header has {found[0]}, which no pipeline's token needs")
    if header.get("typ") != "JWT":
        raise Invalid("the OIDC token is of another type than JWT; pass the pipeline's ID token")
    if header.get("alg") not in trust.algorithms:
        raise Invalid(
            f"the OIDC token is not signed with {' or '.join(trust.algorithms)}, as its issuer's"
            " are"
        )
    if not isinstance(header.get("kid"), str):
        raise Invalid("the OIDC token does not name the key that signed it (kid)")
    return header


def _signed(token: str, trust: Trust, key: jwt.PyJWK) -> bytes:
    signatures = jwt.PyJWS(trust.algorithms, {"enforce_minimum_key_length": True})
    try:
        payload: bytes = signatures.decode(token, key, trust.algorithms)
    except jwt.InvalidKeyError:
        raise Invalid(
            f"the key of {trust.issuer} that signed the OIDC token is of a size or kind that proves"
            " nothing; its operator must replace it"
        ) from None
    except jwt.PyJWTError:
        raise Invalid(
            f"the OIDC token's signature is not of {trust.issuer}: the token was altered, or"
            " another made it; take a new one"
        ) from None
    return payload


def _in_time(claims: Claims, trust: Trust, now: datetime) -> datetime:
    clock, leeway = now.timestamp(), LEEWAY.total_seconds()
    issued, begins, ends = (claims.seconds(name) for name in ("iat", "nbf", "exp"))
    if ends <= clock - leeway:
        raise Invalid("the OIDC token has expired; take a new one in the job that deploys")
    if max(issued, begins) > clock + leeway:
        raise Invalid(
            "the OIDC token is not valid yet; set the clock of this machine, or of its issuer"
        )
    if ends - issued > trust.longest_life.total_seconds():
        raise Invalid(
            f"the OIDC token lives longer than the {trust.longest_life.total_seconds():.0f}"
            " seconds that are trusted; give the job a shorter timeout"
        )
    return datetime.fromtimestamp(ends, UTC) + LEEWAY


def _demanded(provenance: Provenance, trust: Trust) -> None:
    for name in DEMANDABLE:
        demanded, found = getattr(trust, name), getattr(provenance, name)
        if demanded is not None and demanded != found:
            raise Refused(
                f"the deployment's {name} is {found or 'not said'}, by its OIDC token, where"
                f" {demanded} is demanded; deploy from there"
            )


def _object(text: bytes, part: str) -> dict[str, Any]:
    try:
        return parse_object(text)
    except ValueError:
        raise Invalid(f"the OIDC token's {part} is no JSON object with each name once") from None
