"""What all requests have in common: versions, headers, errors, unknown paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from azure_stand_in.builtin_roles import OWNER
from azure_stand_in.clients import Clients
from azure_stand_in.estate import Principal, assignment, guid
from azure_stand_in.example import CUSTOMER, OWNER_USER, PAYMENTS, estate
from azure_stand_in.server import StandIn
from azure_stand_in.world import World

Who = Callable[[Principal], Clients]
PATH = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
ONE = assignment(OWNER_USER, OWNER, PAYMENTS.scope)
BODY = {"operation": "Merge", "properties": {"tags": {"a": "b"}}}


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("", "MissingApiVersionParameter"),
        ("1999-01-01", "NoRegisteredProviderFound"),
        ("latest", "InvalidApiVersionParameter"),
    ],
)
def test_versions(clients: Who, version: str, code: str) -> None:
    answer = clients(OWNER_USER).raw().send("GET", PATH, version)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_echoes_the_correlation_id(stand_in: StandIn, clients: Who) -> None:
    raw = clients(OWNER_USER).raw()
    headers = {"x-ms-correlation-request-id": "mine"}
    answer = raw.send("PATCH", PATH, "2021-04-01", json=BODY, headers=headers)
    assert answer.headers["x-ms-correlation-request-id"] == "mine"
    assert answer.headers["x-ms-request-id"]
    assert stand_in.journal.writes[0].correlation_id == "mine"
    refused = raw.send("GET", PATH, "", headers=headers)
    assert refused.headers["x-ms-correlation-request-id"] == "mine"
    assert raw.send("GET", PATH, "2021-04-01").headers["x-ms-correlation-request-id"]


def test_returns_the_clients_own_request_id_where_asked(clients: Who) -> None:
    headers = {"x-ms-client-request-id": "c", "x-ms-return-client-request-id": "true"}
    answer = clients(OWNER_USER).raw().send("GET", PATH, "2021-04-01", headers=headers)
    assert answer.headers["x-ms-client-request-id"] == "c"


def test_paths_are_compared_without_case_and_repeated_slashes(clients: Who) -> None:
    raw = clients(OWNER_USER).raw()
    assert raw.send("GET", f"/{PATH.upper()}", "2021-04-01").status_code == 200


def test_what_is_not_spoken(clients: Who) -> None:
    raw = clients(OWNER_USER).raw()
    unknown = raw.send("GET", f"{PAYMENTS.scope}/resourceGroups", "2021-04-01")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "InvalidResourceType")
    wrong = raw.send("POST", PATH, "2021-04-01")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "HttpMethodNotAllowed")


def test_head_is_no_method(clients: Who) -> None:
    assert clients(OWNER_USER).raw().send("HEAD", PATH, "2021-04-01").status_code == 405


def test_an_estate_that_names_what_it_has_not() -> None:
    for changed, missing in (
        ({"tenants": (CUSTOMER,)}, "tenant"),
        ({"management_groups": ()}, "management group"),
        ({"subscriptions": ()}, "subscription"),
        ({"registration_definitions": ()}, "registration definition"),
        ({"role_assignments": (replace(ONE, role=guid("none")),)}, "role definition"),
    ):
        with pytest.raises(ValueError, match=f"names a {missing}"):
            World(replace(estate(), **changed))


def test_rubbish_in_pages_and_bodies(clients: Who) -> None:
    raw = clients(OWNER_USER).raw()
    for token in ("x", "-1", "9" * 30):
        answer = raw.send("GET", "/subscriptions", "2022-12-01", params={"$skipToken": token})
        assert answer.status_code in (200, 400)
    for skip in ("IA==", "WzEsIDJd", "WyJ4IiwgIngiXQ==", 7, "é"):
        refused = raw.query("resourcecontainers", options={"$skipToken": skip})
        assert refused.status_code == 400
    for body in (b"\xff", b"nul", b'{"query": 1}', b'{"query": "t", "options": []}', b"[1]"):
        path = "/providers/Microsoft.ResourceGraph/resources"
        assert raw.send("POST", path, "2021-03-01", data=body).status_code == 400
