"""The official clients, pointed at a stand-in on loopback http."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import requests
from azure.core.credentials import AccessToken
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.managedservices import ManagedServicesClient
from azure.mgmt.managementpartner import ACEProvisioningManagementPartnerAPI
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.resourcegraph import ResourceGraphClient

from .estate import Principal
from .server import StandIn

LOOPBACK: dict[str, Any] = {"enforce_https": False}
"""Each call needs it, since azure-core sends no token over http."""

ONCE: dict[str, Any] = {**LOOPBACK, "retry_total": 0}
"""A call that is not repeated, whatever is answered."""


@dataclass(frozen=True, slots=True)
class StubCredential:
    """Gives the same token for everything."""

    token: str

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(self.token, int(time.time()) + 3600)


@dataclass(frozen=True, slots=True)
class Clients:
    """The official clients, for one principal."""

    stand_in: StandIn
    principal: Principal

    @property
    def credential(self) -> StubCredential:
        return StubCredential(self.stand_in.token(self.principal))

    def subscriptions(self) -> SubscriptionClient:
        return SubscriptionClient(self.credential, base_url=self.stand_in.url)

    def resources(self, subscription_id: str) -> ResourceManagementClient:
        return ResourceManagementClient(
            self.credential, subscription_id, base_url=self.stand_in.url
        )

    def authorization(self, subscription_id: str) -> AuthorizationManagementClient:
        return AuthorizationManagementClient(
            self.credential, subscription_id, base_url=self.stand_in.url
        )

    def managed_services(self) -> ManagedServicesClient:
        return ManagedServicesClient(self.credential, base_url=self.stand_in.url)

    def management_partner(self) -> ACEProvisioningManagementPartnerAPI:
        return ACEProvisioningManagementPartnerAPI(self.credential, base_url=self.stand_in.url)

    def resource_graph(self) -> ResourceGraphClient:
        return ResourceGraphClient(self.credential, base_url=self.stand_in.url)

    def raw(self) -> RawClient:
        """A client that does nothing but send."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.stand_in.token(self.principal)}"
        return RawClient(session, self.stand_in.url)


@dataclass(frozen=True, slots=True)
class RawClient:
    """Sends a request as it is given, and repeats nothing."""

    session: requests.Session
    url: str

    def send(self, method: str, path: str, version: str, **more: Any) -> requests.Response:
        """Send a request to a path, with this api-version."""
        params = {"api-version": version, **more.pop("params", {})}
        return self.session.request(method, self.url + path, params=params, timeout=30, **more)

    def query(self, query: str, **body: Any) -> requests.Response:
        """Send a query to Resource Graph."""
        path = "/providers/Microsoft.ResourceGraph/resources"
        return self.send("POST", path, "2021-03-01", json={"query": query, **body})

    def rows(self, query: str, **body: Any) -> list[dict[str, Any]]:
        """The rows of one page."""
        answer = self.query(query, **body)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]
        return found
