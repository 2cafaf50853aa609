"""A registry that demands an OIDC token: who has none that counts changes nothing there."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from provenance.issuer import AUDIENCE, DISCOVERY, Issuer, rsa_key, token
from support import postgres
from support.backends import ADMIN, CONTOSO, FABRIKAM, Backend, ServerBackend

from dpor_provider.errors import DporError, Invalid, Refused, Unavailable
from dpor_provider.model import Action, Grant, Observation, Partner, Role
from dpor_provider.provenance import Demand, Evidence, Provenance, Trust
from dpor_provider.provenance.obtain import VARIABLE
from dpor_provider.registry import Owner, Registry, open_registry
from dpor_provider.registry.sqlite import connect
from dpor_provider.registry.url import resolve

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
TWO = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
BOB = "bob"
OWNER = Owner("estate/prod/payments", "claim-1")


@pytest.fixture(autouse=True)
def outside_of_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of a pipeline that runs these tests."""
    for name in (VARIABLE, "GITHUB_ACTIONS", "GITLAB_CI", "ACTIONS_ID_TOKEN_REQUEST_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """The issuer that is trusted."""
    yield (made := Issuer())
    made.close()


@pytest.fixture
def demanding(backend: Backend, issuer: Issuer) -> Backend:
    """A registry that demands a token of the repository's production environment, everywhere."""
    backend.registry(ADMIN).demands.add(demand(issuer))
    return backend


Deploy = Callable[..., Registry]


@pytest.fixture
def deploying(demanding: Backend, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Opens the registry as a job that was handed this token."""

    def opened(handed: str | None, principal: str | None = None) -> Registry:
        if handed is None:
            monkeypatch.delenv(VARIABLE, raising=False)
        else:
            monkeypatch.setenv(VARIABLE, handed)
        return demanding.registry(principal)

    return opened


def demand(issuer: Issuer, scope: str = "/", **trust: Any) -> Demand:
    usual: dict[str, Any] = {"repository_id": "74", "environment": "production"}
    return Demand(scope, Trust(issuer=issuer.url, audience=AUDIENCE, **{**usual, **trust}))


def fresh(issuer: Issuer, **changes: object) -> str:
    """A token of now."""
    return issuer.issue(**current() | changes)


def current() -> dict[str, object]:
    at = int(time.time())
    return {"iat": at, "nbf": at - 10, "exp": at + 300, "jti": str(uuid.uuid4())}


def designate(registry: Registry, subscription_id: str = ONE, version: int = 0) -> None:
    registry.designations.designate(subscription_id, CONTOSO.id, seen_version=version, owner=OWNER)


def last_provenance(registry: Registry) -> Provenance:
    kept = registry.audit.entries()[-1].provenance
    assert kept is not None
    return Provenance.from_json(kept)


def test_without_a_token_nothing_is_written_and_the_refusal_is_recorded(
    demanding: Backend, issuer: Issuer
) -> None:
    registry = demanding.registry()
    said = (
        f"{registry.principal} may not designate {CONTOSO.id} for subscription {ONE}: the registry"
        f" demands an OIDC token of {issuer.url} for the audience {AUDIENCE} from who changes what"
        " is under /, and there is none; deploy from a pipeline that has one (docs/provenance.md)"
    )
    with pytest.raises(Refused) as refused:
        designate(registry)
    assert str(refused.value) == said
    assert registry.designations.all() == {}
    refusal = registry.audit.entries()[-1]
    assert refusal.action is Action.REFUSE
    assert (refusal.subscription_id, refusal.actor) == (ONE, registry.principal)
    assert (refusal.detail or "").endswith(said)
    assert registry.verify().problems == ()


def test_what_a_token_proves_is_recorded_as_verified(deploying: Deploy, issuer: Issuer) -> None:
    registry = deploying(fresh(issuer, jti="job-1"))
    designate(registry)
    kept = last_provenance(registry)
    assert kept.verified
    assert (kept.issuer, kept.repository_id, kept.environment) == (issuer.url, "74", "production")
    assert (kept.run_id, kept.token_id) == ("22259804324", "job-1")
    assert datetime.fromisoformat(kept.token_expires_at or "") > datetime.now(UTC)
    assert registry.verify().problems == ()


def test_every_change_of_designations_and_access_takes_one(
    deploying: Deploy, issuer: Issuer
) -> None:
    registry = deploying(fresh(issuer))
    designate(registry)
    held = registry.access.add(f"/subscriptions/{ONE}", "sp", "Reader", FABRIKAM.id)
    bare = deploying(None)
    changes: tuple[Callable[[], object], ...] = (
        lambda: designate(bare, version=1),
        lambda: bare.designations.adopt(ONE, CONTOSO.id, seen_version=1, owner=OWNER),
        lambda: bare.designations.withdraw(ONE, seen_version=1),
        lambda: bare.designations.release(ONE, seen_version=1),
        lambda: bare.access.add(f"/subscriptions/{ONE}", "sp", "Owner", FABRIKAM.id),
        lambda: bare.access.remove(f"/subscriptions/{ONE}", "sp", "Reader"),
        lambda: bare.access.revoke(ONE, [held.id]),
    )
    before = bare.read()
    for change in changes:
        with pytest.raises(Refused, match="demands an OIDC token"):
            change()
    assert bare.read() == before
    registry.access.revoke(ONE, [held.id])
    with pytest.raises(Refused, match="demands an OIDC token"):
        bare.access.restore(ONE)
    assert registry.access.restore(ONE)
    assert len([e for e in bare.audit.entries() if e.action is Action.REFUSE]) == len(changes) + 1


def test_people_confirm_and_administrators_keep_the_registry_without_one(
    deploying: Deploy, issuer: Issuer
) -> None:
    designate(deploying(fresh(issuer)))
    bare = deploying(None)
    seen = Observation(ONE, CONTOSO.id, CONTOSO.name, bare.principal, datetime.now(UTC))
    assert bare.observations.confirm(seen, seen_version=1)
    bare.observations.record([seen])
    bare.roles.grant(Grant(BOB, Role.OWNER, f"/subscriptions/{ONE}"))
    bare.partners.add(Partner("7654321", "Tailspin"))
    bare.demands.remove("/")
    designate(bare, TWO)
    assert bare.verify().problems == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"environment": "staging"},
            "environment is staging, by its OIDC token, where production is demanded",
        ),
        ({"environment": ...}, "the deployment's environment is not said, by its OIDC token"),
        ({"repository_id": "75"}, "the deployment's repository_id is 75, by its OIDC token"),
        ({"aud": "another-service"}, "not for the audience dpor-registry alone"),
        ({"exp": 1}, "the OIDC token has expired"),
    ],
)
def test_a_token_that_does_not_count_is_refused_and_recorded(
    deploying: Deploy, issuer: Issuer, changes: dict[str, object], said: str
) -> None:
    registry = deploying(fresh(issuer, **changes))
    with pytest.raises(Refused, match=said.replace("(", r"\(")):
        designate(registry)
    assert registry.designations.all() == {}
    assert said in (registry.audit.entries()[-1].detail or "")
    assert registry.verify().problems == ()


def test_a_forged_token_is_refused_and_recorded(deploying: Deploy, issuer: Issuer) -> None:
    claims = issuer.claims(**current())
    registry = deploying(token(issuer.header(), claims, rsa_key("the attacker's")))
    with pytest.raises(Refused, match="signature is not of"):
        designate(registry)
    assert registry.audit.entries()[-1].action is Action.REFUSE
    assert registry.designations.all() == {}


def test_an_issuer_that_cannot_be_reached_lets_nothing_through(
    deploying: Deploy, issuer: Issuer
) -> None:
    issuer.serve(DISCOVERY, b"out of order", status=503)
    registry = deploying(fresh(issuer))
    before = registry.audit.entries()
    with pytest.raises(Unavailable):
        designate(registry)
    assert registry.audit.entries() == before


def test_the_nearest_demand_holds(deploying: Deploy, issuer: Issuer, demanding: Backend) -> None:
    sandbox = demand(issuer, f"/subscriptions/{TWO}", repository_id="75", environment="sandbox")
    demanding.registry(ADMIN).demands.add(sandbox)
    registry = deploying(fresh(issuer))
    designate(registry, ONE)
    with pytest.raises(Refused, match=r"repository_id is 74, .* where 75 is demanded"):
        designate(registry, TWO)
    registry = deploying(fresh(issuer, repository_id="75", environment="sandbox"))
    designate(registry, TWO)
    with pytest.raises(Refused, match=r"repository_id is 75, .* where 74 is demanded"):
        designate(registry, ONE, 1)


def test_an_approver_stays_a_claim_beside_a_token(
    deploying: Deploy, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPOR_APPROVED_BY", "carol")
    registry = deploying(fresh(issuer))
    designate(registry)
    kept = json.loads(registry.audit.entries(ONE)[-1].provenance or "")
    assert (kept["verified"], kept["claimed_approver"]) == (True, "carol")
    assert registry.verify().problems == ()


def test_a_token_is_the_logins_that_used_it_first(deploying: Deploy, issuer: Issuer) -> None:
    handed = fresh(issuer)
    administrator = deploying(handed, ADMIN)
    administrator.roles.grant(Grant(BOB, Role.CONTRIBUTOR, "/"))
    designate(administrator, ONE)
    designate(deploying(handed, ADMIN), TWO)
    thief = deploying(handed, BOB)
    with pytest.raises(Refused, match=r"the OIDC token was used by admin before"):
        designate(thief, ONE, 1)
    assert thief.audit.entries()[-1].action is Action.REFUSE
    designate(deploying(fresh(issuer), BOB), ONE, 1)
    assert thief.verify().problems == ()


def test_a_use_is_forgotten_once_no_check_of_the_token_can_succeed(
    deploying: Deploy, issuer: Issuer, demanding: Backend
) -> None:
    designate(deploying(fresh(issuer, jti="first")))
    run(demanding, "UPDATE {}token_uses SET expires_at = '2020-01-01 00:00:00'")
    designate(deploying(fresh(issuer, jti="second")), ONE, 1)
    assert run(demanding, "SELECT token_id FROM {}token_uses") == [("second",)]


def test_the_issuer_is_asked_once_for_many_writes(deploying: Deploy, issuer: Issuer) -> None:
    registry = deploying(fresh(issuer))
    for _ in range(20):
        designate(registry, str(uuid.uuid4()))
    assert issuer.key_requests() == 1


def test_a_job_that_outlives_its_token_takes_another(issuer: Issuer) -> None:
    handed = iter([fresh(issuer, jti="first"), fresh(issuer, jti="second")])
    issuer.answers["/token"] = lambda request: (
        200,
        {},
        json.dumps({"value": next(handed)}).encode(),
    )
    now = datetime.now(UTC)
    evidence = Evidence(
        {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/token",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer",
        },
        lambda: now,
    )
    wanted = demand(issuer)
    assert evidence.kept(wanted) is None
    first = evidence.meet(wanted)
    assert evidence.meet(wanted) is evidence.kept(wanted) is first
    now = first.expires_at
    assert evidence.kept(wanted) is None
    with pytest.raises(Refused, match="has expired"):
        evidence.meet(wanted)
    now -= timedelta(seconds=1)
    assert evidence.kept(wanted) is first


@pytest.mark.parametrize("principal", [BOB, "eve"])
def test_only_a_global_administrator_demands(
    demanding: Backend, issuer: Issuer, principal: str
) -> None:
    administrator = demanding.registry(ADMIN)
    administrator.roles.grant(Grant(BOB, Role.OWNER, "/"))
    before = administrator.demands.all()
    registry = demanding.registry(principal)
    with pytest.raises(Refused, match=f"{principal} may not remove the demand at /"):
        registry.demands.remove("/")
    with pytest.raises(Refused, match=f"{principal} may not demand tokens at /subscriptions/"):
        registry.demands.add(demand(issuer, f"/subscriptions/{ONE}"))
    assert administrator.demands.all() == before
    assert [entry.action for entry in registry.audit.entries()[-2:]] == [Action.REFUSE] * 2


def test_demands_are_one_to_a_scope(demanding: Backend, issuer: Issuer) -> None:
    registry = demanding.registry(ADMIN)
    with pytest.raises(Invalid, match="there is a demand at / already; remove it first with"):
        registry.demands.add(demand(issuer, environment="staging"))
    with pytest.raises(Invalid, match=f"nothing is demanded at /subscriptions/{ONE}"):
        registry.demands.remove(f"/subscriptions/{ONE}")
    with pytest.raises(Invalid, match="is no scope"):
        registry.demands.add(demand(issuer, "/resourceGroups/x"))
    assert registry.demands.all() == (demand(issuer),)
    assert registry.demands.remove("/") == demand(issuer)
    assert registry.demands.all() == ()
    actions = [entry.action for entry in registry.audit.entries()]
    assert actions[-2:] == [Action.DEMAND, Action.UNDEMAND]
    assert registry.verify().problems == ()


def test_a_demand_that_was_changed_behind_the_log_is_found(demanding: Backend) -> None:
    run(demanding, "UPDATE {}demands SET repository_id = '666'")
    problems = demanding.registry().verify().problems
    assert [problem.partition(":")[0] for problem in problems] == [
        "the log knows nothing of a demand that holds",
        "a demand that the log knows does not hold",
    ]
    assert '"repository_id":"666"' in problems[0]
    assert '"repository_id":"74"' in problems[1]
    run(demanding, "DELETE FROM {}demands")
    assert len(demanding.registry().verify().problems) == 1


def test_a_copy_demands_the_same(demanding: Backend, issuer: Issuer, tmp_path: Path) -> None:
    demanding.registry().backup(tmp_path / "copy.db")
    copy = open_registry(f"sqlite:///{tmp_path / 'copy.db'}", principal=ADMIN)
    assert copy.demands.all() == (demand(issuer),)
    with pytest.raises(Refused, match="demands an OIDC token"):
        designate(copy)


def test_the_extra_that_is_missing_is_named(
    deploying: Deploy, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    registry = deploying(fresh(issuer))
    for name in [name for name in sys.modules if name.startswith("dpor_provider.provenance.")]:
        if name.rpartition(".")[2] in ("extra", "keys", "token", "claims"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(DporError) as missing:
        designate(registry)
    assert type(missing.value).__name__ == "Unavailable"
    assert "pip install 'dpor-provider[oidc]'" in str(missing.value)
    assert registry.designations.all() == {}


def run(backend: Backend, statement: str) -> list[Any]:
    """Run a statement behind the registry's back."""
    if isinstance(backend, ServerBackend):
        with postgres.server().connect(postgres.OWNER, backend.database) as owner:
            done = owner.execute(statement.format("dpor.").encode())
            return done.fetchall() if done.description else []
    with connect(resolve(backend.url)).begin() as connection:
        result = connection.exec_driver_sql(statement.format(""))
        return list(result) if result.returns_rows else []
