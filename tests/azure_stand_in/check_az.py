"""The Azure CLI against the stand-in: `make test-az`, since the CLI is too big for `make test`.

The environment variable `DPOR_AZ` names the `az` to run.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from azure_stand_in.builtin_roles import READER
from azure_stand_in.example import (
    CLOSED,
    CONTOSO,
    CUSTOMER,
    DEPLOYER,
    OUTER,
    OWNER_USER,
    PARTNER_SP,
    PAYMENTS,
    PLATFORM,
    SHOP,
    estate,
)
from azure_stand_in.identity import IDENTITY_HEADER
from azure_stand_in.server import StandIn, running

Az = Callable[..., Any]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A stand-in that speaks https, with a certificate authority in a file of its own."""
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with running(estate(), certificate=authority.issue_cert("127.0.0.1")) as server:
        os.environ["REQUESTS_CA_BUNDLE"] = str(file)
        yield server
        del os.environ["REQUESTS_CA_BUNDLE"]


@pytest.fixture(scope="module")
def az(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Az:
    """Runs `az`, signed in as the deployer's managed identity, with a configuration of its own."""
    environment = {
        **os.environ,
        "AZURE_CONFIG_DIR": str(tmp_path_factory.mktemp("azure")),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_ONLY_SHOW_ERRORS": "yes",
        "IDENTITY_ENDPOINT": f"{stand_in.url}/msi/token",
        "IDENTITY_HEADER": IDENTITY_HEADER,
    }

    def run(*arguments: str, fails: bool = False) -> Any:
        done = subprocess.run(
            [os.environ["DPOR_AZ"], *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stderr
        if fails:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    run("cloud", "register", "--name", "StandIn", "--endpoint-resource-manager", stand_in.url)
    run("cloud", "set", "--name", "StandIn")
    accounts = run("login", "--identity")
    assert {account["id"] for account in accounts} >= {PAYMENTS.id, SHOP.id}
    run("account", "set", "--subscription", PAYMENTS.id)
    return run


def test_accounts(az: Az) -> None:
    found = {account["id"]: account for account in az("account", "list", "--all")}
    assert found[PAYMENTS.id]["name"] == "Payments"
    assert found[PAYMENTS.id]["tenantId"] == CUSTOMER.id
    assert found[CLOSED.id]["state"] == "Disabled"
    assert az("account", "show")["user"]["name"] == "systemAssignedIdentity"


def test_rest(az: Az) -> None:
    found = az("rest", "--url", f"{PAYMENTS.scope}?api-version=2022-12-01")
    assert found["displayName"] == "Payments"
    only = "resourcecontainers | where type == 'microsoft.resources/subscriptions'"
    query = {"query": f"{only} | project id, name | order by name asc"}
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    rows = az("rest", "--method", "post", "--url", path, "--body", json.dumps(query))["data"]
    assert [row["name"] for row in rows] == ["Closed", "Payments", "Shop"]
    path = f"{CLOSED.scope}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01"
    tags = json.dumps({"operation": "Merge", "properties": {"tags": {"a": "b"}}})
    error = az("rest", "--method", "patch", "--url", path, "--body", tags, fails=True)
    assert "ReadOnlyDisabledSubscription" in error


def test_partner_admin_link(az: Az) -> None:
    path = f"/providers/Microsoft.ManagementPartner/partners/{CONTOSO.id}?api-version=2018-02-01"
    made = az("rest", "--method", "put", "--url", path)
    assert made["properties"]["objectId"] == DEPLOYER.id
    assert "Conflict" in az("rest", "--method", "put", "--url", path, fails=True)
    az("rest", "--method", "delete", "--url", path)
    assert "NotFound" in az("rest", "--url", path, fails=True)


def test_tags(az: Az, stand_in: StandIn) -> None:
    resource = ("--resource-id", PAYMENTS.scope)
    before = az("tag", "list", *resource)["properties"]["tags"]
    tag = ("--operation", "Merge", "--tags", "dpor-partner-id=4567890")
    after = az("tag", "update", *resource, *tag)["properties"]["tags"]
    assert after == {**before, "dpor-partner-id": "4567890"}
    assert az("tag", "list", *resource)["properties"]["tags"] == after
    assert stand_in.world.tags(PAYMENTS.id) == after


def test_role_assignments(az: Az) -> None:
    listing = ("role", "assignment", "list", "--scope", PAYMENTS.scope)
    here = az(*listing)
    assert {each["principalId"] for each in here} >= {OWNER_USER.id, PARTNER_SP.id}
    assert {each["scope"] for each in here} == {PAYMENTS.scope}
    owners = {each["principalId"]: each["roleDefinitionName"] for each in here}
    assert owners[OWNER_USER.id] == "Owner"
    inherited = az(*listing, "--include-inherited")
    assert (OUTER.id, PLATFORM.scope) in {(e["principalId"], e["scope"]) for e in inherited}


def test_creates_and_deletes_a_role_assignment(az: Az, stand_in: StandIn) -> None:
    what = ("--assignee-object-id", PARTNER_SP.id, "--role", READER.id, "--scope", PAYMENTS.scope)
    kind = ("--assignee-principal-type", "ServicePrincipal")
    made = az("role", "assignment", "create", *what, *kind)
    assert made["principalId"] == PARTNER_SP.id
    az("role", "assignment", "delete", "--ids", made["id"])
    assert made["name"] not in {each.name for each in stand_in.world.assignments_at(PAYMENTS.scope)}


def test_role_definitions(az: Az) -> None:
    (found,) = az("role", "definition", "list", "--name", "Contributor")
    assert found["roleType"] == "BuiltInRole"
    assert "Microsoft.Authorization/*/Write" in found["permissions"][0]["notActions"]


def test_a_command_that_is_refused(az: Az) -> None:
    error = az("tag", "list", "--resource-id", f"/subscriptions/{CUSTOMER.id}", fails=True)
    assert "SubscriptionNotFound" in error
