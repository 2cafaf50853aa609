"""The connection to Azure: what is sent where, what is repeated, and what an error says."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.settings import settings
from azure.mgmt.resource.resources import ResourceManagementClient
from azure_stand_in.example import ADMIN, DEPLOYER, GUEST, NOBODY, OWNER_USER, PAYMENTS, TAGGER
from azure_stand_in.faults import Do, Drop, Hang, Junk, Respond, Slow, Truncate
from azure_stand_in.server import StandIn

from dpor_provider.errors import Conflict, DporError, Invalid, Refused, Unavailable
from dpor_provider.platforms.azure import connection as module
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.connection import Connection, connect
from dpor_provider.platforms.azure.errors import azure_errors
from dpor_provider.platforms.azure.identity import read_identity

TAGS = "/tags/default$"

pytestmark = pytest.mark.survives("faults of Azure and of the way to it")
Connecting = Callable[..., Connection]


def label(connection: Connection) -> None:
    """A write by PATCH."""
    client = connection.client(ResourceManagementClient, PAYMENTS.id)
    with azure_errors("labelling"):
        client.tags.begin_update_at_scope(
            PAYMENTS.scope, {"operation": "Merge", "properties": {"tags": {"dpor": "1"}}}
        ).result()


def read(connection: Connection) -> object:
    client = connection.client(ResourceManagementClient, PAYMENTS.id)
    with azure_errors(f"reading the tags of subscription {PAYMENTS.id}"):
        return client.tags.get_at_scope(PAYMENTS.scope)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"DPOR_AZURE_ENDPOINT": "http://management.azure.com"}, "must be an https URL"),
        ({"DPOR_AZURE_ENDPOINT": "http://127.0.0.1.example.com"}, "must be an https URL"),
        ({"DPOR_AZURE_ENDPOINT": "http://127.0.0.1:80"}, "takes a DPOR_AZURE_TOKEN"),
        ({"DPOR_AZURE_ENDPOINT": "management.azure.com"}, "is no URL of Azure Resource Manager"),
        ({"DPOR_AZURE_ENDPOINT": "ftp://127.0.0.1"}, "is no URL of Azure Resource Manager"),
        ({"DPOR_AZURE_ENDPOINT": "https://me:s3cret@x"}, "is no URL of Azure Resource Manager"),
        ({"DPOR_AZURE_ENDPOINT": "http://127.0.0.1:port"}, "is no URL of Azure Resource Manager"),
        ({"DPOR_AZURE_ENDPOINT": "http://[::1"}, "is no URL of Azure Resource Manager"),
        ({"DPOR_AZURE_TOKEN": "s3cret"}, "is for a test server on this machine alone"),
        (
            {"DPOR_AZURE_TOKEN": "s3cret", "DPOR_AZURE_ENDPOINT": "https://management.azure.com"},
            "is for a test server on this machine alone",
        ),
    ],
)
def test_a_token_is_sent_nowhere_else(environ: dict[str, str], said: str) -> None:
    with pytest.raises(Invalid, match=said) as refused:
        connect(environ)
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("cloud", "endpoint", "audience"),
    [
        (None, "https://management.azure.com", "https://management.azure.com/.default"),
        (
            "AZURE_CHINA_CLOUD",
            "https://management.chinacloudapi.cn",
            "https://management.chinacloudapi.cn/.default",
        ),
        (
            "AZURE_US_GOVERNMENT",
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net/.default",
        ),
    ],
)
def test_a_sovereign_cloud_has_its_own_endpoint_audience_and_authority(
    monkeypatch: pytest.MonkeyPatch, cloud: str | None, endpoint: str, audience: str
) -> None:
    asked: dict[str, str] = {}
    monkeypatch.setattr(extra.identity, "DefaultAzureCredential", lambda **more: asked.update(more))
    if cloud:
        monkeypatch.setenv("AZURE_SDK_CLOUD_CONF", cloud)
    else:
        monkeypatch.delenv("AZURE_SDK_CLOUD_CONF", raising=False)
    made = connect({})
    assert (made.endpoint, made.audience) == (endpoint, audience)
    authority = {
        "AZURE_CHINA_CLOUD": "login.chinacloudapi.cn",
        "AZURE_US_GOVERNMENT": "login.microsoftonline.us",
    }
    assert asked == ({"authority": authority[cloud]} if cloud else {})
    connect({"AZURE_AUTHORITY_HOST": "login.example.com"})
    assert asked == {"authority": "login.example.com"}


def test_a_cloud_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_SDK_CLOUD_CONF", "MOON")
    assert settings.azure_cloud.env_var == "AZURE_SDK_CLOUD_CONF"
    with pytest.raises(Invalid, match="names no cloud; it is one of AZURE_PUBLIC_CLOUD"):
        connect({})


def test_a_proxy_is_not_asked_for_this_machine(
    stand_in: StandIn, connecting: Connecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert read(connecting(OWNER_USER))


def test_every_request_carries_the_runs_name(stand_in: StandIn, connecting: Connecting) -> None:
    connection = connecting(OWNER_USER)
    read(connection)
    label(connection)
    (write,) = stand_in.journal.writes
    assert write.correlation_id == connection.correlation_id


@pytest.mark.parametrize(
    ("headers", "shortest", "longest"),
    [
        ({}, 0.4, 1.6),
        ({"Retry-After": "7"}, 7, 8),
        ({"Retry-After": "DATE"}, 3, 7),
        ({"Retry-After": "99999"}, 120, 121),
        ({"Retry-After": "soon"}, 0.4, 1.6),
        ({"Retry-After": "-5"}, 0.4, 1.6),
    ],
)
@pytest.mark.parametrize(("method", "call"), [("PATCH", label), ("GET", read)])
def test_what_is_throttled_waits_as_it_is_told_and_is_made_once(
    stand_in: StandIn,
    connecting: Connecting,
    slept: list[float],
    headers: dict[str, str],
    shortest: float,
    longest: float,
    method: str,
    call: Callable[[Connection], object],
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=6), usegmt=True)
    told = {name: later if value == "DATE" else value for name, value in headers.items()}
    stand_in.faults.add(method, TAGS, Respond(429, "", told), calls={1, 2})
    call(connecting(OWNER_USER))
    assert len(slept) == 2
    assert all(shortest <= wait <= longest for wait in slept[:1])
    assert len(stand_in.journal.writes) == (1 if method == "PATCH" else 0)


def test_two_that_are_told_to_wait_as_long_do_not_come_back_together(
    stand_in: StandIn, connecting: Connecting, slept: list[float]
) -> None:
    stand_in.faults.add("", TAGS, Respond(429, "", {"Retry-After": "5"}), calls=range(1, 9))
    read(connecting(OWNER_USER))
    assert len(set(slept)) == 8


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_storm_that_ends_is_weathered(
    stand_in: StandIn, connecting: Connecting, slept: list[float], status: int
) -> None:
    stand_in.faults.add("PATCH", TAGS, Respond(status), calls=range(1, 6))
    label(connecting(OWNER_USER))
    assert len(stand_in.journal.writes) == 1
    assert len(slept) == 5


@pytest.mark.parametrize(
    ("status", "said"),
    [(429, "limits stay exhausted, try again in some minutes"), (503, "Azure answered 503")],
)
def test_a_storm_that_does_not_end_is_one_line(
    stand_in: StandIn, connecting: Connecting, slept: list[float], status: int, said: str
) -> None:
    stand_in.faults.add("PATCH", TAGS, Respond(status))
    with pytest.raises(Unavailable, match=said) as failed:
        label(connecting(OWNER_USER))
    assert str(failed.value).isprintable()
    assert len(slept) == module.ATTEMPTS
    assert stand_in.journal.writes == []


@pytest.mark.parametrize(
    "fault",
    [
        Respond(500, "", after=True),
        Drop(),
        Drop(after=True),
    ],
)
def test_a_write_whose_answer_is_lost_is_made_again_to_the_same_end(
    stand_in: StandIn, connecting: Connecting, slept: list[float], fault: Any
) -> None:
    stand_in.faults.add("PATCH", TAGS, fault, calls={1})
    label(connecting(OWNER_USER))
    assert stand_in.world.tags(PAYMENTS.id) == {**PAYMENTS.tags, "dpor": "1"}


def test_half_an_answer_is_none(stand_in: StandIn, connecting: Connecting) -> None:
    stand_in.faults.add("PATCH", TAGS, Truncate(), calls={1})
    with pytest.raises(Unavailable, match="did not arrive whole; run it again, which repeats"):
        label(connecting(OWNER_USER))
    label(connecting(OWNER_USER))
    assert stand_in.world.tags(PAYMENTS.id) == {**PAYMENTS.tags, "dpor": "1"}


@pytest.mark.parametrize(
    "body", ["<html>Bad gateway</html>", "{", "[]", "", "null", "7", '{"a":1}']
)
def test_junk_is_never_taken_for_an_answer(
    stand_in: StandIn, connecting: Connecting, slept: list[float], body: str
) -> None:
    stand_in.faults.add("GET", TAGS, Junk(body))
    try:
        answer = read(connecting(OWNER_USER))
    except Unavailable as failed:
        said = str(failed)
    else:
        said = f"reading the tags of subscription {PAYMENTS.id}"
        assert not getattr(getattr(answer, "properties", None), "tags", None)
    assert said.isprintable()
    assert said.startswith(f"reading the tags of subscription {PAYMENTS.id}")


def test_a_server_that_takes_requests_and_never_answers_is_given_up(
    stand_in: StandIn, connecting: Connecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_S", 0.2)
    monkeypatch.setattr(module, "CALL_S", 1)
    stand_in.faults.add("GET", TAGS, Hang())
    with pytest.raises(Unavailable, match="Azure's answer did not arrive"):
        read(connecting(OWNER_USER))


def test_a_slow_server_is_waited_for(
    stand_in: StandIn, connecting: Connecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_S", 5)
    stand_in.faults.add("GET", TAGS, Slow(0.3))
    assert read(connecting(OWNER_USER))


def test_a_server_that_is_not_there(slept: list[float]) -> None:
    nowhere = connect({"DPOR_AZURE_ENDPOINT": "http://127.0.0.1:1", "DPOR_AZURE_TOKEN": "s3cret"})
    with pytest.raises(Unavailable, match="Azure cannot be reached") as failed:
        read(nowhere)
    assert str(failed.value).isprintable()
    assert "s3cret" not in "".join(traceback.format_exception(failed.value))


def test_what_azure_says_is_repeated_in_one_line_with_its_correlation_id(
    stand_in: StandIn, connecting: Connecting
) -> None:
    connection = connecting(NOBODY)
    with pytest.raises(Refused) as refused:
        label(connection)
    said = str(refused.value)
    assert said.startswith("labelling: ")
    assert "AuthorizationFailed" in said
    assert "'Microsoft.Resources/tags/write'" in said
    assert connection.correlation_id in said
    assert said.isprintable()


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Invalid), (404, Unavailable), (409, Conflict), (412, Conflict)]
)
def test_hostile_words_of_a_server_are_made_harmless(
    stand_in: StandIn, connecting: Connecting, status: int, kind: type[DporError]
) -> None:
    body = json.dumps({"error": {"code": "A\x1b[31m", "message": "b\r\n::error::\u202ec" * 999}})
    stand_in.faults.add("GET", TAGS, Respond(status, body))
    with pytest.raises(kind) as failed:
        read(connecting(OWNER_USER))
    assert str(failed.value).isprintable()
    assert len(str(failed.value)) < 1200


def test_a_token_that_expires_in_mid_run_is_replaced(
    stand_in: StandIn, connecting: Connecting
) -> None:
    class Renewing:
        asked = 0

        def get_token(self, *_: str, **__: object) -> AccessToken:
            self.asked += 1
            return AccessToken(stand_in.token(OWNER_USER), int(time.time()) + 100)

    renewing = Renewing()
    given = connecting(OWNER_USER)
    connection = Connection(given.endpoint, given.audience, module._Kept(renewing), given.transport)
    read(connection)
    stand_in.tokens.expire_all()
    read(connection)
    assert renewing.asked >= 2


def test_a_token_that_has_expired_is_one_line(stand_in: StandIn, connecting: Connecting) -> None:
    connection = connecting(OWNER_USER)
    stand_in.faults.add("GET", TAGS, Do(stand_in.tokens.expire_all))
    with pytest.raises(Unavailable, match="sign in anew with az login"):
        read(connection)


def test_one_sign_in_does_for_all_threads() -> None:
    class Slow:
        asked = 0

        def get_token(self, *_: str, **__: object) -> AccessToken:
            self.asked += 1
            time.sleep(0.05)
            return AccessToken("t", int(time.time()) + 3600)

    slow = Slow()
    kept = module._Kept(slow)
    with ThreadPoolExecutor(8) as pool:
        assert {token.token for token in pool.map(lambda _: kept.get_token("s"), range(8))} == {"t"}
    assert slow.asked == 1
    kept.get_token("s", claims="more")
    assert slow.asked == 2


def test_no_token_in_a_log_or_a_name(
    stand_in: StandIn, connecting: Connecting, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connecting(OWNER_USER)
    token = connection.credential.get_token("x").token
    with caplog.at_level(logging.DEBUG):
        read(connection)
        with pytest.raises(DporError):
            label(connecting(NOBODY))
    assert token not in caplog.text
    assert token not in repr(connection)
    assert token.split(".")[2] not in caplog.text


@pytest.mark.parametrize(
    ("principal", "guest", "application"),
    [
        (OWNER_USER, False, False),
        (GUEST, True, False),
        (DEPLOYER, False, True),
        (TAGGER, False, True),
    ],
)
def test_the_deployer_is_who_the_token_says(
    connecting: Connecting, principal: Any, guest: bool, application: bool
) -> None:
    found = connecting(principal).identity()
    assert (found.object_id, found.tenant_id) == (principal.id, principal.tenant_id)
    assert (found.guest, found.application) == (guest, application)
    assert found.directory_roles == frozenset()
    assert found.groups is None
    assert found.name in (principal.name, getattr(principal, "application_id", None))


def test_a_global_administrator_is_one_by_the_token(connecting: Connecting) -> None:
    found = connecting(ADMIN).identity()
    assert found.directory_roles == frozenset({"62e90394-69f5-4237-9190-012177145e10"})


def made(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{body}.c2ln"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b.c",
        "..",
        "e30.e30.",
        made([]),
        made({"oid": 7, "tid": "t"}),
        made({"tid": "t"}),
    ],
)
def test_what_is_no_token_of_a_principal_is_not_shown(token: str) -> None:
    with pytest.raises(Unavailable) as failed:
        read_identity(token)
    assert not token or token not in str(failed.value)


def test_names_in_a_token_are_made_harmless() -> None:
    claims = {"oid": "o", "tid": "t", "upn": "e\x1b[31mve", "wids": "x", "groups": [1, "G"]}
    found = read_identity(made(claims))
    assert found.name.isprintable()
    assert found.directory_roles == frozenset()
    assert found.groups == frozenset({"g"})


def test_neither_help_nor_a_check_on_another_platform_imports_microsofts_clients() -> None:
    code = (
        "import sys, dpor_provider.cli.main, dpor_provider.platforms\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'azure'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
