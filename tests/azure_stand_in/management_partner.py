"""Partner Admin Link: Microsoft.ManagementPartner 2018-02-01, for the identity in the token.

Bodies and error codes are those of the published description and of recorded answers, which differ:
`type` is plural, `version` a number and `partnerName` there, as in the recordings.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .arm import Answer, Call, Operation, timestamp
from .errors import ArmError
from .estate import PartnerLink

VERSIONS = ("2018-02-01",)
PROVIDER = "/providers/Microsoft.ManagementPartner"
NO_ACCOUNT = (
    "The user does not have an account in this tenant, work with the administrator to add the "
    "account. If you are a CSP partner logged in the customer tenant, you will not be able to link "
    "the Partner ID"
)


def get_own_partner(call: Call) -> Answer:
    """The caller's link."""
    link = _active(call)
    if link is None:
        raise _not_found()
    return Answer(_body(call, link))


def get_partner(call: Call) -> Answer:
    """The caller's link, if it is to this partner."""
    link = _active(call)
    if link is None or link.partner_id != call.path["partner"]:
        raise _not_found(call.path["partner"])
    return Answer(_body(call, link))


def create_partner(call: Call) -> Answer:
    """Link; a link that was deleted is revived, and goes on counting."""
    before = _link(call)
    if before is not None and before.state == "Active":
        raise ArmError(
            409,
            "Conflict",
            f"The object id {call.caller.object_id} is already linked to the partner id "
            f"{before.partner_id}.",
        )
    partner_id = _known_partner(call)
    now = datetime.now(UTC)
    link = PartnerLink(
        tenant_id=call.caller.tenant_id,
        object_id=call.caller.object_id,
        partner_id=partner_id,
        version=before.version + 1 if before else 1,
        created=before.created if before else now,
        updated=now,
    )
    call.world.partner_links.put(link)
    return Answer(_body(call, link))


def update_partner(call: Call) -> Answer:
    """Link to another partner."""
    before = _active(call)
    if before is None:
        raise _not_found(call.path["partner"])
    link = replace(
        before,
        partner_id=_known_partner(call),
        version=before.version + 1,
        updated=datetime.now(UTC),
    )
    call.world.partner_links.put(link)
    return Answer(_body(call, link))


def delete_partner(call: Call) -> Answer:
    """Unlink; answers 200 without a body."""
    before = _active(call)
    if before is None or before.partner_id != call.path["partner"]:
        raise _not_found(call.path["partner"])
    call.world.partner_links.put(
        replace(before, state="Deleted", version=before.version + 1, updated=datetime.now(UTC))
    )
    return Answer()


def list_operations(_: Call) -> Answer:
    names = {"read": "Get", "write": "Create", "action": "Update", "delete": "Delete"}
    return Answer(
        {
            "value": [
                {
                    "name": f"Microsoft.ManagementPartner/partners/{name}",
                    "display": {
                        "provider": "Microsoft ManagementPartner",
                        "resource": "ManagementPartner",
                        "operation": f"{verb} ManagementPartner",
                        "description": f"{verb} any ManagementPartner",
                    },
                }
                for name, verb in names.items()
            ]
        }
    )


def _link(call: Call) -> PartnerLink | None:
    caller = call.caller
    known = call.world.principals.get(caller.object_id)
    if known is None or known.tenant_id != caller.tenant_id:
        raise ArmError(400, "BadRequest", NO_ACCOUNT)
    return call.world.partner_links.get(f"{caller.tenant_id}/{caller.object_id}")


def _active(call: Call) -> PartnerLink | None:
    link = _link(call)
    return link if link is not None and link.state == "Active" else None


def _known_partner(call: Call) -> str:
    partner_id = call.path["partner"]
    if partner_id not in call.world.partners:
        raise ArmError(400, "BadRequest", "We don't have a record for this partner ID")
    return partner_id


def _not_found(partner_id: str = "") -> ArmError:
    about = f" {partner_id}" if partner_id else ""
    return ArmError(404, "NotFound", f"The partner id{about} is not linked to this object id.")


def _body(call: Call, link: PartnerLink) -> dict[str, Any]:
    partner = call.world.partners.get(link.partner_id)
    named = {"partnerName": partner.name} if partner else {}
    return {
        "id": f"{PROVIDER.lower()}/partners/{link.partner_id}",
        "type": "Microsoft.ManagementPartner/partners",
        "name": link.partner_id,
        "etag": link.version,
        "properties": {
            "partnerId": link.partner_id,
            **named,
            "tenantId": link.tenant_id,
            "objectId": link.object_id,
            "version": link.version,
            "updatedTime": timestamp(link.updated),
            "createdTime": timestamp(link.created),
            "state": link.state,
        },
    }


OPERATIONS = (
    Operation("GET", f"{PROVIDER}/operations", list_operations, VERSIONS),
    Operation("GET", f"{PROVIDER}/partners", get_own_partner, VERSIONS),
    Operation("GET", PROVIDER + "/partners/{partner}", get_partner, VERSIONS),
    Operation("PUT", PROVIDER + "/partners/{partner}", create_partner, VERSIONS),
    Operation("PATCH", PROVIDER + "/partners/{partner}", update_partner, VERSIONS),
    Operation("DELETE", PROVIDER + "/partners/{partner}", delete_partner, VERSIONS),
)
