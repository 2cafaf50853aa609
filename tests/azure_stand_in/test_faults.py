"""Faults: which call they strike, and whether a write took effect nonetheless."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
import requests
from azure.core.exceptions import (
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.mgmt.resource.resources.models import Tags, TagsPatchResource

from azure_stand_in.clients import LOOPBACK, ONCE, Clients
from azure_stand_in.estate import Principal
from azure_stand_in.example import OWNER_USER, PAYMENTS
from azure_stand_in.faults import Do, Drop, Hang, Junk, Kill, Respond, Slow, Truncate
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]
TAGS = "/tags/default$"


def merge(clients: Clients, **more: object) -> None:
    clients.resources(PAYMENTS.id).tags.begin_update_at_scope(
        PAYMENTS.scope,
        TagsPatchResource(operation="Merge", properties=Tags(tags={"a": "b"})),
        **{**ONCE, **more},
    ).result()


def took_effect(stand_in: StandIn) -> bool:
    written = "a" in stand_in.world.tags(PAYMENTS.id)
    assert len(stand_in.journal.writes) == int(written)
    return written


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_a_status_instead_of_the_write(stand_in: StandIn, clients: Who, status: int) -> None:
    stand_in.faults.add("PATCH", TAGS, Respond(status, '{"error":{"code":"Oops","message":"m"}}'))
    with pytest.raises(HttpResponseError) as caught:
        merge(clients(OWNER_USER))
    assert caught.value.status_code == status
    assert not took_effect(stand_in)


def test_a_status_after_the_write(stand_in: StandIn, clients: Who) -> None:
    stand_in.faults.add("PATCH", TAGS, Respond(500, after=True))
    with pytest.raises(HttpResponseError):
        merge(clients(OWNER_USER))
    assert took_effect(stand_in)


def test_the_nth_call_alone(stand_in: StandIn, clients: Who) -> None:
    fault = stand_in.faults.add("GET", TAGS, Respond(503), calls={2, 3})
    raw = clients(OWNER_USER).raw()
    path = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
    assert [raw.send("GET", path, "2021-04-01").status_code for _ in range(4)] == [
        200,
        503,
        503,
        200,
    ]
    assert fault.seen == 4
    stand_in.faults.clear()
    assert raw.send("GET", path, "2021-04-01").status_code == 200


@pytest.mark.parametrize("wait", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_waiting_times_as_headers(stand_in: StandIn, clients: Who, wait: str) -> None:
    """The client itself repeats a PATCH only where it is told how long to wait."""
    throttled = Respond(429, headers={"Retry-After": wait})
    fault = stand_in.faults.add("PATCH", TAGS, throttled, calls={1})
    merge(clients(OWNER_USER), retry_total=3)
    assert took_effect(stand_in)
    assert fault.seen == 2


def test_no_waiting_time(stand_in: StandIn, clients: Who) -> None:
    fault = stand_in.faults.add("PATCH", TAGS, Respond(429), calls={1})
    with pytest.raises(HttpResponseError):
        merge(clients(OWNER_USER), retry_total=3)
    assert fault.seen == 1


def test_a_connection_that_ends_before_the_write(stand_in: StandIn, clients: Who) -> None:
    stand_in.faults.add("PATCH", TAGS, Drop())
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        merge(clients(OWNER_USER))
    assert not took_effect(stand_in)


def test_a_connection_that_ends_after_the_write(stand_in: StandIn, clients: Who) -> None:
    stand_in.faults.add("PATCH", TAGS, Drop(after=True))
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        merge(clients(OWNER_USER))
    assert took_effect(stand_in)


def test_half_of_the_answer(stand_in: StandIn, clients: Who) -> None:
    stand_in.faults.add("PATCH", TAGS, Truncate())
    with pytest.raises((HttpResponseError, ServiceResponseError)):
        merge(clients(OWNER_USER))
    assert took_effect(stand_in)
    raw = clients(OWNER_USER).raw()
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        raw.send(
            "PATCH", f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default", "2021-04-01"
        )


def test_an_answer_that_is_no_json(stand_in: StandIn, clients: Who) -> None:
    stand_in.faults.add("PATCH", TAGS, Junk())
    with pytest.raises(DecodeError):
        merge(clients(OWNER_USER))
    assert took_effect(stand_in)


@pytest.mark.parametrize("after", [False, True])
def test_an_answer_that_never_comes(stand_in: StandIn, clients: Who, after: bool) -> None:
    stand_in.faults.add("PATCH", TAGS, Hang(after=after))
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        merge(clients(OWNER_USER), read_timeout=3)
    assert took_effect(stand_in) is after


def test_an_answer_that_comes_late(stand_in: StandIn, clients: Who) -> None:
    stand_in.faults.add("PATCH", TAGS, Slow(0.05))
    merge(clients(OWNER_USER))
    assert took_effect(stand_in)


def test_a_token_that_expires_between_two_calls(stand_in: StandIn, clients: Who) -> None:
    stand_in.faults.add("GET", TAGS, Do(stand_in.tokens.expire_all), calls={2})
    raw = clients(OWNER_USER).raw()
    path = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
    assert [raw.send("GET", path, "2021-04-01").status_code for _ in range(3)] == [200, 401, 401]


def test_a_deployer_that_is_killed_after_its_write(stand_in: StandIn, clients: Who) -> None:
    """The write is there; nobody has heard of it."""
    script = """
import sys, requests
url, token = sys.stdin.readline().split()
body = {"operation": "Merge", "properties": {"tags": {"a": "b"}}}
headers = {"Authorization": f"Bearer {token}"}
requests.patch(url, params={"api-version": "2021-04-01"}, headers=headers, json=body)
print("answered")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    stand_in.faults.add("PATCH", TAGS, Kill(process.pid))
    url = f"{stand_in.url}{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
    output, _ = process.communicate(f"{url} {stand_in.token(OWNER_USER)}\n", timeout=60)
    assert (output, process.returncode) == ("", -signal.SIGKILL)
    assert took_effect(stand_in)


def test_kills_only_others() -> None:
    with pytest.raises(ValueError, match="does not kill itself"):
        Kill(os.getpgrp())


def test_other_requests_go_on_meanwhile(stand_in: StandIn, clients: Who) -> None:
    stand_in.faults.add("GET", TAGS, Hang())
    raw = clients(OWNER_USER).raw()
    path = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"
    with pytest.raises(requests.exceptions.Timeout):
        raw.session.get(stand_in.url + path, params={"api-version": "2021-04-01"}, timeout=0.2)
    assert list(clients(OWNER_USER).subscriptions().subscriptions.list(**LOOPBACK))
