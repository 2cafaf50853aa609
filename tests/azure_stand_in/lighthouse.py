"""Azure Lighthouse: Microsoft.ManagedServices, 2022-10-01 and the versions that agree with it."""

from __future__ import annotations

from typing import Any

from .arm import Answer, Call, Operation
from .errors import ArmError
from .estate import Authorization, RegistrationAssignment, RegistrationDefinition
from .filters import invalid_filter, parse_filter
from .scopes import subscription_of
from .world import World

VERSIONS = ("2019-06-01", "2019-09-01", "2020-02-01-preview", "2022-01-01-preview", "2022-10-01")
ASSIGNMENTS = "/{scope:path}/providers/Microsoft.ManagedServices/registrationAssignments"
DEFINITIONS = "/{scope:path}/providers/Microsoft.ManagedServices/registrationDefinitions"


def list_assignments(call: Call) -> Answer:
    """The delegations of exactly this scope."""
    scope, _ = call.scope()
    call.require("Microsoft.ManagedServices/registrationAssignments/read", scope)
    found = [
        item
        for _, item in call.world.registration_assignments.where(
            "subscription", subscription_of(scope)
        )
        if item.scope.lower() == scope.lower() and _managed_by(call, item.definition_id)
    ]
    found.sort(key=lambda item: item.id)
    return Answer(call.page(found, lambda item: _expanded(call, item)))


def get_assignment(call: Call) -> Answer:
    return Answer(_expanded(call, _assignment(call, "read")))


def delete_assignment(call: Call) -> Answer:
    """End a delegation. It is done at once, where Azure may answer 202 and take some minutes."""
    found = _assignment(call, "delete")
    if found is None:
        return Answer(status=204, effect=False)
    call.world.registration_assignments.remove(found.id)
    return Answer(_expanded(call, found))


def list_definitions(call: Call) -> Answer:
    scope, _ = call.scope()
    call.require("Microsoft.ManagedServices/registrationDefinitions/read", scope)
    found = [
        item
        for _, item in call.world.registration_definitions.items()
        if item.subscription_id == subscription_of(scope) and _managed_by(call, item.id)
    ]
    return Answer(call.page(found, lambda item: registration_definition_body(call.world, item)))


def get_definition(call: Call) -> Answer:
    scope, _ = call.scope()
    call.require("Microsoft.ManagedServices/registrationDefinitions/read", scope)
    found = call.world.registration_definitions.get(
        f"/subscriptions/{subscription_of(scope)}/providers/Microsoft.ManagedServices/"
        f"registrationDefinitions/{call.path['name']}"
    )
    if found is None:
        raise ArmError(
            404,
            "RegistrationDefinitionNotFound",
            f"The registration definition '{call.path['name']}' could not be found.",
        )
    return Answer(registration_definition_body(call.world, found))


def registration_assignment_body(
    world: World, item: RegistrationAssignment, *, expand: bool
) -> dict[str, Any]:
    """A delegation; expanded with what is delegated to whom."""
    properties: dict[str, Any] = {
        "registrationDefinitionId": item.definition_id,
        "provisioningState": "Succeeded",
    }
    definition = world.registration_definitions.get(item.definition_id)
    if expand and definition:
        properties["registrationDefinition"] = registration_definition_body(world, definition)
    return {
        "id": item.id,
        "name": item.name,
        "type": "Microsoft.ManagedServices/registrationAssignments",
        "properties": properties,
    }


def registration_definition_body(world: World, item: RegistrationDefinition) -> dict[str, Any]:
    subscription = world.subscriptions.get(item.subscription_id)
    managee = world.tenants.get(subscription.tenant_id) if subscription else None
    manager = world.tenants.get(item.managed_by_tenant_id)
    return {
        "id": item.id,
        "name": item.name,
        "type": "Microsoft.ManagedServices/registrationDefinitions",
        "properties": {
            "registrationDefinitionName": item.offer,
            "description": item.description,
            "managedByTenantId": item.managed_by_tenant_id,
            "managedByTenantName": manager.name if manager else "",
            "manageeTenantId": managee.id if managee else "",
            "manageeTenantName": managee.name if managee else "",
            "provisioningState": "Succeeded",
            "authorizations": [_authorization_body(each) for each in item.authorizations],
            "eligibleAuthorizations": [
                _authorization_body(each)
                | {
                    "justInTimeAccessPolicy": {
                        "multiFactorAuthProvider": "Azure",
                        "maximumActivationDuration": "PT8H",
                    }
                }
                for each in item.eligible
            ],
        },
    }


def _authorization_body(item: Authorization) -> dict[str, Any]:
    body: dict[str, Any] = {
        "principalId": item.principal_id,
        "principalIdDisplayName": item.display_name,
        "roleDefinitionId": item.role,
    }
    if item.delegated_roles:
        body["delegatedRoleDefinitionIds"] = list(item.delegated_roles)
    return body


def _expanded(call: Call, item: RegistrationAssignment | None) -> dict[str, Any]:
    if item is None:
        raise ArmError(
            404,
            "RegistrationAssignmentNotFound",
            f"The registration assignment '{call.path['name']}' could not be found.",
        )
    expand = call.query.get("$expandregistrationdefinition", "").lower() == "true"
    return registration_assignment_body(call.world, item, expand=expand)


def _assignment(call: Call, verb: str) -> RegistrationAssignment | None:
    scope, _ = call.scope()
    resource = (
        f"{scope}/providers/Microsoft.ManagedServices/registrationAssignments/{call.path['name']}"
    )
    call.require(f"Microsoft.ManagedServices/registrationAssignments/{verb}", scope, resource)
    return call.world.registration_assignments.get(resource)


def _managed_by(call: Call, definition_id: str) -> bool:
    """Whether the filter `managedByTenantId eq …` or `in (…)` holds."""
    definition = call.world.registration_definitions.get(definition_id)
    for term in parse_filter(call.query.get("$filter")):
        if term.kind not in ("equal", "member") or term.name != "managedbytenantid":
            raise invalid_filter(call.query.get("$filter"))
        if definition is None or definition.managed_by_tenant_id not in term.values:
            return False
    return True


OPERATIONS = (
    Operation("GET", ASSIGNMENTS, list_assignments, VERSIONS),
    Operation("GET", ASSIGNMENTS + "/{name}", get_assignment, VERSIONS),
    Operation("DELETE", ASSIGNMENTS + "/{name}", delete_assignment, VERSIONS),
    Operation("GET", DEFINITIONS, list_definitions, VERSIONS),
    Operation("GET", DEFINITIONS + "/{name}", get_definition, VERSIONS),
)
