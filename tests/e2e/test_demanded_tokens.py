"""A registry that demands an OIDC token holds deployments of the real engine to it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from provenance.issuer import AUDIENCE, Issuer
from support.backends import ADMIN, CONTOSO, FABRIKAM, Backend
from support.pulumi_project import Project, of

from dpor_provider.model import Action
from dpor_provider.provenance import Demand, Provenance, Trust
from dpor_provider.provenance.obtain import VARIABLE


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """The issuer that is trusted."""
    yield (made := Issuer())
    made.close()


def token(issuer: Issuer, **changes: object) -> str:
    at = int(time.time())
    return issuer.issue(iat=at, nbf=at, exp=at + 300, jti=str(uuid.uuid4()), **changes)


def test_a_deployment_without_the_demanded_token_changes_nothing(
    project: Project,
    backend: Backend,
    subscription: str,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    trust = Trust(
        issuer=issuer.url, audience=AUDIENCE, repository_id="74", environment="production"
    )
    backend.registry(ADMIN).demands.add(Demand("/", trust))
    project.declare(of(subscription))
    project.preview().ok()
    assert "demands an OIDC token of" in project.up().failed().output
    monkeypatch.setenv(VARIABLE, token(issuer, environment="staging"))
    output = project.up().failed().output
    assert "environment is staging, by its OIDC token, where production is demanded" in output
    assert backend.live(subscription) is None
    assert backend.writes() == ["refuse", "refuse"]

    handed = token(issuer)
    monkeypatch.setenv(VARIABLE, handed)
    project.up().ok()
    project.declare(of(subscription, FABRIKAM.id, replaces_partner_id=CONTOSO.id))
    project.up().ok()
    project.assert_settled()
    project.destroy().ok()
    assert backend.live(subscription) is None
    for entry in backend.registry().audit.entries(subscription):
        kept = Provenance.from_json(entry.provenance or "{}") if entry.provenance else None
        assert (entry.action is Action.REFUSE) == (kept is None or not kept.verified)
    assert backend.registry().verify().problems == ()
    assert handed not in str(project.state())
