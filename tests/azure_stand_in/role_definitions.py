"""Role definitions, built-in and custom: Microsoft.Authorization, read only."""

from __future__ import annotations

from typing import Any

from .arm import Answer, Call, Operation, timestamp
from .errors import ArmError
from .estate import BEGINNING, ROOT, RoleDefinition
from .filters import invalid_filter, parse_filter

VERSIONS = ("2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview")
COLLECTION = "providers/Microsoft.Authorization/roleDefinitions"


def list_role_definitions(call: Call) -> Answer:
    """Those that may be assigned at a scope."""
    scope, tenant = call.scope()
    call.require("Microsoft.Authorization/roleDefinitions/read", scope)
    found = [
        role
        for _, role in call.world.role_definitions.items()
        if assignable(call, role, scope, tenant)
    ]
    for term in parse_filter(call.query.get("$filter")):
        if (term.kind, term.name) == ("equal", "rolename"):
            found = [role for role in found if role.name.lower() == term.values[0].lower()]
        elif (term.kind, term.name) == ("equal", "type"):
            found = [role for role in found if role.type.lower() == term.values[0].lower()]
        elif (term.kind, term.name) != ("function", "atscopeandbelow"):
            raise invalid_filter(call.query.get("$filter"))
    return Answer(call.page(found, lambda role: role_definition_body(role, scope)))


def get_role_definition(call: Call) -> Answer:
    scope, tenant = call.scope()
    call.require("Microsoft.Authorization/roleDefinitions/read", scope)
    role = call.world.role_definitions.get(call.guid("role"))
    if role is None or not assignable(call, role, scope, tenant):
        raise ArmError(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{call.path['role']}' does not exist.",
        )
    return Answer(role_definition_body(role, scope))


def assignable(call: Call, role: RoleDefinition, scope: str, tenant: str) -> bool:
    """Whether a role may be assigned at a scope."""
    if role.tenant_id is None:
        return True
    above = call.world.hierarchy.chain(scope)
    return role.tenant_id == tenant and any(
        each.lower() in above for each in role.assignable_scopes
    )


def role_definition_id(role: str, scope: str) -> str:
    """A role definition's id, as it is written for assignments at a scope."""
    parts = scope.split("/")
    prefix = "/".join(parts[:3]) if parts[1] == "subscriptions" else ""
    return f"{prefix}/{COLLECTION}/{role}"


def role_definition_body(role: RoleDefinition, scope: str = ROOT) -> dict[str, Any]:
    """A role definition, with all its permissions."""
    return {
        "id": role_definition_id(role.id, scope),
        "name": role.id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.name,
            "type": role.type,
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [
                {
                    "actions": list(each.actions),
                    "notActions": list(each.not_actions),
                    "dataActions": list(each.data_actions),
                    "notDataActions": list(each.not_data_actions),
                }
                for each in role.permissions
            ],
            "createdOn": timestamp(BEGINNING),
            "updatedOn": timestamp(BEGINNING),
            "createdBy": None,
            "updatedBy": None,
        },
    }


OPERATIONS = tuple(
    Operation("GET", f"{scope}/{COLLECTION}{name}", handler, VERSIONS)
    for scope in ("", "/{scope:path}")
    for name, handler in (("", list_role_definitions), ("/{role}", get_role_definition))
)
