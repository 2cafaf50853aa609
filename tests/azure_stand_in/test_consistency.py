"""Reads that lag behind writes, by time or by reads."""

from __future__ import annotations

from collections.abc import Callable

from azure_stand_in.builtin_roles import READER
from azure_stand_in.clients import Clients
from azure_stand_in.estate import Principal, assignment
from azure_stand_in.example import NOBODY, OWNER_USER, PAYMENTS
from azure_stand_in.records import Lag, Lagging, Records
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]
TAGS = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
NEW = assignment(NOBODY, READER, PAYMENTS.scope)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_views_follow_in_order() -> None:
    clock = Clock()
    records: Records[str] = Records(lambda item: item[0], last=lambda item: item[-1])
    lag = Lag(seconds=10)
    view = Lagging(records, lag, clock)
    records.put("a1")
    clock.now = 5
    records.put("a2")
    records.put("b2")
    assert (list(view.read()), list(view.where("last", "2"))) == ([], [])
    clock.now = 10
    assert list(view.read()) == ["a1"]
    assert (list(view.where("last", "1")), list(view.where("last", "2"))) == (["a1"], [])
    records.remove("a")
    clock.now = 15
    assert sorted(view.read()) == ["a2", "b2"]
    clock.now = 20
    assert list(view.read()) == ["b2"]
    assert view.get("a") is None
    lag.seconds = 0
    records.put("c3")
    assert view.read().get("c") == "c3"


def test_views_follow_after_reads() -> None:
    records: Records[str] = Records(lambda item: item)
    view = Lagging(records, Lag(reads=2), Clock())
    records.put("x")
    assert [view.read().get("x") for _ in range(4)] == [None, None, "x", "x"]


def test_role_assignments_are_seen_late(stand_in: StandIn, clients: Who) -> None:
    """For as many reads; a repeat of the write meets what was written, nonetheless."""
    stand_in.consistency.role_assignments.reads = 2
    raw = clients(OWNER_USER).raw()
    body = {
        "properties": {
            "roleDefinitionId": (
                f"{PAYMENTS.scope}/providers/Microsoft.Authorization/roleDefinitions/{READER.id}"
            ),
            "principalId": NOBODY.id,
            "principalType": "User",
        }
    }

    def statuses(method: str, times: int) -> list[int]:
        more = {"json": body} if method == "PUT" else {}
        return [raw.send(method, NEW.id, "2022-04-01", **more).status_code for _ in range(times)]

    assert statuses("PUT", 2) == [201, 200]
    assert statuses("GET", 3) == [404, 404, 200]
    assert statuses("DELETE", 2) == [200, 204]
    assert statuses("GET", 3) == [200, 200, 404]


def test_permissions_come_late_as_well(stand_in: StandIn, clients: Who) -> None:
    stand_in.consistency.role_assignments.reads = 1
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(NEW)
    raw = clients(NOBODY).raw()
    assert raw.send("GET", TAGS, "2021-04-01").status_code == 403
    owner = clients(OWNER_USER).raw()
    for _ in range(2):
        owner.send("GET", NEW.id, "2022-04-01")
    assert raw.send("GET", TAGS, "2021-04-01").status_code == 200


def test_resource_graph_is_behind_while_arm_is_not(stand_in: StandIn, clients: Who) -> None:
    stand_in.consistency.resource_graph.reads = 2
    raw = clients(OWNER_USER).raw()
    body = {"operation": "Replace", "properties": {"tags": {"new": "yes"}}}
    raw.send("PATCH", TAGS, "2021-04-01", json=body)
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(NEW)
    arm = raw.send("GET", TAGS, "2021-04-01").json()["properties"]["tags"]
    assert arm == {"new": "yes"}
    assert raw.send("GET", NEW.id, "2022-04-01").status_code == 200
    query = "resourcecontainers | project id, tags | order by id"
    seen = [raw.rows(query)[0]["tags"] for _ in range(3)]
    assert seen == [dict(PAYMENTS.tags), dict(PAYMENTS.tags), {"new": "yes"}]


def test_a_lag_in_seconds(stand_in: StandIn, clients: Who) -> None:
    stand_in.consistency.resource_graph.seconds = 3600
    raw = clients(OWNER_USER).raw()
    with stand_in.world.lock:
        stand_in.world.role_assignments.put(NEW)
    query = f"authorizationresources | where name == '{NEW.name}' | count"
    assert raw.rows(query) == [{"Count": 0}]
    assert raw.rows(query) == [{"Count": 0}]
