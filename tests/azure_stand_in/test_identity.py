"""Where tokens come from, through azure-identity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import pytest
import requests
import trustme
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)
from azure.mgmt.resource.subscriptions import SubscriptionClient

from azure_stand_in.clients import LOOPBACK, Clients
from azure_stand_in.estate import Principal
from azure_stand_in.example import CUSTOMER, DEPLOYER, PARTNER_SP, TAGGER, estate
from azure_stand_in.identity import IDENTITY_HEADER
from azure_stand_in.server import StandIn, running

SCOPE = "https://management.azure.com/.default"


@pytest.fixture
def on_app_service(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Lets this process believe that it runs on App Service, with a managed identity."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{stand_in.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    return stand_in


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in that speaks https, which this process trusts."""
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    with running(estate(), certificate=authority.issue_cert("127.0.0.1")) as stand_in:
        yield stand_in


def claims(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_managed_identity(on_app_service: StandIn) -> None:
    token = ManagedIdentityCredential().get_token(SCOPE)
    found = claims(token.token)
    assert (found["oid"], found["tid"]) == (DEPLOYER.id, CUSTOMER.id)
    mine = ManagedIdentityCredential(client_id=DEPLOYER.application_id)
    assert claims(mine.get_token(SCOPE).token)["oid"] == DEPLOYER.id
    assert on_app_service.journal.requests("managed identity") == 2
    with pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential(client_id=TAGGER.application_id).get_token(SCOPE)


def test_a_managed_identity_of_a_virtual_machine(stand_in: StandIn) -> None:
    url = f"{stand_in.url}/metadata/identity/oauth2/token"
    parameters = {"resource": "https://management.azure.com/", "api-version": "2018-02-01"}
    assert requests.get(url, parameters, timeout=30).status_code == 400
    answer = requests.get(url, parameters, headers={"Metadata": "true"}, timeout=30).json()
    assert claims(answer["access_token"])["oid"] == DEPLOYER.id
    assert answer["resource"] == parameters["resource"]


def test_a_credential_gets_a_new_token_when_the_old_one_has_expired(
    on_app_service: StandIn,
) -> None:
    client = SubscriptionClient(ManagedIdentityCredential(), base_url=on_app_service.url)
    on_app_service.hosts.lifetime = 60
    assert list(client.subscriptions.list(**LOOPBACK))
    assert list(client.subscriptions.list(**LOOPBACK))
    assert on_app_service.journal.requests("managed identity") == 2


def test_a_secret(trusted: StandIn) -> None:
    def credential(secret: str) -> ClientSecretCredential:
        return ClientSecretCredential(
            CUSTOMER.id,
            PARTNER_SP.application_id,
            secret,
            authority=trusted.url,
            disable_instance_discovery=True,
        )

    token = credential(str(PARTNER_SP.secret)).get_token(SCOPE)
    assert claims(token.token)["oid"] == PARTNER_SP.id
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        credential("wrong").get_token(SCOPE)


def test_a_federated_token(trusted: StandIn) -> None:
    """As a pipeline has one of its own issuer; and then the client works over https as well."""

    def credential(subject: str | None) -> ClientAssertionCredential:
        return ClientAssertionCredential(
            CUSTOMER.id,
            TAGGER.application_id,
            lambda: jwt.encode({"sub": subject}, "x" * 32),
            authority=trusted.url,
            disable_instance_discovery=True,
        )

    client = SubscriptionClient(credential(TAGGER.federated_subject), base_url=trusted.url)
    assert list(client.subscriptions.list())
    with pytest.raises(ClientAuthenticationError):
        credential("repo:somebody/else").get_token(SCOPE)


def test_the_cloud_describes_itself(
    stand_in: StandIn, clients: Callable[[Principal], Clients]
) -> None:
    found = requests.get(
        f"{stand_in.url}/metadata/endpoints", {"api-version": "2022-09-01"}, timeout=30
    ).json()
    assert found["resourceManager"] == stand_in.url
    assert found["authentication"]["loginEndpoint"] == stand_in.url
