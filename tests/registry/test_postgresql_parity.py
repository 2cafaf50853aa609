"""A registry on a server does what an embedded one does: the same results, errors, rows and log."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from support import postgres
from support.backends import (
    ADMIN,
    CONTOSO,
    FABRIKAM,
    NORTHWIND,
    Backend,
    ServerBackend,
    postgresql_portal,
    sqlite_portal,
)
from support.thorough import THOROUGH

from dpor_provider.errors import Conflict, DporError, Invalid, Refused
from dpor_provider.model import (
    Action,
    Agreement,
    AuditEntry,
    Grant,
    Observation,
    Partner,
    Role,
    Status,
)
from dpor_provider.registry import Owner, Registry, tables

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
TWO = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
OWNER_OF_ONE, CONTRIBUTOR, NOBODY = "bob", "eve", "bobby"
WRITERS = (ADMIN, OWNER_OF_ONE, CONTRIBUTOR, NOBODY)


@dataclass(frozen=True)
class Step:
    """One use of a registry, by somebody."""

    who: str
    what: Callable[..., object]
    arguments: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.who}: {self.what.__name__.lstrip('_')} {self.arguments}"


def _version(registry: Registry, subscription_id: str, off: int) -> int:
    row = registry.designations.find(subscription_id)
    return max(0, (row.version if row else 0) + off)


def _leaving(registry: Registry, subscription_id: str, partner_id: str, create: bool) -> str | None:
    """The partner whose term a deployment would say that it ends."""
    content = registry.read()
    row = content.designations.get(subscription_id)
    seen = content.observations.get(subscription_id)
    live = seen.partner_id if seen else row.partner_id if row else None
    written = row.written_partner_id if row else None
    for one in (live, written) if create else (written,):
        if one and not content.directory.same(one, partner_id):
            return one
    return None


def _designate(
    registry: Registry, *, at: str, partner: str, off: int, owner: Owner | None, create: bool
) -> object:
    leaving = _leaving(registry, at, partner, create) if owner else None
    return registry.designations.designate(
        at,
        partner,
        seen_version=_version(registry, at, off),
        owner=owner,
        action=Action.SWITCH if leaving else Action.REPAIR if owner else Action.DESIGNATE,
        former_partner_id=leaving,
    )


def _adopt(
    registry: Registry, *, at: str, partner: str, off: int, owner: Owner, create: bool
) -> object:
    return registry.designations.adopt(
        at,
        partner,
        seen_version=_version(registry, at, off),
        owner=owner,
        former_partner_id=_leaving(registry, at, partner, create),
    )


def _withdraw(registry: Registry, *, at: str, off: int) -> object:
    return registry.designations.withdraw(at, seen_version=_version(registry, at, off))


def _release(registry: Registry, *, at: str, off: int) -> object:
    return registry.designations.release(at, seen_version=_version(registry, at, off))


def _seen(registry: Registry, at: str, partner: str | None, name: str | None) -> Observation:
    return Observation(at, partner, name, registry.principal, datetime.now(UTC))


def _confirm(
    registry: Registry, *, at: str, partner: str | None, name: str | None, off: int | None
) -> object:
    version = None if off is None else _version(registry, at, off)
    return registry.observations.confirm(_seen(registry, at, partner, name), version)


def _observe(registry: Registry, *, seen: list[tuple[str, str | None, str | None]]) -> object:
    return registry.observations.record([_seen(registry, *item) for item in seen])


def _grant(registry: Registry, *, principal: str, role: Role, scope: str) -> None:
    # An embedded registry looks at this role's scope first, a server at who grants it.
    scope = "/" if role is Role.GLOBAL_ADMINISTRATOR else scope
    registry.roles.grant(Grant(principal, role, scope))


def _ungrant(registry: Registry, *, principal: str, role: Role, scope: str) -> None:
    registry.roles.ungrant(Grant(principal, role, scope))


def _add_partner(registry: Registry, **properties: Any) -> None:
    registry.partners.add(Partner(**properties))


def _rename(registry: Registry, *, partner: str, name: str) -> object:
    return registry.partners.rename(partner, name)


def _retire(registry: Registry, *, partner: str, by: str | None) -> object:
    return registry.partners.retire(partner, by)


def _renumber(registry: Registry, *, partner: str, to: str) -> object:
    return registry.partners.renumber(partner, to)


def _know_by(
    registry: Registry,
    *,
    partner: str,
    principals: tuple[str, ...],
    tenants: tuple[str, ...],
    without: tuple[str, ...],
) -> object:
    return registry.partners.know_by(
        partner, principals=principals, tenants=tenants, without=without
    )


def _agree(registry: Registry, *, partner: str, agreement: Agreement | None) -> object:
    return registry.partners.agree(partner, agreement)


def _add_access(registry: Registry, **properties: Any) -> object:
    return registry.access.add(**properties)


def _remove_access(registry: Registry, *, scope: str, principal: str, role: str) -> object:
    return registry.access.remove(scope, principal, role)


def _revoke(registry: Registry, *, at: str, principals: set[str]) -> object:
    ids = [item.id for item in registry.access.all() if item.principal in principals]
    return registry.access.revoke(at, [*ids, "unknown"])


def _restore(registry: Registry, *, at: str, principal: str | None) -> object:
    return registry.access.restore(at, principal)


SUBSCRIPTIONS = st.sampled_from([ONE, ONE, TWO])
IN_DIRECTORY = [CONTOSO.id, FABRIKAM.id, NORTHWIND.id]
PARTNERS = st.sampled_from([*IN_DIRECTORY * 3, "3456789", "7654321", "8765432", "9876543"])
OFF = st.sampled_from([0, 0, 0, 0, 1, -1])
OWNERS = st.builds(Owner, st.sampled_from(["a/dev/x", "a/dev/y", "b/dev/x"]), st.sampled_from("cd"))
NAMES = st.sampled_from(
    [
        "Contoso Consulting",
        "Contoso Group",
        'O\'Hara "&" \\ Söhne',
        "日本 \U0001f600 e\u0301",
        "%s %I",
    ]
)
SCOPES = st.sampled_from(
    ["/", f"/subscriptions/{ONE}", f"/subscriptions/{TWO}", f"/subscriptions/{ONE.upper()}", "/x"]
)
OWN_SCOPES = st.sampled_from(["/", f"/subscriptions/{ONE}", f"/subscriptions/{TWO}"])
PRINCIPALS = st.sampled_from(["sp-1", "sp-2", "sp 'three'"])
AZURE_ROLES = st.sampled_from(["Reader", "Owner"])
AGREEMENTS = st.none() | st.builds(
    Agreement, st.sampled_from(["DSA-1", 'DSA "2"', ""]), st.none() | st.just(date(2027, 6, 30))
)


def _steps() -> Iterator[tuple[Callable[..., object], dict[str, st.SearchStrategy[Any]]]]:
    change = {"at": SUBSCRIPTIONS, "partner": PARTNERS, "off": OFF, "create": st.booleans()}
    grant = {"principal": st.sampled_from(WRITERS), "role": st.sampled_from(Role)}
    access = {"scope": OWN_SCOPES, "principal": PRINCIPALS, "role": AZURE_ROLES}
    seen = (SUBSCRIPTIONS, st.none() | PARTNERS, st.none() | NAMES)
    yield _designate, change | {"owner": st.none() | OWNERS}
    yield _designate, change | {"owner": OWNERS}
    yield _adopt, change | {"owner": OWNERS}
    yield _withdraw, {"at": SUBSCRIPTIONS, "off": OFF}
    yield _release, {"at": SUBSCRIPTIONS, "off": OFF}
    yield (
        _confirm,
        {"at": seen[0], "partner": seen[1], "name": seen[2], "off": st.none() | OFF},
    )
    yield _observe, {"seen": st.lists(st.tuples(*seen), max_size=3)}
    yield _grant, grant | {"scope": SCOPES}
    yield _ungrant, grant | {"scope": OWN_SCOPES}
    yield (
        _add_partner,
        {
            "id": PARTNERS,
            "name": NAMES,
            "former_ids": st.lists(PARTNERS, max_size=2).map(tuple),
            "status": st.sampled_from(Status),
            "principals": st.lists(PRINCIPALS, max_size=2, unique=True).map(tuple),
            "agreement": AGREEMENTS,
        },
    )
    yield _rename, {"partner": PARTNERS, "name": NAMES}
    yield _retire, {"partner": PARTNERS, "by": st.none() | PARTNERS}
    yield _renumber, {"partner": PARTNERS, "to": PARTNERS}
    yield _agree, {"partner": PARTNERS, "agreement": AGREEMENTS}
    some = st.lists(PRINCIPALS, max_size=2).map(tuple)
    yield _know_by, {"partner": PARTNERS, "principals": some, "tenants": some, "without": some}
    yield (
        _add_access,
        access
        | {"scope": SCOPES, "partner_id": PARTNERS, "condition": st.none() | st.just("a = 'b'")},
    )
    yield _add_access, access | {"partner_id": PARTNERS}
    yield _remove_access, access
    yield _revoke, {"at": SUBSCRIPTIONS, "principals": st.sets(PRINCIPALS, min_size=1)}
    yield _restore, {"at": SUBSCRIPTIONS, "principal": st.none() | PRINCIPALS}


# What most can do something with comes more often.
WHO = st.sampled_from([ADMIN, ADMIN, ADMIN, *WRITERS])
STEPS = st.one_of(
    *(
        st.builds(Step, WHO, st.just(what), st.fixed_dictionaries(arguments))
        for what, arguments in _steps()
    )
)


def admin(what: Callable[..., object], **arguments: object) -> Step:
    return Step(ADMIN, what, arguments)


X, Y = Owner("a/dev/x", "c"), Owner("a/dev/y", "d")
SP = {"scope": f"/subscriptions/{ONE}", "principal": "sp-1", "role": "Reader"}
USUAL = [
    admin(_designate, at=ONE, partner=CONTOSO.id, off=0, owner=X, create=True),
    admin(_adopt, at=ONE, partner=CONTOSO.id, off=0, owner=Y, create=False),
    admin(_adopt, at=TWO, partner=CONTOSO.id, off=0, owner=X, create=True),
    Step(
        OWNER_OF_ONE,
        _designate,
        {"at": ONE, "partner": FABRIKAM.id, "off": 0, "owner": None, "create": False},
    ),
    admin(_adopt, at=ONE, partner=FABRIKAM.id, off=0, owner=Y, create=False),
    admin(_confirm, at=ONE, partner=FABRIKAM.id, name="x", off=0),
    admin(_confirm, at=ONE, partner=FABRIKAM.id, name="x", off=0),
    admin(_rename, partner=CONTOSO.id, name="Contoso Group"),
    admin(_rename, partner=CONTOSO.id, name=CONTOSO.name),
    admin(_rename, partner=CONTOSO.id, name="Contoso Group"),
    admin(_retire, partner=NORTHWIND.id, by=FABRIKAM.id),
    admin(_renumber, partner=FABRIKAM.id, to="7654321"),
    admin(_designate, at=TWO, partner=NORTHWIND.id, off=0, owner=X, create=False),
    admin(_designate, at=TWO, partner=FABRIKAM.id, off=0, owner=X, create=False),
    admin(_designate, at=TWO, partner="7654321", off=0, owner=X, create=False),
    admin(_revoke, at=ONE, principals={"sp-1", "sp-2"}),
    admin(_add_access, **SP, partner_id=NORTHWIND.id, condition="a = 'b'"),
    admin(_revoke, at=ONE, principals={"sp-1"}),
    admin(_restore, at=ONE, principal=None),
    admin(_restore, at=ONE, principal=None),
    admin(_withdraw, at=ONE, off=0),
    admin(_withdraw, at=ONE, off=0),
    admin(_withdraw, at=ONE, off=1),
    admin(_release, at=ONE, off=0),
    admin(_designate, at=ONE, partner=CONTOSO.id, off=0, owner=None, create=False),
    admin(_designate, at=ONE, partner="7654321", off=0, owner=None, create=False),
]
"""What random steps seldom get to."""


@dataclass
class Pair:
    """The two registries, which begin anew with each sequence of steps."""

    folder: Path
    embedded: Backend
    server: ServerBackend
    sequences: int = 0

    def begin(self) -> tuple[dict[str, Registry], dict[str, Registry]]:
        """Both as they were filled, by who opens them."""
        self.sequences += 1
        file = self.folder / f"{self.sequences}.db"
        shutil.copy(self.embedded.url.removeprefix("sqlite:///"), file)
        embedded = Backend(f"sqlite:///{file}", "portal")
        postgres.server().run(
            "".join(
                f"TRUNCATE dpor.{name}; INSERT INTO dpor.{name} TABLE saved.{name};"
                for name in tables.metadata.tables
            ),
            self.server.database,
        )
        return (
            {who: embedded.registry(who) for who in WRITERS},
            {who: self.server_registries[who] for who in WRITERS},
        )

    def __post_init__(self) -> None:
        for backend in (self.embedded, self.server):
            administrator = backend.registry(ADMIN)
            own = Grant(OWNER_OF_ONE, Role.OWNER, f"/subscriptions/{ONE}")
            administrator.roles.grant(own)
            administrator.roles.grant(Grant(CONTRIBUTOR, Role.CONTRIBUTOR, "/"))
            administrator.access.add(f"/subscriptions/{ONE}", "sp-1", "Reader", CONTOSO.id)
            administrator.access.add(f"/subscriptions/{ONE}", "sp-2", "Reader", FABRIKAM.id)
        self.server_registries = {who: self.server.registry(who) for who in WRITERS}
        postgres.server().run(
            "CREATE SCHEMA saved;"
            + "".join(
                f"CREATE TABLE saved.{name} AS TABLE dpor.{name};"
                for name in tables.metadata.tables
            ),
            self.server.database,
        )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """An embedded registry and one on a server, with the same content."""
    folder = tmp_path_factory.mktemp("parity")
    on_server = postgresql_portal(folder)
    assert isinstance(on_server, ServerBackend)
    return Pair(folder, sqlite_portal(folder), on_server)


TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def plain(value: object) -> object:
    """A value without what differs by its nature: times, and the ids of access."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        access = "granted_at" in value
        return {
            key: plain(item)
            for key, item in value.items()
            if not isinstance(item, datetime) and not (access and key == "id")
        }
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def outcome(registry: Registry, step: Step) -> object:
    """What came of a step."""
    try:
        result = plain(step.what(registry, **step.arguments))
    except DporError as error:
        return type(error).__name__, TIME.sub("TIME", str(error))
    # Several are restored in no promised order.
    return sorted(result, key=str) if step.what is _restore and isinstance(result, list) else result


def content(registry: Registry) -> dict[str, object]:
    """What the tables hold."""
    read = registry.read()
    return {
        "partners": plain(dict(read.directory.partners)),
        "designations": plain(read.designations),
        "former": {key: sorted(value) for key, value in read.former_partners.items()},
        "access": sorted(map(str, map(plain, read.access))),
        "observations": plain(read.observations),
        "removed": sorted(
            f"{plain(item)} {item.carried_out_at is None}" for item in registry.access.removed()
        ),
    }


def entries(registry: Registry, after: int) -> list[dict[str, object]]:
    """What the log holds, without times and hashes; what was restored at once in one order."""
    told = [_told(entry) for entry in registry.audit.entries()[after:]]
    restored = itertools.groupby(told, lambda entry: entry["action"] == Action.ACCESS_RESTORE)
    return [entry for same, run in restored for entry in (sorted(run, key=str) if same else run)]


def _told(entry: AuditEntry) -> dict[str, object]:
    fields = asdict(entry)
    for name in ("sequence", "at", "hash", "previous_hash"):
        del fields[name]
    if entry.action.startswith("partner-"):
        fields["detail"] = json.loads(entry.detail or "")
    elif entry.detail is not None:
        fields["detail"] = TIME.sub("TIME", entry.detail)
    return fields


@settings(
    max_examples=300 if THOROUGH else 15,
    deadline=None,
    # The step that differs is named; a shorter way to it would take minutes to find.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@example(steps=USUAL)
@given(steps=st.lists(STEPS, min_size=20, max_size=40))
def test_both_do_the_same(pair: Pair, steps: list[Step]) -> None:
    embedded, on_server = pair.begin()
    before = [len(one[ADMIN].audit.entries()) for one in (embedded, on_server)]
    for step in steps:
        assert outcome(on_server[step.who], step) == outcome(embedded[step.who], step), step
    assert content(on_server[ADMIN]) == content(embedded[ADMIN])
    assert entries(on_server[ADMIN], before[1]) == entries(embedded[ADMIN], before[0])
    assert on_server[ADMIN].verify().problems == embedded[ADMIN].verify().problems == ()


def test_a_deployment_replaces_what_only_the_portal_shows(backend: Backend) -> None:
    registry = backend.registry()
    registry.observations.record([_seen(registry, ONE, NORTHWIND.id, NORTHWIND.name)])
    row = registry.designations.designate(
        ONE,
        CONTOSO.id,
        seen_version=0,
        owner=Owner("a/dev/x", "c"),
        action=Action.SWITCH,
        former_partner_id=NORTHWIND.id,
    )
    assert (row.version, row.former_partner_id) == (1, NORTHWIND.id)
    assert registry.read().former_partners[ONE] == {NORTHWIND.id}


def test_an_outdated_view_is_a_conflict_whatever_it_says_of_the_partner_before(
    backend: Backend,
) -> None:
    registry = backend.registry()
    for partner in (CONTOSO, FABRIKAM):
        backend.designate(ONE, partner)
    for write in (registry.designations.designate, registry.designations.adopt):
        with pytest.raises(Conflict, match="it has 5127255 \\(Fabrikam Cloud Services\\) now, by"):
            write(
                ONE,
                NORTHWIND.id,
                seen_version=1,
                owner=Owner("a/dev/x", "c"),
                former_partner_id=CONTOSO.id,
            )


def test_an_agreement_that_is_filed_nowhere_is_refused(backend: Backend) -> None:
    registry = backend.registry()
    nowhere = Agreement("", date(2027, 6, 30))
    with pytest.raises(Invalid, match=r"^an agreement needs a reference$"):
        registry.partners.agree(CONTOSO.id, nowhere)
    with pytest.raises(Invalid, match=r"^an agreement needs a reference$"):
        registry.partners.add(Partner("7654321", "Tailspin", agreement=nowhere))
    assert registry.verify().problems == ()


def test_only_a_partner_that_was_there_leaves(backend: Backend) -> None:
    backend.designate(ONE, FABRIKAM)
    registry = backend.registry()
    for write in (registry.designations.designate, registry.designations.adopt):
        with pytest.raises(Invalid, match=f"partner {NORTHWIND.id} never was the one of"):
            write(
                ONE,
                CONTOSO.id,
                seen_version=1,
                owner=Owner("a/dev/x", "c"),
                former_partner_id=NORTHWIND.id,
            )
    assert backend.live(ONE) == FABRIKAM.id


def test_a_deployment_that_passes_over_another_ends_what_it_wrote(backend: Backend) -> None:
    registry = backend.registry()
    for version, partner in enumerate((CONTOSO, FABRIKAM)):
        row = registry.designations.designate(
            ONE, partner.id, seen_version=version, owner=Owner("a/dev/x", "c")
        )
    assert row.former_partner_id == CONTOSO.id
    assert registry.read().former_partners[ONE] == {CONTOSO.id}


def test_who_may_not_restore_learns_nothing_of_what_was_revoked(backend: Backend) -> None:
    backend.registry()
    with pytest.raises(Refused, match=f"{NOBODY} may not restore access: it holds none of"):
        backend.registry(NOBODY).access.restore(ONE)
    assert backend.registry().audit.entries()[-1].action is Action.REFUSE
