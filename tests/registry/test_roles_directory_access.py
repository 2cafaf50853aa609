"""Roles, the directory of partners, and their access."""

from __future__ import annotations

from datetime import date

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, PARTNERS, Backend

from dpor_provider.errors import DporError, Invalid, Refused
from dpor_provider.model import Access, Action, Agreement, Grant, Partner, Role, Status
from dpor_provider.registry import Registry
from dpor_provider.registry.registry import operating_system_user
from dpor_provider.registry.roles import read_scope

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
AT_ONE = f"/subscriptions/{ONE}"
AT_OTHER = f"/subscriptions/{OTHER}"
SUPPORT = "Support Request Contributor"

MAKER = Grant(operating_system_user(), Role.GLOBAL_ADMINISTRATOR, "/")
SECOND = Grant(ADMIN, Role.GLOBAL_ADMINISTRATOR, "/")


def actions(registry: Registry) -> list[str]:
    return [entry.action.value for entry in registry.audit.entries()]


def partners(registry: Registry) -> dict[str, Partner]:
    return dict(registry.partners.directory().partners)


def say(error: pytest.ExceptionInfo[DporError]) -> str:
    assert str(error.value).isprintable()
    return str(error.value)


# --- Roles -------------------------------------------------------------------------------------


def test_a_grant_is_held_until_it_is_taken_away(backend: Backend) -> None:
    registry, grant = backend.registry(), Grant("bob", Role.OWNER, AT_ONE)
    registry.roles.grant(grant)
    assert set(registry.roles.all()) == {MAKER, SECOND, grant}
    registry.roles.ungrant(grant)
    assert set(registry.roles.all()) == {MAKER, SECOND}
    assert actions(registry)[-2:] == ["grant", "ungrant"]
    assert registry.audit.entries()[-1].detail == f"Owner at {AT_ONE} to bob"


def test_one_principal_may_hold_several_roles_at_several_scopes(backend: Backend) -> None:
    held = {
        Grant("bob", role, scope)
        for role in (Role.OWNER, Role.CONTRIBUTOR)
        for scope in ("/", AT_ONE, AT_OTHER)
    }
    for grant in held:
        backend.registry().roles.grant(grant)
    assert set(backend.registry().roles.all()) == {MAKER, SECOND} | held


def test_what_is_granted_already_and_what_is_not_granted_are_invalid(backend: Backend) -> None:
    registry, grant = backend.registry(), Grant("bob", Role.OWNER, "/")
    with pytest.raises(Invalid, match="Owner at / to bob is not granted"):
        registry.roles.ungrant(grant)
    registry.roles.grant(grant)
    before = registry.audit.entries()
    with pytest.raises(Invalid, match="Owner at / to bob is granted already"):
        registry.roles.grant(grant)
    assert registry.audit.entries() == before


def test_a_global_administrator_is_one_everywhere_or_not_at_all(backend: Backend) -> None:
    with pytest.raises(Invalid, match="no scope below /; grant Owner there instead"):
        backend.registry().roles.grant(Grant("bob", Role.GLOBAL_ADMINISTRATOR, AT_ONE))
    assert set(backend.registry().roles.all()) == {MAKER, SECOND}


@pytest.mark.parametrize("last", [MAKER, SECOND])
def test_the_last_global_administrator_stays(backend: Backend, last: Grant) -> None:
    registry = backend.registry(last.principal)
    registry.roles.grant(Grant("bob", Role.OWNER, "/"))
    registry.roles.ungrant(SECOND if last is MAKER else MAKER)
    with pytest.raises(Refused, match="last Global Administrator cannot be removed") as error:
        registry.roles.ungrant(last)
    say(error)
    assert last in registry.roles.all()
    assert actions(registry)[-1] == "refuse"


def test_a_global_administrator_may_give_up_the_role_while_there_is_another(
    backend: Backend,
) -> None:
    backend.registry().roles.ungrant(MAKER)
    with pytest.raises(Refused, match="only a Global Administrator may"):
        backend.registry().roles.grant(MAKER)


@pytest.mark.parametrize("role", [None, Role.OWNER, Role.CONTRIBUTOR])
def test_only_a_global_administrator_changes_roles_and_the_directory(
    backend: Backend, role: Role | None
) -> None:
    if role:
        backend.registry().roles.grant(Grant("bob", role, "/"))
    grants, directory, bob = (
        backend.registry().roles.all(),
        partners(backend.registry()),
        backend.registry("bob"),
    )
    before = len(actions(bob))
    with pytest.raises(Refused, match="bob may not grant Owner at / to eve"):
        bob.roles.grant(Grant("eve", Role.OWNER, "/"))
    with pytest.raises(Refused, match="bob may not ungrant"):
        bob.roles.ungrant(MAKER)
    with pytest.raises(Refused, match="bob may not add partner 7654321"):
        bob.partners.add(Partner("7654321", "Tailspin"))
    with pytest.raises(Refused, match="bob may not rename partner"):
        bob.partners.rename(CONTOSO.id, "Tailspin")
    with pytest.raises(Refused, match="bob may not retire partner"):
        bob.partners.retire(CONTOSO.id, None)
    with pytest.raises(Refused, match="bob may not import observations"):
        bob.observations.record([])
    assert backend.registry().roles.all() == grants
    assert partners(backend.registry()) == directory
    assert [(e.actor, e.action) for e in bob.audit.entries()][before:] == [
        ("bob", Action.REFUSE)
    ] * 6


@pytest.mark.parametrize(
    ("text", "scope"),
    [("/", "/"), (AT_ONE, AT_ONE), (f"/subscriptions/{ONE.upper()}", AT_ONE)],
)
def test_a_scope_is_the_root_or_a_subscription(text: str, scope: str) -> None:
    assert read_scope(text) == scope


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "//",
        ONE,
        f"subscriptions/{ONE}",
        f"/subscriptions/{ONE}/",
        f"/subscriptions/{ONE}/resourceGroups/rg",
        f"/Subscriptions/{ONE}",
        f"/subscriptions//{ONE}",
        f"/subscriptions/{{{ONE}}}",
        f"/subscriptions/{ONE.replace('-', '')}",
        f"/subscriptions/{ONE}\n",
        "/subscriptions/",
        "/providers/Microsoft.Management/managementGroups/mg",
    ],
)
def test_whatever_else_is_no_scope(text: str) -> None:
    with pytest.raises(Invalid, match="is no scope; write / or /subscriptions/UUID") as error:
        read_scope(text)
    say(error)


# --- The directory -----------------------------------------------------------------------------


def test_a_partner_comes_back_as_it_was_added(backend: Backend) -> None:
    added = Partner(
        "7654321",
        "Tailspin Töys",
        former_ids=("6543210",),
        former_names=("Tailspin",),
        principals=("sp-tailspin",),
        tenants=("0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2aff",),
    )
    backend.registry().partners.add(added)
    assert partners(backend.registry()) == {partner.id: partner for partner in (*PARTNERS, added)}
    directory = backend.registry().partners.directory()
    assert directory.find("6543210") == directory.find("7654321") == added
    assert actions(backend.registry())[-1] == "partner-add"


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (Partner(CONTOSO.id, "Tailspin"), f"Partner ID {CONTOSO.id} is {CONTOSO.name}'s"),
        (Partner("3456789", "Tailspin"), f"Partner ID 3456789 is {CONTOSO.name}'s already"),
        (
            Partner("7654321", "Tailspin", former_ids=(FABRIKAM.id,)),
            f"Partner ID {FABRIKAM.id} is {FABRIKAM.name}'s already",
        ),
        (
            Partner("7654321", "Tailspin", former_ids=("1111199", "3456789")),
            f"Partner ID 3456789 is {CONTOSO.name}'s already",
        ),
        (
            Partner("7654321", "Tailspin", principals=("sp-new", "sp-a")),
            "principal sp-a is Adatum's already",
        ),
        (
            Partner("7654321", "Tailspin", former_ids=("7654321",)),
            "Partner ID 7654321 is named twice for Tailspin",
        ),
        (
            Partner("7654321", "Tailspin", former_ids=("1111199", "1111199")),
            "Partner ID 1111199 is named twice for Tailspin",
        ),
    ],
)
def test_what_is_another_partners_already_cannot_be_added(
    backend: Backend, added: Partner, said: str
) -> None:
    backend.registry().partners.add(Partner("8765432", "Adatum", principals=("sp-a", "sp-b")))
    before = backend.registry().audit.entries()
    with pytest.raises(Invalid, match=said) as error:
        backend.registry().partners.add(added)
    say(error)
    assert backend.registry().audit.entries() == before
    assert added.name not in {partner.name for partner in partners(backend.registry()).values()}


def test_a_rename_keeps_the_former_name_and_a_rename_back_does_not_double_it(
    backend: Backend,
) -> None:
    registry = backend.registry()
    renamed = registry.partners.rename(CONTOSO.id, "Contoso Group")
    assert (renamed.name, renamed.former_names) == ("Contoso Group", (CONTOSO.name,))
    back = registry.partners.rename(CONTOSO.id, CONTOSO.name)
    assert (back.name, back.former_names) == (CONTOSO.name, ("Contoso Group",))
    assert partners(registry)[CONTOSO.id] == back
    assert actions(registry)[-2:] == ["partner-rename"] * 2


def test_a_rename_to_the_same_name_or_of_nobody_is_invalid(backend: Backend) -> None:
    with pytest.raises(Invalid, match="is called Contoso Consulting already"):
        backend.registry().partners.rename(CONTOSO.id, CONTOSO.name)
    with pytest.raises(Invalid, match="no partner 7654321 in the directory"):
        backend.registry().partners.rename("7654321", "Tailspin")


def test_a_retired_partner_names_its_successor_and_stays_known(backend: Backend) -> None:
    registry = backend.registry()
    retired = registry.partners.retire(CONTOSO.id, FABRIKAM.id)
    assert (retired.status, retired.replaced_by) == (Status.RETIRED, FABRIKAM.id)
    assert partners(registry)[CONTOSO.id] == retired
    assert registry.partners.retire(NORTHWIND.id, None).replaced_by is None
    assert actions(registry)[-2:] == ["partner-retire"] * 2


@pytest.mark.parametrize(
    ("partner_id", "successor", "said"),
    [
        (NORTHWIND.id, None, f"partner {NORTHWIND.id} is retired already"),
        ("7654321", None, "no partner 7654321 in the directory"),
        (CONTOSO.id, "7654321", "no partner 7654321 in the directory"),
        (CONTOSO.id, CONTOSO.id, f"partner {CONTOSO.id} cannot succeed {CONTOSO.id}"),
        (CONTOSO.id, NORTHWIND.id, f"partner {NORTHWIND.id} cannot succeed {CONTOSO.id}"),
    ],
)
def test_a_retirement_needs_a_partner_and_a_successor_that_is_active(
    backend: Backend, partner_id: str, successor: str | None, said: str
) -> None:
    backend.registry().partners.retire(NORTHWIND.id, FABRIKAM.id)
    before = partners(backend.registry())
    with pytest.raises(Invalid, match=said):
        backend.registry().partners.retire(partner_id, successor)
    assert partners(backend.registry()) == before


# --- Access ------------------------------------------------------------------------------------


def give(backend: Backend, scope: str = AT_ONE, principal: str = "sp-contoso") -> Access:
    return backend.registry(ADMIN).access.add(scope, principal, SUPPORT, CONTOSO.id)


def held(backend: Backend) -> set[tuple[str, str]]:
    return {(item.scope, item.principal) for item in backend.registry().access.all()}


def test_access_is_noted_with_its_condition_and_who_noted_it(backend: Backend) -> None:
    registry = backend.registry(ADMIN)
    added = registry.access.add(AT_ONE, "sp-contoso", "Reader", CONTOSO.id, "@Resource[x] == 'y'")
    assert registry.access.all() == (added,)
    assert (added.granted_by, added.condition) == (ADMIN, "@Resource[x] == 'y'")
    entry = registry.audit.entries()[-1]
    assert (entry.action, entry.subscription_id, entry.partner_id) == (
        Action.ACCESS_ADD,
        ONE,
        CONTOSO.id,
    )
    assert entry.detail == f"Reader of sp-contoso at {AT_ONE} if @Resource[x] == 'y'"


def test_the_same_access_is_noted_once(backend: Backend) -> None:
    give(backend)
    before = backend.registry().audit.entries()
    with pytest.raises(Invalid, match="is noted already"):
        give(backend)
    assert backend.registry().audit.entries() == before
    give(backend, AT_OTHER)
    give(backend, "/")
    assert len(backend.registry().access.all()) == 3


def test_access_that_a_person_ended_is_struck_and_cannot_be_restored(backend: Backend) -> None:
    registry, noted = backend.registry(), give(backend)
    assert registry.access.remove(AT_ONE, "sp-contoso", SUPPORT) == noted
    assert (registry.access.all(), registry.access.removed()) == ((), ())
    with pytest.raises(Invalid, match=f"sp-contoso holds no {SUPPORT} at {AT_ONE}"):
        registry.access.remove(AT_ONE, "sp-contoso", SUPPORT)
    with pytest.raises(Invalid, match="nothing was revoked"):
        registry.access.restore(ONE)


def test_a_role_at_a_subscription_allows_to_change_the_access_there_only(backend: Backend) -> None:
    at_one, above = give(backend), give(backend, "/")
    give(backend, AT_OTHER)
    backend.registry().roles.grant(Grant("bob", Role.CONTRIBUTOR, AT_ONE))
    bob = backend.registry("bob")
    before = held(backend)
    for scope in ("/", AT_OTHER):
        with pytest.raises(Refused):
            bob.access.add(scope, "sp-fabrikam", SUPPORT, FABRIKAM.id)
        with pytest.raises(Refused):
            bob.access.remove(scope, "sp-contoso", SUPPORT)
    with pytest.raises(Refused):
        bob.access.revoke(OTHER, [item.id for item in bob.access.all()])
    assert held(backend) == before
    assert bob.access.revoke(ONE, [at_one.id, above.id]) == (at_one,)
    assert bob.access.restore(ONE)[0].granted_by == "bob"
    bob.access.remove(AT_ONE, "sp-contoso", SUPPORT)
    assert held(backend) == {("/", "sp-contoso"), (AT_OTHER, "sp-contoso")}


def test_access_above_every_subscription_needs_a_global_administrator(backend: Backend) -> None:
    backend.registry().roles.grant(Grant("bob", Role.OWNER, "/"))
    with pytest.raises(Refused, match="only a Global Administrator may"):
        backend.registry("bob").access.add("/", "sp-contoso", SUPPORT, CONTOSO.id)


def test_a_revocation_leaves_what_was_not_named_is_inherited_or_elsewhere(backend: Backend) -> None:
    revoked = give(backend)
    kept = [give(backend, AT_ONE, "sp-kept"), give(backend, "/"), give(backend, AT_OTHER)]
    registry = backend.registry()
    named = [revoked.id, *(item.id for item in kept[1:]), "no-such-id"]
    assert registry.access.revoke(ONE, named) == (revoked,)
    assert set(registry.access.all()) == set(kept)
    assert actions(registry)[-2:] == ["access-add", "access-revoke"]
    assert registry.access.revoke(ONE, named) == ()


def test_what_was_revoked_comes_back_as_it_was(backend: Backend) -> None:
    registry = backend.registry()
    noted = registry.access.add(AT_ONE, "sp-contoso", "Reader", CONTOSO.id, "@Resource[x] == 'y'")
    registry.access.revoke(ONE, [noted.id])
    (removed,) = registry.access.removed()
    assert (removed.subscription_id, removed.access) == (ONE, noted)
    assert removed.removed_by == operating_system_user()
    assert removed.removed_at >= noted.granted_at
    (restored,) = backend.registry(ADMIN).access.restore(ONE)
    assert registry.access.all() == (restored,)
    assert registry.access.removed() == ()
    assert restored.granted_by == ADMIN
    for field in ("scope", "principal", "role", "partner_id", "condition"):
        assert getattr(restored, field) == getattr(noted, field)
    assert actions(registry)[-3:] == ["access-add", "access-revoke", "access-restore"]


def test_nothing_is_restored_twice(backend: Backend) -> None:
    noted = give(backend)
    backend.registry().access.revoke(ONE, [noted.id])
    backend.registry().access.restore(ONE)
    with pytest.raises(Invalid, match=f"nothing was revoked at subscription {ONE}") as error:
        backend.registry().access.restore(ONE)
    say(error)
    assert len(held(backend)) == 1


def test_one_principals_access_is_restored_alone(backend: Backend) -> None:
    registry = backend.registry()
    ids = [give(backend, AT_ONE, name).id for name in ("sp-1", "sp-2")]
    registry.access.revoke(ONE, ids)
    with pytest.raises(Invalid, match="of sp-3; see"):
        registry.access.restore(ONE, "sp-3")
    with pytest.raises(Invalid, match=OTHER):
        registry.access.restore(OTHER)
    registry.access.restore(ONE, "sp-2")
    assert held(backend) == {(AT_ONE, "sp-2")}
    registry.access.restore(ONE)
    assert held(backend) == {(AT_ONE, "sp-1"), (AT_ONE, "sp-2")}


def test_what_is_held_again_by_hand_is_not_restored_over_it(backend: Backend) -> None:
    registry = backend.registry()
    registry.access.revoke(ONE, [give(backend).id])
    by_hand = give(backend)
    with pytest.raises(Invalid, match="is noted already"):
        registry.access.restore(ONE)
    assert registry.access.all() == (by_hand,)
    assert len(registry.access.removed()) == 1


def test_what_came_back_by_hand_and_was_revoked_again_is_restored_once(backend: Backend) -> None:
    registry = backend.registry()
    for condition in (None, "the latest"):
        noted = registry.access.add(AT_ONE, "sp-contoso", SUPPORT, CONTOSO.id, condition)
        registry.access.revoke(ONE, [noted.id])
    (restored,) = registry.access.restore(ONE)
    assert (restored.condition, registry.access.all()) == ("the latest", (restored,))
    assert registry.access.removed() == ()


def test_whoever_has_no_role_may_neither_revoke_nor_restore(backend: Backend) -> None:
    noted = give(backend)
    with pytest.raises(Refused, match="bob may not revoke access"):
        backend.registry("bob").access.revoke(ONE, [noted.id])
    backend.registry().access.revoke(ONE, [noted.id])
    with pytest.raises(Refused, match="bob may not restore access"):
        backend.registry("bob").access.restore(ONE)
    assert held(backend) == set()
    assert len(backend.registry().access.removed()) == 1


# --- Renumbering and agreements ------------------------------------------------------------------


def test_a_renumbered_partner_is_the_same_company(backend: Backend) -> None:
    registry = backend.registry()
    registry.partners.retire(FABRIKAM.id, CONTOSO.id)
    registry.partners.renumber(CONTOSO.id, "7654321")
    directory = registry.partners.directory()
    assert CONTOSO.id not in directory.partners
    assert directory.current(CONTOSO.id) == "7654321"
    assert directory.partners["7654321"].former_ids == (*CONTOSO.former_ids, CONTOSO.id)
    assert directory.partners[FABRIKAM.id].replaced_by == "7654321"
    assert registry.audit.entries()[-1].action is Action.PARTNER_RENUMBER


@pytest.mark.parametrize("taken", [FABRIKAM.id, CONTOSO.former_ids[0], CONTOSO.id, "12345"])
def test_a_partner_gets_no_id_that_is_malformed_or_somebodys(backend: Backend, taken: str) -> None:
    with pytest.raises(Invalid, match=r"already|is no Partner ID"):
        backend.registry().partners.renumber(CONTOSO.id, taken)
    assert CONTOSO.id in backend.registry().partners.directory().partners


def test_a_partner_is_known_by_its_principals_and_tenants(backend: Backend) -> None:
    partners = backend.registry(ADMIN).partners
    before = partners.directory().partners[CONTOSO.id].principals
    partners.know_by(CONTOSO.id, principals=["sp-2", "sp-2", "sp-1"], tenants=["t"])
    known = partners.know_by(CONTOSO.id, principals=["sp-2", "sp-3"], without=["sp-1", "t"])
    assert known.principals == (*before, "sp-2", "sp-3")
    assert known.tenants == ()
    assert partners.directory().partners[CONTOSO.id] == known
    with pytest.raises(Invalid, match="sp-1 is not known of partner 4567890"):
        partners.know_by(CONTOSO.id, without=["sp-1"])
    with pytest.raises(Invalid, match=r"principal sp-3 is Contoso Consulting's already"):
        partners.know_by(FABRIKAM.id, principals=["sp-3"])
    with pytest.raises(Refused, match="may not change the principals of 4567890"):
        backend.registry("bob").partners.know_by(CONTOSO.id, principals=["sp-evil"])
    assert backend.registry().verify().problems == ()


def test_an_agreement_is_entered_and_struck(backend: Backend) -> None:
    partners = backend.registry().partners
    agreement = Agreement("DSA-2026-014", date(2027, 6, 30))
    assert partners.agree(CONTOSO.id, agreement).agreement == agreement
    assert partners.directory().partners[CONTOSO.id].agreement == agreement
    assert partners.agree(CONTOSO.id, None).agreement is None
    assert partners.directory().partners[CONTOSO.id].agreement is None
