"""Partner Admin Link, through azure-mgmt-managementpartner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from azure_stand_in.clients import LOOPBACK, Clients
from azure_stand_in.estate import Principal
from azure_stand_in.example import CONTOSO, CUSTOMER, FABRIKAM, NOBODY, PARTNER_SP
from azure_stand_in.server import StandIn

Who = Callable[[Principal], Clients]


def test_links_changes_and_unlinks(stand_in: StandIn, clients: Who) -> None:
    """No role is needed: an identity links itself, and nobody else."""
    api = clients(PARTNER_SP).management_partner()
    made = api.partner.create(CONTOSO.id, **LOOPBACK)
    assert (made.partner_id, made.partner_name) == (CONTOSO.id, CONTOSO.name)
    assert (made.tenant_id, made.object_id) == (CUSTOMER.id, PARTNER_SP.id)
    assert (made.state, made.etag) == ("Active", 1)
    assert made.id == f"/providers/microsoft.managementpartner/partners/{CONTOSO.id}"
    assert api.partners.get(**LOOPBACK).partner_id == CONTOSO.id
    changed = api.partner.update(FABRIKAM.id, **LOOPBACK)
    assert (changed.partner_id, changed.etag) == (FABRIKAM.id, 2)
    assert changed.created_time == made.created_time
    assert api.partner.get(FABRIKAM.id, **LOOPBACK).partner_name == FABRIKAM.name
    assert api.partner.delete(FABRIKAM.id, **LOOPBACK) is None
    with pytest.raises(ResourceNotFoundError):
        api.partners.get(**LOOPBACK)
    assert [write.method for write in stand_in.journal.writes] == ["PUT", "PATCH", "DELETE"]


def test_a_new_link_goes_on_where_the_old_one_ended(clients: Who) -> None:
    api = clients(PARTNER_SP).management_partner()
    first = api.partner.create(CONTOSO.id, **LOOPBACK)
    api.partner.delete(CONTOSO.id, **LOOPBACK)
    again = api.partner.create(CONTOSO.id, **LOOPBACK)
    assert again.created_time == first.created_time
    assert again.etag == 3


def test_conflicts_and_absences(stand_in: StandIn, clients: Who) -> None:
    api = clients(PARTNER_SP).management_partner()
    with pytest.raises(ResourceNotFoundError):
        api.partner.update(CONTOSO.id, **LOOPBACK)
    with pytest.raises(ResourceNotFoundError):
        api.partner.delete(CONTOSO.id, **LOOPBACK)
    api.partner.create(CONTOSO.id, **LOOPBACK)
    for partner in (CONTOSO.id, FABRIKAM.id):
        with pytest.raises(ResourceExistsError) as caught:
            api.partner.create(partner, **LOOPBACK)
        assert caught.value.error is not None
        assert caught.value.error.code == "Conflict"
    with pytest.raises(ResourceNotFoundError):
        api.partner.get(FABRIKAM.id, **LOOPBACK)
    assert len(stand_in.journal.writes) == 1


def test_each_identity_has_its_own(clients: Who) -> None:
    clients(PARTNER_SP).management_partner().partner.create(CONTOSO.id, **LOOPBACK)
    with pytest.raises(ResourceNotFoundError):
        clients(NOBODY).management_partner().partners.get(**LOOPBACK)


def test_an_unknown_partner(stand_in: StandIn, clients: Who) -> None:
    api = clients(PARTNER_SP).management_partner()
    with pytest.raises(HttpResponseError, match="We don't have a record for this partner ID"):
        api.partner.create("4567889", **LOOPBACK)
    assert not stand_in.journal.writes


def test_an_identity_without_an_account(stand_in: StandIn, clients: Who) -> None:
    api = clients(PARTNER_SP).management_partner()
    with stand_in.world.lock:
        stand_in.world.remove_principal(PARTNER_SP.id)
    with pytest.raises(HttpResponseError, match="does not have an account in this tenant"):
        api.partner.create(CONTOSO.id, **LOOPBACK)


def test_operations(clients: Who) -> None:
    names = [item.name for item in clients(NOBODY).management_partner().operation.list(**LOOPBACK)]
    assert names == [
        f"Microsoft.ManagementPartner/partners/{verb}"
        for verb in ("read", "write", "action", "delete")
    ]
