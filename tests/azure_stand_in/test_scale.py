"""An estate of 10,000 subscriptions with 30,000 role assignments."""

from __future__ import annotations

from azure_stand_in.builtin_roles import CONTRIBUTOR, READER, SUPPORT_REQUEST_CONTRIBUTOR
from azure_stand_in.clients import Clients
from azure_stand_in.estate import Estate, RoleAssignment, Subscription, assignment, guid
from azure_stand_in.example import CUSTOMER, DEPLOYER, PARTNER_SP, PLATFORM, TENANT_ROOT
from azure_stand_in.server import running

SUBSCRIPTIONS = 10_000


def large() -> Estate:
    """Three assignments at each subscription."""
    subscriptions = tuple(
        Subscription(
            id=guid("large", number),
            name=f"subscription {number}",
            tenant_id=CUSTOMER.id,
            management_group="platform",
            tags={"dpor-partner-id": "4567890"},
        )
        for number in range(SUBSCRIPTIONS)
    )
    roles = (SUPPORT_REQUEST_CONTRIBUTOR, CONTRIBUTOR, READER)
    return Estate(
        tenants=(CUSTOMER,),
        principals=(DEPLOYER, PARTNER_SP),
        management_groups=(TENANT_ROOT, PLATFORM),
        subscriptions=subscriptions,
        role_assignments=(
            assignment(DEPLOYER, CONTRIBUTOR, TENANT_ROOT.scope),
            *(
                RoleAssignment(
                    name=guid(subscription.id, role.id),
                    scope=subscription.scope,
                    role=role.id,
                    principal_id=PARTNER_SP.id if role is roles[0] else guid("p", number % 500),
                    principal_type="ServicePrincipal",
                    tenant_id=CUSTOMER.id,
                )
                for number, subscription in enumerate(subscriptions)
                for role in roles
            ),
        ),
    )


CONTAINERS = "resourcecontainers | project id, subscriptionId, tags, properties | order by id asc"
ASSIGNMENTS = f"""authorizationresources
| where type =~ 'microsoft.authorization/roleassignments'
| where tostring(properties.principalId) in~ ('{PARTNER_SP.id}')
| project id, properties
| order by id asc"""


def test_is_read_in_pages_of_a_thousand() -> None:
    with running(large()) as stand_in:
        raw = Clients(stand_in, DEPLOYER).raw()
        for query, count in ((CONTAINERS, 10_002), (ASSIGNMENTS, 10_000)):
            found: set[str] = set()
            options: dict[str, object] = {"$top": 1000}
            while True:
                page = raw.query(query, options=options).json()
                found |= {row["id"] for row in page["data"]}
                if "$skipToken" not in page:
                    break
                options = {"$top": 1000, "$skipToken": page["$skipToken"]}
            assert len(found) == page["totalRecords"] == count
        assert stand_in.journal.requests("ResourceGraph") == 21
        assert stand_in.journal.answers.total() == 21
