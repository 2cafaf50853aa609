"""What the audit log shows of tampering, and what only an exported head shows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import postgres
from support.backends import CONTOSO, FABRIKAM, Backend, ServerBackend

from dpor_provider.errors import Unavailable
from dpor_provider.model import Action, Grant, Partner, Role
from dpor_provider.registry import Head, Owner, Registry, chain, tables
from dpor_provider.registry.chain import canonical, digest

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
NAME = 'Fourth "Coffee" \\ / é\u0301 \U0001f600'


class Tampered:
    """The registry's tables in the hands of whoever may write them: its owner, or a file's."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @contextmanager
    def _execute(self) -> Iterator[Callable[[str], object]]:
        if isinstance(self.backend, ServerBackend):
            with postgres.server().connect(postgres.OWNER, self.backend.database) as connection:
                connection.execute("SET search_path = dpor")
                yield lambda statement: connection.execute(statement.encode())
        else:
            file = self.backend.url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(file, isolation_level=None)) as connection:
                yield connection.execute

    def run(self, *statements: str) -> None:
        """Write past the registry."""
        with self._execute() as execute:
            for statement in statements:
                execute(statement)


@pytest.fixture
def registry(backend: Backend) -> Registry:
    """A registry with some history."""
    registry = backend.registry()
    row = registry.designations.designate(ONE, CONTOSO.id, seen_version=0, owner=None)
    row = registry.designations.designate(
        ONE,
        FABRIKAM.id,
        seen_version=row.version,
        owner=Owner("estate/dev/payments", "claim"),
        action=Action.SWITCH,
        former_partner_id=CONTOSO.id,
    )
    registry.access.add(f"/subscriptions/{ONE}", "sp", "Reader", CONTOSO.id, condition="x = 'y'")
    registry.designations.release(ONE, seen_version=row.version)
    return registry


def test_what_was_not_tampered_with_is_whole(registry: Registry) -> None:
    verified = registry.verify()
    assert verified.problems == ()
    assert verified.head == registry.audit.head()
    assert verified.head.sequence == len(registry.audit.entries())
    assert registry.verify(verified.head).problems == ()


INSERT = (
    "INSERT INTO audit_log (sequence, at, actor, action, previous_hash, hash)"
    " SELECT {}, at, actor, action, {}, {} FROM audit_log WHERE sequence = 3"
)
"""Enters a copy of an entry."""

LAST = "(SELECT max(sequence) FROM audit_log)"


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["UPDATE audit_log SET actor = 'eve' WHERE sequence = 3"], "entry 3 was altered"),
        (
            ["UPDATE audit_log SET at = '2020-01-01 00:00:00.000000' WHERE sequence = 3"],
            "entry 3 was altered",
        ),
        (["UPDATE audit_log SET detail = NULL WHERE sequence = 3"], "entry 3 was altered"),
        (["UPDATE audit_log SET provenance = '{}' WHERE sequence = 3"], "entry 3 was altered"),
        (["DELETE FROM audit_log WHERE sequence = 3"], "entry 3 is missing"),
        (["DELETE FROM audit_log WHERE sequence IN (2, 3)"], "entries 2 to 3 are missing"),
        (["DELETE FROM audit_log WHERE sequence = 1"], "entry 1 is missing"),
        (
            [
                "UPDATE audit_log SET sequence = 99 WHERE sequence = 3",
                "UPDATE audit_log SET sequence = 3 WHERE sequence = 4",
                "UPDATE audit_log SET sequence = 4 WHERE sequence = 99",
            ],
            "entry 3 does not follow entry 2",
        ),
        (
            [
                "UPDATE audit_log SET sequence = sequence + 1000 WHERE sequence > 3",
                INSERT.format(4, "'inserted'", "hash"),
                "UPDATE audit_log SET sequence = sequence - 999 WHERE sequence > 1000",
            ],
            "entry 4 does not follow entry 3",
        ),
        (
            [f"UPDATE audit_log SET previous_hash = 'fork' WHERE sequence = {LAST}"],
            "does not follow entry",
        ),
    ],
)
def test_a_tampered_log_is_found_where_it_was_tampered_with(
    backend: Backend, registry: Registry, statements: list[str], said: str
) -> None:
    Tampered(backend).run(*statements)
    problems = registry.verify().problems
    assert problems
    assert said in problems[0]


def test_two_entries_cannot_follow_the_same_one(backend: Backend, registry: Registry) -> None:
    fork = INSERT.format(1000, "previous_hash", "'x'")
    with pytest.raises(Exception, match=r"(?i)unique"):
        Tampered(backend).run(fork)
    assert registry.verify().problems == ()


def test_a_rehashed_entry_is_found_at_the_next_one(backend: Backend, registry: Registry) -> None:
    entry = replace(registry.audit.entries()[3], actor="eve")
    Tampered(backend).run(
        f"UPDATE audit_log SET actor = 'eve', hash = '{digest(entry)}' WHERE sequence = 4"
    )
    assert "entry 5 does not follow entry 4" in registry.verify().problems[0]


def test_a_cut_off_end_is_found_against_an_exported_head(
    backend: Backend, registry: Registry
) -> None:
    head = registry.audit.head()
    Tampered(backend).run(
        f"DELETE FROM audit_log WHERE sequence = {LAST}",
        "UPDATE designations SET version = 2, managed_by = 'estate/dev/payments'",
    )
    assert registry.verify().problems == ()
    (problem,) = registry.verify(head).problems
    assert problem.startswith(f"the log ends with entry {head.sequence - 1}, the exported head")


def test_a_log_made_anew_is_found_against_an_exported_head(
    backend: Backend, registry: Registry
) -> None:
    head = registry.audit.head()
    entries = registry.audit.entries()
    previous, statements = chain.genesis(registry.identity()), []
    for entry in entries:
        anew = replace(entry, actor="eve", previous_hash=previous)
        previous = digest(anew)
        statements.append(
            f"UPDATE audit_log SET actor = 'eve', previous_hash = '{anew.previous_hash}',"
            f" hash = '{previous}' WHERE sequence = {entry.sequence}"
        )
    # Whoever makes the log anew hides all but the end that somebody else keeps.
    Tampered(backend).run(
        *statements, "UPDATE grants SET principal = 'eve' WHERE principal = 'nobody'"
    )
    assert not [line for line in registry.verify().problems if line.startswith("ent")]
    assert any(
        "is not the one that was exported" in line for line in registry.verify(head).problems
    )


def test_a_head_of_another_registry_is_told_apart(registry: Registry) -> None:
    head = replace(registry.audit.head(), registry_id="another")
    (problem,) = registry.verify(head).problems
    assert problem.startswith("the head is of registry another")


def test_a_head_from_before_holds_after_more_was_written(registry: Registry) -> None:
    head = registry.audit.head()
    registry.partners.rename(CONTOSO.id, "Contoso Group")
    assert registry.audit.head().sequence == head.sequence + 1
    assert registry.verify(head).problems == ()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            f"UPDATE designations SET partner_id = '{CONTOSO.id}'",
            f"is {CONTOSO.id} at version 3, the log says {FABRIKAM.id} at version 3",
        ),
        ("UPDATE designations SET managed_by = 'eve/dev/x'", "of eve/dev/x at version 3"),
        ("DELETE FROM designations", f"subscription {ONE} is that there is none"),
        (
            "INSERT INTO grants (principal, role, scope) VALUES ('eve', 'Owner', '/')",
            "a role that is held: Owner at / to eve",
        ),
        ("DELETE FROM grants WHERE principal = 'admin'", "is not held: Global Administrator at /"),
        (
            f"UPDATE partners SET name = 'Evil Corp' WHERE id = '{CONTOSO.id}'",
            f"partner {CONTOSO.id} is not as the log says: name",
        ),
        (f"DELETE FROM partners WHERE id = '{FABRIKAM.id}'", "is missing in the directory"),
        (
            f"UPDATE partners SET id = '7654321' WHERE id = '{FABRIKAM.id}'",
            "partner 7654321 is not in the log",
        ),
    ],
)
def test_a_row_that_no_entry_accounts_for_is_found(
    backend: Backend, registry: Registry, statement: str, said: str
) -> None:
    Tampered(backend).run(statement)
    assert any(said in problem for problem in registry.verify().problems)


def test_every_kind_of_change_is_accounted_for(registry: Registry) -> None:
    registry.partners.retire(CONTOSO.id, FABRIKAM.id)
    registry.partners.renumber(FABRIKAM.id, "7654321")
    registry.partners.add(Partner("8765432", "Fourth Coffee", principals=("sp-4",)))
    registry.partners.rename("8765432", NAME)
    registry.roles.grant(Grant("bob", Role.OWNER, f"/subscriptions/{ONE}"))
    registry.roles.ungrant(Grant("bob", Role.OWNER, f"/subscriptions/{ONE}"))
    assert registry.verify().problems == ()


def test_an_entry_that_cannot_be_read_is_found_where_it_stands(
    backend: Backend, registry: Registry
) -> None:
    Tampered(backend).run("UPDATE audit_log SET action = 'nonsense' WHERE sequence IN (3, 5)")
    assert registry.verify().problems[:2] == (
        "entry 3 was altered: it cannot be read",
        "entry 5 was altered: it cannot be read",
    )
    with pytest.raises(Unavailable, match="entry 3 of the audit log cannot be read"):
        registry.audit.entries()


NONSENSE = [
    *("'nonsense'", "x'00ff'", "''", "'\x01'", "1e300", "'[[['", "'[]'", "'5'"),
    *("'{\"former_ids\": [{}]}'", "'{\"former_ids\": 5}'", f"'{'[' * 100_000}'"),
]


@pytest.mark.parametrize("value", NONSENSE)
@pytest.mark.parametrize("column", [column.name for column in tables.audit_log.columns][1:])
def test_nonsense_in_any_field_is_found_where_it_stands(
    home: Backend, column: str, value: str
) -> None:
    # A file keeps anything anywhere; entry 5 enters a partner.
    home.designate(ONE, CONTOSO)
    Tampered(home).run(f"UPDATE audit_log SET {column} = {value} WHERE sequence = 5")
    problems = home.registry().verify().problems
    assert "entry 5 " in problems[0]
    assert not any(f"entry {other} " in problems[0] for other in (1, 2, 3, 4, 7))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.text("abc_", min_size=1), st.one_of(st.text(), st.integers(), st.none())))
def test_the_canonical_text_says_everything_but_what_is_unset(
    fields: dict[str, str | int | None],
) -> None:
    set_fields = {key: value for key, value in fields.items() if value is not None}
    assert json.loads(canonical(fields)) == set_fields
    assert canonical(fields) == canonical(dict(reversed(list(fields.items()))))


def test_a_head_is_bound_to_its_registry(backend: Backend) -> None:
    head = backend.registry().audit.head()
    assert head == Head(backend.registry().identity(), head.sequence, head.hash)
    assert backend.registry().audit.entries()[0].previous_hash == chain.genesis(head.registry_id)


def test_where_a_deployment_came_from_is_covered_whatever_it_says(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", 'o/"r\\ é\U0001f600')
    monkeypatch.setenv("GITHUB_ACTOR", "\x1b[31m\x7f\u2028")
    registry = backend.registry()
    registry.designations.designate(ONE, CONTOSO.id, seen_version=0, owner=None)
    assert "\U0001f600" in str(registry.audit.entries()[-1].provenance)
    assert registry.verify().problems == ()
    verified = "replace(provenance, 'false', 'true')"
    Tampered(backend).run(f"UPDATE audit_log SET provenance = {verified} WHERE sequence = {LAST}")
    assert "was altered" in registry.verify().problems[0]
