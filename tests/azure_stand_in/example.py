"""A small estate: two tenants, a partner with Lighthouse, groups within groups."""

from __future__ import annotations

from .builtin_roles import (
    BILLING_READER,
    CONTRIBUTOR,
    OWNER,
    READER,
    SUPPORT_REQUEST_CONTRIBUTOR,
    TAG_CONTRIBUTOR,
    USER_ACCESS_ADMINISTRATOR,
)
from .estate import (
    GLOBAL_ADMINISTRATOR,
    ROOT,
    Authorization,
    Estate,
    Group,
    ManagedIdentity,
    ManagementGroup,
    Partner,
    Permission,
    RegistrationAssignment,
    RegistrationDefinition,
    RoleDefinition,
    ServicePrincipal,
    Subscription,
    Tenant,
    User,
    assignment,
    guid,
)

CUSTOMER = Tenant(id=guid("tenant", "customer"), name="Woodgrove")
PARTNER_TENANT = Tenant(id=guid("tenant", "partner"), name="Contoso Consulting")


def _user(name: str, tenant: Tenant = CUSTOMER, **more: object) -> User:
    return User(id=guid("user", name), tenant_id=tenant.id, name=name, **more)  # type: ignore[arg-type]


ADMIN = _user("admin@woodgrove.example", directory_roles=frozenset({GLOBAL_ADMINISTRATOR}))
OWNER_USER = _user("olivia@woodgrove.example")
NESTED = _user("nora@woodgrove.example")
GUEST = _user("gus@contoso.example", home_tenant_id=PARTNER_TENANT.id)
NOBODY = _user("nobody@woodgrove.example")
CONSULTANT = _user("carl@contoso.example", PARTNER_TENANT)
DEPLOYER = ManagedIdentity(
    id=guid("identity", "deployer"),
    tenant_id=CUSTOMER.id,
    name="deployer",
    application_id=guid("application", "deployer"),
)
TAGGER = ServicePrincipal(
    id=guid("service principal", "tagger"),
    tenant_id=CUSTOMER.id,
    name="tagger",
    application_id=guid("application", "tagger"),
    federated_subject="repo:woodgrove/partners:environment:production",
)
PARTNER_SP = ServicePrincipal(
    id=guid("service principal", "contoso"),
    tenant_id=CUSTOMER.id,
    name="contoso-pal",
    application_id=guid("application", "contoso"),
    secret="contoso-secret",
)
CONSULTANTS = Group(
    id=guid("group", "consultants"),
    tenant_id=PARTNER_TENANT.id,
    name="Consultants",
    members=frozenset({CONSULTANT.id}),
)
INNER = Group(
    id=guid("group", "inner"), tenant_id=CUSTOMER.id, name="Inner", members=frozenset({NESTED.id})
)
OUTER = Group(
    id=guid("group", "outer"), tenant_id=CUSTOMER.id, name="Outer", members=frozenset({INNER.id})
)

TENANT_ROOT = ManagementGroup(
    name=CUSTOMER.id, tenant_id=CUSTOMER.id, display_name="Tenant Root Group"
)
PLATFORM = ManagementGroup(
    name="platform", tenant_id=CUSTOMER.id, display_name="Platform", parent=CUSTOMER.id
)

PAYMENTS = Subscription(
    id=guid("subscription", "payments"),
    name="Payments",
    tenant_id=CUSTOMER.id,
    management_group="platform",
    tags={"env": "production", "Cost-Center": "4711"},
)
SHOP = Subscription(
    id=guid("subscription", "shop"),
    name="Shop",
    tenant_id=CUSTOMER.id,
    management_group=CUSTOMER.id,
)
CLOSED = Subscription(
    id=guid("subscription", "closed"),
    name="Closed",
    tenant_id=CUSTOMER.id,
    management_group="platform",
    state="Disabled",
)
GONE = Subscription(
    id=guid("subscription", "gone"),
    name="Gone",
    tenant_id=CUSTOMER.id,
    management_group="platform",
    state="Deleted",
)
ELSEWHERE = Subscription(
    id=guid("subscription", "elsewhere"), name="Elsewhere", tenant_id=PARTNER_TENANT.id
)

LABELLER = RoleDefinition(
    id=guid("role", "labeller"),
    name="Partner labeller",
    permissions=(
        Permission(
            actions=("*/read", "Microsoft.Resources/tags/*"),
            not_actions=("Microsoft.Resources/tags/delete",),
        ),
    ),
    assignable_scopes=(PAYMENTS.scope,),
    tenant_id=CUSTOMER.id,
)

OFFER = RegistrationDefinition(
    name=guid("registration definition", "contoso"),
    subscription_id=PAYMENTS.id,
    offer="Contoso managed services",
    managed_by_tenant_id=PARTNER_TENANT.id,
    authorizations=(
        Authorization(principal_id=CONSULTANTS.id, role=READER.id, display_name="Consultants"),
    ),
)
DELEGATION = RegistrationAssignment(
    name=guid("registration assignment", "contoso"),
    scope=PAYMENTS.scope,
    definition_id=OFFER.id,
)

CONTOSO = Partner(id="4567890", name="Contoso Consulting")
FABRIKAM = Partner(id="5127255", name="Fabrikam Cloud Services")


def estate() -> Estate:
    """The example."""
    return Estate(
        tenants=(CUSTOMER, PARTNER_TENANT),
        principals=(
            ADMIN,
            OWNER_USER,
            NESTED,
            GUEST,
            NOBODY,
            CONSULTANT,
            DEPLOYER,
            TAGGER,
            PARTNER_SP,
            CONSULTANTS,
            INNER,
            OUTER,
        ),
        management_groups=(TENANT_ROOT, PLATFORM),
        subscriptions=(PAYMENTS, SHOP, CLOSED, GONE, ELSEWHERE),
        role_definitions=(LABELLER,),
        role_assignments=(
            assignment(ADMIN, USER_ACCESS_ADMINISTRATOR, ROOT),
            assignment(DEPLOYER, OWNER, TENANT_ROOT.scope),
            assignment(OWNER_USER, OWNER, PAYMENTS.scope),
            assignment(OUTER, CONTRIBUTOR, PLATFORM.scope),
            assignment(GUEST, BILLING_READER, PAYMENTS.scope),
            assignment(TAGGER, TAG_CONTRIBUTOR, PAYMENTS.scope),
            assignment(PARTNER_SP, SUPPORT_REQUEST_CONTRIBUTOR, PAYMENTS.scope),
        ),
        registration_definitions=(OFFER,),
        registration_assignments=(DELEGATION,),
        partners=(CONTOSO, FABRIKAM),
    )
