"""Drift: what is live is no longer what was declared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, AzureBackend, Backend
from support.pulumi_project import Project, of

from dpor_provider.model import Observation


def test_drift_each_field(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.designate(subscription, FABRIKAM)

    plain = project.preview().ok().output
    assert f"live is {FABRIKAM.id} ({FABRIKAM.name}), set by {ADMIN}" in plain
    assert f"not {CONTOSO.id} ({CONTOSO.name})" in plain
    assert set(project.steps()["payments"].difference) == {"drift"}

    refreshed = project.preview("--refresh").ok().output
    assert f'partner_id  : "{FABRIKAM.id}" => "{CONTOSO.id}"' in refreshed
    assert project.preview("--expect-no-changes").exit_code != 0
    assert project.run("refresh", "--preview-only", "--expect-no-changes").exit_code != 0

    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    assert "drift" not in project.outputs("payments")
    project.assert_settled()


def test_drift_is_repaired_after_a_refresh(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.give_access(subscription, FABRIKAM, "sp-fabrikam")
    backend.designate(subscription, FABRIKAM)
    project.run("refresh", "--yes").ok()
    assert project.outputs("payments")["partner_id"] == FABRIKAM.id
    assert project.outputs("payments")["written_partner_id"] == CONTOSO.id
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    assert backend.principals() == {"sp-fabrikam"}
    project.assert_settled()


def test_disappears(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.withdraw(subscription)
    assert f"live is no partner, set by {ADMIN}" in project.preview().ok().output
    assert project.steps("--refresh")["payments"].operation == "create"
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    project.assert_settled()


@pytest.mark.parametrize("previewed", [True, False])
def test_recurring_drift(
    project: Project, backend: Backend, subscription: str, previewed: bool
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    for _ in range(3):
        backend.designate(subscription, FABRIKAM)
        if previewed:
            assert set(project.steps()["payments"].difference) == {"drift"}
        project.up().ok()
        assert backend.live(subscription) == CONTOSO.id
    project.assert_settled()
    assert backend.writes().count("repair") == 3


def test_drift_repair_revokes_nothing(
    project: Project, backend: Backend, subscription: str
) -> None:
    for partner, principal in ((CONTOSO, "sp-contoso"), (FABRIKAM, "sp-fabrikam")):
        backend.give_access(subscription, partner, principal)
    project.declare(of(subscription))
    project.up().ok()
    for partner in (FABRIKAM, NORTHWIND):
        backend.designate(subscription, partner)
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    assert backend.principals() == {"sp-contoso", "sp-fabrikam"}
    project.assert_settled()


def test_a_live_change_between_preview_and_update_is_noticed(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.preview("--expect-no-changes").ok()
    backend.designate(subscription, FABRIKAM)
    project.up("--skip-preview").ok()
    assert backend.live(subscription) == CONTOSO.id


def test_drift_seen_on_the_platform(project: Project, backend: Backend, subscription: str) -> None:
    if backend.platform_name != "portal":
        pytest.skip("only on the portal does a person say what is there")
    project.declare(of(subscription))
    project.up().ok()
    observations = backend.registry(ADMIN).observations

    def see(partner_id: str, name: str) -> None:
        observations.confirm(Observation(subscription, partner_id, name, ADMIN, datetime.now(UTC)))

    see(FABRIKAM.id, FABRIKAM.name)
    project.assert_settled()
    see(CONTOSO.id, CONTOSO.name)
    project.assert_settled()
    see(FABRIKAM.id, FABRIKAM.name)
    shown = f"live is {FABRIKAM.id} ({FABRIKAM.name}), seen on the platform by {ADMIN}"
    assert shown in project.preview().ok().output
    project.up().ok()
    project.assert_settled()
    row = backend.registry().designations.find(subscription)
    assert row is not None
    assert (row.partner_id, row.effective) == (CONTOSO.id, False)


@pytest.mark.parametrize("backend", ["sqlite-azure"], indirect=True)
def test_a_label_that_is_forged_again_and_again(
    project: Project, backend: Backend, subscription: str
) -> None:
    assert isinstance(backend, AzureBackend)
    backend.give_access(subscription, FABRIKAM, "sp-fabrikam")
    project.declare(of(subscription))
    project.up().ok()
    world = backend.stand_in.world
    for _ in range(2):
        with world.lock:
            world.change_subscription(subscription, tags={"dpor-partner-id": FABRIKAM.id})
        assert f"its label says {FABRIKAM.id}" in project.preview("--diff").ok().output
        project.up().ok()
        assert world.tags(subscription)["dpor-partner-id"] == CONTOSO.id
        project.assert_settled()
    assert backend.principals() == {"sp-fabrikam"}
    assert backend.writes() == ["designate", "repair", "repair"]
