"""Create, read, update and delete with the real engine."""

from __future__ import annotations

import json

import pytest
from support.backends import CONTOSO, EVERYWHERE, FABRIKAM, NORTHWIND, Backend
from support.pulumi_project import Project, of


def test_create_create(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    before = backend.registry().designations.find(subscription)
    project.configure(backend.config, stack="other")
    project.run("stack", "init", "other").ok()
    project.declare(of(subscription), stack="other")
    project.up(stack="other").ok()
    after = backend.registry().designations.find(subscription)
    assert before is not None
    assert after is not None
    assert (after.partner_id, after.designated_at) == (before.partner_id, before.designated_at)
    assert project.outputs("payments", stack="other")["adopted"] is False
    assert backend.writes() == ["designate", "adopt"]


@EVERYWHERE
def test_create_read(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription.upper(), partner_name="contoso  CONSULTING"))
    project.up().ok()
    outputs = project.outputs("payments")
    row = backend.registry().designations.find(subscription)
    assert row is not None
    assert outputs["subscription_id"] == subscription
    assert outputs["partner_id"] == outputs["written_partner_id"] == row.partner_id == CONTOSO.id
    assert outputs["managed_by"] == row.managed_by == "estate/dev/payments"
    assert outputs["claim"] == row.claim
    assert outputs["version"] == row.version == 1
    assert outputs["registry_id"] == backend.registry().identity()
    assert outputs["adopted"] is False
    assert outputs["designated_by"] == row.designated_by
    project.run("refresh", "--yes", "--expect-no-changes").ok()
    assert project.outputs("payments") == outputs


def test_update_read(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, FABRIKAM.id))
    assert project.steps()["payments"].operation == "update"
    project.up().ok()
    assert backend.live(subscription) == FABRIKAM.id
    outputs = project.outputs("payments")
    assert (outputs["partner_id"], outputs["former_partner_id"]) == (FABRIKAM.id, CONTOSO.id)
    project.assert_settled()


def test_update_without_create(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.withdraw(subscription)
    project.declare(of(subscription, FABRIKAM.id))
    assert "had no partner of record any more" in project.up().ok().output
    assert backend.live(subscription) == FABRIKAM.id
    project.assert_settled()


def test_delete_read(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.declare()
    project.up().ok()
    assert backend.live(subscription) is None
    assert project.state() == []


def test_delete_delete(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.withdraw(subscription)
    writes = backend.writes()
    project.destroy().ok()
    project.destroy().ok()
    assert backend.writes() == writes


def test_delete_create(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.destroy().ok()
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    assert project.outputs("payments")["version"] == 3
    project.assert_settled()


def test_destroy_leaves_nothing(project: Project, backend: Backend) -> None:
    subscriptions = [backend.subscription() for _ in range(5)]
    project.declare(*(of(item, name=item) for item in subscriptions))
    project.up().ok()
    project.destroy().ok()
    assert [backend.live(item) for item in subscriptions] == [None] * 5
    assert project.state() == []


@EVERYWHERE
def test_up_then_preview_empty(project: Project, backend: Backend, subscription: str) -> None:
    backend.designate(subscription, NORTHWIND)
    project.declare(
        of(
            subscription,
            partner_name=CONTOSO.name,
            replaces_partner_id=NORTHWIND.id,
            former_access={"keep_until": "2999-12-31", "reason": "CHG-1"},
            also_partner_ids=[FABRIKAM.id],
            on_delete="retain",
            moved_from="elsewhere",
            exceptions=[{"rule": "DPOR302", "reason": "CHG-1", "expires": "2999-12-31"}],
        )
    )
    project.up().ok()
    project.preview("--expect-no-changes").ok()
    writes = backend.writes()
    project.up("--expect-no-changes").ok()
    assert backend.writes() == writes


def test_refresh_empty(project: Project, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.run("refresh", "--yes", "--expect-no-changes").ok()
    project.preview("--refresh", "--expect-no-changes").ok()


def test_replace_vs_update_each_field(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    for change in (
        {"partner_id": FABRIKAM.id},
        {"partner_name": CONTOSO.name.upper()},
        {"former_access": "keep"},
        {"replaces_partner_id": NORTHWIND.id},
        {"moved_from": "elsewhere"},
        {"also_partner_ids": [FABRIKAM.id]},
        {"on_delete": "retain"},
        {"exceptions": [{"rule": "DPOR302", "reason": "CHG-1", "expires": "2999-12-31"}]},
    ):
        project.declare(of(subscription) | change)
        step = project.steps()["payments"]
        assert (step.operation, set(step.difference)) == ("update", set(change)), change
    project.declare(of(backend.subscription()))
    step = project.steps()["payments"]
    assert (step.operation, step.replaced_for) == ("replace", ("subscription_id",))


def test_only_a_changed_partner_is_written(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    project.declare(of(subscription, former_access="keep", on_delete="retain"))
    project.up().ok()
    assert backend.writes() == ["designate"]
    assert project.outputs("payments")["on_delete"] == "retain"
    project.assert_settled()


def test_adopt_on_empty_state(project: Project, backend: Backend) -> None:
    subscriptions = [backend.subscription() for _ in range(3)]
    project.declare(*(of(item, name=item) for item in subscriptions))
    project.up().ok()
    deployment = json.loads(project.run("stack", "export").ok().output)
    deployment["deployment"]["resources"] = []
    (project.folder / "empty.json").write_text(json.dumps(deployment))
    project.run("stack", "import", "--file", "empty.json").ok()
    before = backend.registry().designations.all()
    project.up().ok()
    after = backend.registry().designations.all()
    for item in subscriptions:
        assert after[item].partner_id == before[item].partner_id
        assert after[item].designated_at == before[item].designated_at
    assert backend.writes() == ["designate"] * 3 + ["adopt"] * 3
    project.assert_settled()


@pytest.mark.parametrize("on_delete", [None, "withdraw"])
def test_adopted_is_retained(
    project: Project, backend: Backend, subscription: str, on_delete: str | None
) -> None:
    backend.designate(subscription, CONTOSO)
    project.declare(of(subscription, on_delete=on_delete))
    project.up().ok()
    assert project.outputs("payments")["adopted"] is True
    destroyed = project.destroy().ok()
    if on_delete is None:
        assert "keeps its partner of record" in destroyed.output
        assert backend.live(subscription) == CONTOSO.id
    else:
        assert backend.live(subscription) is None


def test_own_designation_is_retained_on_demand(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription, on_delete="retain"))
    project.up().ok()
    project.destroy().ok()
    row = backend.registry().designations.find(subscription)
    assert row is not None
    assert (row.partner_id, row.managed_by) == (CONTOSO.id, None)


def test_preview_writes_nothing(project: Project, backend: Backend, subscription: str) -> None:
    backend.designate(subscription, NORTHWIND)
    backend.give_access(subscription, NORTHWIND, "sp-northwind")
    before = backend.registry().audit.entries()
    project.declare(
        of(subscription, replaces_partner_id=NORTHWIND.id), of(backend.subscription(), name="other")
    )
    project.preview().ok()
    project.preview("--refresh").ok()
    assert backend.registry().audit.entries() == before


def test_class_path_is_permanent(project: Project, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    (resource,) = project.state()
    assert resource["type"] == "pulumi-python:dynamic/dpor:PartnerOfRecord"
    # A reference by module and name; a change of it orphans every state of every user.
    reference = (
        "gASVQgAAAAAAAACMH2Rwb3JfcHJvdmlkZXIucmVzb3VyY2VzLmR5bmFtaWOU"
        "jBdQYXJ0bmVyT2ZSZWNvcmRQcm92aWRlcpSTlCmBlC4="
    )
    assert resource["inputs"]["__provider"] == resource["outputs"]["__provider"] == reference
    assert len(reference) == 104


@EVERYWHERE
def test_a_hundred_resources(project: Project, backend: Backend) -> None:
    subscriptions = [backend.subscription() for _ in range(100)]
    project.declare(*(of(item, name=item) for item in subscriptions))
    project.up().ok()
    live = backend.registry().designations.all()
    assert {item: live[item].partner_id for item in subscriptions} == dict.fromkeys(
        subscriptions, CONTOSO.id
    )
    project.preview("--expect-no-changes").ok()
    project.destroy().ok()
    assert {row.partner_id for row in backend.registry().designations.all().values()} == {None}
