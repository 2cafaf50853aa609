"""Designations: compare-and-swap, who may change them, and whose term ends when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, event, insert, make_url
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend
from support.race import race

from dpor_provider.errors import Conflict, DporError, Invalid, Refused
from dpor_provider.model import (
    Access,
    Action,
    AuditEntry,
    Designation,
    Grant,
    Observation,
    Partner,
    Role,
)
from dpor_provider.platforms import Portal
from dpor_provider.provenance import Evidence
from dpor_provider.registry import Owner, Registry, audit, tables
from dpor_provider.registry.database import Database
from dpor_provider.registry.designations import Designations
from dpor_provider.registry.registry import operating_system_user
from dpor_provider.registry.sqlite import Sqlite
from dpor_provider.registry.writer import Writer

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
OWNER = Owner("estate/dev/payments", "claim-1")
SECOND_OWNER = Owner("estate/dev/renamed", "claim-2")

WRITE = """
import sys
from dpor_provider.errors import Conflict
from dpor_provider.registry import open_registry
url, name, subscription, partner = sys.argv[1:]
registry = open_registry(url, principal=name)
print("ready", flush=True)
sys.stdin.readline()
try:
    row = registry.designations.designate(subscription, partner, seen_version=1, owner=None)
    print(row.version)
except Conflict as error:
    print(error)
"""


def designate(
    registry: Registry,
    partner: Partner = CONTOSO,
    seen: int = 0,
    owner: Owner | None = None,
    subscription: str = ONE,
) -> Designation:
    return registry.designations.designate(subscription, partner.id, seen_version=seen, owner=owner)


def changes(registry: Registry) -> list[tuple[str, str]]:
    return [
        (entry.actor, entry.action.value)
        for entry in registry.audit.entries()
        if entry.subscription_id is not None
    ]


def last(registry: Registry) -> AuditEntry:
    return registry.audit.entries()[-1]


def former(registry: Registry) -> frozenset[str]:
    return registry.read().former_partners.get(ONE, frozenset())


# --- Compare-and-swap --------------------------------------------------------------------------


def test_a_designation_is_recorded_with_who_and_when(backend: Backend) -> None:
    registry = backend.registry()
    made = designate(registry, owner=OWNER)
    assert registry.designations.find(ONE) == made
    assert registry.designations.all() == {ONE: made}
    assert made.designated_at.utcoffset() is not None
    assert (made.partner_id, made.partner_name, made.version) == (CONTOSO.id, CONTOSO.name, 1)
    assert (made.managed_by, made.claim, made.written_partner_id) == (
        OWNER.managed_by,
        OWNER.claim,
        CONTOSO.id,
    )
    assert (made.effective, made.former_partner_id) == (False, None)
    assert made.designated_by == operating_system_user()
    entry = last(registry)
    assert (entry.action, entry.actor) == (Action.DESIGNATE, operating_system_user())
    assert (entry.subscription_id, entry.partner_id, entry.version, entry.managed_by) == (
        ONE,
        CONTOSO.id,
        1,
        OWNER.managed_by,
    )
    assert (entry.previous_partner_id, entry.former_partner_id) == (None, None)


Change = Callable[[Registry, int], Designation]

CHANGES: dict[str, Change] = {
    "designate": lambda registry, seen: designate(registry, NORTHWIND, seen),
    "adopt": lambda registry, seen: registry.designations.adopt(
        ONE, CONTOSO.id, seen_version=seen, owner=SECOND_OWNER
    ),
    "withdraw": lambda registry, seen: registry.designations.withdraw(ONE, seen_version=seen),
    "release": lambda registry, seen: registry.designations.release(ONE, seen_version=seen),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("seen", [0, 1, 3])
def test_a_change_of_what_another_changed_meanwhile_is_a_conflict_that_names_the_other(
    backend: Backend, change: Change, seen: int
) -> None:
    designate(backend.registry(), owner=OWNER)
    theirs = designate(backend.registry(ADMIN), FABRIKAM, 1)
    recorded = backend.registry().audit.entries(ONE)[-1]
    before = changes(backend.registry())
    with pytest.raises(Conflict) as error:
        change(backend.registry(), seen)
    assert str(error.value) == (
        f"subscription {ONE} was changed meanwhile: it has {FABRIKAM.id} ({FABRIKAM.name}) now, by"
        f" {ADMIN} for {OWNER.managed_by} at {recorded.at:%Y-%m-%d %H:%M:%S} UTC; nothing"
        " was written, run pulumi preview again"
    )
    assert backend.registry().designations.find(ONE) == theirs
    assert changes(backend.registry()) == before


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_conflict_names_who_made_the_last_change_whatever_it_was(
    backend: Backend, change: Change
) -> None:
    designate(backend.registry(), owner=OWNER)
    change(backend.registry(ADMIN), 1)
    backend.registry(ADMIN).roles.grant(Grant("bob", Role.OWNER, "/"))
    entry = next(e for e in backend.registry().audit.entries(ONE) if e.version == 2)
    with pytest.raises(Conflict, match=rf" by {ADMIN} .*at {entry.at:%Y-%m-%d %H:%M:%S} UTC"):
        designate(backend.registry("bob"), FABRIKAM, 1)


def test_a_conflict_with_a_withdrawal_says_that_there_is_no_partner(backend: Backend) -> None:
    designate(backend.registry())
    backend.registry(ADMIN).designations.withdraw(ONE, seen_version=1)
    with pytest.raises(Conflict, match=rf"it has no partner now, by {ADMIN} at "):
        designate(backend.registry(), FABRIKAM, 1)


def test_a_designation_of_a_row_that_never_was_is_a_conflict(backend: Backend) -> None:
    with pytest.raises(Conflict, match="vanished"):
        designate(backend.registry(), seen=3)
    assert backend.registry().designations.find(ONE) is None


@pytest.mark.survives("races for a subscription")
def test_of_eight_processes_that_saw_the_same_version_exactly_one_wins(backend: Backend) -> None:
    designate(backend.registry())
    names = [f"writer-{number}" for number in range(8)]
    for name in names:
        backend.registry(ADMIN).roles.grant(Grant(name, Role.CONTRIBUTOR, "/"))
    said = race(WRITE, ((backend.url_as(name), name, ONE, FABRIKAM.id) for name in names))
    winner = names[said.index("2")]
    losers = [text for text in said if text != "2"]
    assert len(losers) == len(names) - 1
    assert all(f"changed meanwhile: it has {FABRIKAM.id}" in text for text in losers)
    assert all(f" by {winner} at " in text for text in losers)
    assert changes(backend.registry())[1:] == [(winner, "designate")]
    row = backend.registry().designations.find(ONE)
    assert row is not None
    assert (row.version, row.designated_by) == (2, winner)


def test_the_version_goes_on_after_a_withdrawal(backend: Backend) -> None:
    registry = backend.registry()
    designate(registry, owner=OWNER)
    withdrawn = registry.designations.withdraw(ONE, seen_version=1)
    assert (withdrawn.partner_id, withdrawn.partner_name, withdrawn.version) == (None, None, 2)
    assert (withdrawn.managed_by, withdrawn.claim, withdrawn.written_partner_id) == (None,) * 3
    with pytest.raises(Conflict):
        designate(registry, seen=0)
    assert designate(registry, seen=2).version == 3


def test_what_is_not_designated_cannot_be_withdrawn_nor_released(backend: Backend) -> None:
    registry = backend.registry()
    with pytest.raises(Invalid, match="has no partner of record"):
        registry.designations.withdraw(ONE, seen_version=0)
    with pytest.raises(Invalid, match="has no partner of record"):
        registry.designations.release(ONE, seen_version=0)
    designate(registry)
    registry.designations.withdraw(ONE, seen_version=1)
    with pytest.raises(Invalid, match="has no partner of record"):
        registry.designations.withdraw(ONE, seen_version=2)
    assert len(changes(registry)) == 2


# --- Release and adoption ----------------------------------------------------------------------


def test_a_release_gives_up_the_ownership_and_nothing_else(backend: Backend) -> None:
    registry = backend.registry()
    made = designate(registry, owner=OWNER)
    released = registry.designations.release(ONE, seen_version=1)
    assert released == registry.designations.find(ONE)
    assert (released.managed_by, released.claim, released.written_partner_id) == (None,) * 3
    assert (released.partner_id, released.designated_at, released.version) == (
        CONTOSO.id,
        made.designated_at,
        2,
    )
    assert former(registry) == frozenset()
    assert last(registry).action is Action.RELEASE


def test_an_adoption_writes_only_owner_and_claim(backend: Backend) -> None:
    made = designate(backend.registry(ADMIN))
    registry = backend.registry()
    adopted = registry.designations.adopt(ONE, CONTOSO.id, seen_version=1, owner=OWNER)
    assert adopted == registry.designations.find(ONE)
    assert (adopted.managed_by, adopted.claim, adopted.written_partner_id, adopted.version) == (
        OWNER.managed_by,
        OWNER.claim,
        CONTOSO.id,
        2,
    )
    assert (adopted.designated_by, adopted.designated_at) == (ADMIN, made.designated_at)
    assert (adopted.effective, adopted.partner_name) == (made.effective, made.partner_name)
    assert (last(registry).action, last(registry).previous_partner_id) == (Action.ADOPT, CONTOSO.id)
    assert former(registry) == frozenset()


def test_an_adoption_keeps_that_the_platform_shows_it(backend: Backend) -> None:
    designate(backend.registry(ADMIN))
    Portal(backend.registry(ADMIN)).confirm(ONE, CONTOSO.name)
    adopted = backend.registry().designations.adopt(ONE, CONTOSO.id, seen_version=1, owner=OWNER)
    assert adopted.effective


def test_what_a_person_made_on_the_platform_is_entered_by_its_adoption(backend: Backend) -> None:
    registry = backend.registry()
    adopted = registry.designations.adopt(ONE, CONTOSO.id, seen_version=0, owner=OWNER)
    assert adopted == registry.designations.find(ONE)
    assert (adopted.partner_id, adopted.partner_name) == (CONTOSO.id, CONTOSO.name)
    assert (adopted.version, adopted.effective) == (1, True)
    assert adopted.designated_by == operating_system_user()
    assert (last(registry).action, last(registry).previous_partner_id) == (Action.ADOPT, None)


def test_an_adoption_of_another_partner_replaces_what_the_registry_had(backend: Backend) -> None:
    registry = backend.registry()
    designate(registry, owner=OWNER)
    adopted = registry.designations.adopt(
        ONE, FABRIKAM.id, seen_version=1, owner=SECOND_OWNER, former_partner_id=CONTOSO.id
    )
    assert (adopted.partner_id, adopted.effective, adopted.former_partner_id) == (
        FABRIKAM.id,
        True,
        CONTOSO.id,
    )
    assert former(registry) == {CONTOSO.id}


# --- Whose term ends ---------------------------------------------------------------------------


def test_a_switch_ends_a_term(backend: Backend) -> None:
    registry = backend.registry()
    designate(registry, owner=OWNER)
    switched = registry.designations.designate(
        ONE,
        FABRIKAM.id,
        seen_version=1,
        owner=OWNER,
        action=Action.SWITCH,
        former_partner_id=CONTOSO.id,
    )
    assert switched.former_partner_id == CONTOSO.id
    assert former(registry) == {CONTOSO.id}
    entry = last(registry)
    assert (entry.action, entry.previous_partner_id, entry.former_partner_id) == (
        Action.SWITCH,
        CONTOSO.id,
        CONTOSO.id,
    )


def test_a_withdrawal_ends_a_term(backend: Backend) -> None:
    registry = backend.registry()
    designate(registry, owner=OWNER)
    assert registry.designations.withdraw(ONE, seen_version=1).former_partner_id == CONTOSO.id
    assert former(registry) == {CONTOSO.id}


def test_neither_a_change_by_hand_of_a_managed_record_nor_its_repair_ends_a_term(
    backend: Backend,
) -> None:
    designate(backend.registry(), owner=OWNER)
    by_hand = designate(backend.registry(ADMIN), FABRIKAM, 1)
    assert (by_hand.managed_by, by_hand.claim) == (OWNER.managed_by, None)
    assert (by_hand.written_partner_id, by_hand.former_partner_id) == (CONTOSO.id, None)
    repaired = backend.registry().designations.designate(
        ONE, CONTOSO.id, seen_version=2, owner=OWNER, action=Action.REPAIR
    )
    assert repaired.former_partner_id is None
    assert former(backend.registry()) == frozenset()
    assert last(backend.registry()).previous_partner_id == FABRIKAM.id


def test_a_change_by_hand_of_what_was_made_by_hand_ends_a_term(backend: Backend) -> None:
    registry = backend.registry(ADMIN)
    designate(registry)
    again = designate(registry, CONTOSO, 1)
    assert again.former_partner_id is None
    changed = designate(registry, FABRIKAM, 2)
    assert changed.former_partner_id == CONTOSO.id
    assert former(registry) == {CONTOSO.id}


def test_a_change_by_hand_after_a_release_ends_a_term(backend: Backend) -> None:
    registry = backend.registry()
    designate(registry, owner=OWNER)
    registry.designations.release(ONE, seen_version=1)
    designate(registry, FABRIKAM, 2)
    assert former(registry) == {CONTOSO.id}


def test_the_first_designation_after_a_withdrawal_ends_no_further_term(backend: Backend) -> None:
    registry = backend.registry(ADMIN)
    designate(registry)
    registry.designations.withdraw(ONE, seen_version=1)
    designate(registry, FABRIKAM, 2)
    assert former(registry) == {CONTOSO.id}
    assert last(registry).former_partner_id is None


def test_former_partners_are_those_of_their_own_subscription_from_the_whole_history(
    backend: Backend,
) -> None:
    registry = backend.registry(ADMIN)
    for version, partner in enumerate((CONTOSO, FABRIKAM, NORTHWIND, CONTOSO)):
        designate(registry, partner, version)
    designate(registry, FABRIKAM, subscription=OTHER)
    assert registry.read().former_partners == {ONE: {CONTOSO.id, FABRIKAM.id, NORTHWIND.id}}


# --- Which partners ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("partner_id", "said"),
    [
        ("9876543", "Partner ID 9876543 is not in the directory"),
        ("", "Partner ID  is not in the directory"),
        ("3456789", "renumbered: Contoso Consulting has 4567890 now"),
    ],
)
def test_a_partner_that_the_directory_does_not_have_is_refused(
    backend: Backend, partner_id: str, said: str
) -> None:
    registry = backend.registry()
    with pytest.raises(Refused, match=said):
        registry.designations.designate(ONE, partner_id, seen_version=0, owner=OWNER)
    with pytest.raises(Refused, match=said):
        registry.designations.adopt(ONE, partner_id, seen_version=0, owner=OWNER)
    assert registry.designations.all() == {}
    assert changes(registry) == [(operating_system_user(), "refuse")] * 2


@pytest.mark.parametrize("successor", [None, FABRIKAM.id])
def test_a_retired_partner_is_refused_with_its_successor(
    backend: Backend, successor: str | None
) -> None:
    registry = backend.registry()
    designate(registry)
    registry.partners.retire(CONTOSO.id, successor)
    said = f"is retired; its successor is {successor}$" if successor else "is retired$"
    with pytest.raises(Refused, match=said):
        designate(registry, seen=1)
    with pytest.raises(Refused, match=said):
        registry.designations.adopt(ONE, CONTOSO.id, seen_version=1, owner=OWNER)
    assert registry.designations.withdraw(ONE, seen_version=1).version == 2


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_has_one_time(backend: Backend, change: Change) -> None:
    registry = backend.registry()
    made = designate(registry, owner=OWNER)
    assert made.designated_at == last(registry).at
    changed = change(registry, 1)
    if changed.partner_id == made.partner_id:
        assert changed.designated_at == made.designated_at < last(registry).at
    else:
        assert made.designated_at < changed.designated_at == last(registry).at


def test_what_is_adopted_from_the_platform_has_one_time(backend: Backend) -> None:
    registry = backend.registry()
    adopted = registry.designations.adopt(ONE, CONTOSO.id, seen_version=0, owner=OWNER)
    assert adopted.designated_at == last(registry).at


# --- Who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        (Role.GLOBAL_ADMINISTRATOR, "/"),
        (Role.OWNER, "/"),
        (Role.CONTRIBUTOR, "/"),
        (Role.OWNER, f"/subscriptions/{ONE}"),
        (Role.CONTRIBUTOR, f"/subscriptions/{ONE}"),
    ],
)
def test_each_allowed_role_may_make_every_change(backend: Backend, role: Role, scope: str) -> None:
    backend.registry().roles.grant(Grant("bob", role, scope))
    bob = backend.registry("bob")
    designate(bob)
    bob.designations.adopt(ONE, CONTOSO.id, seen_version=1, owner=OWNER)
    bob.designations.release(ONE, seen_version=2)
    bob.designations.withdraw(ONE, seen_version=3)
    assert changes(bob) == [
        ("bob", action) for action in ("designate", "adopt", "release", "withdraw")
    ]


@pytest.mark.parametrize(
    "grant",
    [
        None,
        Grant("bob", Role.OWNER, f"/subscriptions/{OTHER}"),
        Grant("bob", Role.CONTRIBUTOR, f"/subscriptions/{OTHER}"),
        Grant("bobby", Role.OWNER, "/"),
        Grant("BOB", Role.OWNER, "/"),
    ],
)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whoever_has_no_role_there_is_refused_and_leaves_only_an_audit_entry(
    backend: Backend, grant: Grant | None, change: Change
) -> None:
    made = designate(backend.registry(), owner=OWNER)
    if grant:
        backend.registry().roles.grant(grant)
    with pytest.raises(Refused) as error:
        change(backend.registry("bob"), 1)
    assert str(error.value).startswith("bob may not ")
    assert f"dpor registry grant bob Owner --scope /subscriptions/{ONE}" in str(error.value)
    assert backend.registry().designations.all() == {ONE: made}
    assert changes(backend.registry())[1:] == [("bob", "refuse")]
    entry = last(backend.registry())
    assert entry.subscription_id == ONE
    assert entry.detail is not None
    assert str(error.value) in entry.detail


def test_a_role_that_was_taken_away_counts_no_more(backend: Backend) -> None:
    grant = Grant("bob", Role.OWNER, f"/subscriptions/{ONE}")
    backend.registry().roles.grant(grant)
    bob = backend.registry("bob")
    designate(bob)
    backend.registry().roles.ungrant(grant)
    with pytest.raises(Refused):
        designate(bob, FABRIKAM, 1)


# --- The audit log -----------------------------------------------------------------------------


class _CrashError(Exception):
    pass


def test_a_transaction_that_fails_leaves_neither_change_nor_audit_entry(home: Backend) -> None:
    registry, before = home.registry(), home.registry().audit.entries()

    class _Crashing(Writer):
        @contextmanager
        def subscription(self, subscription_id: str, attempt: str) -> Iterator[Connection]:
            with super().subscription(subscription_id, attempt) as connection:
                yield connection
                written = connection.exec_driver_sql("SELECT count(*) FROM designations").scalar()
                assert written == 1
                raise _CrashError

    opened = Database(Sqlite(make_url(home.url)))
    crashing = Designations(opened, _Crashing(opened, ADMIN, Evidence({})))
    with pytest.raises(_CrashError):
        crashing.designate(ONE, CONTOSO.id, seen_version=0, owner=None)
    assert registry.designations.all() == {}
    assert registry.audit.entries() == before


def test_a_refusal_within_a_change_rolls_the_change_back(home: Backend) -> None:
    opened = Database(Sqlite(make_url(home.url)))

    def change() -> None:
        with Writer(opened, ADMIN, Evidence({})).subscription(ONE, "try") as connection:
            connection.exec_driver_sql("DELETE FROM partners")
            raise Refused("late")

    with pytest.raises(Refused, match="late"):
        change()
    assert len(home.registry().partners.directory().partners) == 3
    assert last(home.registry()).detail == "try: late"


def test_the_audit_log_is_in_order_and_can_be_asked_for_one_subscription(backend: Backend) -> None:
    registry = backend.registry()
    designate(registry)
    designate(registry, subscription=OTHER)
    designate(registry, FABRIKAM, 1)
    entries = registry.audit.entries()
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.partner_id for entry in registry.audit.entries(ONE)] == [CONTOSO.id, FABRIKAM.id]
    assert registry.audit.entries("nowhere") == ()


def test_every_error_is_one_line(backend: Backend) -> None:
    designate(backend.registry())
    attempts: tuple[Callable[[], object], ...] = (
        lambda: designate(backend.registry(), FABRIKAM),
        lambda: designate(backend.registry("bob"), FABRIKAM, 1),
        lambda: backend.registry().designations.withdraw(OTHER, seen_version=0),
    )
    for attempt in attempts:
        with pytest.raises(DporError) as error:
            attempt()
        assert str(error.value).isprintable()


# --- Scale -------------------------------------------------------------------------------------


def test_reading_everything_takes_as_many_statements_for_many_subscriptions_as_for_few(
    home: Backend,
) -> None:
    registry, now, count = home.registry(), datetime.now(UTC), 0
    made = designate(registry, subscription=OTHER)

    def count_statement(*_arguments: object) -> None:
        nonlocal count
        count += 1

    def fill(numbers: range) -> None:
        with Database(Sqlite(make_url(home.url))).write() as connection:
            for subscription in (f"0f7a1c52-6a0e-4c1e-9a55-{number:012d}" for number in numbers):
                row = replace(made, subscription_id=subscription)
                scope = f"/subscriptions/{subscription}"
                access = Access(subscription, scope, "sp", "Reader", FABRIKAM.id, "x", now)
                seen = Observation(subscription, CONTOSO.id, CONTOSO.name, "x", now)
                grant = {"principal": subscription, "role": "Owner", "scope": scope}
                connection.execute(insert(tables.designations).values(asdict(row)))
                connection.execute(insert(tables.access).values(asdict(access)))
                connection.execute(insert(tables.observations).values(asdict(seen)))
                connection.execute(insert(tables.grants).values(grant))
                audit.record(
                    connection,
                    "x",
                    Action.SWITCH,
                    subscription_id=subscription,
                    former_partner_id=FABRIKAM.id,
                )

    def statements(subscriptions: int) -> int:
        nonlocal count
        event.listen(Engine, "before_cursor_execute", count_statement)
        try:
            count = 0
            content = registry.read()
        finally:
            event.remove(Engine, "before_cursor_execute", count_statement)
        assert len(content.designations) - 1 == len(content.former_partners) == subscriptions
        assert len(content.observations) == len(content.access) == subscriptions
        return count

    fill(range(10))
    few = statements(10)
    fill(range(10, 200))
    assert statements(200) == few
    assert 0 < few <= 12
