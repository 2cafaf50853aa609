"""Each permission that docs/azure.md lists: without it, the exact error, and nothing written."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from azure_stand_in.builtin_roles import CONTRIBUTOR, OWNER, READER
from azure_stand_in.estate import (
    Authorization,
    Permission,
    RegistrationAssignment,
    RegistrationDefinition,
    RoleDefinition,
    assignment,
    guid,
)
from azure_stand_in.example import CONSULTANT, PARTNER_TENANT, PAYMENTS
from azure_stand_in.server import StandIn
from click.testing import CliRunner
from support.backends import (
    ADMIN,
    CONTOSO,
    DEPLOYER,
    FABRIKAM,
    PARTNER_PRINCIPALS,
    TENANT,
    AzureBackend,
    sqlite_azure,
)

from dpor_provider.cli.main import dpor
from dpor_provider.errors import Refused, Unavailable
from dpor_provider.model import subscription_scope
from dpor_provider.platforms import open_platform, read_live
from dpor_provider.platforms.azure.connection import connect
from dpor_provider.platforms.azure.platform import Azure
from dpor_provider.registry import init_registry
from dpor_provider.resources.partner_of_record import Lifecycle

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/azure.md").read_text()
GROUP = "/providers/Microsoft.Management/managementGroups/estate"


def actions(role: str) -> frozenset[str]:
    """What a role of the example permits."""
    found = json.loads((ROOT / f"examples/azure/roles/{role}.json").read_text())
    return frozenset(found["Actions"])


DESIGNATOR, OBSERVER = actions("designator"), actions("observer")

SEE = "Microsoft.Resources/subscriptions/read"
READ_TAGS, WRITE_TAGS = "Microsoft.Resources/tags/read", "Microsoft.Resources/tags/write"
READ_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments/read"
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
REMOVE = "Microsoft.Authorization/roleAssignments/delete"
READ_ROLES = "Microsoft.Authorization/roleDefinitions/read"
READ_DELEGATIONS = "Microsoft.ManagedServices/registrationAssignments/read"
END_DELEGATIONS = "Microsoft.ManagedServices/registrationAssignments/delete"
UNVERIFIED = {
    "Microsoft.ManagedServices/registrationDefinitions/read",
    "Microsoft.Management/managementGroups/read",
}
"""What the stand-in does not ask for, and Azure may."""


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureBackend]:
    made = sqlite_azure(tmp_path)
    assert isinstance(made, AzureBackend)
    with made.here(monkeypatch):
        monkeypatch.setenv("DPOR_REGISTRY", made.url)
        yield made


@pytest.fixture
def permit(backend: AzureBackend) -> Callable[[frozenset[str]], None]:
    """Lets the deployer do exactly these."""

    def to(permitted: frozenset[str]) -> None:
        role = RoleDefinition(
            id=guid("role", "tried"),
            name="Tried",
            permissions=(Permission(actions=tuple(sorted(permitted))),),
            tenant_id=TENANT.id,
            assignable_scopes=(GROUP,),
        )
        world = backend.stand_in.world
        with world.lock:
            for key, item in list(world.role_assignments.items()):
                if item.principal_id == DEPLOYER.id:
                    world.role_assignments.remove(key)
            world.role_definitions.put(role)
            world.role_assignments.put(assignment(DEPLOYER, role, GROUP))

    return to


class Deployment:
    """Deployments of one subscription's partner, each a run of its own."""

    def __init__(self, backend: AzureBackend, *, credit: bool = False) -> None:
        self.backend = backend
        self.credit = credit
        self.subscription = backend.subscription()
        self.state: dict[str, Any] | None = None

    def up(self, partner_id: str) -> str:
        """The failures of the preview, after which nothing is deployed."""
        registry = self.backend.registry()
        lifecycle = Lifecycle(
            registry,
            open_platform("azure", registry, credit=self.credit),
            today=date(2026, 11, 23),
            say=lambda line: None,
        )
        wanted = {
            "subscription_id": self.subscription,
            "partner_id": partner_id,
            "managed_by": "estate/prod/payments",
        }
        checked = lifecycle.check(self.state or {}, wanted)
        if checked.failures:
            return "; ".join(failure.reason for failure in checked.failures)
        self.state = (
            lifecycle.update(self.state, checked.inputs)
            if self.state
            else lifecycle.create(checked.inputs)
        )
        return ""


def written(backend: AzureBackend) -> tuple[int, list[str]]:
    """How much was written to Azure and to the registry."""
    return len(backend.stand_in.journal.writes), backend.writes()


def has_access(backend: AzureBackend, subscription: str) -> None:
    """A partner's principal holds a role."""
    world = backend.stand_in.world
    with world.lock:
        world.role_assignments.put(
            assignment(PARTNER_PRINCIPALS[0], CONTRIBUTOR, subscription_scope(subscription))
        )


def is_delegated(backend: AzureBackend, subscription: str) -> None:
    """A partner's tenant manages it by Azure Lighthouse."""
    tenant = str(uuid.uuid4())
    backend.registry(ADMIN).partners.know_by(CONTOSO.id, tenants=(tenant,))
    offer = RegistrationDefinition(
        name=guid("offer", subscription),
        subscription_id=subscription,
        offer="Managed services",
        managed_by_tenant_id=tenant,
        authorizations=(
            Authorization(principal_id=guid("group", tenant), role=READER.id, display_name="C"),
        ),
    )
    made = RegistrationAssignment(
        name=guid("delegation", subscription),
        scope=subscription_scope(subscription),
        definition_id=offer.id,
    )
    world = backend.stand_in.world
    with world.lock:
        world.registration_definitions.put(offer)
        world.registration_assignments.put(made)


def nothing(backend: AzureBackend, subscription: str) -> None:
    """No partner has access."""


LACKING = (
    (SEE, nothing, False, f"it lacks {SEE} there"),
    (READ_ASSIGNMENTS, nothing, False, f"perform action '{READ_ASSIGNMENTS}'"),
    (READ_ROLES, nothing, False, f"perform action '{READ_ROLES}'"),
    (READ_DELEGATIONS, nothing, False, f"which lacks {READ_DELEGATIONS}"),
    (READ_TAGS, nothing, False, f"its roles do not permit {READ_TAGS}; nothing was begun"),
    (WRITE_TAGS, nothing, False, "may not designate the partner of subscription"),
    (ASSIGN, nothing, True, f"its roles do not permit {ASSIGN}; nothing was begun"),
    (REMOVE, nothing, True, f"its roles do not permit {REMOVE}; nothing was begun"),
    (REMOVE, has_access, False, f"its roles do not permit {REMOVE}; nothing was begun"),
    (
        END_DELEGATIONS,
        is_delegated,
        False,
        f"its roles do not permit {END_DELEGATIONS}; nothing was begun",
    ),
)
"""An action, what access the former partner has, whether partners are credited, what is said."""


@pytest.mark.parametrize(
    ("action", "before", "credit", "says"),
    LACKING,
    ids=[f"{action.partition('.')[2]}-{before.__name__}" for action, before, _, _ in LACKING],
)
def test_a_switch_without_it_is_refused_in_preview_and_begins_nothing(
    backend: AzureBackend,
    permit: Callable[[frozenset[str]], None],
    action: str,
    before: Callable[[AzureBackend, str], None],
    credit: bool,
    says: str,
) -> None:
    deployment = Deployment(backend, credit=credit)
    assert deployment.up(CONTOSO.id) == ""
    before(backend, deployment.subscription)
    earlier = written(backend)
    permit(DESIGNATOR - {action})
    said = deployment.up(FABRIKAM.id)
    assert says in said
    assert "\n" not in said
    assert written(backend) == earlier

    permit(DESIGNATOR - UNVERIFIED)
    assert deployment.up(FABRIKAM.id) == ""
    assert written(backend) != earlier


def test_what_was_revoked_comes_back_by_who_may_assign_roles(
    backend: AzureBackend, permit: Callable[[frozenset[str]], None]
) -> None:
    deployment = Deployment(backend)
    assert deployment.up(CONTOSO.id) == ""
    has_access(backend, deployment.subscription)
    assert deployment.up(FABRIKAM.id) == ""
    permit(DESIGNATOR - {ASSIGN})
    with pytest.raises(Refused, match=f"restoring Contributor .*'{ASSIGN}'"):
        backend.platform().restore(deployment.subscription)
    assert len(backend.registry().access.removed()) == 1
    permit(DESIGNATOR - UNVERIFIED)
    assert len(backend.platform().restore(deployment.subscription)) == 1


def look(*arguments: str) -> tuple[int, str]:
    """The exit code of a command that looks, and all that it says."""
    done = CliRunner().invoke(dpor, ["--platform", "azure", *arguments], standalone_mode=False)
    if done.exception:
        raise done.exception
    return (done.return_value or 0) if isinstance(done.return_value, int) else 0, done.output


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (SEE, f"it lacks {SEE} there"),
        (READ_ASSIGNMENTS, f"perform action '{READ_ASSIGNMENTS}'"),
        (READ_DELEGATIONS, f"which lacks {READ_DELEGATIONS}"),
    ],
)
def test_access_that_cannot_be_read_is_never_called_none(
    backend: AzureBackend,
    permit: Callable[[frozenset[str]], None],
    action: str,
    says: str,
) -> None:
    subscription = backend.subscription()
    has_access(backend, subscription)
    is_delegated(backend, subscription)
    permit(OBSERVER - {action})
    code, said = look("access", "list", subscription)
    assert code == 2
    assert f"dpor: not all of it could be read: {said.partition('could be read: ')[2]}" in said
    assert says in said
    permit(OBSERVER - UNVERIFIED)
    code, said = look("access", "list", subscription)
    assert code == 0
    assert said.count(CONTOSO.id) == 2


def test_roles_that_nobody_may_look_up_are_no_finding_but_a_failure(
    backend: AzureBackend, permit: Callable[[frozenset[str]], None]
) -> None:
    has_access(backend, backend.subscription())
    permit(OBSERVER - {READ_ROLES})
    with pytest.raises(Unavailable, match=READ_ROLES):
        read_live(backend.registry(), backend.platform())


def test_a_label_of_just_now_is_read_at_azure_itself(
    backend: AzureBackend, permit: Callable[[frozenset[str]], None]
) -> None:
    backend.designate(backend.subscription(), CONTOSO)
    permit(OBSERVER - {READ_TAGS})
    with pytest.raises(Unavailable, match=READ_TAGS):
        read_live(backend.registry(), backend.platform())
    permit(OBSERVER - UNVERIFIED)
    assert read_live(backend.registry(), backend.platform()).mislabelled


def test_who_reads_by_rights_that_are_not_shown_is_believed(
    stand_in: StandIn, tmp_path: Path
) -> None:
    # Rights by a delegation of one's own are in no list of role assignments.
    registry = init_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    registry.partners.add(replace(CONTOSO, tenants=(PARTNER_TENANT.id,)))
    consultant = {
        "DPOR_AZURE_ENDPOINT": stand_in.url,
        "DPOR_AZURE_TOKEN": stand_in.token(CONSULTANT),
    }
    live = read_live(registry, Azure(registry, connect(consultant)))
    assert live.unreadable_because(PAYMENTS.id) is None
    assert [item.partner_id for item in live.reaching(PAYMENTS.id)] == [CONTOSO.id]


def test_built_in_roles_suffice_as_the_page_says(backend: AzureBackend) -> None:
    def hold(role: RoleDefinition) -> None:
        world = backend.stand_in.world
        with world.lock:
            for key, item in list(world.role_assignments.items()):
                if item.principal_id == DEPLOYER.id:
                    world.role_assignments.remove(key)
            world.role_assignments.put(assignment(DEPLOYER, role, GROUP))

    labelled, credited = Deployment(backend), Deployment(backend, credit=True)
    hold(READER)
    assert look("access", "list")[0] == 0
    assert "may not designate" in labelled.up(CONTOSO.id)
    hold(CONTRIBUTOR)
    assert labelled.up(CONTOSO.id) == ""
    assert f"do not permit {ASSIGN}" in credited.up(CONTOSO.id)
    hold(OWNER)
    assert credited.up(CONTOSO.id) == ""
    is_delegated(backend, credited.subscription)
    assert credited.up(FABRIKAM.id) == ""
    world = backend.stand_in.world
    with world.lock:
        assert list(world.registration_assignments.items()) == []


def test_the_page_lists_each_action_and_what_is_said_without_it() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `Microsoft.")]
    listed = {row.split("`")[1]: row for row in rows}
    assert listed.keys() == DESIGNATOR
    assert len(rows) == len(listed)
    for action, _, _, says in LACKING:
        assert says in listed[action], action
    assert OBSERVER < DESIGNATOR
    for action, row in listed.items():
        assert ("look" in row.split("|")[2]) is (action in OBSERVER), action
