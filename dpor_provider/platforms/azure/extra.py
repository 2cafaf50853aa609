"""Microsoft's clients, which the extra `azure` brings.

Raises:
    Unavailable: on import, where the extra is not installed.
"""

from dpor_provider.errors import Unavailable

try:
    import azure.identity as identity
    import azure.mgmt.authorization as authorization
    import azure.mgmt.managedservices as managedservices
    import azure.mgmt.managementpartner as managementpartner
    import azure.mgmt.resource.resources as resources
    import azure.mgmt.resource.subscriptions as subscriptions
    import azure.mgmt.resourcegraph as resourcegraph
except ModuleNotFoundError as error:
    raise Unavailable(
        "the platform azure takes Microsoft's clients, which are not installed; run: pip install"
        " 'dpor-provider[azure]'"
    ) from error

__all__ = [
    "authorization",
    "identity",
    "managedservices",
    "managementpartner",
    "resourcegraph",
    "resources",
    "subscriptions",
]
