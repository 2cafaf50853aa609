"""The platform azure: labels, credit, access and roles, over the stand-in."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from azure_stand_in.builtin_roles import (
    BILLING_READER,
    CONTRIBUTOR,
    OWNER,
    READER,
    SUPPORT_REQUEST_CONTRIBUTOR,
    TAG_CONTRIBUTOR,
    USER_ACCESS_ADMINISTRATOR,
)
from azure_stand_in.estate import (
    GLOBAL_ADMINISTRATOR,
    Authorization,
    Group,
    Partner,
    PartnerLink,
    Permission,
    RegistrationAssignment,
    RegistrationDefinition,
    RoleDefinition,
    ServicePrincipal,
    User,
    assignment,
    guid,
)
from azure_stand_in.faults import Drop, Respond
from azure_stand_in.server import StandIn
from support.backends import (
    ADMIN,
    CONTOSO,
    DEPLOYER,
    FABRIKAM,
    PARTNER_PRINCIPALS,
    TENANT,
    AzureBackend,
)

from dpor_provider.checker.drift import Kind, drift
from dpor_provider.errors import Conflict, Gone, Invalid, Refused, Unavailable
from dpor_provider.live import Live
from dpor_provider.model import Action, Declared, Estate, Intent, Label, Role
from dpor_provider.platforms import open_platform, read_live
from dpor_provider.platforms.azure.connection import connect
from dpor_provider.platforms.azure.platform import Azure
from dpor_provider.registry import Owner
from dpor_provider.resources.partner_of_record import Lifecycle

OUR_TAGS = ("dpor-partner-id", "dpor-partner-name")
SP_CONTOSO, SP_FABRIKAM = PARTNER_PRINCIPALS[0], PARTNER_PRINCIPALS[1]
GROUP = "/providers/Microsoft.Management/managementGroups/estate"


@pytest.fixture
def stand_in(backend: AzureBackend) -> StandIn:
    return backend.stand_in


class Run:
    """One run of a deployment for one subscription."""

    def __init__(
        self, backend: AzureBackend, *, credit: bool = False, as_: ServicePrincipal = DEPLOYER
    ) -> None:
        registry = backend.registry()
        self.said: list[str] = []
        self.lifecycle = Lifecycle(
            registry,
            Azure(registry, connect(backend.environment(as_)), credit),
            today=date(2026, 11, 23),
            say=self.said.append,
        )

    def check(self, wanted: dict[str, Any], state: dict[str, Any] | None = None) -> Any:
        return self.lifecycle.check(state or {}, wanted)

    def up(self, wanted: dict[str, Any], state: dict[str, Any] | None = None) -> dict[str, Any]:
        checked = self.check(wanted, state)
        assert checked.failures == ()
        if state is None:
            return self.lifecycle.create(checked.inputs)
        if self.lifecycle.diff(state, checked.inputs).changes:
            return self.lifecycle.update(state, checked.inputs)
        return state

    def failures(self, wanted: dict[str, Any], state: dict[str, Any] | None = None) -> str:
        return "; ".join(failure.reason for failure in self.check(wanted, state).failures)


def of(subscription: str, partner_id: str = CONTOSO.id, **rest: Any) -> dict[str, Any]:
    return {
        "subscription_id": subscription,
        "partner_id": partner_id,
        "managed_by": "estate/prod/payments",
        **rest,
    }


def tags(backend: AzureBackend, subscription: str) -> dict[str, str]:
    return backend.stand_in.world.tags(subscription)


def set_tags(backend: AzureBackend, subscription: str, **changes: str) -> None:
    """As anybody with Tag Contributor can."""
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    with backend.stand_in.world.lock:
        backend.stand_in.world.change_subscription(
            subscription, tags={**tags(backend, subscription), **named}
        )


def live(backend: AzureBackend) -> Live:
    return read_live(backend.registry(), backend.platform())


def put(stand_in: StandIn, *assignments: Any) -> None:
    with stand_in.world.lock:
        for item in assignments:
            stand_in.world.role_assignments.put(item)


def strip(stand_in: StandIn, principal: Any) -> None:
    """Take all roles of a principal away."""
    with stand_in.world.lock:
        for key, item in list(stand_in.world.role_assignments.items()):
            if item.principal_id == principal.id:
                stand_in.world.role_assignments.remove(key)


def scope(subscription: str) -> str:
    return f"/subscriptions/{subscription}"


# --- Labels --------------------------------------------------------------------------------------


def test_a_designation_is_a_label_beside_all_other_tags(
    backend: AzureBackend, subscription: str
) -> None:
    state = Run(backend).up(of(subscription))
    assert state["effective"] == "yes"
    assert tags(backend, subscription) == {
        "env": "test",
        "dpor-partner-id": CONTOSO.id,
        "dpor-partner-name": CONTOSO.name,
    }
    assert backend.registry().designations.all()[subscription].effective
    state = Run(backend).up(of(subscription, FABRIKAM.id), state)
    assert tags(backend, subscription)["dpor-partner-id"] == FABRIKAM.id
    Run(backend).lifecycle.delete(state)
    assert tags(backend, subscription) == {"env": "test"}
    assert backend.registry().verify().problems == ()


def test_a_preview_and_an_unchanged_up_write_nothing(
    backend: AzureBackend, subscription: str
) -> None:
    state = Run(backend).up(of(subscription))
    entries, writes = len(backend.registry().audit.entries()), len(backend.stand_in.journal.writes)
    run = Run(backend)
    checked = run.check(of(subscription), state)
    assert not run.lifecycle.diff(state, checked.inputs).changes
    assert run.lifecycle.read(state) is not None
    assert len(backend.registry().audit.entries()) == entries
    assert len(backend.stand_in.journal.writes) == writes


@pytest.mark.parametrize(
    "forged",
    [
        {"dpor_partner_id": FABRIKAM.id, "dpor_partner_name": FABRIKAM.name},
        {"dpor_partner_id": "evil\x1b[31m"},
        {"dpor_partner_name": "Contoso Consulting (honest)"},
    ],
)
def test_a_forged_label_is_drift_and_its_repair_ends_nobodys_access(
    backend: AzureBackend, subscription: str, forged: dict[str, str]
) -> None:
    for partner, principal in ((CONTOSO, "sp-contoso"), (FABRIKAM, "sp-fabrikam")):
        backend.give_access(subscription, partner, principal)
    state = Run(backend).up(of(subscription))
    set_tags(backend, subscription, **forged)
    run = Run(backend)
    checked = run.check(of(subscription), state)
    assert checked.failures == ()
    assert checked.inputs["drift"].startswith("its label says ")
    assert checked.inputs["drift"].isprintable()
    assert not {"revokes", "stale_access"} & set(checked.inputs)
    run.lifecycle.update(state, checked.inputs)
    assert tags(backend, subscription)["dpor-partner-id"] == CONTOSO.id
    assert tags(backend, subscription)["dpor-partner-name"] == CONTOSO.name
    assert backend.principals() == {"sp-contoso", "sp-fabrikam"}
    assert backend.writes() == ["designate", "repair"]
    content = backend.registry().read()
    assert content.former_partners.get(subscription, frozenset()) == frozenset()
    assert "drift" not in Run(backend).check(of(subscription), state).inputs


def test_a_forged_label_is_no_evidence_for_a_create(
    backend: AzureBackend, subscription: str
) -> None:
    backend.give_access(subscription, FABRIKAM, "sp-fabrikam")
    set_tags(backend, subscription, dpor_partner_id=FABRIKAM.id)
    run = Run(backend)
    checked = run.check(of(subscription))
    assert checked.failures == ()
    assert "revokes" not in checked.inputs
    run.lifecycle.create(checked.inputs)
    assert backend.principals() == {"sp-fabrikam"}
    assert live(backend).former_partners.get(subscription, frozenset()) == frozenset()


def test_drift_names_what_the_label_says(backend: AzureBackend, subscription: str) -> None:
    Run(backend).up(of(subscription))
    set_tags(backend, subscription, dpor_partner_id="5127255")
    declared = Declared(subscription, CONTOSO.id, intent=Intent.DESIGNATED)
    (found,) = drift(Estate((), {}, (declared,)), live(backend))
    assert (found.kind, found.live_partner_id) == (Kind.CHANGED, "5127255")
    assert found.cause == f"its label says 5127255 ({CONTOSO.name})"


def test_tags_of_another_case_are_the_same_tags(backend: AzureBackend, subscription: str) -> None:
    with backend.stand_in.world.lock:
        backend.stand_in.world.change_subscription(
            subscription, tags={"DPOR-Partner-Id": "1", "Dpor-Partner-Name": "x", "env": "test"}
        )
    state = Run(backend).up(of(subscription))
    assert {name.lower() for name in tags(backend, subscription)} == {*OUR_TAGS, "env"}
    assert live(backend).mislabelled == {}
    Run(backend).lifecycle.delete(state)
    assert tags(backend, subscription) == {"env": "test"}


def test_a_subscription_whose_tags_are_full(backend: AzureBackend, subscription: str) -> None:
    full = {f"tag-{number}": "x" for number in range(49)}
    with backend.stand_in.world.lock:
        backend.stand_in.world.change_subscription(subscription, tags=full)
    with pytest.raises(Invalid, match="it has 49 tags, and 50 are the most that Azure keeps"):
        Run(backend).up(of(subscription))
    assert tags(backend, subscription) == full
    with backend.stand_in.world.lock:
        backend.stand_in.world.change_subscription(subscription, tags=dict(list(full.items())[1:]))
    Run(backend).up(of(subscription))
    assert len(tags(backend, subscription)) == 50
    set_tags(backend, subscription, dpor_partner_id="1")
    assert live(backend).mislabelled[subscription] == Label("1", CONTOSO.name)


def test_a_label_that_was_not_written_is_written_by_the_next_run(
    backend: AzureBackend, subscription: str
) -> None:
    backend.stand_in.faults.add("PATCH", "/tags/default$", Respond(400, '{"error":{"code":"X"}}'))
    with pytest.raises(Invalid, match="labelling subscription"):
        Run(backend).up(of(subscription))
    assert backend.live(subscription) == CONTOSO.id
    assert tags(backend, subscription) == {"env": "test"}
    backend.stand_in.faults.clear()
    state = Run(backend).up(of(subscription))
    assert state["effective"] == "yes"
    assert tags(backend, subscription)["dpor-partner-id"] == CONTOSO.id


def test_a_withdrawal_whose_label_was_not_removed_is_ended_by_the_next_run(
    backend: AzureBackend, subscription: str
) -> None:
    state = Run(backend).up(of(subscription))
    backend.stand_in.faults.add("PATCH", "/tags/default$", Respond(400, '{"error":{"code":"X"}}'))
    with pytest.raises(Invalid, match="labelling subscription"):
        Run(backend).lifecycle.delete(state)
    backend.stand_in.faults.clear()
    assert backend.live(subscription) is None
    Run(backend).lifecycle.delete(state)
    assert tags(backend, subscription) == {"env": "test"}


def test_what_is_designated_by_hand_is_labelled_by_the_next_run(
    backend: AzureBackend, subscription: str
) -> None:
    backend.designate(subscription, CONTOSO)
    assert live(backend).mislabelled[subscription] == Label(None, None)
    state = Run(backend).up(of(subscription))
    assert (state["adopted"], state["effective"]) == (True, "yes")
    assert tags(backend, subscription)["dpor-partner-id"] == CONTOSO.id


def test_the_partners_name_is_azures_where_azure_tells_it(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    assert Run(backend).up(of(subscription))["partner_name_source"] == "registry"
    link = PartnerLink(tenant_id=TENANT.id, object_id=DEPLOYER.id, partner_id=CONTOSO.id)
    with stand_in.world.lock:
        stand_in.world.partners[CONTOSO.id] = Partner(id=CONTOSO.id, name="contoso  CONSULTING")
        stand_in.world.partner_links.put(link)
    other = backend.subscription()
    assert Run(backend).up(of(other))["partner_name_source"] == "azure"
    with stand_in.world.lock:
        stand_in.world.partners[CONTOSO.id] = Partner(id=CONTOSO.id, name="Fabrikam")
    said = Run(backend).failures(of(backend.subscription()))
    assert "is called 'Fabrikam' by the platform azure, and 'Contoso Consulting' in the" in said
    assert Run(backend).failures(of(backend.subscription(), FABRIKAM.id)) == ""


# --- What lags, and what cannot be seen ----------------------------------------------------------


def test_no_false_alarm_and_no_second_write_while_resource_graph_lags(
    backend: AzureBackend, subscription: str
) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    state = Run(backend).up(of(subscription))
    backend.stand_in.world.consistency.resource_graph.seconds = 3600
    state = Run(backend).up(of(subscription, FABRIKAM.id), state)
    assert backend.principals() == set()
    writes = len(backend.stand_in.journal.writes)
    run = Run(backend)
    checked = run.check(of(subscription, FABRIKAM.id), state)
    assert not {"drift", "revokes", "stale_access"} & set(checked.inputs)
    assert not run.lifecycle.diff(state, checked.inputs).changes
    assert (
        list(
            drift(
                Estate((), {}, (Declared(subscription, FABRIKAM.id, intent=Intent.DESIGNATED),)),
                live(backend),
            )
        )
        == []
    )
    assert len(backend.stand_in.journal.writes) == writes


def test_more_subscriptions_than_resource_graph_looks_at_by_itself_are_all_seen(
    backend: AzureBackend, stand_in: StandIn
) -> None:
    many = {backend.subscription() for _ in range(5)}
    stand_in.resource_graph.max_subscriptions = 2
    stand_in.journal.clear()
    view = backend.platform().read(backend.registry().read())
    assert set(view.visible or ()) == many
    assert stand_in.journal.requests("subscriptions") > 0


@pytest.mark.parametrize(
    "body",
    [
        '{"totalRecords": 2, "count": 1, "data": [], "facets": [], "resultTruncated": "true"}',
        '{"totalRecords": 2, "count": 1, "data": {"rows": []}, "resultTruncated": "false"}',
    ],
)
def test_an_answer_that_stops_half_way_is_none(
    backend: AzureBackend, stand_in: StandIn, body: str
) -> None:
    backend.subscription()
    stand_in.faults.add("", "ResourceGraph", Respond(200, body))
    with pytest.raises(Unavailable, match="answer is not whole; run it again"):
        backend.platform().read(backend.registry().read())


def test_what_may_not_be_seen_is_unreadable_and_never_gone(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    other = backend.subscription()
    states = [Run(backend).up(of(one, managed_by=f"e/p/{one}")) for one in (subscription, other)]
    strip(stand_in, DEPLOYER)
    put(stand_in, assignment(DEPLOYER, OWNER, scope(other)))
    run = Run(backend)
    assert "lacks Microsoft.Resources/subscriptions/read" in run.failures(
        of(subscription, managed_by=f"e/p/{subscription}"), states[0]
    )
    with pytest.raises(Unavailable, match="Azure shows no such subscription"):
        run.lifecycle.read(states[0])
    assert run.lifecycle.read(states[1]) is not None
    with pytest.raises(Unavailable, match="Azure shows no such subscription"):
        run.lifecycle.update(states[0], states[0])
    assert backend.live(subscription) == CONTOSO.id
    declared = Declared(subscription, CONTOSO.id, intent=Intent.DESIGNATED)
    (found,) = drift(Estate((), {}, (declared,)), live(backend))
    assert found.kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    "change",
    [{"state": "Disabled"}, {"tenant_id": str(uuid.uuid4()), "management_group": None}, None],
)
def test_a_cancelled_moved_or_deleted_subscription_can_be_taken_off_the_stack(
    backend: AzureBackend, subscription: str, stand_in: StandIn, change: dict[str, Any] | None
) -> None:
    state = Run(backend).up(of(subscription))
    with stand_in.world.lock:
        if change is None:
            stand_in.world.subscriptions.remove(subscription)
        else:
            stand_in.world.change_subscription(subscription, **change)
    run = Run(backend)
    run.lifecycle.delete(state)
    assert backend.live(subscription) is None
    assert "its designation is withdrawn, and what it is labelled with remains" in run.said[-1]
    assert run.said[-1].isprintable()


# --- Roles ---------------------------------------------------------------------------------------


def role(name: str, *actions: str, not_actions: tuple[str, ...] = ()) -> RoleDefinition:
    return RoleDefinition(
        id=guid("role", name),
        name=name,
        permissions=(Permission(actions=actions, not_actions=not_actions),),
        assignable_scopes=(GROUP,),
        tenant_id=TENANT.id,
    )


LABELLER = role("Partner labeller", "*/read", "Microsoft.Resources/tags/*")
MANAGER = role(
    "Partner manager",
    "*/read",
    "Microsoft.Resources/tags/write",
    "Microsoft.Authorization/roleAssignments/*",
)
CRIPPLED = role("Nearly", "*", not_actions=("Microsoft.Resources/tags/*",))


@pytest.mark.parametrize(
    ("held", "counts", "permits_removal"),
    [
        (OWNER, Role.OWNER, True),
        (CONTRIBUTOR, Role.CONTRIBUTOR, False),
        (READER, None, False),
        (TAG_CONTRIBUTOR, None, False),
        (BILLING_READER, None, False),
        (USER_ACCESS_ADMINISTRATOR, None, True),
        (LABELLER, Role.CONTRIBUTOR, False),
        (MANAGER, Role.OWNER, True),
        (CRIPPLED, None, True),
    ],
)
@pytest.mark.parametrize("where", ["subscription", "group", "above"])
def test_roles_count_at_and_above_the_subscription(
    backend: AzureBackend,
    subscription: str,
    stand_in: StandIn,
    held: RoleDefinition,
    counts: Role | None,
    permits_removal: bool,
    where: str,
) -> None:
    at = {
        "subscription": scope(subscription),
        "group": GROUP,
        "above": f"/providers/Microsoft.Management/managementGroups/{TENANT.id}",
    }[where]
    strip(stand_in, DEPLOYER)
    with stand_in.world.lock:
        for custom in (LABELLER, MANAGER, CRIPPLED):
            stand_in.world.role_definitions.put(custom)
    put(stand_in, assignment(DEPLOYER, READER, GROUP), assignment(DEPLOYER, held, at))
    deployer = live(backend).deployer
    assert deployer.unknown is None
    assert deployer.may_designate(subscription) == (counts is not None)
    assert {grant.role for grant in deployer.grants} == ({counts} if counts else set())
    removal = ("Microsoft.Authorization/roleAssignments/delete",)
    assert (deployer.lacks(subscription, removal) == ()) == permits_removal
    other = backend.subscription()
    assert live(backend).deployer.may_designate(other) == (
        counts is not None and where != "subscription"
    )


def test_roles_that_come_by_way_of_groups_in_groups(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    inner = Group(
        id=guid("group", "inner"), tenant_id=TENANT.id, name="I", members=frozenset({DEPLOYER.id})
    )
    outer = Group(
        id=guid("group", "outer"), tenant_id=TENANT.id, name="O", members=frozenset({inner.id})
    )
    strip(stand_in, DEPLOYER)
    with stand_in.world.lock:
        stand_in.world.add_principal(inner)
        stand_in.world.add_principal(outer)
    put(
        stand_in, assignment(DEPLOYER, READER, GROUP), assignment(outer, OWNER, scope(subscription))
    )
    found = live(backend).deployer
    assert found.may_designate(subscription)
    assert not found.may_designate(backend.subscription())
    Run(backend).up(of(subscription))


def test_roles_of_a_group_above_are_asked_for_once(
    backend: AzureBackend, stand_in: StandIn
) -> None:
    group = Group(
        id=guid("group", "g"), tenant_id=TENANT.id, name="G", members=frozenset({DEPLOYER.id})
    )
    strip(stand_in, DEPLOYER)
    with stand_in.world.lock:
        stand_in.world.add_principal(group)
    put(stand_in, assignment(DEPLOYER, READER, GROUP), assignment(group, OWNER, GROUP))
    many = [backend.subscription() for _ in range(50)]
    stand_in.journal.clear()
    found = live(backend).deployer
    assert all(found.may_designate(one) for one in many)
    assert stand_in.journal.requests("roleAssignments") == 1


def test_a_global_administrator_may_designate_and_still_needs_the_actions(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    administrator = replace(DEPLOYER, directory_roles=frozenset({GLOBAL_ADMINISTRATOR}))
    strip(stand_in, DEPLOYER)
    with stand_in.world.lock:
        stand_in.world.add_principal(administrator)
    put(stand_in, assignment(administrator, READER, GROUP))
    run = Run(backend, as_=administrator)
    assert run.lifecycle.live.deployer.may_designate(subscription)
    assert (
        "its roles do not permit Microsoft.Resources/tags/write; nothing was begun"
        in run.failures(of(subscription))
    )


def test_who_may_label_and_not_revoke_is_told_before_the_switch(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    state = Run(backend).up(of(subscription))
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    strip(stand_in, DEPLOYER)
    put(stand_in, assignment(DEPLOYER, CONTRIBUTOR, GROUP))
    run = Run(backend)
    switch = of(subscription, FABRIKAM.id)
    assert "do not permit Microsoft.Authorization/roleAssignments/delete" in run.failures(
        switch, state
    )
    with pytest.raises(Refused, match="roleAssignments/delete"):
        run.lifecycle.update(state, switch)
    assert backend.live(subscription) == CONTOSO.id
    assert Run(backend).failures({**switch, "former_access": "keep"}, state) == ""


def test_a_deployer_without_a_role_is_told_which_command_gives_it_one(
    backend: AzureBackend, subscription: str
) -> None:
    backend.demote_deployer()
    said = Run(backend).failures(of(subscription))
    assert f"az role assignment create --assignee-object-id {DEPLOYER.id} --role Owner" in said
    assert f"--scope /subscriptions/{subscription}" in said


def test_the_registrys_own_rights_count_as_well(backend: AzureBackend, subscription: str) -> None:
    registry = backend.registry(ADMIN)
    for grant in registry.roles.all():
        if grant.principal != ADMIN:
            registry.roles.ungrant(grant)
    assert "dpor registry grant" in Run(backend).failures(of(subscription))


def test_roles_that_cannot_be_read_fail_closed(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    stand_in.faults.add("", "roleDefinitions", Respond(403, '{"error":{"code":"Nope"}}'))
    assert "[DPOR202]" in Run(backend).failures(of(subscription))


def test_a_named_deployer_is_an_object_id(backend: AzureBackend, subscription: str) -> None:
    found = read_live(backend.registry(), backend.platform(), principal="ci-deploy").deployer
    assert "is no object id of the tenant" in (found.unknown or "")


def test_a_guest_is_its_principal_in_this_tenant(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    guest = User(
        id=guid("user", "guest"),
        tenant_id=TENANT.id,
        name="gus@contoso.example",
        home_tenant_id=str(uuid.uuid4()),
    )
    with stand_in.world.lock:
        stand_in.world.add_principal(guest)
    put(stand_in, assignment(guest, OWNER, scope(subscription)))
    environment = {"DPOR_AZURE_ENDPOINT": stand_in.url, "DPOR_AZURE_TOKEN": stand_in.token(guest)}
    registry = backend.registry()
    found = read_live(registry, Azure(registry, connect(environment))).deployer
    assert found.may_designate(subscription)
    assert found.principal == f"gus@contoso.example ({guest.id})"


# --- Access --------------------------------------------------------------------------------------


def delegate(backend: AzureBackend, subscription: str, tenant: str) -> RegistrationAssignment:
    offer = RegistrationDefinition(
        name=guid("offer", subscription),
        subscription_id=subscription,
        offer="Managed services",
        managed_by_tenant_id=tenant,
        authorizations=(
            Authorization(
                principal_id=guid("group", tenant), role=READER.id, display_name="Consultants"
            ),
        ),
    )
    made = RegistrationAssignment(
        name=guid("delegation", subscription), scope=scope(subscription), definition_id=offer.id
    )
    with backend.stand_in.world.lock:
        backend.stand_in.world.registration_definitions.put(offer)
        backend.stand_in.world.registration_assignments.put(made)
    return made


def held(backend: AzureBackend, at: str) -> set[tuple[str, str]]:
    with backend.stand_in.world.lock:
        return {
            (item.principal_id, item.role) for item in backend.stand_in.world.assignments_at(at)
        }


def test_a_switch_ends_the_former_partners_access_and_names_what_it_leaves(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    below = f"{scope(subscription)}/resourceGroups/rg"
    put(
        stand_in,
        assignment(SP_CONTOSO, CONTRIBUTOR, scope(subscription), condition="@Resource[x] 'y'"),
        assignment(SP_CONTOSO, READER, GROUP),
        assignment(SP_CONTOSO, OWNER, below),
        assignment(SP_FABRIKAM, READER, scope(subscription)),
    )
    state = Run(backend).up(of(subscription))
    run = Run(backend)
    checked = run.check(of(subscription, FABRIKAM.id), state)
    assert checked.failures == ()
    (revokes,) = checked.inputs["revokes"]
    assert revokes.startswith(f"Contributor of {SP_CONTOSO.id}")
    assert any("is held above the subscription and remains" in line for line in run.said)
    assert any("is held below the subscription and remains" in line for line in run.said)
    run.lifecycle.update(state, checked.inputs)
    assert held(backend, scope(subscription)) == {(SP_FABRIKAM.id, READER.id)}
    assert (SP_CONTOSO.id, READER.id) in held(backend, GROUP)
    assert held(backend, below) == {(SP_CONTOSO.id, OWNER.id)}

    platform = backend.platform()
    (restored,) = platform.restore(subscription)
    assert (restored.role, restored.condition) == ("Contributor", "@Resource[x] 'y'")
    with stand_in.world.lock:
        (back,) = [
            item
            for item in stand_in.world.assignments_at(scope(subscription))
            if item.principal_id == SP_CONTOSO.id
        ]
    assert (back.role, back.condition) == (CONTRIBUTOR.id, "@Resource[x] 'y'")
    assert backend.registry().access.all() == ()
    assert backend.registry().access.removed() == ()
    assert backend.registry().verify().problems == ()


def test_what_is_removed_is_recorded_first(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    state = Run(backend).up(of(subscription))
    stand_in.faults.add("DELETE", "roleAssignments", Respond(400, '{"error":{"code":"X"}}'))
    with pytest.raises(Invalid, match="removing Support Request Contributor of"):
        Run(backend).up(of(subscription, FABRIKAM.id), state)
    (recorded,) = backend.registry().access.removed()
    assert recorded.access.principal == SP_CONTOSO.id
    stand_in.faults.clear()
    run = Run(backend)
    checked = run.check(of(subscription, FABRIKAM.id), state)
    assert "stale_access" in checked.inputs
    run.lifecycle.update(state, checked.inputs)
    assert backend.principals() == set()


def test_a_delegation_of_the_former_partners_tenant_ends(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    tenant = str(uuid.uuid4())
    registry = backend.registry(ADMIN)
    registry.partners.add(
        replace(CONTOSO, id="7654321", name="Tailspin", former_ids=(), tenants=(tenant,))
    )
    delegate(backend, subscription, tenant)
    state = Run(backend).up(of(subscription, "7654321"))
    run = Run(backend)
    checked = run.check(of(subscription, FABRIKAM.id), state)
    (revokes,) = checked.inputs["revokes"]
    assert revokes.startswith(f"Azure Lighthouse (Managed services) of {tenant}")
    run.lifecycle.update(state, checked.inputs)
    with stand_in.world.lock:
        assert list(stand_in.world.registration_assignments.items()) == []
    with pytest.raises(Invalid, match="accept the partner's offer again"):
        backend.platform().restore(subscription)


def test_a_principal_that_the_directory_does_not_name_is_never_touched(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    foreign = ServicePrincipal(
        id=guid("principal", "csp"),
        tenant_id=TENANT.id,
        name="csp",
        application_id=guid("a", "csp"),
    )
    with stand_in.world.lock:
        stand_in.world.add_principal(foreign)
    put(
        stand_in,
        assignment(foreign, OWNER, scope(subscription), principal_type="ForeignGroup"),
    )
    state = Run(backend).up(of(subscription))
    Run(backend).up(of(subscription, FABRIKAM.id), state)
    assert (foreign.id, OWNER.id) in held(backend, scope(subscription))


# --- Credit --------------------------------------------------------------------------------------


def test_credit_is_one_assignment_that_a_repeat_leaves_as_it_is(
    backend: AzureBackend, subscription: str
) -> None:
    state = Run(backend, credit=True).up(of(subscription))
    credit = {(SP_CONTOSO.id, SUPPORT_REQUEST_CONTRIBUTOR.id)}
    assert held(backend, scope(subscription)) == credit
    Run(backend, credit=True).lifecycle.create(of(subscription))
    assert held(backend, scope(subscription)) == credit
    with backend.stand_in.world.lock:
        (made,) = backend.stand_in.world.assignments_at(scope(subscription))
    assert made.principal_type == "ServicePrincipal"
    state = Run(backend, credit=True).up(of(subscription))
    state = Run(backend, credit=True).up(of(subscription, FABRIKAM.id), state)
    assert held(backend, scope(subscription)) == {(SP_FABRIKAM.id, SUPPORT_REQUEST_CONTRIBUTOR.id)}
    Run(backend, credit=True).lifecycle.delete(state)
    assert held(backend, scope(subscription)) == set()


def test_a_partner_without_a_principal_cannot_be_credited(
    backend: AzureBackend, subscription: str
) -> None:
    backend.registry(ADMIN).partners.add(replace(CONTOSO, id="7654321", name="T", former_ids=()))
    said = Run(backend, credit=True).failures(of(subscription, "7654321"))
    assert "T (7654321) cannot be credited: the directory names no service principal" in said
    assert Run(backend).failures(of(subscription, "7654321")) == ""


def test_credit_takes_the_right_to_assign_roles(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    strip(stand_in, DEPLOYER)
    put(stand_in, assignment(DEPLOYER, CONTRIBUTOR, GROUP))
    said = Run(backend, credit=True).failures(of(subscription))
    assert "do not permit Microsoft.Authorization/roleAssignments/write" in said
    assert Run(backend).failures(of(subscription)) == ""


def test_credit_is_azures_alone(backend: AzureBackend) -> None:
    with pytest.raises(Invalid, match="dpor:credit is of the platform azure"):
        open_platform("portal", backend.registry(), credit=True)


# --- Faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Drop(), Drop(after=True)])
@pytest.mark.parametrize("nth", range(1, 9))
def test_a_connection_that_is_lost_at_any_request_ends_in_the_right_state(
    backend: AzureBackend, subscription: str, stand_in: StandIn, fault: Any, nth: int
) -> None:
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    state = Run(backend, credit=True).up(of(subscription))
    stand_in.faults.add("", "", fault, calls={nth})
    Run(backend, credit=True).up(of(subscription, FABRIKAM.id), state)
    assert tags(backend, subscription)["dpor-partner-id"] == FABRIKAM.id
    assert held(backend, scope(subscription)) == {(SP_FABRIKAM.id, SUPPORT_REQUEST_CONTRIBUTOR.id)}
    assert backend.writes().count("switch") == 1


def test_somebody_who_writes_the_same_tags_meanwhile_is_named(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    body = '{"properties":{"tags":{"dpor-partner-id":"999999"}}}'
    stand_in.faults.add("PATCH", "/tags/default$", Respond(200, body, after=True))
    with pytest.raises(Unavailable, match="Azure accepted it, and shows 999999"):
        Run(backend).up(of(subscription))


def test_a_subscription_that_goes_while_it_is_read(
    backend: AzureBackend, subscription: str, stand_in: StandIn
) -> None:
    Run(backend).up(of(subscription))
    set_tags(backend, subscription, dpor_partner_id="1")
    body = '{"error":{"code":"SubscriptionNotFound","message":"gone"}}'
    stand_in.faults.add("GET", "/tags/default$", Respond(404, body))
    assert live(backend).mislabelled == {}
    with pytest.raises(Gone):
        backend.platform().apply(backend.registry().designations.all()[subscription])


def test_a_change_in_the_registry_between_write_and_label_is_a_conflict(
    backend: AzureBackend, subscription: str
) -> None:
    registry = backend.registry()
    owner = Owner("estate/prod/payments", "claim")
    row = registry.designations.designate(
        subscription, CONTOSO.id, seen_version=0, owner=owner, action=Action.DESIGNATE
    )
    backend.designate(subscription, FABRIKAM)
    with pytest.raises(Conflict, match="was changed meanwhile"):
        backend.platform().apply(row)
