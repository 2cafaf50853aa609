"""The claims of GitHub's and GitLab's tokens in this project's words.

Sources: GitHub's "OpenID Connect reference", GitLab's "OpenID Connect (OIDC) authentication using
ID tokens". The subject (`sub`) is never read: its form can be set by a repository's owner.
"""

from __future__ import annotations

from collections.abc import Mapping

from dpor_provider.errors import Invalid
from dpor_provider.provenance.claimed import pull_request_of
from dpor_provider.provenance.provenance import LONGEST, Provenance, is_plain

GITHUB_COM = "https://token.actions.githubusercontent.com"
GITHUB_SERVER = "/_services/token"
"""How the issuer of a GitHub Enterprise Server ends; before it is the server's own URL."""


class Claims:
    """The claims of a token whose signature is verified."""

    def __init__(self, claims: Mapping[str, object]) -> None:
        self._claims = claims

    def has(self, name: str, text: str) -> bool:
        """Whether a claim is this very text."""
        return self._claims.get(name) == text

    def text(self, name: str) -> str:
        """A claim that must be there.

        Raises:
            Invalid: it is not, or is no text that can be recorded as it stands.
        """
        value = self.optional(name)
        if value is None:
            raise Invalid(
                f"the OIDC token has no claim {name}; take one from GitHub Actions or from"
                " GitLab CI's id_tokens"
            )
        return value

    def optional(self, name: str) -> str | None:
        """A claim that may be missing; None then.

        Raises:
            Invalid: it is no text that can be recorded as it stands.
        """
        if name not in self._claims:
            return None
        value = self._claims[name]
        if not isinstance(value, str) or not is_plain(value):
            raise Invalid(
                f"the OIDC token's claim {name} is not text of 1 to {LONGEST} printable"
                " characters, as its issuer would write it"
            )
        return value

    def seconds(self, name: str) -> int:
        """A time, in seconds since 1970 (RFC 7519, NumericDate).

        Raises:
            Invalid: it is missing, or no whole number.
        """
        value = self._claims.get(name)
        if type(value) is not int:
            raise Invalid(f"the OIDC token has no time {name} in whole seconds; every issuer's has")
        return value

    def provenance(self, issuer: str) -> Provenance:
        """Where the pipeline that the token was issued to comes from.

        Raises:
            Invalid: it is a token of neither GitHub Actions nor GitLab CI.
        """
        return self._github(issuer) if "repository_id" in self._claims else self._gitlab(issuer)

    def _github(self, issuer: str) -> Provenance:
        repository, run = self.text("repository"), self.text("run_id")
        server = _github_server(issuer)
        ref = self.text("ref")
        return Provenance(
            "github",
            verified=True,
            issuer=issuer,
            repository=repository,
            repository_id=self.text("repository_id"),
            owner_id=self.text("repository_owner_id"),
            commit=self.text("sha"),
            ref=ref,
            ref_protected=self.optional("ref_protected"),
            workflow=self.text("job_workflow_ref"),
            environment=self.optional("environment"),
            event=self.text("event_name"),
            run_id=run,
            run_url=f"{server}/{repository}/actions/runs/{run}" if server else None,
            pull_request=pull_request_of(ref),
            actor=self.text("actor"),
        )

    def _gitlab(self, issuer: str) -> Provenance:
        repository, job, ref = self.text("project_path"), self.text("job_id"), self.text("ref_path")
        # The job of a fork's merge request may run in the project that it is to be merged into.
        runs_in = self.optional("job_project_path") or repository
        return Provenance(
            "gitlab",
            verified=True,
            issuer=issuer,
            repository=repository,
            repository_id=self.text("project_id"),
            owner_id=self.text("namespace_id"),
            commit=self.text("sha"),
            ref=ref,
            ref_protected=self.text("ref_protected"),
            workflow=self.optional("ci_config_ref_uri"),
            environment=self.optional("environment"),
            environment_protected=self.optional("environment_protected"),
            event=self.text("pipeline_source"),
            run_id=job,
            run_url=f"{issuer.rstrip('/')}/{runs_in}/-/jobs/{job}",
            pull_request=pull_request_of(ref),
            actor=self.text("user_login"),
        )


def _github_server(issuer: str) -> str | None:
    if issuer == GITHUB_COM or issuer.startswith(GITHUB_COM + "/"):
        return "https://github.com"
    return issuer.removesuffix(GITHUB_SERVER) if issuer.endswith(GITHUB_SERVER) else None
