"""Role assignments: Microsoft.Authorization, 2022-04-01 and the versions that agree with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .arm import Answer, Call, Operation, timestamp
from .errors import ArmError, bad_request
from .estate import Group, RoleAssignment
from .filters import invalid_filter, parse_filter
from .role_definitions import assignable, role_definition_id
from .scopes import subscription_of

VERSIONS = ("2020-04-01-preview", "2020-10-01-preview", "2022-04-01")
COLLECTION = "providers/Microsoft.Authorization/roleAssignments"
MAX_IN_SUBSCRIPTION = 4000
PRINCIPAL_TYPES = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")


def list_role_assignments(call: Call) -> Answer:
    """At, above and, within a subscription, below a scope, as a filter says."""
    scope, tenant = call.scope()
    call.require("Microsoft.Authorization/roleAssignments/read", scope)
    found = [item for item in _around(call, scope) if item.tenant_id == tenant]
    above = call.world.hierarchy.chain(scope)
    for term in parse_filter(call.query.get("$filter")):
        match term.kind, term.name, term.values:
            case "function", "atscope", ():
                found = [item for item in found if item.scope.lower() in above]
            case "function", "assignedto", (principal,):
                principals = _with_groups(call, principal)
                found = [item for item in found if item.principal_id in principals]
            case "equal", "principalid", (principal,):
                found = [item for item in found if item.principal_id == principal.lower()]
            case _:
                raise invalid_filter(call.query.get("$filter"))
    found.sort(key=lambda item: item.id)
    return Answer(call.page(found, role_assignment_body))


def get_role_assignment(call: Call) -> Answer:
    scope, tenant = call.scope()
    call.require("Microsoft.Authorization/roleAssignments/read", scope, _id(call, scope))
    name = call.guid("name")
    found = call.world.role_assignments_seen.read().get(f"{tenant}/{name}")
    if found is None or found.scope.lower() != scope.lower():
        raise ArmError(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
    return Answer(role_assignment_body(found))


def put_role_assignment(call: Call) -> Answer:
    """Create; a repeat of the same is harmless, anything else is refused or changes its text."""
    scope, tenant = call.scope(write=True)
    call.require("Microsoft.Authorization/roleAssignments/write", scope, _id(call, scope))
    wanted = _wanted(call, scope, tenant)
    existing = call.world.role_assignments.get(f"{tenant}/{wanted.name}")
    if existing is None:
        _refuse_duplicate(call, wanted)
        call.world.role_assignments.put(wanted)
        return Answer(role_assignment_body(wanted), status=201)
    if _content(existing) != _content(wanted):
        raise bad_request(
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        )
    updated = replace(wanted, created_on=existing.created_on, created_by=existing.created_by)
    call.world.role_assignments.put(updated)
    return Answer(role_assignment_body(updated))


def delete_role_assignment(call: Call) -> Answer:
    """Delete, and answer what was there; 204 where nothing was."""
    scope, tenant = call.scope()
    call.require("Microsoft.Authorization/roleAssignments/delete", scope, _id(call, scope))
    key = f"{tenant}/{call.guid('name')}"
    found = call.world.role_assignments.get(key)
    if found is None or found.scope.lower() != scope.lower():
        return Answer(status=204, effect=False)
    call.world.role_assignments.remove(key)
    return Answer(role_assignment_body(found))


def role_assignment_body(item: RoleAssignment) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": role_definition_id(item.role, item.scope),
            "principalId": item.principal_id,
            "principalType": item.principal_type,
            "scope": item.scope,
            "condition": item.condition,
            "conditionVersion": item.condition_version,
            "createdOn": timestamp(item.created_on),
            "updatedOn": timestamp(item.updated_on),
            "createdBy": item.created_by,
            "updatedBy": item.updated_by,
            "delegatedManagedIdentityResourceId": None,
            "description": item.description,
        },
    }


def _id(call: Call, scope: str) -> str:
    return f"{scope.rstrip('/')}/{COLLECTION}/{call.path['name']}"


def _around(call: Call, scope: str) -> Iterable[RoleAssignment]:
    seen = call.world.role_assignments_seen.read()
    subscription = subscription_of(scope)
    for above in call.world.hierarchy.chain(scope):
        if subscription_of(above) != subscription or not subscription:
            yield from seen.where("scope", above)
    if subscription:
        for item in seen.where("subscription", subscription):
            here = item.scope.lower()
            if f"{here}/".startswith(f"{scope.lower()}/") or f"{scope.lower()}/".startswith(
                f"{here}/"
            ):
                yield item


def _with_groups(call: Call, principal: str) -> set[str]:
    principal = principal.lower()
    if isinstance(call.world.principals.get(principal), Group):
        raise bad_request(
            "InvalidFilterInQueryString",
            f"assignedTo() takes a user or a service principal; '{principal}' is a group.",
        )
    return {principal, *call.world.groups_of(principal)}


def _content(item: RoleAssignment) -> tuple[str, str, str]:
    return item.scope.lower(), item.role, item.principal_id


def _refuse_duplicate(call: Call, wanted: RoleAssignment) -> None:
    for _, other in call.world.role_assignments.where("scope", wanted.scope):
        if _content(other) == _content(wanted) and other.tenant_id == wanted.tenant_id:
            raise ArmError(
                409,
                "RoleAssignmentExists",
                "The role assignment already exists. The ID of the conflicting role assignment is "
                f"{other.name.replace('-', '')}.",
            )
    if subscription := subscription_of(wanted.scope):
        held = sum(1 for _ in call.world.role_assignments.where("subscription", subscription))
        if held >= MAX_IN_SUBSCRIPTION:
            raise bad_request(
                "RoleAssignmentLimitExceeded",
                "No more role assignments can be created; the limit of role assignments of the "
                f"subscription, {MAX_IN_SUBSCRIPTION}, is reached.",
            )


def _wanted(call: Call, scope: str, tenant: str) -> RoleAssignment:
    properties = call.json_object().get("properties")
    if not isinstance(properties, dict):
        raise bad_request("InvalidRequestContent", "The request content has no 'properties'.")
    now = datetime.now(UTC)
    return RoleAssignment(
        name=call.guid("name"),
        scope=scope,
        role=_role(call, properties, scope, tenant),
        tenant_id=tenant,
        **_principal(call, properties, tenant),
        condition=properties.get("condition"),
        condition_version=properties.get("conditionVersion"),
        description=properties.get("description"),
        created_on=now,
        updated_on=now,
        created_by=call.caller.object_id,
        updated_by=call.caller.object_id,
    )


def _role(call: Call, properties: Mapping[str, Any], scope: str, tenant: str) -> str:
    given = str(properties.get("roleDefinitionId") or "")
    prefix, _, name = given.rpartition("/")
    role = call.world.role_definitions.get(name)
    right_place = prefix.lower().endswith(
        "/providers/microsoft.authorization/roledefinitions"
    ) and subscription_of(prefix) in ("", subscription_of(scope))
    if role is None or not right_place or not assignable(call, role, scope, tenant):
        raise ArmError(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{given}' does not exist.",
        )
    return role.id


def _principal(call: Call, properties: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """The principal, which need not be in the directory yet where its type is given."""
    given = str(properties.get("principalId") or "")
    stated = properties.get("principalType")
    try:
        principal_id = str(uuid.UUID(given))
    except ValueError:
        raise bad_request(
            "InvalidPrincipalId", f"The principal ID '{given}' is not valid. It must be a GUID."
        ) from None
    if stated is not None and stated not in PRINCIPAL_TYPES:
        raise bad_request("InvalidPrincipalType", f"The principal type '{stated}' is not valid.")
    found = call.world.principals.get(principal_id)
    if found is not None and found.tenant_id == tenant:
        if stated not in (None, found.type):
            raise bad_request(
                "UnmatchedPrincipalType",
                f"The PrincipalId '{principal_id}' has type '{found.type}', which is different "
                f"from specified PrincipalType '{stated}'.",
            )
        return {"principal_id": principal_id, "principal_type": found.type}
    if stated is None or (found is not None and stated != "ForeignGroup"):
        raise bad_request(
            "PrincipalNotFound",
            f"Principal {principal_id.replace('-', '')} does not exist in the directory {tenant}. "
            "Check that you have the correct principal ID. If you are creating this principal and "
            "then immediately assigning a role, this error might be related to a replication "
            "delay. In this case, set the role assignment principalType property to a value, such "
            "as ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype",
        )
    return {"principal_id": principal_id, "principal_type": stated}


OPERATIONS = tuple(
    Operation(method, f"{scope}/{COLLECTION}{name}", handler, VERSIONS)
    for scope in ("", "/{scope:path}")
    for method, name, handler in (
        ("GET", "", list_role_assignments),
        ("GET", "/{name}", get_role_assignment),
        ("PUT", "/{name}", put_role_assignment),
        ("DELETE", "/{name}", delete_role_assignment),
    )
)
