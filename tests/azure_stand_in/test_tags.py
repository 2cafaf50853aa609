"""Tags of a subscription, through azure-mgmt-resource."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.mgmt.resource.resources.models import Tags, TagsPatchResource, TagsResource

from azure_stand_in.clients import LOOPBACK, Clients
from azure_stand_in.estate import Principal
from azure_stand_in.example import CLOSED, DEPLOYER, NESTED, OWNER_USER, PAYMENTS, SHOP, TAGGER
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]
BEFORE = dict(PAYMENTS.tags)


def patch(
    clients: Clients, operation: str, tags: dict[str, str], scope: str = ""
) -> dict[str, str]:
    patched = (
        clients.resources(PAYMENTS.id)
        .tags.begin_update_at_scope(
            scope or PAYMENTS.scope,
            TagsPatchResource(operation=operation, properties=Tags(tags=tags)),
            **LOOPBACK,
        )
        .result()
    )
    return dict(patched.properties.tags or {})


def read(clients: Clients) -> dict[str, str]:
    found = clients.resources(PAYMENTS.id).tags.get_at_scope(PAYMENTS.scope, **LOOPBACK)
    assert found.name == "default"
    assert found.type == "Microsoft.Resources/tags"
    return dict(found.properties.tags or {})


def test_reads(clients: Who) -> None:
    assert read(clients(OWNER_USER)) == BEFORE


def test_merges_and_keeps_the_rest(stand_in: StandIn, clients: Who) -> None:
    merged = patch(clients(TAGGER), "Merge", {"dpor-partner-id": "4567890", "env": "test"})
    assert merged == {**BEFORE, "dpor-partner-id": "4567890", "env": "test"}
    assert read(clients(TAGGER)) == merged
    (write,) = stand_in.journal.writes
    assert (write.principal, write.method) == (TAGGER.id, "PATCH")
    assert write.body["operation"] == "Merge"
    assert write.path.endswith("/providers/Microsoft.Resources/tags/default")


def test_names_are_compared_without_case(clients: Who) -> None:
    merged = patch(clients(OWNER_USER), "Merge", {"COST-CENTER": "42"})
    assert merged == {"env": "production", "Cost-Center": "42"}


def test_replaces(clients: Who) -> None:
    assert patch(clients(OWNER_USER), "Replace", {"a": "b"}) == {"a": "b"}


def test_deletes_what_matches(clients: Who) -> None:
    assert patch(clients(OWNER_USER), "Delete", {"env": "other"}) == BEFORE
    assert patch(clients(OWNER_USER), "Delete", {"ENV": "production"}) == {"Cost-Center": "4711"}


def test_puts_and_deletes_all(clients: Who) -> None:
    tags = clients(OWNER_USER).resources(PAYMENTS.id).tags
    wanted = TagsResource(properties=Tags(tags={"only": "this"}))
    put = tags.begin_create_or_update_at_scope(PAYMENTS.scope, wanted, **LOOPBACK).result()
    assert put.properties.tags == {"only": "this"}
    tags.begin_delete_at_scope(PAYMENTS.scope, **LOOPBACK).result()
    assert read(clients(OWNER_USER)) == {}


def test_has_room_for_fifty(stand_in: StandIn, clients: Who) -> None:
    assert len(patch(clients(OWNER_USER), "Merge", {f"t{n}": "x" for n in range(48)})) == 50
    with pytest.raises(HttpResponseError) as caught:
        patch(clients(OWNER_USER), "Merge", {"one-more": "x"})
    assert caught.value.status_code == 400
    assert len(stand_in.world.tags(PAYMENTS.id)) == 50


@pytest.mark.parametrize("name", ["a/b", "", "x" * 513])
def test_refuses_names(clients: Who, name: str) -> None:
    with pytest.raises(HttpResponseError, match="InvalidTagName"):
        patch(clients(OWNER_USER), "Merge", {name: "x"})


def test_refuses_an_unknown_operation(clients: Who) -> None:
    with pytest.raises(HttpResponseError, match="InvalidTagsPatchOperation"):
        patch(clients(OWNER_USER), "Add", {"a": "b"})


def test_refuses_who_may_not(stand_in: StandIn, clients: Who) -> None:
    with pytest.raises(HttpResponseError) as caught:
        patch(clients(TAGGER), "Merge", {"a": "b"}, SHOP.scope)
    assert caught.value.status_code == 403
    assert "'Microsoft.Resources/tags/write'" in str(caught.value)
    assert not stand_in.journal.writes


def test_a_disabled_subscription_is_read_only(clients: Who) -> None:
    with pytest.raises(ResourceExistsError, match="ReadOnlyDisabledSubscription"):
        patch(clients(NESTED), "Merge", {"a": "b"}, CLOSED.scope)
    tags = clients(DEPLOYER).resources(CLOSED.id).tags
    assert tags.get_at_scope(CLOSED.scope, **LOOPBACK).properties.tags == {}


def test_bodies_that_are_none(clients: Who) -> None:
    raw = clients(OWNER_USER).raw()
    path = f"{PAYMENTS.scope}/providers/microsoft.resources/TAGS/default"
    for body in (b"{", b"[]", b"", b'{"properties":{"tags":{"a":1}},"operation":"Merge"}'):
        answer = raw.send("PATCH", path, "2021-04-01", data=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "InvalidRequestContent"
