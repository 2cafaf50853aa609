"""A login with psql and a grudge can do nothing that `dpor` would refuse.

Eve is Owner of one subscription, as any deployer may be; the reader was let in by the registry's
owner and holds no role; the stranger is a login of the same server.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import sql
from support import postgres
from support.backends import ADMIN, CONTOSO, FABRIKAM, ServerBackend, postgresql_portal

from dpor_provider.model import Action, Grant, Role
from dpor_provider.registry import Owner, tables

EVE, READER, STRANGER = "eve", "reader", "stranger"
HERS = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
TABLES = sorted([*tables.metadata.tables, "alembic_version", "replies"])
Connection = psycopg.Connection[Any]


@pytest.fixture
def backend(tmp_path_factory: pytest.TempPathFactory) -> ServerBackend:
    """A registry with a designation of each kind, and Eve as Owner of one subscription."""
    made = postgresql_portal(tmp_path_factory.getbasetemp())
    assert isinstance(made, ServerBackend)
    registry = made.registry(ADMIN)
    for subscription_id in (HERS, OTHER):
        registry.designations.designate(subscription_id, CONTOSO.id, seen_version=0, owner=None)
        registry.access.add(f"/subscriptions/{subscription_id}", "sp", "Reader", CONTOSO.id)
    registry.access.add("/", "sp-above", "Reader", CONTOSO.id)
    registry.roles.grant(Grant(EVE, Role.OWNER, f"/subscriptions/{HERS}"))
    made.url_as(READER)
    postgres.server().login(STRANGER)
    return made


def connect(backend: ServerBackend, login: str) -> Connection:
    return postgres.server().connect(login, backend.database)


@pytest.fixture
def eve(backend: ServerBackend) -> Iterator[Connection]:
    """Eve's own connection."""
    with connect(backend, EVE) as connection:
        yield connection


def content(backend: ServerBackend) -> dict[str, Any]:
    """Every table, row by row."""
    with connect(backend, postgres.OWNER) as owner:
        return {
            table: owner.execute(
                sql.SQL("SELECT * FROM {} ORDER BY 1, 2").format(sql.Identifier("dpor", table))
                if table != "alembic_version"
                else "SELECT * FROM dpor.alembic_version"
            ).fetchall()
            for table in TABLES
            if table != "replies"
        }


def perform(connection: Connection, operation: str, **arguments: object) -> dict[str, Any]:
    """Call the registry's function, as psql would."""
    return repeat(connection, str(uuid.uuid4()), operation, **arguments)


def repeat(
    connection: Connection, request: str, operation: str, **arguments: object
) -> dict[str, Any]:
    """The same, with a mark that may have been used before."""
    row = connection.execute(
        "SELECT dpor.perform(%s, %s::jsonb, %s::uuid, NULL, %s)",
        [operation, json.dumps(arguments), request, tables.SCHEMA],
    ).fetchone()
    assert row is not None
    reply: dict[str, Any] = row[0]
    return reply


OWN_DESIGNATION: dict[str, object] = {
    "subscription_id": HERS,
    "partner_id": FABRIKAM.id,
    "seen_version": 1,
    "action": "designate",
}


def test_eve_may_do_what_is_hers(backend: ServerBackend, eve: Connection) -> None:
    row = perform(eve, "designate", **OWN_DESIGNATION)["done"]
    assert (row["partner_id"], row["version"], row["designated_by"]) == (FABRIKAM.id, 2, EVE)
    entry = backend.registry().audit.entries(HERS)[-1]
    assert (entry.action, entry.actor, entry.version) == (Action.DESIGNATE, EVE, 2)
    assert backend.registry().verify().problems == ()


def test_the_list_of_tables_is_whole(eve: Connection) -> None:
    found = eve.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'dpor' ORDER BY 1")
    assert [row[0] for row in found] == TABLES


@pytest.mark.parametrize("login", [EVE, READER, STRANGER])
@pytest.mark.parametrize("table", TABLES)
def test_nobody_writes_a_table(backend: ServerBackend, table: str, login: str) -> None:
    before = content(backend)
    with connect(backend, login) as connection:
        column = connection.execute(
            "SELECT attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid"
            " JOIN pg_namespace ON relnamespace = pg_namespace.oid"
            " WHERE nspname = 'dpor' AND relname = %s AND attnum = 1",
            [table],
        ).fetchone()
        assert column is not None
        names = {"table": sql.Identifier("dpor", table), "column": sql.Identifier(column[0])}
        for statement in (
            "INSERT INTO {table} DEFAULT VALUES",
            "INSERT INTO {table} SELECT * FROM {table}",
            "UPDATE {table} SET {column} = {column}",
            "DELETE FROM {table}",
            "TRUNCATE {table}",
            "MERGE INTO {table} USING {table} AS other ON false WHEN MATCHED THEN DELETE",
            "SELECT * FROM {table} FOR UPDATE",
            "SELECT * FROM {table} FOR SHARE",
            "LOCK TABLE {table} IN SHARE MODE",
            "COPY {table} FROM STDIN",
            "ALTER TABLE {table} DISABLE TRIGGER ALL",
            "ALTER TABLE {table} ADD COLUMN x text",
            "ALTER TABLE {table} OWNER TO CURRENT_USER",
            "DROP TABLE {table}",
            "CREATE INDEX ON {table} ({column})",
            "CREATE RULE r AS ON INSERT TO {table} DO INSTEAD NOTHING",
            "CREATE TRIGGER t BEFORE INSERT ON {table} EXECUTE FUNCTION dpor.perform()",
            "CREATE POLICY p ON {table}",
            "COMMENT ON TABLE {table} IS 'x'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL(statement).format(**names))
    assert content(backend) == before


@pytest.mark.parametrize("table", TABLES)
def test_a_stranger_reads_nothing_and_a_reader_everything_but_the_replies(
    backend: ServerBackend, table: str
) -> None:
    query = sql.SQL("SELECT * FROM {}").format(sql.Identifier("dpor", table))
    with connect(backend, READER) as reader, connect(backend, STRANGER) as stranger:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stranger.execute(query)
        if table == "replies":
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(query)
        else:
            reader.execute(query)


def test_one_function_alone_is_anybodys_and_it_pins_what_it_looks_at(
    backend: ServerBackend, eve: Connection
) -> None:
    functions = eve.execute(
        "SELECT proname, prosecdef, proconfig, has_function_privilege(p.oid, 'EXECUTE')"
        " FROM pg_proc AS p JOIN pg_namespace AS n ON p.pronamespace = n.oid"
        " WHERE nspname = 'dpor'"
    ).fetchall()
    assert len(functions) > 30
    assert [name for name, *_, callable_ in functions if callable_] == ["perform"]
    ((settings),) = [settings for name, definer, settings, _ in functions if definer]
    assert "search_path=pg_catalog, pg_temp" in settings
    with (
        connect(backend, STRANGER) as stranger,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        perform(stranger, "designate", **OWN_DESIGNATION)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE dpor.mine ()",
        "CREATE FUNCTION dpor.perform() RETURNS int LANGUAGE sql RETURN 1",
        "ALTER FUNCTION dpor.perform SECURITY INVOKER",
        "ALTER FUNCTION dpor.perform RESET ALL",
        "DROP FUNCTION dpor.perform",
        "DROP SCHEMA dpor CASCADE",
        "ALTER SCHEMA dpor RENAME TO gone",
        f"SET ROLE {postgres.OWNER}",
        f"SET SESSION AUTHORIZATION {postgres.OWNER}",
        f"GRANT {postgres.OWNER} TO CURRENT_USER",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        f"ALTER ROLE {ADMIN} PASSWORD 'mine'",
        "SELECT pg_read_file('pg_hba.conf')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION dpor.perform()",
        "SET session_replication_role = replica",
        "SELECT dpor.record('designate', '{}', NULL)",
        "SELECT dpor.admit(CURRENT_USER)",
        f"SELECT dpor.designate('{json.dumps(OWN_DESIGNATION)}', NULL)",
        "SELECT dpor.dispatch('grant', '{}', NULL, NULL)",
    ],
)
def test_eve_makes_herself_no_more_than_she_is(
    backend: ServerBackend, eve: Connection, statement: str
) -> None:
    before = content(backend)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        eve.execute(statement.encode())
    assert content(backend) == before


FOREIGN: dict[str, dict[str, object]] = {
    "designate": {**OWN_DESIGNATION, "subscription_id": OTHER},
    "adopt": {
        "subscription_id": OTHER,
        "partner_id": CONTOSO.id,
        "seen_version": 1,
        "managed_by": "p/s/n",
        "claim": "c",
    },
    "withdraw": {"subscription_id": OTHER, "seen_version": 1},
    "release": {"subscription_id": OTHER, "seen_version": 1},
    "confirm": {"subscription_id": OTHER, "partner_id": CONTOSO.id, "seen_version": 1},
    "observe": {"seen": [{"subscription_id": HERS, "partner_id": FABRIKAM.id}]},
    "add-access": {
        "scope": f"/subscriptions/{OTHER}",
        "principal": "x",
        "role": "Owner",
        "partner_id": CONTOSO.id,
    },
    "remove-access": {"scope": "/", "principal": "sp-above", "role": "Reader"},
    "revoke-access": {"subscription_id": OTHER, "ids": []},
    "restore-access": {"subscription_id": OTHER, "principal": None},
    "grant": {"principal": EVE, "role": "Global Administrator", "scope": "/"},
    "ungrant": {"principal": ADMIN, "role": "Global Administrator", "scope": "/"},
    "add-partner": {
        "id": "7654321",
        "name": "Evil Corp",
        "former_ids": [],
        "former_names": [],
        "status": "active",
        "principals": [],
        "tenants": [],
    },
    "rename-partner": {"partner_id": CONTOSO.id, "name": "Evil Corp"},
    "retire-partner": {"partner_id": CONTOSO.id, "replaced_by": FABRIKAM.id},
    "renumber-partner": {"partner_id": CONTOSO.id, "new_id": "7654321"},
    "agree-with-partner": {"partner_id": CONTOSO.id, "agreement": "x"},
}


def test_every_operation_is_attempted(backend: ServerBackend) -> None:
    with connect(backend, postgres.OWNER) as owner:
        (source,) = owner.execute(
            "SELECT prosrc FROM pg_proc WHERE proname = 'dispatch'"
        ).fetchone() or ("",)
    assert {word.split("'")[1] for word in source.split("WHEN")[1:]} == set(FOREIGN)


@pytest.mark.parametrize("operation", FOREIGN)
def test_what_eve_has_no_role_for_is_refused_and_recorded(
    backend: ServerBackend, eve: Connection, operation: str
) -> None:
    before = content(backend)
    reply = perform(eve, operation, **FOREIGN[operation])
    assert reply["refused"].startswith("eve may not ")
    after = content(backend)
    refusal = backend.registry().audit.entries()[-1]
    assert (refusal.action, refusal.actor) == (Action.REFUSE, EVE)
    assert len(after.pop("audit_log")) == len(before.pop("audit_log")) + 1
    assert after == before
    assert backend.registry().verify().problems == ()


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [
        ("designate", {"subscription_id": HERS.upper()}),
        ("designate", {"subscription_id": f"{HERS}/../{OTHER}"}),
        ("designate", {"subscription_id": ""}),
        ("designate", {"subscription_id": None}),
        ("designate", {"subscription_id": [HERS]}),
        ("designate", {"subscription_id": {"a": HERS}}),
        ("designate", {"action": "withdraw"}),
        ("designate", {"action": None}),
        ("designate", {"action": "init"}),
        ("designate", {"former_partner_id": FABRIKAM.id}),
        ("designate", {"managed_by": "a\x1b[31mb"}),
        ("designate", {"managed_by": "a\nb"}),
        ("designate", {"managed_by": "x" * 5000}),
        ("add-access", {"scope": f"/subscriptions/{HERS}/../{HERS}"}),
        ("add-access", {"scope": f"/providers/x/{HERS}"}),
        ("add-access", {"scope": HERS}),
        ("add-access", {"scope": f"/subscriptions/{HERS}", "principal": None}),
        ("remove-access", {"scope": f"/subscriptions/{HERS}", "principal": "nobody"}),
        ("nonsense", {}),
        ("", {}),
    ],
)
def test_nonsense_is_one_line_and_changes_nothing(
    backend: ServerBackend, eve: Connection, operation: str, wrong: dict[str, object]
) -> None:
    before = content(backend)
    usual = FOREIGN.get(operation, {}) | {"subscription_id": HERS}
    reply = perform(eve, operation, **usual | {"seen_version": 1} | wrong)
    said = reply.get("invalid") or reply.get("refused")
    assert said, reply
    assert said.isprintable()
    after = content(backend)
    assert after.pop("audit_log")[: len(before["audit_log"])] == before.pop("audit_log")
    assert after == before


@pytest.mark.parametrize(
    "version", [0, 2, -1, 2**31, 10**30, 1.5, "1; DROP TABLE dpor.grants", "", None, [], {}, True]
)
def test_no_other_version_than_the_one_on_record_lets_a_change_through(
    backend: ServerBackend, eve: Connection, version: object
) -> None:
    before = content(backend)
    try:
        reply = perform(eve, "designate", **OWN_DESIGNATION | {"seen_version": version})
    except psycopg.errors.DataError:
        pass
    else:
        assert "was changed meanwhile: it has" in reply["conflict"]
    assert content(backend) == before


def test_nobody_acts_in_anothers_name(backend: ServerBackend, eve: Connection) -> None:
    forged: dict[str, object] = dict.fromkeys(
        ("actor", "designated_by", "observed_by", "granted_by", "removed_by", "by"), ADMIN
    )
    times = {"at": "2020-01-01", "designated_at": "2020-01-01", "version": 99, "effective": True}
    forged |= times
    row = perform(eve, "designate", **OWN_DESIGNATION | forged)["done"]
    assert (row["designated_by"], row["version"], row["effective"]) == (EVE, 2, False)
    assert row["designated_at"] > "2026"
    held = perform(
        eve,
        "add-access",
        **FOREIGN["add-access"] | forged | {"scope": f"/subscriptions/{HERS}"},
    )["done"]
    assert held["granted_by"] == EVE
    registry = backend.registry()
    assert {entry.actor for entry in registry.audit.entries()[-2:]} == {EVE}
    assert registry.verify().problems == ()


def test_a_reply_is_given_to_nobody_else(backend: ServerBackend, eve: Connection) -> None:
    request = str(uuid.uuid4())
    with connect(backend, ADMIN) as admin:
        first = repeat(admin, request, "withdraw", subscription_id=OTHER, seen_version=1)
        again = repeat(admin, request, "withdraw", subscription_id=OTHER, seen_version=1)
    assert first == again
    assert "done" in first
    reply = repeat(eve, request, "withdraw", subscription_id=OTHER, seen_version=1)
    assert "refused" in reply


SHADOWS = (
    "CREATE SCHEMA shadow",
    "SET search_path = shadow, pg_temp, dpor, pg_catalog",
    "CREATE TABLE shadow.grants AS SELECT * FROM dpor.grants",
    "CREATE TABLE shadow.pg_roles AS SELECT * FROM pg_catalog.pg_roles",
    "INSERT INTO shadow.grants VALUES ('eve', 'Global Administrator', '/')",
    "CREATE FUNCTION shadow.holds_role(text) RETURNS boolean LANGUAGE sql RETURN true",
    "CREATE FUNCTION shadow.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql RETURN ''",
    "CREATE FUNCTION shadow.always(text, text) RETURNS boolean LANGUAGE sql RETURN true",
    "CREATE OPERATOR shadow.= (LEFTARG = text, RIGHTARG = text, FUNCTION = shadow.always)",
    "CREATE TEMPORARY TABLE grants AS SELECT * FROM shadow.grants",
    "CREATE TEMPORARY TABLE audit_log AS SELECT * FROM dpor.audit_log",
)


def test_nothing_of_eves_own_stands_in_for_the_registrys(
    backend: ServerBackend, eve: Connection
) -> None:
    # As the database's owner might let anybody.
    postgres.server().run(f"GRANT CREATE, TEMPORARY ON DATABASE {backend.database} TO eve")
    for statement in SHADOWS:
        eve.execute(statement.encode())
    before = content(backend)
    for operation, arguments in FOREIGN.items():
        assert "refused" in perform(eve, operation, **arguments)
    after = content(backend)
    assert len(after.pop("audit_log")) == len(before.pop("audit_log")) + len(FOREIGN)
    assert after == before
    assert "done" in perform(eve, "designate", **OWN_DESIGNATION)
    assert backend.registry().verify().problems == ()


@pytest.mark.parametrize(
    "principal", ["public", "nobody at all", 'e"ve', "eve; DROP SCHEMA dpor", "pg_monitor", ""]
)
def test_a_role_goes_to_a_login_alone(backend: ServerBackend, principal: str) -> None:
    with connect(backend, ADMIN) as admin:
        reply = perform(admin, "grant", principal=principal, role="Owner", scope="/")
    assert "is no login of this server" in reply["invalid"]
    assert backend.registry().verify().problems == ()


def test_a_name_with_quotes_is_a_name(backend: ServerBackend) -> None:
    name = "o'h\"ara"
    postgres.server().login(name)
    with connect(backend, ADMIN) as admin:
        assert "done" in perform(admin, "grant", principal=name, role="Owner", scope="/")
    with connect(backend, name) as connection:
        assert "done" in perform(connection, "designate", **OWN_DESIGNATION)
    assert backend.registry().verify().problems == ()


def test_a_term_that_a_deployment_began_ends_in_the_log_whatever_the_next_one_says(
    backend: ServerBackend, eve: Connection
) -> None:
    backend.registry(ADMIN).designations.adopt(
        HERS, CONTOSO.id, seen_version=1, owner=Owner("estate/dev/payments", "claim")
    )
    arguments = OWN_DESIGNATION | {"seen_version": 2, "managed_by": "a/b/c", "claim": "d"}
    perform(eve, "designate", **arguments | {"action": "repair"})
    assert backend.registry().read().former_partners[HERS] == {CONTOSO.id}


def test_what_is_rolled_back_leaves_the_log_whole(backend: ServerBackend, eve: Connection) -> None:
    before = content(backend)
    eve.execute("BEGIN")
    perform(eve, "designate", **OWN_DESIGNATION)
    perform(eve, "withdraw", subscription_id=HERS, seen_version=2)
    eve.execute("ROLLBACK")
    assert content(backend) == before
    with eve.transaction():
        perform(eve, "designate", **OWN_DESIGNATION)
        perform(eve, "withdraw", subscription_id=HERS, seen_version=2)
    assert len(backend.registry().audit.entries()) == len(before["audit_log"]) + 2
    assert backend.registry().verify().problems == ()


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_view_of_the_past_forks_no_log(
    backend: ServerBackend, eve: Connection, level: str
) -> None:
    with eve.transaction():
        eve.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
        eve.execute("SELECT count(*) FROM dpor.audit_log")
        backend.registry(ADMIN).partners.rename(CONTOSO.id, "Contoso Group")
        with pytest.raises((psycopg.OperationalError, psycopg.IntegrityError)):
            perform(eve, "designate", **OWN_DESIGNATION)
        eve.execute("ROLLBACK")
        eve.execute("BEGIN")
    assert backend.registry().verify().problems == ()
    assert backend.live(HERS) == CONTOSO.id


def test_whoever_holds_the_lock_holds_up_writers_who_are_told_and_no_reader(
    backend: ServerBackend, eve: Connection
) -> None:
    with connect(backend, postgres.OWNER) as owner:
        owner.execute("ALTER FUNCTION dpor.perform SET lock_timeout = '200ms'")
    with eve.transaction():
        perform(eve, "designate", **OWN_DESIGNATION)
        assert backend.live(HERS) == CONTOSO.id
        with pytest.raises(Exception, match="another writer has held it for 30 s; try again"):
            backend.registry(ADMIN).partners.rename(CONTOSO.id, "Contoso Group")
    assert backend.live(HERS) == FABRIKAM.id
    assert backend.registry().verify().problems == ()


def test_eight_logins_at_once_make_one_log(backend: ServerBackend) -> None:
    names = [f"writer-{number}" for number in range(8)]
    for name in names:
        backend.registry(ADMIN).roles.grant(Grant(name, Role.OWNER, "/"))

    def write(name: str) -> list[int]:
        registry = backend.registry(name)
        return [
            registry.designations.designate(
                str(uuid.uuid4()), CONTOSO.id, seen_version=0, owner=None
            ).version
            for _ in range(10)
        ]

    before = len(backend.registry().audit.entries())
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, names)) == [[1] * 10] * 8
    entries = backend.registry().audit.entries()
    assert len(entries) == before + 80
    assert backend.registry().verify().problems == ()
