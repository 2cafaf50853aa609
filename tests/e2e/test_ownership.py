"""Who owns a designation: renames, swaps, moves and deletes lose none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.backends import CONTOSO, FABRIKAM, Backend
from support.pulumi_project import Project, of


def test_renamed_resource(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, name="billing"))
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    assert project.outputs("billing")["managed_by"] == "estate/dev/billing"
    assert "withdraw" not in backend.writes()
    project.assert_settled()


def test_swapped_names(project: Project, backend: Backend) -> None:
    one, other = backend.subscription(), backend.subscription()
    project.declare(of(one, name="a"), of(other, FABRIKAM.id, name="b"))
    project.up().ok()
    project.declare(of(one, name="b"), of(other, FABRIKAM.id, name="a"))
    project.up().ok()
    assert (backend.live(one), backend.live(other)) == (CONTOSO.id, FABRIKAM.id)
    assert "withdraw" not in backend.writes()
    project.assert_settled()


def test_replaced_by_flag(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    (resource,) = project.state()
    project.up("--replace", resource["urn"]).ok()
    assert backend.live(subscription) == CONTOSO.id
    project.assert_settled()
    project.destroy().ok()
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id


def test_moved_under_component(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, parent="team"))
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    assert "withdraw" not in backend.writes()
    project.assert_settled()


@pytest.mark.parametrize("new_first", [True, False])
def test_moved_between_stacks(
    project: Project, backend: Backend, subscription: str, new_first: bool
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.configure(backend.config, stack="new")
    project.run("stack", "init", "new").ok()
    project.declare(of(subscription), stack="new")
    project.declare()
    for stack in ("new", "dev") if new_first else ("dev", "new"):
        project.up(stack=stack).ok()
    assert backend.live(subscription) == CONTOSO.id
    assert ("withdraw" in backend.writes()) is not new_first
    project.assert_settled(stack="new")
    project.destroy(stack="new").ok()


def test_moved_by_pulumi_state_move(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.configure(backend.config, stack="new")
    project.run("stack", "init", "new").ok()
    project.declare(of(subscription), stack="new")
    project.declare()
    (resource,) = project.state()
    move = ("state", "move", "--source", "dev", "--dest", "new", "--yes", resource["urn"])
    project.run(*move).ok()
    project.up(stack="new").ok()
    project.up(stack="dev").ok()
    row = backend.registry().designations.find(subscription)
    assert row is not None
    assert (row.partner_id, row.managed_by) == (CONTOSO.id, "estate/new/payments")
    assert "withdraw" not in backend.writes()
    project.assert_settled(stack="new")
    project.destroy(stack="new").ok()
    assert backend.live(subscription) is None


@pytest.mark.parametrize("how", ["destroy --refresh", "destroy", "removed in up --refresh"])
def test_destroy_refresh_after_foreign_change(
    project: Project, backend: Backend, subscription: str, how: str
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.designate(subscription, FABRIKAM)
    if how == "removed in up --refresh":
        project.declare()
        done = project.up("--refresh").ok()
    else:
        done = project.destroy(*how.split()[1:]).ok()
    assert backend.live(subscription) == FABRIKAM.id
    assert "is not this resource's to withdraw" in done.output
    assert project.state() == []


def test_owned_by_another_project(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    other = replace(project, folder=project.folder.parent / "other", name="other")
    other.prepare(backend.config)
    other.declare(of(subscription))
    refused = other.preview().failed().output
    assert "belongs to estate/dev/payments" in refused
    assert "DPOR401" in refused
    other.up("--skip-preview").failed()
    assert "adopt" not in backend.writes()

    other.declare(of(subscription, moved_from="estate"))
    other.up().ok()
    row = backend.registry().designations.find(subscription)
    assert row is not None
    assert row.managed_by == "other/dev/payments"
    assert "belongs to other/dev/payments" in project.preview().failed().output
    assert "is not this resource's to withdraw" in project.destroy().ok().output
    assert backend.live(subscription) == CONTOSO.id
    other.assert_settled()


def test_an_owner_by_name_only_is_released(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.designate(subscription, FABRIKAM)
    project.destroy().ok()
    row = backend.registry().designations.find(subscription)
    assert row is not None
    assert (row.partner_id, row.managed_by) == (FABRIKAM.id, None)
