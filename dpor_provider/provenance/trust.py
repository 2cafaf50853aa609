"""Which tokens count: whose, for whom, and from which repository and environment."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dpor_provider.errors import Invalid
from dpor_provider.provenance.provenance import LONGEST, Provenance, is_plain

ALGORITHMS = ("RS256", "ES256")
"""Signatures that a public key verifies, in issuers' use (RFC 7518)."""

DEMANDABLE = (
    "repository_id",
    "owner_id",
    "repository",
    "workflow",
    "ref",
    "ref_protected",
    "environment",
    "environment_protected",
)
"""What a trust may demand, by the names of `Provenance`: the same value, to the letter."""

IDENTIFYING = ("repository_id", "owner_id", "repository")
"""One issuer serves everybody: what tells one's own repositories from all others."""

LOOPBACK = r"http://(?:127\.0\.0\.1|localhost)"
ISSUER = re.compile(
    rf"(?:https://[a-z0-9.-]+|{LOOPBACK})(?::[0-9]+)?(?:/[A-Za-z0-9._~-]+)*/?", re.ASCII
)
"""An issuer's URL (OpenID Connect Discovery 1.0, section 2): no login, query or fragment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Which tokens count.

    Raises:
        Invalid: a value could never be met, or would let in more than it says.
    """

    issuer: str
    """The URL that signs, and that publishes its keys."""
    audience: str
    """The name that pipelines must have asked a token for; of this registry, and nobody else's."""
    repository_id: str | None = None
    owner_id: str | None = None
    repository: str | None = None
    workflow: str | None = None
    ref: str | None = None
    ref_protected: str | None = None
    environment: str | None = None
    environment_protected: str | None = None
    algorithms: tuple[str, ...] = ALGORITHMS
    longest_life: timedelta = timedelta(hours=1)
    """From issue to expiry. GitHub's tokens live minutes, GitLab's as long as the job may."""

    def __post_init__(self) -> None:
        if not ISSUER.fullmatch(self.issuer):
            raise Invalid(
                "a trusted issuer is an https URL in lower case without login, query or fragment,"
                " such as https://token.actions.githubusercontent.com"
            )
        if not self.algorithms or not set(self.algorithms) <= set(ALGORITHMS):
            raise Invalid(f"a trusted issuer's algorithms are among {', '.join(ALGORITHMS)}")
        for name in ("audience", *DEMANDABLE):
            value = getattr(self, name)
            if value is not None and not (is_plain(value) and value == value.strip()):
                raise Invalid(
                    f"the {name} that is demanded of a token must be 1 to {LONGEST} printable"
                    " characters without blanks around them"
                )


@dataclass(frozen=True, slots=True)
class Demand:
    """A scope under which no designation and no access changes without a token that counts.

    Raises:
        Invalid: any repository of the issuer would meet it.
    """

    scope: str
    trust: Trust

    def __post_init__(self) -> None:
        if not any(getattr(self.trust, name) for name in IDENTIFYING):
            raise Invalid(
                f"anybody can have a token from {self.trust.issuer}; say whose repository with"
                " --repository-id (or --owner-id, --repository)"
            )


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token proves, and what it takes to accept it from one login alone."""

    provenance: Provenance
    token_id: str
    """Unique for the issuer; whoever must refuse a replay keeps it until `expires_at`."""
    expires_at: datetime
    """When no further check of the token can succeed; in UTC."""

    @property
    def recorded(self) -> Provenance:
        """As the audit log keeps it, with the token that proves it."""
        return replace(
            self.provenance,
            token_id=self.token_id,
            token_expires_at=self.expires_at.isoformat(),
        )
