"""Tokens: what they carry, and which are refused."""

from __future__ import annotations

from collections.abc import Callable

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError

from azure_stand_in.clients import LOOPBACK, Clients
from azure_stand_in.estate import GLOBAL_ADMINISTRATOR, Group, Principal, guid
from azure_stand_in.example import (
    ADMIN,
    CUSTOMER,
    DEPLOYER,
    GUEST,
    INNER,
    NESTED,
    OUTER,
    OWNER_USER,
    PARTNER_TENANT,
)
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]


def claims(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


def test_say_who_calls(stand_in: StandIn) -> None:
    found = claims(stand_in.token(ADMIN))
    assert (found["oid"], found["tid"]) == (ADMIN.id, CUSTOMER.id)
    assert found["wids"] == [GLOBAL_ADMINISTRATOR]
    assert "wids" not in claims(stand_in.token(OWNER_USER))
    guest = claims(stand_in.token(GUEST))
    assert guest["tid"] == CUSTOMER.id
    assert guest["idp"] == f"https://sts.windows.net/{PARTNER_TENANT.id}/"
    machine = claims(stand_in.token(DEPLOYER))
    assert (machine["idtyp"], machine["appid"]) == ("app", DEPLOYER.application_id)


def test_carry_groups_where_they_are_asked_to(stand_in: StandIn) -> None:
    assert "groups" not in claims(stand_in.token(NESTED))
    found = claims(stand_in.tokens.issue(NESTED, groups=True))
    assert found["groups"] == sorted([INNER.id, OUTER.id])


def test_carry_no_more_than_200_groups(stand_in: StandIn) -> None:
    with stand_in.world.lock:
        for number in range(199):
            stand_in.world.add_principal(
                Group(
                    id=guid("group", number),
                    tenant_id=CUSTOMER.id,
                    name=str(number),
                    members=frozenset({NESTED.id}),
                )
            )
    found = claims(stand_in.tokens.issue(NESTED, groups=True))
    assert "groups" not in found
    assert "_claim_names" in found


def test_are_refused_when_expired(stand_in: StandIn, clients: Who) -> None:
    client = clients(OWNER_USER).subscriptions()
    list(client.subscriptions.list(**LOOPBACK))
    stand_in.tokens.expire_all()
    with pytest.raises(ClientAuthenticationError, match="ExpiredAuthenticationToken"):
        list(client.subscriptions.list(**LOOPBACK))
    list(clients(OWNER_USER).subscriptions().subscriptions.list(**LOOPBACK))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "AuthenticationFailed"),
        ("Basic eDp5", "AuthenticationFailedInvalidHeader"),
        ("Bearer rubbish", "InvalidAuthenticationToken"),
        ("expired", "ExpiredAuthenticationToken"),
        ("audience", "InvalidAuthenticationTokenAudience"),
        ("forged", "InvalidAuthenticationToken"),
    ],
)
def test_are_refused(stand_in: StandIn, clients: Who, header: str | None, code: str) -> None:
    issue = stand_in.tokens.issue
    forged = jwt.encode({"oid": ADMIN.id, "aud": "https://management.azure.com"}, "x" * 32)
    made = {
        "expired": f"Bearer {issue(OWNER_USER, lifetime=-1)}",
        "audience": f"Bearer {issue(OWNER_USER, audience='https://graph.microsoft.com')}",
        "forged": f"Bearer {forged}",
    }
    raw = clients(OWNER_USER).raw()
    raw.session.headers.pop("Authorization")
    headers = {"Authorization": made.get(header, header)} if header else {}
    answer = raw.send("GET", "/subscriptions", "2022-12-01", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_group_has_none(stand_in: StandIn) -> None:
    with pytest.raises(ValueError, match="no token"):
        stand_in.token(INNER)
