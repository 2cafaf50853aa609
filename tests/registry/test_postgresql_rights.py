"""A login with psql and a grudge can do nothing that `dpor` would refuse.

Eve is Owner of one subscription, as any deployer may be; the reader was let in by the registry's
owner and holds no role; the stranger is a login of the same server.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from support import postgres
from support.backends import ADMIN, CONTOSO, FABRIKAM, ServerBackend, postgresql_portal

from dpor_provider.errors import Invalid
from dpor_provider.model import Action, Grant, Partner, Role
from dpor_provider.registry import Owner, init_registry, tables
from dpor_provider.registry.registry import operating_system_user

EVE, READER, STRANGER = "eve", "reader", "stranger"
HERS = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
TABLES = sorted([*tables.metadata.tables, "alembic_version", "replies"])
Connection = psycopg.Connection[Any]


@pytest.fixture
def backend(tmp_path: Path) -> ServerBackend:
    """A fresh registry with some content, and Eve as Owner of one subscription."""
    return filled(tmp_path)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> ServerBackend:
    """The same, for all tests after which nothing but the log has changed."""
    return filled(tmp_path_factory.getbasetemp())


def filled(folder: Path) -> ServerBackend:
    made = postgresql_portal(folder)
    assert isinstance(made, ServerBackend)
    registry = made.registry(ADMIN)
    for subscription_id in (HERS, OTHER):
        registry.designations.designate(subscription_id, CONTOSO.id, seen_version=0, owner=None)
        registry.access.add(f"/subscriptions/{subscription_id}", "sp", "Reader", CONTOSO.id)
    registry.access.add("/", "sp-above", "Reader", CONTOSO.id)
    registry.roles.grant(Grant(EVE, Role.OWNER, f"/subscriptions/{HERS}"))
    made.url_as(READER)
    postgres.server().login(STRANGER)
    postgres.server().run("CREATE SCHEMA hers AUTHORIZATION eve", made.database)
    return made


def connect(backend: ServerBackend, login: str) -> Connection:
    return postgres.server().connect(login, backend.database)


@pytest.fixture
def eve(backend: ServerBackend) -> Iterator[Connection]:
    """Eve's own connection."""
    with connect(backend, EVE) as connection:
        yield connection


@pytest.fixture
def standing_eve(standing: ServerBackend) -> Iterator[Connection]:
    """Her connection to the registry that stays as it is."""
    with connect(standing, EVE) as connection:
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
    return call(connection, operation, json.dumps(arguments), request=request)


def call(
    connection: Connection,
    operation: str,
    arguments: str | None,
    *,
    request: str | None = None,
    provenance: str | None = None,
) -> dict[str, Any]:
    """The same, with whatever is given as arguments."""
    row = connection.execute(
        "SELECT dpor.perform(%s, %s::jsonb, %s::uuid, %s, %s)",
        [operation, arguments, request or str(uuid.uuid4()), provenance, tables.SCHEMA],
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


def test_the_list_of_tables_is_whole(standing_eve: Connection) -> None:
    found = standing_eve.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'dpor' ORDER BY 1"
    )
    assert [row[0] for row in found] == TABLES


@pytest.mark.parametrize("login", [EVE, READER, STRANGER])
@pytest.mark.parametrize("table", TABLES)
def test_nobody_writes_a_table(standing: ServerBackend, table: str, login: str) -> None:
    before = content(standing)
    with connect(standing, login) as connection:
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
    assert content(standing) == before


@pytest.mark.parametrize("table", TABLES)
def test_a_stranger_reads_nothing_and_a_reader_everything_but_the_replies(
    standing: ServerBackend, table: str
) -> None:
    query = sql.SQL("SELECT * FROM {}").format(sql.Identifier("dpor", table))
    with connect(standing, READER) as reader, connect(standing, STRANGER) as stranger:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stranger.execute(query)
        if table == "replies":
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(query)
        else:
            reader.execute(query)


def test_one_function_alone_is_anybodys_and_it_pins_what_it_looks_at(
    standing: ServerBackend, standing_eve: Connection
) -> None:
    functions = standing_eve.execute(
        "SELECT proname, prosecdef, proconfig, has_function_privilege(p.oid, 'EXECUTE')"
        " FROM pg_proc AS p JOIN pg_namespace AS n ON p.pronamespace = n.oid"
        " WHERE nspname = 'dpor'"
    ).fetchall()
    assert len(functions) > 30
    assert [name for name, *_, callable_ in functions if callable_] == ["perform"]
    ((settings),) = [settings for name, definer, settings, _ in functions if definer]
    assert "search_path=pg_catalog, pg_temp" in settings
    with (
        connect(standing, STRANGER) as stranger,
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
        "SELECT dpor.require_printable('{}')",
        "SELECT nextval('dpor.audit_log_sequence_seq')",
        "SELECT setval('dpor.audit_log_sequence_seq', 1)",
        "SELECT * FROM dpor.audit_log_sequence_seq",
        "CREATE TABLE hers.blocker (id varchar(36) REFERENCES dpor.registry)",
        "CREATE TABLE hers.child () INHERITS (dpor.audit_log)",
        "CREATE TEMPORARY TABLE child () INHERITS (dpor.audit_log)",
        "CREATE STATISTICS hers.s ON actor, action FROM dpor.audit_log",
        "CREATE PUBLICATION p FOR TABLE dpor.audit_log",
        "CREATE CAST (text AS dpor.grants) WITHOUT FUNCTION",
        "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
        "ALTER SYSTEM SET listen_addresses = '*'",
        "ALTER DATABASE {database} OWNER TO eve",
        "ALTER DATABASE {database} SET search_path = hers",
        "ALTER DEFAULT PRIVILEGES FOR ROLE registry_owner GRANT ALL ON TABLES TO eve",
        "REASSIGN OWNED BY registry_owner TO eve",
        "DROP OWNED BY registry_owner",
        "DROP DATABASE {database}",
        "CREATE ROLE mallory",
        "DROP ROLE admin",
        "GRANT eve TO admin",
        "ALTER ROLE admin SET search_path = hers",
        "COPY dpor.grants FROM '/etc/passwd'",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(1, '/tmp/x')",
        "SELECT pg_reload_conf()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'registry_owner'",
        "SET log_statement = 'none'",
        "SET deadlock_timeout = '1h'",
    ],
)
def test_eve_makes_herself_no_more_than_she_is(
    standing: ServerBackend, standing_eve: Connection, statement: str
) -> None:
    before = content(standing)
    with (
        connect(standing, postgres.OWNER),
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        standing_eve.execute(statement.replace("{database}", standing.database).encode())
    assert content(standing) == before


def test_through_a_view_of_her_own_eve_does_no_more(
    standing: ServerBackend, standing_eve: Connection
) -> None:
    before = content(standing)
    for invoker in ("false", "true"):
        standing_eve.execute(
            f"CREATE OR REPLACE VIEW hers.grants WITH (security_invoker = {invoker})"
            " AS SELECT * FROM dpor.grants".encode()
        )
        for statement in (
            "INSERT INTO hers.grants VALUES ('eve', 'Global Administrator', '/')",
            "UPDATE hers.grants SET principal = 'eve'",
            "DELETE FROM hers.grants",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                standing_eve.execute(statement.encode())
    assert content(standing) == before


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
    "know-partner-by": {
        "partner_id": CONTOSO.id,
        "principals": ["x"],
        "tenants": [],
        "without": [],
    },
    "add-demand": {
        "scope": f"/subscriptions/{HERS}",
        "issuer": "https://eve.example.com",
        "audience": "a",
        "repository_id": "666",
    },
    "remove-demand": {"scope": "/"},
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


def test_every_operation_is_attempted(standing: ServerBackend) -> None:
    with connect(standing, postgres.OWNER) as owner:
        (source,) = owner.execute(
            "SELECT prosrc FROM pg_proc WHERE proname = 'dispatch'"
        ).fetchone() or ("",)
    assert {word.split("'")[1] for word in source.split("WHEN")[1:]} == set(FOREIGN)


@pytest.mark.parametrize("operation", FOREIGN)
def test_what_eve_has_no_role_for_is_refused_and_recorded(
    standing: ServerBackend, standing_eve: Connection, operation: str
) -> None:
    before = content(standing)
    reply = perform(standing_eve, operation, **FOREIGN[operation])
    assert reply["refused"].startswith("eve may not ")
    after = content(standing)
    refusal = standing.registry().audit.entries()[-1]
    assert (refusal.action, refusal.actor) == (Action.REFUSE, EVE)
    assert len(after.pop("audit_log")) == len(before.pop("audit_log")) + 1
    assert after == before
    assert standing.registry().verify().problems == ()


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
    standing: ServerBackend, standing_eve: Connection, operation: str, wrong: dict[str, object]
) -> None:
    before = content(standing)
    usual = FOREIGN.get(operation, {}) | {"subscription_id": HERS}
    reply = perform(standing_eve, operation, **usual | {"seen_version": 1} | wrong)
    said = reply.get("invalid") or reply.get("refused")
    assert said, reply
    assert said.isprintable()
    after = content(standing)
    assert after.pop("audit_log")[: len(before["audit_log"])] == before.pop("audit_log")
    assert after == before


@pytest.mark.parametrize(
    "version", [0, 2, -1, 2**31, 10**30, 1.5, "1; DROP TABLE dpor.grants", "", None, [], {}, True]
)
def test_no_other_version_than_the_one_on_record_lets_a_change_through(
    standing: ServerBackend, standing_eve: Connection, version: object
) -> None:
    before = content(standing)
    reply = perform(standing_eve, "designate", **OWN_DESIGNATION | {"seen_version": version})
    ((kind, said),) = reply.items()
    assert kind in ("conflict", "invalid")
    assert "was changed meanwhile: it has" in said or "an argument is not what it must be" in said
    assert content(standing) == before


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


DEMAND = {
    "scope": "/",
    "issuer": "https://issuer.example.com",
    "audience": "a",
    "repository_id": "74",
    "environment": "production",
}
SHOWN = {
    "provider": "github",
    "verified": True,
    "issuer": "https://issuer.example.com",
    "repository_id": "74",
    "environment": "production",
    "token_id": "job-1",
    "token_expires_at": "2999-01-01T00:00:00+00:00",
}


@pytest.mark.parametrize(
    "changes",
    [
        {"verified": None},
        {"verified": False},
        {"verified": "true"},
        {"issuer": "https://issuer.example.com/"},
        {"issuer": None},
        {"repository_id": "75"},
        {"repository_id": "74 "},
        {"environment": None},
        {"environment": "Production"},
        {"token_id": None},
        {"token_expires_at": None},
        {"token_expires_at": "2020-01-01T00:00:00+00:00"},
        {"token_expires_at": "-infinity"},
    ],
)
def test_a_server_holds_what_is_shown_to_what_is_demanded(
    backend: ServerBackend, eve: Connection, changes: dict[str, object]
) -> None:
    with connect(backend, ADMIN) as admin:
        assert "done" in perform(admin, "add-demand", **DEMAND)
    before = content(backend)
    arguments = json.dumps(OWN_DESIGNATION)
    for shown in (SHOWN | changes, {}):
        kept = {name: value for name, value in shown.items() if value is not None}
        reply = call(eve, "designate", arguments, provenance=json.dumps(kept))
        demanded = {name: value for name, value in reply["demanded"].items() if value is not None}
        assert demanded == DEMAND
    assert call(eve, "designate", arguments)["demanded"] == reply["demanded"]
    assert content(backend) == before
    assert "done" in call(eve, "designate", arguments, provenance=json.dumps(SHOWN))


def test_what_is_lacking_is_said_in_ones_own_name_alone(
    backend: ServerBackend, eve: Connection
) -> None:
    with connect(backend, ADMIN) as admin:
        perform(admin, "add-demand", **DEMAND)
    lacking = {"lacking": "admin may do everything", "actor": ADMIN}
    reply = perform(eve, "designate", **OWN_DESIGNATION | lacking)
    assert reply["refused"].startswith("eve may not designate ")
    entry = backend.registry().audit.entries()[-1]
    assert (entry.action, entry.actor) == (Action.REFUSE, EVE)
    assert "invalid" in perform(eve, "designate", **OWN_DESIGNATION | {"lacking": "a\nb"})
    assert backend.registry().verify().problems == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": "/providers/x"},
        {"scope": None},
        {"issuer": None},
        {"issuer": ""},
        {"audience": None},
        {"repository_id": None},
        {"repository_id": ""},
        {"environment": "a\x1b[31m"},
    ],
)
def test_a_demand_that_lets_anybody_in_is_none(
    standing: ServerBackend, wrong: dict[str, object]
) -> None:
    before = content(standing)
    with connect(standing, ADMIN) as admin:
        assert "invalid" in perform(admin, "add-demand", **DEMAND | wrong)
    assert content(standing) == before


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
    # Run with the rights of the registry's owner, each of these would make her an administrator.
    (
        "CREATE FUNCTION shadow.become() RETURNS text LANGUAGE sql AS"
        " $$ INSERT INTO dpor.grants VALUES ('eve', 'Global Administrator', '/') RETURNING '' $$"
    ),
    (
        "CREATE FUNCTION shadow.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql"
        " RETURN 'string' || shadow.become()"
    ),
    (
        "CREATE FUNCTION shadow.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
        " RETURN (now()::text || shadow.become())::timestamptz"
    ),
    "CREATE FUNCTION pg_temp.session_user() RETURNS text LANGUAGE sql RETURN 'admin'",
    "GRANT ALL ON SCHEMA shadow TO public",
    "GRANT ALL ON ALL TABLES IN SCHEMA shadow TO public",
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
def test_a_role_goes_to_a_login_alone(standing: ServerBackend, principal: str) -> None:
    with connect(standing, ADMIN) as admin:
        reply = perform(admin, "grant", principal=principal, role="Owner", scope="/")
    assert "is no login of this server" in reply["invalid"]
    assert standing.registry().verify().problems == ()


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
        with pytest.raises(Exception, match="another session has held it for 30 s; try again"):
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


def test_the_last_administrator_stays(backend: ServerBackend) -> None:
    with connect(backend, ADMIN) as admin:
        for principal in (operating_system_user(), ADMIN):
            reply = perform(
                admin, "ungrant", principal=principal, role="Global Administrator", scope="/"
            )
    assert reply["refused"].startswith("the last Global Administrator cannot be removed")
    assert backend.registry().audit.entries()[-1].action is Action.REFUSE
    assert backend.registry().verify().problems == ()


def test_the_owner_of_the_schema_may_hold_a_role_as_for_an_upgrade(backend: ServerBackend) -> None:
    administrator = backend.registry(ADMIN)
    administrator.roles.grant(Grant(postgres.OWNER, Role.GLOBAL_ADMINISTRATOR, "/"))
    administrator.partners.rename(CONTOSO.id, "Contoso Group")
    with connect(backend, postgres.OWNER) as owner:
        owner.execute("SELECT dpor.admit(%s)", [postgres.OWNER])
        assert "done" in perform(owner, "designate", **OWN_DESIGNATION)
    administrator.roles.ungrant(Grant(postgres.OWNER, Role.GLOBAL_ADMINISTRATOR, "/"))
    assert administrator.verify().problems == ()


def test_default_privileges_of_the_database_open_nothing() -> None:
    server = postgres.server()
    database = server.database()
    server.login(EVE)
    with server.connect(postgres.OWNER, database) as owner:
        for what in ("TABLES", "SEQUENCES", "FUNCTIONS", "SCHEMAS"):
            for grantee in ("eve", "PUBLIC"):
                owner.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON {what} TO {grantee}".encode())
    registry = init_registry(server.url(postgres.OWNER, database))
    registry.roles.grant(Grant(EVE, Role.OWNER, f"/subscriptions/{HERS}"))
    with server.connect(EVE, database) as eve:
        held = eve.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'dpor'::regnamespace"
            " AND (relkind = 'r' AND has_table_privilege(oid,"
            "   'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN')"
            "  OR relkind = 'S' AND has_sequence_privilege(oid, 'USAGE, UPDATE')"
            "  OR relname = 'replies' AND has_table_privilege(oid, 'SELECT'))"
        ).fetchall()
        assert held == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            eve.execute("CREATE TABLE dpor.mine ()")
        for table in TABLES:
            insert = sql.SQL("INSERT INTO {} DEFAULT VALUES").format(sql.Identifier("dpor", table))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                eve.execute(insert)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            eve.execute("SELECT dpor.record('designate', '{}', NULL)")


STAND_INS = (
    (
        "CREATE FUNCTION public.become() RETURNS text LANGUAGE sql"
        " AS $$ GRANT registry_owner TO eve; SELECT '1' $$"
    ),
    (
        "CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE sql"
        " AS $$ SELECT public.become(); SELECT 'SELECT 1' $$"
    ),
    "CREATE FUNCTION public.never(varchar, varchar) RETURNS boolean LANGUAGE sql RETURN false",
    "CREATE FUNCTION public.never(text, varchar) RETURNS boolean LANGUAGE sql RETURN false",
    "CREATE FUNCTION public.never(varchar, text) RETURNS boolean LANGUAGE sql RETURN false",
    "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.never)",
    "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = varchar, FUNCTION = public.never)",
    "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = public.never)",
)


def test_what_eve_leaves_where_everybody_looks_answers_for_nothing(
    backend: ServerBackend, eve: Connection
) -> None:
    # As it was in every database before PostgreSQL 15.
    postgres.server().run("GRANT CREATE ON SCHEMA public TO eve", backend.database)
    for statement in STAND_INS:
        eve.execute(statement.encode())
    with connect(backend, postgres.OWNER) as owner:
        owner.execute("SELECT dpor.admit(%s)", [STRANGER])
    with connect(backend, STRANGER) as stranger:
        stranger.execute("SELECT * FROM dpor.designations")
    for login in (ADMIN, postgres.OWNER, STRANGER):
        registry = backend.registry(login)
        found = registry.designations.find(HERS)
        assert found is not None, "eve's own operator says that there is none"
        assert len(registry.audit.entries(HERS)) == 2


VALUES: tuple[object, ...] = (
    None,
    "",
    " ",
    "x" * 33,
    "x" * 4096,
    "x" * 4097,
    "a\x1b[31mb",
    "a\nb",
    "\x7f",
    "\x85",
    "\u202e",
    "\U0001f600",
    0,
    -1,
    1.5,
    1e308,
    10**30,
    True,
    [],
    {},
    [[]],
    [None],
    [1],
    ["a", {"b": "c"}],
    {"a": 1},
    {"a": {"b": ["\x1b"]}},
    "'; DROP TABLE dpor.grants; --",
    "$$ || %s%I%L {} \\",
    "infinity",
    "-infinity",
    "0044-03-15 BC",
    "99999-01-01",
    "2026-02-30",
    "now",
    "/",
    "/subscriptions/",
    f"/subscriptions/{OTHER}/../{HERS}",
    f"/subscriptions/{HERS}/providers/x",
    f"/subscriptions/{HERS.upper()}",
    HERS.upper(),
    f"{{{HERS}}}",
    "Global Administrator",
    "public",
    ADMIN,
)

USUAL: dict[str, dict[str, object]] = {
    **FOREIGN,
    "observe": {
        "seen": [{"subscription_id": HERS, "partner_id": FABRIKAM.id, "partner_name": "x"}]
    },
    "agree-with-partner": {
        "partner_id": CONTOSO.id,
        "agreement": "x",
        "agreement_expires": "2027-06-30",
    },
    "add-partner": {
        **FOREIGN["add-partner"],
        "replaced_by": None,
        "agreement": "x",
        "agreement_expires": "2027-06-30",
    },
    "designate": {
        **FOREIGN["designate"],
        "managed_by": "p/s/n",
        "claim": "c",
        "former_partner_id": None,
    },
    "confirm": {**FOREIGN["confirm"], "partner_name": "x"},
}


@pytest.mark.parametrize("login", [ADMIN, EVE])
@pytest.mark.parametrize("operation", USUAL)
def test_each_argument_is_taken_or_there_is_one_line(
    standing: ServerBackend, operation: str, login: str
) -> None:
    usual = USUAL[operation]
    with connect(standing, login) as connection:
        for argument in usual:
            for value in VALUES:
                with connection.transaction(force_rollback=True):
                    reply = perform(connection, operation, **usual | {argument: value})
                    assert reply.keys() <= {"done", "refused", "conflict", "invalid"}, reply
                    assert reply.keys() == {"done"} or all(
                        isinstance(said, str) and said.replace("\u202e", "").isprintable()
                        for said in reply.values()
                    ), (argument, value, reply)
                    if login == EVE and HERS not in json.dumps(usual | {argument: value}):
                        assert "done" not in reply, (argument, value)


@pytest.mark.parametrize("login", [ADMIN, EVE])
def test_no_argument_breaks_anything_for_anybody(backend: ServerBackend, login: str) -> None:
    with connect(backend, login) as connection:
        for operation, usual in USUAL.items():
            for argument in usual:
                for value in VALUES:
                    perform(connection, operation, **usual | {argument: value})
            assert_readable(backend)


def assert_readable(backend: ServerBackend) -> None:
    """What the registry holds can be read by everybody, and the log accounts for all of it."""
    registry = backend.registry()
    registry.read()
    registry.access.removed()
    for entry in registry.audit.entries():
        if entry.provenance is not None:
            assert isinstance(json.loads(entry.provenance), dict)
    assert registry.verify().problems == ()


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        "null",
        "[]",
        "1",
        '"x"',
        "{}",
        '{"seen": {}}',
        '{"seen": [1]}',
        "",
        "{",
        '{"subscription_id": "\\u0000"}',
        '{"subscription_id": "\\ud800"}',
        '{"a": NaN}',
        '{"a": 1e999999}',
        '{"subscription_id": ' + "[" * 50_000 + "]" * 50_000 + "}",
        json.dumps({**OWN_DESIGNATION, "managed_by": "x" * 10_000_000}),
        json.dumps({**OWN_DESIGNATION, "claim": ["x" * 4000] * 2000}),
    ],
    ids=lambda arguments: str(arguments)[:30],
)
def test_what_is_no_set_of_arguments_changes_nothing(
    standing: ServerBackend, standing_eve: Connection, arguments: str | None
) -> None:
    before = content(standing)
    for operation in FOREIGN:
        try:
            reply = call(standing_eve, operation, arguments)
        except (psycopg.errors.DataError, psycopg.errors.StatementTooComplex):
            pass
        else:
            assert reply.keys() & {"invalid", "refused"}, reply
    after = content(standing)
    assert after.pop("audit_log")[: len(before["audit_log"])] == before.pop("audit_log")
    assert after == before


@pytest.mark.parametrize(
    "provenance",
    [
        "",
        "x",
        "null",
        "[]",
        "1",
        '"x"',
        '{"a": 1}',
        '{"a": 1e5}',
        '{"a": [1]}',
        '{"a": {"b": "c"}}',
        '{"a": null}',
        '{"a": "\\u001b[31m"}',
        '{\n"a": "b"}',
        '{"a": "' + "x" * 5000 + '"}',
        "{" + ",".join(f'"{number}": "x"' for number in range(10_000)) + "}",
    ],
    ids=lambda provenance: provenance[:20],
)
def test_where_a_deployment_comes_from_is_something_that_can_be_read(
    standing: ServerBackend, standing_eve: Connection, provenance: str
) -> None:
    before = content(standing)
    reply = call(standing_eve, "designate", json.dumps(OWN_DESIGNATION), provenance=provenance)
    assert reply.keys() == {"invalid"}
    assert content(standing) == before


def test_a_long_provenance_is_kept_as_it_is(backend: ServerBackend, eve: Connection) -> None:
    provenance = json.dumps({f"key{number}": "x" * 1000 for number in range(20)})
    call(eve, "designate", json.dumps(OWN_DESIGNATION), provenance=provenance)
    assert backend.registry().audit.entries()[-1].provenance == provenance
    assert_readable(backend)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> ServerBackend:
    """A registry that tests write to, each at a subscription of its own."""
    made = filled(tmp_path_factory.getbasetemp())
    postgres.server().run(
        f"DROP SCHEMA hers; GRANT CREATE ON DATABASE {made.database} TO eve", made.database
    )
    return made


@pytest.fixture
def another(busy: ServerBackend) -> str:
    """Another subscription of Eve's, with the same designation."""
    subscription_id = str(uuid.uuid4())
    administrator = busy.registry(ADMIN)
    administrator.designations.designate(subscription_id, CONTOSO.id, seen_version=0, owner=None)
    administrator.roles.grant(Grant(EVE, Role.OWNER, f"/subscriptions/{subscription_id}"))
    return subscription_id


@pytest.mark.parametrize(
    "setting",
    [
        "standard_conforming_strings = off",
        "backslash_quote = on",
        "quote_all_identifiers = on",
        "transform_null_equals = on",
        "array_nulls = off",
        "DateStyle = 'German'",
        "IntervalStyle = 'sql_standard'",
        "TimeZone = 'Asia/Kathmandu'",
        "plpgsql.variable_conflict = use_column",
        "plpgsql.extra_errors = 'all'",
        "TimeZone = 'America/Caracas'",
        "client_encoding = 'LATIN1'",
        "row_security = off",
        "xmloption = document",
        "debug_parallel_query = on",
        "restrict_nonsystem_relation_kind = 'view, foreign-table'",
        "check_function_bodies = off",
        "default_transaction_isolation = 'repeatable read'",
        "default_transaction_deferrable = on",
        "search_path = ''",
        "enable_indexscan = off",
        "plan_cache_mode = force_generic_plan",
        "lock_timeout = 1",
    ],
)
def test_no_setting_of_a_session_changes_what_is_recorded(
    busy: ServerBackend, another: str, setting: str
) -> None:
    arguments = OWN_DESIGNATION | {"subscription_id": another}
    began = datetime.now(UTC)
    with connect(busy, EVE) as eve:
        eve.execute(f"SET {setting}".encode())
        row = perform(eve, "designate", **arguments)["done"]
        assert "refused" in perform(eve, "grant", **FOREIGN["grant"])
    assert (row["partner_id"], row["version"], row["designated_by"]) == (FABRIKAM.id, 2, EVE)
    entry = busy.registry().audit.entries(another)[-1]
    assert began - timedelta(minutes=1) < entry.at < datetime.now(UTC) + timedelta(minutes=1)
    assert_readable(busy)


CALL = (
    f"dpor.perform('withdraw', '{json.dumps({'subscription_id': 'HERS', 'seen_version': 1})}',"
    f" gen_random_uuid(), NULL, '{tables.SCHEMA}')"
)
WRAPPED = (
    f"SELECT {CALL} FROM generate_series(1, 3)",
    f"WITH a AS MATERIALIZED (SELECT {CALL}), b AS MATERIALIZED (SELECT {CALL}) SELECT * FROM a, b",
    (
        f"CREATE FUNCTION hers.wrapped() RETURNS jsonb STABLE LANGUAGE sql AS $$ SELECT {CALL} $$;"
        " SELECT hers.wrapped(), hers.wrapped()"
    ),
    (
        f"CREATE FUNCTION hers.wrapped() RETURNS jsonb STABLE LANGUAGE plpgsql AS $$ BEGIN"
        f" RETURN {CALL}; END $$; SELECT hers.wrapped(), hers.wrapped()"
    ),
    f"BEGIN; DECLARE c CURSOR FOR SELECT {CALL} FROM generate_series(1, 3); FETCH 2 FROM c; COMMIT",
    (
        f"DO $$ BEGIN BEGIN PERFORM {CALL}; RAISE division_by_zero; EXCEPTION WHEN division_by_zero"
        f" THEN PERFORM {CALL}; END; END $$"
    ),
    f"BEGIN; SELECT {CALL}; SAVEPOINT s; SELECT {CALL}; ROLLBACK TO s; SELECT {CALL}; COMMIT",
    (
        f"CREATE FUNCTION hers.wrapped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" PERFORM {CALL}; RETURN NEW; END $$; CREATE TABLE hers.t (a int);"
        " CREATE CONSTRAINT TRIGGER t AFTER INSERT ON hers.t DEFERRABLE"
        " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hers.wrapped();"
        " INSERT INTO hers.t VALUES (1), (2)"
    ),
    f"CREATE TABLE hers.t (a jsonb DEFAULT {CALL}); INSERT INTO hers.t DEFAULT VALUES",
    f"SELECT 1 WHERE {CALL} IS NOT NULL UNION SELECT 1 WHERE {CALL} IS NOT NULL",
    f"EXPLAIN ANALYZE SELECT {CALL}",
    f"COPY (SELECT {CALL}) TO STDOUT",
    f"PREPARE p AS SELECT {CALL}; EXECUTE p; EXECUTE p; EXECUTE p",
)


@pytest.mark.parametrize("statement", WRAPPED)
def test_however_it_is_called_a_change_is_made_once_and_recorded(
    busy: ServerBackend, another: str, statement: str
) -> None:
    before = len(busy.registry().audit.entries())
    with connect(busy, EVE) as eve:
        eve.execute("CREATE SCHEMA hers")
        line = eve.pgconn
        done = line.exec_(statement.replace("HERS", another).encode())
        if done.status == psycopg.pq.ExecStatus.COPY_OUT:
            while line.get_copy_data(0)[0] > 0:
                pass
            while line.get_result():
                pass
        else:
            assert not done.error_message
        eve.execute("DROP SCHEMA hers CASCADE")
    assert busy.live(another) is None
    assert len(busy.registry().audit.entries()) == before + 1
    assert_readable(busy)


def test_control_characters_are_known_in_every_locale() -> None:
    server = postgres.server()
    database = f"d{uuid.uuid4().hex}"
    server.run(
        f"CREATE DATABASE {database} OWNER {server.login(postgres.OWNER)} TEMPLATE template0"
        " ENCODING 'UTF8' LOCALE 'C'"
    )
    registry = init_registry(server.url(postgres.OWNER, database))
    for character in ("\x01", "\x1b", "\x7f", "\x85", "\x9b"):
        with pytest.raises(Invalid, match="holds a character that cannot be printed"):
            registry.partners.add(Partner("4567890", f"Contoso{character}"))
    registry.partners.add(Partner("4567890", "Contoso \xa0é日本\U0001f600"))
    assert registry.verify().problems == ()


@pytest.mark.parametrize("text", ["a\0b", "a\udc80b"])
def test_what_the_server_cannot_hold_is_one_line(backend: ServerBackend, text: str) -> None:
    with pytest.raises(Invalid) as raised:
        backend.registry(ADMIN).partners.rename(CONTOSO.id, text)
    assert str(raised.value).isprintable()
    assert backend.registry().read().directory.partners[CONTOSO.id].name == CONTOSO.name
