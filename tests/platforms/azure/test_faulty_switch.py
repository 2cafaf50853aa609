"""A switch on Azure whose requests meet a fault, whichever they are, and the run that follows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure_stand_in.faults import Action, Drop, Exchange, Hang, Junk, Respond, Slow, Truncate
from support.backends import CONTOSO, DEPLOYER, FABRIKAM, AzureBackend

from dpor_provider.errors import DporError
from dpor_provider.platforms.azure import connection as module
from dpor_provider.platforms.azure.platform import Azure
from dpor_provider.resources.partner_of_record import Lifecycle

pytestmark = pytest.mark.survives("faults of Azure in a switch")

Properties = dict[str, Any]

REQUESTS = {
    "Resource Graph": ("POST", "Microsoft.ResourceGraph"),
    "label": ("PATCH", "/tags/default$"),
    "assign": ("PUT", "/roleAssignments/"),
    "revoke": ("DELETE", "/roleAssignments/"),
}
FEW = range(1, 4)
FAULTS: dict[str, tuple[Action, range | None]] = {
    "a storm of 429": (Respond(429), FEW),
    "a storm of 503": (Respond(503), FEW),
    "429 without end": (Respond(429), None),
    "500 once it is done": (Respond(500, after=True), FEW),
    "500 without end": (Respond(500), None),
    "half an answer": (Truncate(), None),
    "a page": (Junk(), None),
    "null": (Junk("null"), None),
    "no answer": (Hang(), None),
    "no answer once it is done": (Hang(after=True), None),
    "a slow answer": (Slow(0.1), None),
    "an end": (Drop(), FEW),
    "an end once it is done": (Drop(after=True), None),
}


def switch(backend: AzureBackend, old: Properties, new: Properties) -> Properties:
    """Designate, in a run of its own.

    Raises:
        DporError: what a person is told.
    """
    registry = backend.registry()
    lifecycle = Lifecycle(
        registry,
        Azure.open(registry, credit=True),
        date(2026, 11, 23),
        say=lambda _line: None,
    )
    checked = lifecycle.check(old, new)
    if checked.failures:
        raise DporError("; ".join(failure.reason for failure in checked.failures))
    return lifecycle.update(old, checked.inputs) if old else lifecycle.create(checked.inputs)


def declared(subscription: str, partner_id: str) -> Properties:
    return {"subscription_id": subscription, "partner_id": partner_id, "managed_by": "a/b/c"}


def prepared(backend: AzureBackend) -> tuple[str, Properties]:
    """A subscription that is Fabrikam's, who has access beyond what it is credited for."""
    subscription = backend.subscription()
    backend.give_access(subscription, FABRIKAM, "sp-fabrikam")
    return subscription, switch(backend, {}, declared(subscription, FABRIKAM.id))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_", REQUESTS)
def test_a_switch_that_meets_a_fault_is_made_once_or_ended_by_the_next_run(
    backend: AzureBackend,
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    request_: str,
) -> None:
    whole, old = prepared(backend)
    before = len(backend.writes())
    switch(backend, old, declared(whole, CONTOSO.id))
    expected, added = backend.shown(whole), backend.writes()[before:]

    subscription, old = prepared(backend)
    before = len(backend.writes())
    action, calls = FAULTS[fault]
    struck = backend.stand_in.faults.add(*REQUESTS[request_], action, calls)
    new = declared(subscription, CONTOSO.id)
    said = ""
    with monkeypatch.context() as impatient:
        if isinstance(action, Hang):
            # No answer but one that never comes may be given up, however busy the machine is.
            impatient.setattr(module, "READ_S", 1)
            impatient.setattr(module, "CALL_S", 2)
        try:
            switch(backend, old, new)
        except DporError as error:
            said = str(error)
    assert said or backend.shown(subscription) == expected
    assert struck.seen
    assert said.isprintable()
    backend.stand_in.faults.clear()
    switch(backend, old, new)
    assert backend.shown(subscription) == expected
    assert [one for one in backend.writes()[before:] if one != "adopt"] == added
    assert backend.registry().verify().problems == ()


def test_a_token_that_expires_within_a_switch_is_asked_for_once_more(
    backend: AzureBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, old = prepared(backend)
    before = len(backend.writes())
    switch(backend, old, declared(whole, CONTOSO.id))
    expected, added = backend.shown(whole), backend.writes()[before:]
    subscription, old = prepared(backend)
    before = len(backend.writes())
    signing_in = SigningIn(lambda: backend.stand_in.token(DEPLOYER))
    monkeypatch.setattr(module, "_Given", lambda _token: module._Kept(signing_in))
    real, passed = time.time, [0]
    monkeypatch.setattr(time, "time", lambda: real() + sum(passed))

    def an_hour_goes_by() -> None:
        passed.append(3600)
        backend.stand_in.tokens.expire_all()

    backend.stand_in.faults.add("PATCH", "/tags/default$", Before(an_hour_goes_by), calls={1})
    switch(backend, old, declared(subscription, CONTOSO.id))
    assert signing_in.asked == 2
    assert backend.shown(subscription) == expected
    assert backend.writes()[before:] == added


@dataclass(frozen=True)
class Before:
    """Do what is asked for, and call something before it is answered."""

    what: Callable[[], object]

    async def play(self, exchange: Exchange) -> None:
        reply = await exchange.proceed()
        self.what()
        await exchange.answer(reply)


class SigningIn:
    """A way to sign in, whose tokens say that they are good for an hour."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token
        self.asked = 0

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        self.asked += 1
        return AccessToken(self._token(), int(time.time()) + 3600)
