"""The partner link of the signed-in identity: what is read, what is written, what errors say."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from azure_stand_in.estate import Principal
from azure_stand_in.example import CONTOSO, CUSTOMER, FABRIKAM, NOBODY, PARTNER_SP
from azure_stand_in.faults import Drop, Junk, Respond, Truncate
from azure_stand_in.server import StandIn

from dpor_provider.errors import Conflict, DporError, Invalid, Unavailable
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.partner_link import PartnerLinks

LIST = "ManagementPartner/partners$"
ONE = "ManagementPartner/partners/"


@pytest.fixture
def links(connecting: Callable[[Principal], Connection]) -> PartnerLinks:
    """The link of the partner's service principal."""
    return PartnerLinks(connecting(PARTNER_SP))


def error(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def test_links_changes_and_unlinks(links: PartnerLinks, stand_in: StandIn) -> None:
    assert links.find() is None
    links.link(CONTOSO.id)
    made = links.find()
    assert made is not None
    assert (made.partner_id, made.partner_name, made.version, made.etag, made.state) == (
        CONTOSO.id,
        CONTOSO.name,
        1,
        1,
        "Active",
    )
    assert made.changed_at is not None
    assert made.changed_at.utcoffset() == timedelta(0)
    assert str(made).startswith(f"partner {CONTOSO.id} ({CONTOSO.name}), version 1, since 20")
    links.change(FABRIKAM.id)
    changed = links.find()
    assert changed is not None
    assert (changed.partner_id, changed.version) == (FABRIKAM.id, 2)
    links.unlink(FABRIKAM.id)
    assert links.find() is None
    assert [write.method for write in stand_in.journal.writes] == ["PUT", "PATCH", "DELETE"]


def test_is_of_who_is_signed_in(connecting: Callable[[Principal], Connection]) -> None:
    mine, others = PartnerLinks(connecting(PARTNER_SP)), PartnerLinks(connecting(NOBODY))
    mine.link(CONTOSO.id)
    assert others.find() is None
    assert (mine.identity().tenant_id, mine.identity().object_id) == (CUSTOMER.id, PARTNER_SP.id)


def test_answers_as_the_description_has_them(links: PartnerLinks, stand_in: StandIn) -> None:
    """`type` in the singular, `version` a text, no name, no state, an etag that is a text."""
    body = {
        "id": f"/providers/microsoft.managementpartner/partners/{CONTOSO.id}",
        "type": "Microsoft.ManagementPartner/partner",
        "name": CONTOSO.id,
        "etag": "3",
        "properties": {"partnerId": CONTOSO.id, "version": "3"},
    }
    stand_in.faults.add("GET", LIST, Respond(200, json.dumps(body)))
    found = links.find()
    assert found is not None
    assert (found.partner_id, found.partner_name, found.version) == (CONTOSO.id, None, 3)
    assert str(found) == f"partner {CONTOSO.id}, version 3"


def test_a_link_that_is_deleted_is_none(links: PartnerLinks, stand_in: StandIn) -> None:
    links.link(CONTOSO.id)
    body = {"properties": {"partnerId": CONTOSO.id, "state": "Deleted", "version": 2}}
    stand_in.faults.add("GET", LIST, Respond(200, json.dumps(body)))
    assert links.find() is None


@pytest.mark.parametrize(
    "action",
    [
        Respond(404, error("ResourceProviderNotFound", "no such provider")),
        Respond(404, "<html>Not found</html>"),
        Respond(404, ""),
        Respond(403, error("AuthorizationFailed", "no")),
        Respond(401, error("InvalidAuthenticationToken", "no")),
        Respond(429, error("TooManyRequests", "later")),
        Respond(503, ""),
        Respond(200, "{}"),
        Respond(200, "null"),
        Respond(200, "[]"),
        Respond(200, '"linked"'),
        Respond(200, '{"properties": {"partnerId": ""}}'),
        Respond(200, '{"properties": {"partnerId": "4567890", "version": "two"}}'),
        Respond(200, '{"properties": {"partnerId": "4567890", "updatedTime": "yesterday"}}'),
        Respond(200, ""),
        Respond(204, ""),
        Junk(),
        Truncate(),
        Drop(),
    ],
    ids=repr,
)
def test_what_cannot_be_read_is_not_absent(
    links: PartnerLinks, stand_in: StandIn, slept: list[float], action: object
) -> None:
    links.link(CONTOSO.id)
    stand_in.faults.add("GET", LIST, action)  # type: ignore[arg-type]
    with pytest.raises(DporError) as caught:
        links.find()
    assert str(caught.value).startswith("reading this identity's partner link: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("linked", [False, True])
def test_an_unknown_partner_id(links: PartnerLinks, linked: bool) -> None:
    if linked:
        links.link(CONTOSO.id)
    write = links.change if linked else links.link
    with pytest.raises(Invalid, match="We don't have a record for this partner ID") as caught:
        write("4567889")
    advice = "a global account ID cannot be linked; the first location ID is 4567890"
    assert advice in str(caught.value)
    assert "correlation id" in str(caught.value)


def test_an_identity_without_an_account(links: PartnerLinks, stand_in: StandIn) -> None:
    with stand_in.world.lock:
        stand_in.world.remove_principal(PARTNER_SP.id)
    for call in (links.find, lambda: links.link(CONTOSO.id)):
        with pytest.raises(DporError, match="does not have an account in this tenant") as caught:
            call()
        assert "a CSP partner's delegated administrator cannot be linked" in str(caught.value)
        assert "AZURE_TENANT_ID" in str(caught.value)


def test_absences_and_conflicts(links: PartnerLinks) -> None:
    for write in (links.change, links.unlink):
        with pytest.raises(Unavailable, match="is not linked to this object id"):
            write(CONTOSO.id)
    links.link(CONTOSO.id)
    with pytest.raises(Conflict, match="is already linked to the partner id 4567890"):
        links.link(FABRIKAM.id)


def test_shows_no_control_characters(links: PartnerLinks, stand_in: StandIn) -> None:
    evil = error("BadRequest", "\x1b[2J##vso[task.complete]\nsecond line")
    stand_in.faults.add("PUT", ONE, Respond(400, evil))
    with pytest.raises(Invalid) as caught:
        links.link(CONTOSO.id)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "##vso" not in str(caught.value)
