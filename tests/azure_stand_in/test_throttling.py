"""Token buckets of ARM: per principal and subscription, for reads, writes and deletes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from azure.core.exceptions import HttpResponseError

from azure_stand_in.clients import LOOPBACK, ONCE, Clients
from azure_stand_in.errors import ArmError
from azure_stand_in.estate import Principal
from azure_stand_in.example import DEPLOYER, OWNER_USER, PAYMENTS, SHOP
from azure_stand_in.server import StandIn
from azure_stand_in.throttling import Bucket, QueryQuota, Throttle, Throttling

Who = Callable[[Principal], Clients]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_again() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.throttling = Throttling()
    for left in range(199, -1, -1):
        assert throttle.request("p", "s", "PATCH") == {
            "x-ms-ratelimit-remaining-subscription-writes": str(left)
        }
    with pytest.raises(ArmError) as caught:
        throttle.request("p", "s", "PUT")
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "1")
    throttle.request("p", "s", "GET")
    throttle.request("p", "s", "DELETE")
    throttle.request("p", "other", "PUT")
    throttle.request("other", "s", "PUT")
    clock.now += 1
    for _ in range(10):
        throttle.request("p", "s", "PUT")
    with pytest.raises(ArmError):
        throttle.request("p", "s", "PUT")
    clock.now += 1000
    assert (
        throttle.request("p", "s", "PUT")["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    )


def test_the_quota_of_queries_begins_anew() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.quota = QueryQuota()
    for _ in range(15):
        throttle.query("p")
    clock.now = 4.0
    with pytest.raises(ArmError) as caught:
        throttle.query("p")
    assert caught.value.headers["Retry-After"] == "1"
    assert caught.value.headers["x-ms-user-quota-resets-after"] == "00:00:01"
    clock.now = 5.0
    assert throttle.query("p")["x-ms-user-quota-remaining"] == "14"


def test_nothing_is_limited_unless_a_test_says_so(clients: Who) -> None:
    raw = clients(OWNER_USER).raw()
    path = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
    assert {raw.send("GET", path, "2021-04-01").status_code for _ in range(300)} == {200}


def test_a_client_is_told_to_wait(stand_in: StandIn, clients: Who) -> None:
    stand_in.throttle.throttling = Throttling(reads=Bucket(1, 0.001))
    tags = clients(DEPLOYER).resources(PAYMENTS.id).tags
    tags.get_at_scope(PAYMENTS.scope, **LOOPBACK)
    with pytest.raises(HttpResponseError, match="SubscriptionRequestsThrottled") as caught:
        tags.get_at_scope(PAYMENTS.scope, **ONCE)
    assert caught.value.status_code == 429
    tags.get_at_scope(SHOP.scope, **LOOPBACK)
    raw = clients(DEPLOYER).raw()
    path = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
    assert int(raw.send("GET", path, "2021-04-01").headers["Retry-After"]) > 0


def test_what_is_refused_writes_nothing(stand_in: StandIn, clients: Who) -> None:
    stand_in.throttle.throttling = Throttling(writes=Bucket(1, 0.001))
    raw = clients(OWNER_USER).raw()
    path = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
    body = {"operation": "Merge", "properties": {"tags": {"a": "b"}}}
    statuses = [raw.send("PATCH", path, "2021-04-01", json=body).status_code for _ in range(3)]
    assert statuses == [200, 429, 429]
    assert len(stand_in.journal.writes) == 1


def test_requests_to_the_tenant_have_their_own_bucket(stand_in: StandIn, clients: Who) -> None:
    stand_in.throttle.throttling = Throttling(reads=Bucket(1, 0.001))
    raw = clients(OWNER_USER).raw()
    answer = raw.send("GET", "/subscriptions", "2022-12-01")
    assert answer.headers["x-ms-ratelimit-remaining-tenant-reads"] == "0"
    assert raw.send("GET", "/subscriptions", "2022-12-01").status_code == 429
