"""People as the platform: the worklist, confirmations, imports, and drift that they show."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend

from dpor_provider.errors import Conflict, Invalid, Refused, Unavailable
from dpor_provider.live import Live, Record
from dpor_provider.model import Action, Designation, Grant, Observation, Partner, Role
from dpor_provider.platforms import Portal, open_platform, read_live
from dpor_provider.registry import Owner, open_registry
from dpor_provider.registry.registry import operating_system_user

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
OWNER = Owner("estate/dev/payments", "claim-1")
SUPPORT = "Support Request Contributor"


def portal(home: Backend, principal: str | None = None) -> Portal:
    return Portal(home.registry(principal))


def live(home: Backend) -> Live:
    return read_live(home.registry(), portal(home))


def record(home: Backend, subscription: str = ONE) -> Record:
    return live(home).record(subscription)


def designate(
    home: Backend, partner: Partner = CONTOSO, seen: int = 0, subscription: str = ONE
) -> Designation:
    return home.registry().designations.designate(
        subscription, partner.id, seen_version=seen, owner=OWNER
    )


def show(home: Backend, *rows: str) -> tuple[int, int]:
    data = "\n".join(("Subscription ID,Partner ID,Partner name", *rows))
    return portal(home).import_csv(data.encode(), "portal.csv")


# --- Which platform there is -------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, "", "portal"])
def test_the_portal_is_the_default(home: Backend, name: str | None) -> None:
    assert open_platform(name, home.registry()).name == "portal"


def test_an_unknown_platform_is_invalid(home: Backend) -> None:
    with pytest.raises(Invalid, match=r"platform 'moon' is not known; it is one of: portal, azure"):
        open_platform("moon", home.registry())


def test_the_live_view_of_a_registry_that_cannot_be_read_is_unavailable(home: Backend) -> None:
    missing = open_registry(home.url + ".missing")
    with pytest.raises(Unavailable):
        read_live(missing, Portal(missing))


def test_the_deployer_is_who_opened_the_registry_or_who_is_named(home: Backend) -> None:
    grant = Grant("bob", Role.OWNER, f"/subscriptions/{ONE}")
    home.registry().roles.grant(grant)
    assert live(home).deployer.principal == operating_system_user()
    named = read_live(home.registry(), portal(home), principal="bob").deployer
    assert (named.principal, named.grants) == ("bob", (grant,))
    assert named.may_designate(ONE)
    assert not named.may_designate(OTHER)
    assert portal(home, "no such user").read(home.registry().read()).deployer.grants == ()


# --- The worklist ------------------------------------------------------------------------------


def test_the_worklist_tells_each_step_oldest_first(home: Backend) -> None:
    designate(home, FABRIKAM, subscription=OTHER)
    designate(home)
    tasks = portal(home).worklist()
    assert [task.designation.subscription_id for task in tasks] == [OTHER, ONE]
    assert tasks[1].steps == (
        f"Open https://portal.azure.com, Subscriptions, {ONE}, Properties.",
        f"Under Digital partner of record, enter Partner ID {CONTOSO.id}.",
        f"Check that the name shown is {CONTOSO.name}; save only then.",
        f"Then run: dpor confirm {ONE} --partner-name NAME, with the name shown.",
    )


def test_a_withdrawal_is_work_and_revoked_access_too(home: Backend) -> None:
    designate(home)
    home.give_access(ONE, CONTOSO, "sp-contoso")
    home.give_access(OTHER, CONTOSO, "sp-elsewhere")
    row = home.registry().designations.withdraw(ONE, seen_version=1)
    for item in home.registry().access.all():
        portal(home).revoke(item.scope.rpartition("/")[2], [item])
    assert portal(home).apply(row) == row
    (task,) = portal(home).worklist()
    assert task.steps == (
        f"Open https://portal.azure.com, Subscriptions, {ONE}, Properties.",
        "Under Digital partner of record, clear the partner, and save.",
        f"Under Access control (IAM), remove {SUPPORT} from sp-contoso.",
        f"Then run: dpor confirm {ONE} --no-partner",
    )
    portal(home).restore(ONE)
    assert len(portal(home).worklist()[0].steps) == 3


def test_access_that_was_revoked_twice_is_removed_by_one_step(home: Backend) -> None:
    designate(home)
    for _ in range(2):
        home.give_access(ONE, FABRIKAM, "sp-fabrikam")
        portal(home).revoke(ONE, home.registry().access.all())
    (task,) = portal(home).worklist()
    assert sum("sp-fabrikam" in step for step in task.steps) == 1


def test_access_that_was_revoked_is_work_until_it_is_confirmed(home: Backend) -> None:
    designate(home)
    portal(home).confirm(ONE, CONTOSO.name)
    home.give_access(ONE, FABRIKAM, "sp-fabrikam")
    portal(home).revoke(ONE, home.registry().access.all())
    (task,) = portal(home).worklist()
    assert [step.split()[0] for step in task.steps] == ["Open", "Under", "Then"]
    assert "remove Support Request Contributor from sp-fabrikam" in task.steps[1]
    show(home, f"{ONE},{CONTOSO.id},")
    assert len(portal(home).worklist()) == 1
    portal(home).confirm(ONE, CONTOSO.name)
    assert portal(home).worklist() == ()


def test_what_is_confirmed_is_no_work_any_more_until_it_changes(home: Backend) -> None:
    designate(home)
    portal(home).confirm(ONE, CONTOSO.name)
    assert portal(home).worklist() == ()
    designate(home, FABRIKAM, 1)
    assert len(portal(home).worklist()) == 1


# --- Confirming --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shown",
    [CONTOSO.name, CONTOSO.name.upper(), " contoso \u00a0consulting ", "Ｃontoso Consulting"],
)
def test_a_confirmation_by_the_name_on_record_makes_a_designation_effective(
    home: Backend, shown: str
) -> None:
    made = designate(home)
    assert portal(home, ADMIN).confirm(ONE, shown).partner_id == CONTOSO.id
    row = home.registry().designations.find(ONE)
    assert row is not None
    assert (row.effective, row.version, row.designated_at) == (True, 1, made.designated_at)
    seen = home.registry().observations.all()[ONE]
    assert (seen.partner_id, seen.partner_name, seen.observed_by) == (
        CONTOSO.id,
        CONTOSO.name,
        ADMIN,
    )
    entry = home.registry().audit.entries()[-1]
    assert (entry.actor, entry.action, entry.version) == (ADMIN, Action.CONFIRM, 1)


@pytest.mark.parametrize("shown", ["Fabrikam Cloud Services", "Contoso", "", None])
def test_another_name_confirms_nothing_and_says_what_is_on_record(
    home: Backend, shown: str | None
) -> None:
    designate(home)
    before = home.registry().audit.entries()
    with pytest.raises(Conflict) as error:
        portal(home).confirm(ONE, shown)
    assert str(error.value).startswith(
        f"subscription {ONE}: the portal shows {shown or 'no partner'}, where {CONTOSO.name}"
        f" ({CONTOSO.id}) is on record; nothing was confirmed"
    )
    assert str(error.value).isprintable()
    assert home.registry().observations.all() == {}
    assert home.registry().audit.entries() == before
    assert not record(home).effective


def test_after_a_rename_the_new_name_confirms_and_the_old_one_does_not(home: Backend) -> None:
    designate(home)
    home.registry().partners.rename(CONTOSO.id, "Contoso Group")
    with pytest.raises(Conflict, match="Contoso Group"):
        portal(home).confirm(ONE, CONTOSO.name)
    assert portal(home).confirm(ONE, "Contoso Group").partner_name == "Contoso Group"
    assert record(home).effective


def test_after_a_rename_the_worklist_tells_the_name_that_the_portal_shows(home: Backend) -> None:
    designate(home)
    home.registry().partners.rename(CONTOSO.id, "Contoso Group")
    (task,) = portal(home).worklist()
    assert task.designation.partner_name == "Contoso Group"
    assert "Check that the name shown is Contoso Group; save only then." in task.steps


def test_what_changed_after_it_was_compared_is_not_confirmed(home: Backend) -> None:
    designate(home)
    designate(home, FABRIKAM, seen=1)
    seen = Observation(ONE, CONTOSO.id, CONTOSO.name, ADMIN, datetime.now(UTC))
    before = home.registry().audit.entries()
    for version in (1, 3):
        with pytest.raises(Conflict, match="changed meanwhile; nothing was confirmed"):
            home.registry().observations.confirm(seen, seen_version=version)
    assert home.registry().observations.all() == {}
    assert home.registry().audit.entries() == before


def test_a_withdrawal_is_confirmed_by_seeing_no_partner(home: Backend) -> None:
    designate(home)
    home.registry().designations.withdraw(ONE, seen_version=1)
    with pytest.raises(Conflict, match="shows Contoso Consulting, where no partner is on record"):
        portal(home).confirm(ONE, CONTOSO.name)
    portal(home).confirm(ONE, None)
    assert portal(home).worklist() == ()
    found = record(home)
    assert (found.partner_id, found.effective, found.on_platform) == (None, True, False)


def test_what_was_never_designated_cannot_be_confirmed(home: Backend) -> None:
    for shown in (CONTOSO.name, None):
        with pytest.raises(Invalid, match=f"no designation of subscription {ONE}"):
            portal(home).confirm(ONE, shown)


def test_whoever_has_a_role_at_the_subscription_may_confirm_it_and_nobody_else(
    home: Backend,
) -> None:
    designate(home)
    home.registry().roles.grant(Grant("bob", Role.CONTRIBUTOR, f"/subscriptions/{ONE}"))
    home.registry().roles.grant(Grant("eve", Role.OWNER, f"/subscriptions/{OTHER}"))
    with pytest.raises(Refused, match="eve may not confirm subscription"):
        portal(home, "eve").confirm(ONE, CONTOSO.name)
    assert home.registry().observations.all() == {}
    portal(home, "bob").confirm(ONE, CONTOSO.name)
    assert record(home).effective


# --- Importing ---------------------------------------------------------------------------------


def test_an_import_confirms_what_it_shows_as_designated(home: Backend) -> None:
    designate(home)
    designate(home, FABRIKAM, subscription=OTHER)
    third = OTHER[:-1] + "3"
    assert show(home, f"{ONE},,{CONTOSO.name}", f"{OTHER},{NORTHWIND.id},", f"{third},,") == (3, 1)
    assert [task.designation.subscription_id for task in portal(home).worklist()] == [OTHER]
    assert {key: seen.partner_id for key, seen in home.registry().observations.all().items()} == {
        ONE: CONTOSO.id,
        OTHER: NORTHWIND.id,
        third: None,
    }
    assert [entry.action for entry in home.registry().audit.entries()][-3:] == [Action.OBSERVE] * 3


def test_the_last_import_counts_and_confirms_nothing_twice(home: Backend) -> None:
    designate(home)
    assert show(home, f"{ONE},{CONTOSO.id},") == (1, 1)
    assert show(home, f"{ONE},{CONTOSO.id},") == (1, 0)
    show(home, f"{ONE},{FABRIKAM.id},")
    assert home.registry().observations.all()[ONE].partner_id == FABRIKAM.id


def test_nothing_is_imported_when_one_row_is_bad_and_every_bad_one_is_named(home: Backend) -> None:
    designate(home)
    before = home.registry().audit.entries()
    with pytest.raises(Invalid) as error:
        show(home, f"{ONE},{CONTOSO.id},", "payments,,", f"{OTHER},MPN-1,", f"{ONE},,")
    assert str(error.value).split("\n") == [
        "portal.csv:3: 'payments' is no subscription id (a UUID)",
        "portal.csv:4: 'MPN-1' is no Partner ID (digits)",
        f"portal.csv:5: subscription {ONE} is in line 2 already",
        "nothing was imported",
    ]
    assert home.registry().observations.all() == {}
    assert home.registry().audit.entries() == before
    assert len(portal(home).worklist()) == 1


@pytest.mark.parametrize("role", [None, Role.OWNER, Role.CONTRIBUTOR])
def test_only_a_global_administrator_may_import(home: Backend, role: Role | None) -> None:
    designate(home)
    if role:
        home.registry().roles.grant(Grant("bob", role, "/"))
    with pytest.raises(Refused, match="bob may not import observations"):
        portal(home, "bob").import_csv(f"Subscription ID,Partner ID\n{ONE},1\n".encode(), "x.csv")
    assert home.registry().observations.all() == {}
    entry = home.registry().audit.entries()[-1]
    assert (entry.actor, entry.action) == ("bob", Action.REFUSE)


# --- Drift that the portal shows ---------------------------------------------------------------


def test_what_nobody_designated_nor_saw_has_no_partner(home: Backend) -> None:
    assert record(home) == Record(ONE)
    assert record(home).describe(live(home).directory) == "no partner"


def test_what_a_person_made_on_the_portal_is_live_without_a_row(home: Backend) -> None:
    show(home, f"{ONE},{FABRIKAM.id},{FABRIKAM.name}")
    found = record(home)
    assert (found.partner_id, found.version, found.managed_by) == (FABRIKAM.id, 0, None)
    assert (found.on_platform, found.effective) == (True, True)
    assert found.describe(live(home).directory).startswith(
        f"{FABRIKAM.id} ({FABRIKAM.name}), seen on the platform by {operating_system_user()} at "
    )


def test_another_partner_on_the_portal_before_a_confirmation_is_still_pending(
    home: Backend,
) -> None:
    show(home, f"{ONE},{FABRIKAM.id},")
    designate(home)
    for _ in range(2):
        found = record(home)
        assert (found.partner_id, found.effective, found.on_platform) == (CONTOSO.id, False, False)
        show(home, f"{ONE},{FABRIKAM.id},")


@pytest.mark.parametrize("partner_id", [FABRIKAM.id, "9876543", ""])
def test_another_or_no_partner_on_the_portal_after_a_confirmation_is_drift(
    home: Backend, partner_id: str
) -> None:
    made = designate(home)
    portal(home).confirm(ONE, CONTOSO.name)
    show(home, f"{ONE},{partner_id},")
    found = record(home)
    assert (found.partner_id, found.on_platform) == (partner_id or None, True)
    assert (found.version, found.claim, found.written_partner_id, found.managed_by) == (
        made.version,
        made.claim,
        CONTOSO.id,
        OWNER.managed_by,
    )
    assert found.project == "estate"
    show(home, f"{ONE},{CONTOSO.id},")
    assert (record(home).partner_id, record(home).on_platform) == (CONTOSO.id, False)


def test_the_same_company_under_a_former_id_is_no_drift(home: Backend) -> None:
    designate(home)
    portal(home).confirm(ONE, CONTOSO.name)
    show(home, f"{ONE},{CONTOSO.former_ids[0]},")
    assert (record(home).partner_id, record(home).on_platform) == (CONTOSO.id, False)


def test_a_repair_of_drift_is_pending_until_it_is_confirmed(home: Backend) -> None:
    designate(home)
    portal(home).confirm(ONE, CONTOSO.name)
    show(home, f"{ONE},{FABRIKAM.id},")
    designate(home, CONTOSO, 1)
    assert (record(home).partner_id, record(home).effective) == (CONTOSO.id, False)
    show(home, f"{ONE},{FABRIKAM.id},")
    assert (record(home).partner_id, record(home).on_platform) == (CONTOSO.id, False)
    assert show(home, f"{ONE},{CONTOSO.id},") == (1, 1)
    show(home, f"{ONE},{FABRIKAM.id},")
    assert record(home).partner_id == FABRIKAM.id


def test_a_partner_that_comes_back_after_a_confirmed_withdrawal_is_live(home: Backend) -> None:
    designate(home)
    home.registry().designations.withdraw(ONE, seen_version=1)
    show(home, f"{ONE},{CONTOSO.id},")
    assert record(home).partner_id is None
    portal(home).confirm(ONE, None)
    assert record(home).partner_id is None
    show(home, f"{ONE},{CONTOSO.id},")
    found = record(home)
    assert (found.partner_id, found.on_platform, found.version) == (CONTOSO.id, True, 2)
    assert found.former_partner_id == CONTOSO.id


def test_an_import_of_no_partner_confirms_a_withdrawal(home: Backend) -> None:
    designate(home)
    home.registry().designations.withdraw(ONE, seen_version=1)
    assert show(home, f"{ONE},,") == (1, 1)
    assert portal(home).worklist() == ()


def test_an_adoption_of_what_the_portal_shows_settles_it(home: Backend) -> None:
    show(home, f"{ONE},{CONTOSO.id},")
    home.registry().designations.adopt(ONE, CONTOSO.id, seen_version=0, owner=OWNER)
    found = record(home)
    assert (found.effective, found.on_platform, found.version) == (True, False, 1)
    assert portal(home).worklist() == ()


def test_a_run_sees_its_own_writes(home: Backend) -> None:
    home.give_access(ONE, FABRIKAM, "sp-fabrikam")
    view = live(home)
    view.remember(designate(home))
    assert view.record(ONE).partner_id == CONTOSO.id
    removed = portal(home).revoke(ONE, view.access[f"/subscriptions/{ONE}"].values())
    view.forget(removed)
    view.forget(removed)
    assert view.access[f"/subscriptions/{ONE}"] == {}
