"""The record of where a deployment comes from, as the audit log keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from dpor_provider.errors import Invalid
from dpor_provider.printable import line

LONGEST = 1000
"""Characters of a value that are kept; no issuer's or pipeline's own is longer."""


def is_plain(text: str) -> bool:
    """Whether a text can be recorded as it stands."""
    return 0 < len(text) <= LONGEST and line(text) == text


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a deployment comes from; no value can do harm where it is stored or shown.

    A value is one line of printable text, at most `LONGEST` characters; None where it is not known.
    """

    provider: str
    """Whose pipeline it is: github, gitlab, azure-pipelines, bitbucket, circleci, jenkins, …"""
    verified: bool = False
    """Whether an issuer signed it; else it is the environment's word, which anybody can set."""
    issuer: str | None = None
    repository: str | None = None
    repository_id: str | None = None
    """The number that the repository keeps when it is renamed."""
    owner_id: str | None = None
    """The number of the organisation, user or group that the repository belongs to."""
    commit: str | None = None
    ref: str | None = None
    """Fully qualified where the pipeline tells: refs/heads/main."""
    ref_protected: str | None = None
    """true or false."""
    workflow: str | None = None
    """The file that says what the pipeline runs."""
    environment: str | None = None
    environment_protected: str | None = None
    """true or false."""
    event: str | None = None
    """What started the run: push, schedule, …"""
    run_id: str | None = None
    run_url: str | None = None
    pull_request: str | None = None
    actor: str | None = None
    """Who started the run, as the pipeline names people."""
    claimed_approver: str | None = None
    """Who approved the deployment, as a step of the pipeline says; a claim beside a token, too."""
    token_id: str | None = None
    """The id of the OIDC token that proves it."""
    token_expires_at: str | None = None
    """When no further check of that token can succeed (RFC 3339)."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "verified" and value is not None:
                object.__setattr__(self, field.name, line(value)[:LONGEST] or None)

    def to_json(self) -> str:
        """As the audit log keeps it: what is known, in one order (canonical, to be hashed)."""
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return json.dumps(known, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """What `to_json` wrote, by this version or a newer one.

        Raises:
            Invalid: it is nothing that `to_json` writes.
        """
        try:
            kept = json.loads(text)
            known = {field.name: kept[field.name] for field in fields(cls) if field.name in kept}
            if not all(
                isinstance(value, bool if name == "verified" else str)
                for name, value in known.items()
            ):
                raise TypeError
            return cls(**known)
        except (ValueError, TypeError, RecursionError) as error:
            raise Invalid(
                "a deployment's provenance cannot be read; look for what altered the record with:"
                " dpor registry verify"
            ) from error
