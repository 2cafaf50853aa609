"""A switch of partners, and what becomes of the former one's access."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend
from support.pulumi_project import Project, of


def day(offset: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=offset)).isoformat()


def test_switch_revokes(project: Project, backend: Backend, subscription: str) -> None:
    for partner, principal in (
        (CONTOSO, "sp-contoso"),
        (FABRIKAM, "sp-fabrikam"),
        (NORTHWIND, "sp-northwind"),
    ):
        backend.give_access(subscription, partner, principal)
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, FABRIKAM.id))
    step = project.steps()["payments"]
    assert set(step.difference) == {"partner_id", "revokes"} or set(step.difference) == {
        "partner_id",
        "revokes[0]",
    }
    (revoked,) = step.new_inputs["revokes"]
    assert "Support Request Contributor of sp-contoso" in revoked
    assert backend.principals() == {"sp-contoso", "sp-fabrikam", "sp-northwind"}
    project.up().ok()
    assert backend.principals() == {"sp-fabrikam", "sp-northwind"}
    (removed,) = backend.registry().access.removed()
    assert (removed.access.principal, removed.subscription_id) == ("sp-contoso", subscription)
    assert backend.writes()[-2:] == ["switch", "access-revoke"]
    project.assert_settled()


def test_replaces_named_partner(project: Project, backend: Backend, subscription: str) -> None:
    backend.designate(subscription, NORTHWIND)
    backend.give_access(subscription, NORTHWIND, "sp-northwind")
    project.declare(of(subscription, replaces_partner_id=NORTHWIND.id))
    assert "sp-northwind" in project.preview().ok().output
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    assert backend.principals() == set()
    project.assert_settled()


def test_switch_keeps(project: Project, backend: Backend, subscription: str) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, FABRIKAM.id, former_access="keep"))
    assert "revokes" not in project.preview().ok().output
    project.up().ok()
    assert backend.principals() == {"sp-contoso"}
    project.assert_settled()

    project.declare(of(subscription, FABRIKAM.id))
    assert "sp-contoso" in project.preview().ok().output
    project.up().ok()
    assert backend.principals() == set()


def test_also_keeps(project: Project, backend: Backend, subscription: str) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, FABRIKAM.id, also_partner_ids=[CONTOSO.id]))
    project.up().ok()
    assert backend.principals() == {"sp-contoso"}
    project.assert_settled()


def test_keep_until(project: Project, backend: Backend, subscription: str) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    project.declare(of(subscription))
    project.up().ok()
    # Two days of margin, so that midnight in UTC cannot pass in between.
    until = {"keep_until": day(2), "reason": "Handover, CHG-1234"}
    project.declare(of(subscription, FABRIKAM.id, former_access=until))
    project.up().ok()
    assert backend.principals() == {"sp-contoso"}
    project.assert_settled()

    past = {"keep_until": day(-1), "reason": "Handover, CHG-1234"}
    project.declare(of(subscription, FABRIKAM.id, former_access=past))
    assert "sp-contoso" in project.steps()["payments"].new_inputs["stale_access"][0]
    project.up().ok()
    assert backend.principals() == set()
    project.assert_settled()


def test_access_restored(project: Project, backend: Backend, subscription: str) -> None:
    if backend.platform_name != "portal":
        pytest.skip("Azure assigns roles to UUIDs alone: tests/platforms/azure restores such")
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, FABRIKAM.id))
    project.up().ok()
    assert backend.principals() == set()
    (restored,) = backend.platform(ADMIN).restore(subscription)
    assert (restored.principal, restored.role) == ("sp-contoso", "Support Request Contributor")
    assert backend.principals() == {"sp-contoso"}
    project.declare(of(subscription, FABRIKAM.id, former_access="keep"))
    project.up().ok()
    assert backend.principals() == {"sp-contoso"}


def test_stale_access_reappears(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, FABRIKAM.id))
    project.up().ok()
    for _ in range(2):
        backend.give_access(subscription, CONTOSO, "sp-contoso")
        step = project.steps()["payments"]
        assert "sp-contoso" in step.new_inputs["stale_access"][0]
        project.up().ok()
        assert backend.principals() == set()
        project.assert_settled()
    assert backend.writes().count("switch") == 1


def test_a_retired_partners_access_is_stale(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.give_access(subscription, NORTHWIND, "sp-northwind")
    project.assert_settled()
    backend.registry(ADMIN).partners.retire(NORTHWIND.id, None)
    assert "sp-northwind" in project.steps()["payments"].new_inputs["stale_access"][0]
    project.up().ok()
    assert backend.principals() == set()


def test_inherited_access_is_reported_and_left(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.give_access_above(CONTOSO, "sp-contoso")
    project.declare(of(subscription, FABRIKAM.id))
    assert "is held above the subscription and remains" in project.up().ok().output
    assert backend.principals() == {"sp-contoso"}
    project.assert_settled()
