"""Azure's built-in roles that matter here, with their real ids and permissions.

Source: Azure built-in roles (learn.microsoft.com) and its published role definitions.
"""

from __future__ import annotations

from .estate import Permission, RoleDefinition

OWNER = RoleDefinition(
    id="8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    name="Owner",
    permissions=(Permission(actions=("*",)),),
)
CONTRIBUTOR = RoleDefinition(
    id="b24988ac-6180-42a0-ab88-20f7382dd24c",
    name="Contributor",
    permissions=(
        Permission(
            actions=("*",),
            not_actions=(
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/elevateAccess/Action",
                "Microsoft.Blueprint/blueprintAssignments/write",
                "Microsoft.Blueprint/blueprintAssignments/delete",
                "Microsoft.Compute/galleries/share/action",
                "Microsoft.Purview/consents/write",
                "Microsoft.Purview/consents/delete",
                "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
                "Microsoft.Subscription/cancel/action",
                "Microsoft.Subscription/enable/action",
            ),
        ),
    ),
)
READER = RoleDefinition(
    id="acdd72a7-3385-48ef-bd42-f606fba81ae7",
    name="Reader",
    permissions=(Permission(actions=("*/read",)),),
)
USER_ACCESS_ADMINISTRATOR = RoleDefinition(
    id="18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    name="User Access Administrator",
    permissions=(
        Permission(actions=("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*")),
    ),
)
RBAC_ADMINISTRATOR = RoleDefinition(
    id="f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    name="Role Based Access Control Administrator",
    permissions=(
        Permission(
            actions=(
                "Microsoft.Authorization/roleAssignments/write",
                "Microsoft.Authorization/roleAssignments/delete",
                "*/read",
                "Microsoft.Support/*",
            )
        ),
    ),
)
TAG_CONTRIBUTOR = RoleDefinition(
    id="4a9ae827-6dc8-4573-8ac7-8239d42aa03f",
    name="Tag Contributor",
    permissions=(
        Permission(
            actions=(
                "Microsoft.Authorization/*/read",
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
                "Microsoft.Resources/subscriptions/resources/read",
                "Microsoft.Resources/deployments/*",
                "Microsoft.Insights/alertRules/*",
                "Microsoft.Support/*",
                "Microsoft.Resources/tags/*",
            )
        ),
    ),
)
BILLING_READER = RoleDefinition(
    id="fa23ad8b-c56e-40d8-ac0c-ce449e1d2c64",
    name="Billing Reader",
    permissions=(
        Permission(
            actions=(
                "Microsoft.Authorization/*/read",
                "Microsoft.Billing/*/read",
                "Microsoft.Commerce/*/read",
                "Microsoft.Consumption/*/read",
                "Microsoft.Management/managementGroups/read",
                "Microsoft.CostManagement/*/read",
                "Microsoft.Support/*",
            )
        ),
    ),
)
SUPPORT_REQUEST_CONTRIBUTOR = RoleDefinition(
    id="cfd33db0-3dd1-45e3-aa9d-cdbdf3b6f24e",
    name="Support Request Contributor",
    permissions=(
        Permission(
            actions=(
                "Microsoft.Authorization/*/read",
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                "Microsoft.Support/*",
            )
        ),
    ),
)
REGISTRATION_ASSIGNMENT_DELETE = RoleDefinition(
    id="91c1777a-f3dc-4fae-b103-61d183457e46",
    name="Managed Services Registration assignment Delete Role",
    permissions=(
        Permission(
            actions=(
                "Microsoft.ManagedServices/registrationAssignments/read",
                "Microsoft.ManagedServices/registrationAssignments/delete",
                "Microsoft.ManagedServices/operationStatuses/read",
            )
        ),
    ),
)
STORAGE_BLOB_DATA_READER = RoleDefinition(
    id="2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    name="Storage Blob Data Reader",
    permissions=(
        Permission(
            actions=(
                "Microsoft.Storage/storageAccounts/blobServices/containers/read",
                "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
            ),
            data_actions=("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",),
        ),
    ),
)

BUILT_IN_ROLES = (
    OWNER,
    CONTRIBUTOR,
    READER,
    USER_ACCESS_ADMINISTRATOR,
    RBAC_ADMINISTRATOR,
    TAG_CONTRIBUTOR,
    BILLING_READER,
    SUPPORT_REQUEST_CONTRIBUTOR,
    REGISTRATION_ASSIGNMENT_DELETE,
    STORAGE_BLOB_DATA_READER,
)
