"""The lifecycle's contract, without an engine, on every registry and platform."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend

from dpor_provider.declaration.inputs import UNKNOWN
from dpor_provider.errors import Conflict, Refused, Unavailable
from dpor_provider.model import Access, Observation
from dpor_provider.platforms import Platform
from dpor_provider.resources.partner_of_record import Lifecycle

TODAY = date(2026, 11, 23)


class _Crash(Exception):
    pass


class _Crashing:
    """A platform whose deployer dies after the designation is committed."""

    def __init__(self, platform: Platform) -> None:
        self.name = platform.name
        self.read = platform.read
        self.apply = platform.apply
        self.restore = platform.restore

    def revoke(self, subscription_id: str, access: Collection[Access]) -> Collection[Access]:
        raise _Crash


class Deployment:
    """One run of a deployment: what a provider process does for one resource."""

    def __init__(self, backend: Backend, deployer: str | None = None) -> None:
        self.said: list[str] = []
        self.lifecycle = Lifecycle(
            backend.registry(),
            backend.platform(),
            today=TODAY,
            deployer=deployer,
            say=self.said.append,
        )

    def up(self, inputs: dict[str, Any], state: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check, diff, and create or update where the diff asks for it; returns the outputs."""
        checked = self.lifecycle.check(state or {}, inputs)
        assert checked.failures == ()
        if state is None:
            return self.lifecycle.create(checked.inputs)
        if self.lifecycle.diff(state, checked.inputs).changes:
            return self.lifecycle.update(state, checked.inputs)
        return state


def inputs(subscription: str, partner_id: str = CONTOSO.id, **rest: Any) -> dict[str, Any]:
    return {
        "subscription_id": subscription,
        "partner_id": partner_id,
        "managed_by": "estate/dev/payments",
        **rest,
    }


def test_an_identical_write_in_flight_is_adopted(backend: Backend, subscription: str) -> None:
    late = Deployment(backend)
    checked = late.lifecycle.check({}, inputs(subscription))
    first = Deployment(backend).up(inputs(subscription))
    outputs = late.lifecycle.create(checked.inputs)
    assert outputs["version"] == 2
    assert outputs["claim"] != first["claim"]
    assert backend.writes() == ["designate", "adopt"]


def test_a_change_after_the_check_is_a_conflict(backend: Backend, subscription: str) -> None:
    late = Deployment(backend)
    checked = late.lifecycle.check({}, inputs(subscription))
    backend.designate(subscription, FABRIKAM)
    with pytest.raises(Conflict, match=rf"it has {FABRIKAM.id} .* by {ADMIN} at "):
        late.lifecycle.create(checked.inputs)
    assert backend.live(subscription) == FABRIKAM.id


def test_an_update_conflicts_with_a_change_after_its_check(
    backend: Backend, subscription: str
) -> None:
    state = Deployment(backend).up(inputs(subscription))
    late = Deployment(backend)
    checked = late.lifecycle.check(state, inputs(subscription, FABRIKAM.id))
    backend.designate(subscription, NORTHWIND)
    with pytest.raises(Conflict):
        late.lifecycle.update(state, checked.inputs)
    assert backend.live(subscription) == NORTHWIND.id


def test_a_run_knows_its_own_writes(backend: Backend, subscription: str) -> None:
    run = Deployment(backend)
    state = run.up(inputs(subscription))
    state = run.up(inputs(subscription, FABRIKAM.id), state)
    state = run.up(inputs(subscription), state)
    assert state["version"] == 3
    found = run.lifecycle.read(state)
    assert found is not None
    assert found.inputs is None


def test_a_run_that_crashed_after_its_write_converges(backend: Backend, subscription: str) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    state = Deployment(backend).up(inputs(subscription))
    crashed = Deployment(backend)
    checked = crashed.lifecycle.check(state, inputs(subscription, FABRIKAM.id))
    crashed.lifecycle.update(state, checked.inputs)
    again = Deployment(backend).up(inputs(subscription, FABRIKAM.id), state)
    assert (again["partner_id"], again["version"]) == (FABRIKAM.id, 2)
    assert backend.writes().count("switch") == 1


def test_access_left_by_a_crash_between_designation_and_revocation_is_stale(
    backend: Backend, subscription: str
) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    state = Deployment(backend).up(inputs(subscription))
    crashed = Deployment(backend)
    checked = crashed.lifecycle.check(state, inputs(subscription, FABRIKAM.id))

    crashed.lifecycle.platform = _Crashing(backend.platform())
    with pytest.raises(_Crash):
        crashed.lifecycle.update(state, checked.inputs)
    assert backend.live(subscription) == FABRIKAM.id
    assert backend.principals() == {"sp-contoso"}
    run = Deployment(backend)
    assert "stale_access" in run.lifecycle.check(state, inputs(subscription, FABRIKAM.id)).inputs
    run.up(inputs(subscription, FABRIKAM.id), state)
    assert backend.principals() == set()


def test_drift_to_a_third_partner_during_a_switch(backend: Backend, subscription: str) -> None:
    for partner, principal in ((CONTOSO, "sp-contoso"), (NORTHWIND, "sp-northwind")):
        backend.give_access(subscription, partner, principal)
    state = Deployment(backend).up(inputs(subscription))
    backend.designate(subscription, NORTHWIND)
    run = Deployment(backend)
    checked = run.lifecycle.check(state, inputs(subscription, FABRIKAM.id))
    assert {"drift", "revokes"} <= set(checked.inputs)
    assert len(checked.inputs["revokes"]) == 1
    run.lifecycle.update(state, checked.inputs)
    assert backend.live(subscription) == FABRIKAM.id
    assert backend.principals() == {"sp-northwind"}


def test_a_declaration_that_follows_a_change_by_hand_ends_the_former_access(
    backend: Backend, subscription: str
) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    state = Deployment(backend).up(inputs(subscription))
    backend.designate(subscription, FABRIKAM)
    run = Deployment(backend)
    checked = run.lifecycle.check(state, inputs(subscription, FABRIKAM.id))
    assert "drift" in checked.inputs
    assert "revokes" in checked.inputs
    state = run.lifecycle.update(state, checked.inputs)
    assert backend.principals() == set()
    assert state["written_partner_id"] == FABRIKAM.id
    assert backend.writes()[-2:] == ["adopt", "access-revoke"]


def test_a_renumbered_partner_is_no_switch(backend: Backend, subscription: str) -> None:
    # Contoso had another ID before; a record of that time is still live.
    (former_id,) = CONTOSO.former_ids
    backend.registry(ADMIN).observations.confirm(
        Observation(subscription, former_id, CONTOSO.name, ADMIN, datetime.now(UTC))
    )
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    run = Deployment(backend)
    assert "revokes" not in run.lifecycle.check({}, inputs(subscription)).inputs
    run.up(inputs(subscription))
    assert backend.live(subscription) == CONTOSO.id
    assert backend.principals() == {"sp-contoso"}


def test_delete_goes_by_claim_and_partner(backend: Backend, subscription: str) -> None:
    old = Deployment(backend).up(inputs(subscription))
    new = Deployment(backend).up(inputs(subscription))
    run = Deployment(backend)
    run.lifecycle.delete(old)
    assert backend.live(subscription) == CONTOSO.id
    assert "is not this resource's to withdraw" in run.said[0]
    Deployment(backend).lifecycle.delete(new)
    assert backend.live(subscription) is None


def test_what_a_person_made_stays_adopted_through_a_rename_until_a_switch(
    backend: Backend, subscription: str
) -> None:
    backend.designate(subscription, CONTOSO)
    first = Deployment(backend).up(inputs(subscription))
    renamed = Deployment(backend).up(inputs(subscription, managed_by="estate/dev/billing"))
    assert (first["adopted"], renamed["adopted"]) == (True, True)
    Deployment(backend).lifecycle.delete(first)
    switched = Deployment(backend).up(
        inputs(subscription, FABRIKAM.id, managed_by="estate/dev/billing"), renamed
    )
    assert switched["adopted"] is False
    Deployment(backend).lifecycle.delete(switched)
    assert backend.live(subscription) is None


def test_what_a_person_designated_again_is_adopted(backend: Backend, subscription: str) -> None:
    Deployment(backend).up(inputs(subscription))
    for partner in (FABRIKAM, CONTOSO):
        backend.designate(subscription, partner)
    assert Deployment(backend).up(inputs(subscription))["adopted"] is True


def test_delete_after_a_concurrent_change_decides_again(
    backend: Backend, subscription: str
) -> None:
    state = Deployment(backend).up(inputs(subscription))
    run = Deployment(backend)
    assert run.lifecycle.read(state) is not None
    backend.designate(subscription, FABRIKAM)
    run.lifecycle.delete(state)
    assert backend.live(subscription) == FABRIKAM.id


def test_delete_of_what_was_withdrawn_meanwhile_has_nothing_to_do(
    backend: Backend, subscription: str
) -> None:
    state = Deployment(backend).up(inputs(subscription))
    run = Deployment(backend)
    assert run.lifecycle.read(state) is not None
    backend.withdraw(subscription)
    run.lifecycle.delete(state)
    assert backend.writes() == ["designate", "withdraw"]


def test_read_of_another_registry_is_an_error(backend: Backend, subscription: str) -> None:
    state = Deployment(backend).up(inputs(subscription))
    moved = state | {"registry_id": str(uuid.uuid4())}
    for operation in (Deployment(backend).lifecycle.read, Deployment(backend).lifecycle.delete):
        with pytest.raises(Unavailable, match="whose identity is"):
            operation(moved)


@pytest.mark.parametrize(
    "key",
    [
        "subscription_id",
        "partner_id",
        "partner_name",
        "former_access",
        "replaces_partner_id",
        "moved_from",
        "also_partner_ids",
        "on_delete",
        "exceptions",
    ],
)
def test_unknown_values_are_no_failures(backend: Backend, subscription: str, key: str) -> None:
    given = inputs(subscription) | {key: UNKNOWN}
    if key in ("replaces_partner_id", "moved_from"):
        backend.designate(subscription, NORTHWIND)
        given["replaces_partner_id"] = given.get("replaces_partner_id", NORTHWIND.id)
    checked = Deployment(backend).lifecycle.check({}, given)
    assert checked.failures == ()
    assert checked.inputs[key] is UNKNOWN


@pytest.mark.parametrize(
    "wrong",
    [
        "DPOR302",
        {"rule": "DPOR302"},
        {"rule": "DPOR302", "reason": " ", "expires": "2026-12-31"},
        {"rule": "DPOR302", "reason": "CHG-1", "expires": "2026-02-30"},
        {"rule": "DPOR302", "reason": "CHG-1", "expires": 20261231.0},
        {"rule": 302.0, "reason": "CHG-1", "expires": "2026-12-31"},
        {"rule": "DPOR302", "reason": "CHG-1", "expires": "2026-12-31", "until": "ever"},
    ],
)
def test_a_malformed_exception_fails_closed(
    backend: Backend, subscription: str, wrong: object
) -> None:
    right = {"rule": "DPOR302", "reason": "CHG-1", "expires": "2026-12-31"}
    run = Deployment(backend)
    assert run.lifecycle.check({}, inputs(subscription, exceptions=[right])).failures == ()
    (failure,) = run.lifecycle.check({}, inputs(subscription, exceptions=[right, wrong])).failures
    assert failure.property_name == "exceptions"
    assert "is no exception; write" in failure.reason


def test_the_early_check_looks_at_the_named_deployer_and_the_write_at_the_real_one(
    backend: Backend, subscription: str
) -> None:
    backend.demote_deployer()
    with pytest.raises(Refused, match="may not designate"):
        Deployment(backend, deployer=backend.administrator).up(inputs(subscription))
    assert backend.live(subscription) is None


def test_four_workers_share_a_run(backend: Backend) -> None:
    run = Deployment(backend)
    subscriptions = [backend.subscription() for _ in range(40)]
    with ThreadPoolExecutor(4) as workers:
        outputs = list(workers.map(lambda item: run.up(inputs(item)), subscriptions))
    assert {item["version"] for item in outputs} == {1}
    assert len(backend.registry().designations.all()) == 40


# --- Exceptions ----------------------------------------------------------------------------------


def excepted(rule: str, expires: str = "2026-11-23") -> dict[str, Any]:
    return {"exceptions": [{"rule": rule, "reason": "CHG-1234", "expires": expires}]}


def test_an_exception_lets_a_retired_partner_stay_but_not_begin(
    backend: Backend, subscription: str
) -> None:
    state = Deployment(backend).up(inputs(subscription))
    backend.registry(ADMIN).partners.retire(CONTOSO.id, FABRIKAM.id)
    stays = inputs(subscription) | excepted("DPOR301")
    assert Deployment(backend).lifecycle.check(state, stays).failures == ()
    over = inputs(subscription) | excepted("DPOR301", "2026-11-22")
    (failure,) = Deployment(backend).lifecycle.check(state, over).failures
    assert "is retired" in failure.reason
    begins = inputs(backend.subscription()) | excepted("DPOR301")
    (failure,) = Deployment(backend).lifecycle.check({}, begins).failures
    assert "is retired" in failure.reason


@pytest.mark.parametrize(
    ("rule", "partner_id"), [("DPOR101", "MPN-4567890"), ("DPOR102", "7777712")]
)
def test_no_exception_makes_a_wrong_partner_id_right(
    backend: Backend, subscription: str, rule: str, partner_id: str
) -> None:
    wrong = inputs(subscription, partner_id) | excepted(rule)
    (failure,) = Deployment(backend).lifecycle.check({}, wrong).failures
    assert failure.reason.endswith(f"[{rule}]")


def test_no_exception_lets_two_resources_have_one_subscription(
    backend: Backend, subscription: str
) -> None:
    lifecycle = Deployment(backend).lifecycle
    one = inputs(subscription) | {"managed_by": "estate/dev/one"}
    assert lifecycle.check({}, one).failures == ()
    two = inputs(subscription) | {"managed_by": "estate/dev/two"} | excepted("DPOR401")
    (failure,) = lifecycle.check({}, two).failures
    assert "the other time by estate/dev/one" in failure.reason


def test_no_exception_makes_up_for_a_role(backend: Backend, subscription: str) -> None:
    backend.demote_deployer()
    wanted = inputs(subscription) | excepted("DPOR201")
    (failure,) = Deployment(backend).lifecycle.check({}, wanted).failures
    assert failure.reason.endswith("[DPOR201]")
