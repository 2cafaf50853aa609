"""What happens to a change when the connection to the server is lost, or others are in the way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from support import postgres, released
from support.backends import ADMIN, CONTOSO, ServerBackend, postgresql_portal
from support.race import race
from support.thorough import THOROUGH, Survived

from dpor_provider.errors import DporError, Invalid, Unavailable
from dpor_provider.model import Action, Grant, Role
from dpor_provider.registry import (
    Registry,
    init_registry,
    open_registry,
    tables,
    upgrade_registry,
)
from dpor_provider.registry.postgresql import calls, server
from dpor_provider.registry.registry import operating_system_user
from dpor_provider.registry.url import resolve

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"

pytestmark = pytest.mark.survives("faults of a server and its connections")


@pytest.fixture
def backend(tmp_path: Path) -> ServerBackend:
    """A registry on a server."""
    made = postgresql_portal(tmp_path)
    assert isinstance(made, ServerBackend)
    return made


class Proxy:
    """Stands between the registry and its server, and cuts the line once when it is told to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut = ""
        """`request`: what is asked is not passed on. `answer`: what is answered is not."""
        self.times = 1
        self.since = b"dpor.perform"
        """What a client has said before its line is cut."""
        self.later = 0
        """How many times what is to be cut is passed on first."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let nobody connect any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(f"{postgres.server().folder}/.s.PGSQL.5432")
                line = _Line(self, client, server)
                threading.Thread(target=line.requests, daemon=True).start()
                threading.Thread(target=line.answers, daemon=True).start()


class _Line:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._asked = False
        self._unanswered = False

    def requests(self) -> None:
        """Pass on what the client says."""
        with suppress(OSError):
            while data := self._client.recv(65536):
                self._asked = self._asked or self._proxy.since in data
                if self._asked and self._cut("request"):
                    break
                self._unanswered = True
                self._server.sendall(data)
        self._close()

    def answers(self) -> None:
        """Pass on what the server says."""
        with suppress(OSError):
            while data := self._server.recv(65536):
                # An answer comes in one piece or in more, and counts once.
                begins, self._unanswered = self._unanswered, False
                if self._asked and begins and self._cut("answer"):
                    break
                self._client.sendall(data)
        self._close()

    def _cut(self, what: str) -> bool:
        if self._proxy.cut != what or not self._proxy.times:
            return False
        if self._proxy.later:
            self._proxy.later -= 1
            return False
        self._proxy.times -= 1
        return True

    def _close(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before the server."""
    made = Proxy()
    yield made
    made.close()


def through(proxy: Proxy, backend: ServerBackend) -> Registry:
    """The registry, over the proxy."""
    return open_registry(url_through(proxy, operating_system_user(), backend.database))


def url_through(proxy: Proxy, login: str, database: str) -> str:
    return f"postgresql+psycopg://{login}@127.0.0.1:{proxy.port}/{database}?sslmode=disable"


def designate(registry: Registry, subscription_id: str = ONE) -> int:
    row = registry.designations.designate(subscription_id, CONTOSO.id, seen_version=0, owner=None)
    return row.version


@pytest.mark.parametrize("cut", ["request", "answer"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_change_whose_connection_is_lost_is_made_once(
    backend: ServerBackend, proxy: Proxy, cut: str, times: int
) -> None:
    registry = through(proxy, backend)
    before = len(backend.registry().audit.entries())
    proxy.cut, proxy.times = cut, times
    assert designate(registry) == 1
    assert proxy.times == 0
    assert len(backend.registry().audit.entries()) == before + 1
    assert backend.live(ONE) == CONTOSO.id
    assert backend.registry().verify().problems == ()


@pytest.mark.parametrize(("cut", "made"), [("request", False), ("answer", True)])
def test_where_the_server_stays_away_nobody_is_told_what_is_not_known(
    backend: ServerBackend, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, cut: str, made: bool
) -> None:
    monkeypatch.setattr(calls, "PATIENCE_S", 0.5)
    registry = through(proxy, backend)
    proxy.cut, proxy.times = cut, 1000
    with pytest.raises(Unavailable) as raised:
        designate(registry)
    assert "whether the change was recorded is not known" in str(raised.value)
    assert str(raised.value).isprintable()
    assert (backend.live(ONE) == CONTOSO.id) is made
    proxy.cut = ""
    if not made:
        assert designate(registry) == 1


def test_a_server_that_is_not_there_is_one_line_at_once(
    backend: ServerBackend, proxy: Proxy
) -> None:
    registry = through(proxy, backend)
    proxy.close()
    for use in (registry.read, lambda: designate(registry)):
        with pytest.raises(Unavailable, match="Connection refused") as raised:
            use()
        assert str(raised.value).isprintable()
        assert "not known" not in str(raised.value)


def test_a_connection_that_went_stale_in_the_pool_is_no_error(backend: ServerBackend) -> None:
    registry = backend.registry()
    registry.read()
    end_sessions(backend)
    assert designate(registry) == 1
    end_sessions(backend)
    assert registry.read().designations[ONE].version == 1


def end_sessions(backend: ServerBackend) -> None:
    postgres.server().run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{backend.database}'"
    )


def waiting(backend: ServerBackend) -> int:
    """The process on the server that waits for a lock, as soon as there is one."""
    query = (
        "SELECT pid FROM pg_stat_activity"
        f" WHERE datname = '{backend.database}' AND wait_event_type = 'Lock'"
    )
    with postgres.server().connect("postgres", "postgres") as administrator:
        while not (row := administrator.execute(query.encode()).fetchone()):
            time.sleep(0.01)
    return int(str(row[0]))


@pytest.mark.parametrize("ended", ["by an administrator", "by a crash of the server"])
def test_a_session_that_ends_while_it_waits_makes_its_change_once(
    backend: ServerBackend, ended: str
) -> None:
    registry = backend.registry()
    registry.read()
    before = len(registry.audit.entries())
    with ThreadPoolExecutor(1) as pool:
        holder = postgres.server().connect(postgres.OWNER, backend.database)
        holder.execute("BEGIN")
        holder.execute("SELECT id FROM dpor.registry FOR UPDATE")
        change = pool.submit(designate, registry)
        process = waiting(backend)
        if ended == "by an administrator":
            postgres.server().run(f"SELECT pg_terminate_backend({process})")
            holder.execute("ROLLBACK")
        else:
            # The server then ends every session, and recovers.
            os.kill(process, signal.SIGKILL)
        assert change.result() == 1
        holder.close()
    assert len(registry.audit.entries()) == before + 1
    assert registry.verify().problems == ()


DESIGNATING = """
import sys
from dpor_provider.registry import open_registry
url, one, partner = sys.argv[1:]
open_registry(url).designations.designate(one, partner, seen_version=0, owner=None)
"""


def test_what_a_client_asked_for_that_was_killed_while_it_waited_is_not_done(
    backend: ServerBackend,
) -> None:
    with backend.held():
        client = subprocess.Popen([sys.executable, "-c", DESIGNATING, backend.url, ONE, CONTOSO.id])
        waiting(backend)
        client.kill()
        client.wait()
    # Whoever still waited would have had its turn before this.
    other = backend.designate(str(uuid.uuid4()), CONTOSO)
    assert set(backend.registry().designations.all()) == {other.subscription_id}


ENDS_AT_THE_FIRST_COMMIT = """
CREATE SEQUENCE public.commits;
CREATE FUNCTION public.end_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF nextval('public.commits') = 1 THEN
    PERFORM pg_terminate_backend(pg_backend_pid());
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON dpor.audit_log DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION public.end_session()
"""


def test_a_session_that_ends_in_its_commit_makes_its_change_once(backend: ServerBackend) -> None:
    registry = backend.registry()
    before = len(registry.audit.entries())
    postgres.server().run(ENDS_AT_THE_FIRST_COMMIT, backend.database)
    assert designate(registry) == 1
    with postgres.server().connect("postgres", backend.database) as administrator:
        commits = administrator.execute("SELECT last_value FROM public.commits").fetchone()
    assert commits == (2,)
    assert len(registry.audit.entries()) == before + 1
    assert registry.verify().problems == ()


def test_a_change_that_is_the_victim_of_a_deadlock_is_made_again(backend: ServerBackend) -> None:
    registry = backend.registry()
    before = len(registry.audit.entries())
    with (
        postgres.server().connect("postgres", backend.database) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("SET deadlock_timeout = '1min'")
        other.execute("BEGIN")
        other.execute("LOCK TABLE dpor.alembic_version")
        change = pool.submit(designate, registry)
        waiting(backend)
        other.execute("SELECT id FROM dpor.registry FOR UPDATE")
        other.execute("COMMIT")
        assert change.result() == 1
    assert statistic(backend, "deadlocks") == 1
    assert len(registry.audit.entries()) == before + 1
    assert registry.verify().problems == ()


def test_eight_threads_share_one_registry(backend: ServerBackend) -> None:
    registry = backend.registry()
    before = len(registry.audit.entries())
    subscriptions = [str(uuid.uuid4()) for _ in range(80)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda one: designate(registry, one), subscriptions)) == {1}
    assert registry.read().designations.keys() == set(subscriptions)
    assert len(registry.audit.entries()) == before + 80
    assert registry.verify().problems == ()


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_changes_that_the_server_cannot_put_in_order_are_made_again(
    backend: ServerBackend, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"writer-{number}" for number in range(8)]
    administrator = backend.registry(ADMIN)
    for name in names:
        administrator.roles.grant(Grant(name, Role.OWNER, "/"))
        postgres.server().run(
            f'ALTER ROLE "{name}" IN DATABASE {backend.database}'
            f" SET default_transaction_isolation = '{level}'"
        )
    registries = [backend.registry(name) for name in names]
    before = len(administrator.audit.entries())
    attempts: list[object] = []
    once = calls.Calls._once

    def counted(self: calls.Calls, values: dict[str, object]) -> dict[str, object]:
        attempts.append(values)
        return once(self, values)

    monkeypatch.setattr(calls.Calls, "_once", counted)
    arguments = json.dumps({"partner_id": CONTOSO.id, "name": "Contoso Group"})
    with (
        ThreadPoolExecutor(8) as pool,
        postgres.server().connect(ADMIN, backend.database) as other,
    ):
        other.execute("BEGIN")
        other.execute(
            "SELECT dpor.perform('rename-partner', %s::jsonb, gen_random_uuid(), NULL, %s)",
            [arguments, tables.SCHEMA],
        )
        changes = [pool.submit(designate, one, str(uuid.uuid4())) for one in registries]
        waiting(backend)
        other.execute("COMMIT")
        assert [change.result() for change in changes] == [1] * 8
    assert len(attempts) > 8
    assert len(administrator.audit.entries()) == before + 9
    assert administrator.verify().problems == ()


def statistic(backend: ServerBackend, column: str) -> int:
    """What the server has counted in the database."""
    query = f"SELECT {column} FROM pg_stat_database WHERE datname = current_database()"
    with postgres.server().connect("postgres", backend.database) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


INIT = """
import sys
from dpor_provider.errors import DporError
from dpor_provider.registry import init_registry
print("ready", flush=True)
sys.stdin.readline()
try:
    print(init_registry(sys.argv[1]).identity())
except DporError as error:
    print(error)
"""


def test_of_four_inits_at_once_one_wins(backend: ServerBackend) -> None:
    del backend
    url = postgres.server().url(postgres.OWNER, postgres.server().database())
    said = race(INIT, [(url,)] * 4)
    identity = open_registry(url).identity()
    assert said.count(identity) == 1
    assert sum("has a schema dpor already" in line for line in said) == 3
    assert open_registry(url).verify().problems == ()


def test_init_needs_a_place_and_the_right_to_it(backend: ServerBackend) -> None:
    with pytest.raises(Invalid, match="which was left as it is; look at it with: dpor registry"):
        init_registry(backend.url_as(postgres.OWNER))
    empty = postgres.server().url("bob", postgres.server().database())
    with pytest.raises(Unavailable, match="permission denied for database"):
        init_registry(empty)
    with pytest.raises(Unavailable, match="there is no registry in this database; make one with"):
        open_registry(empty).read()


def outdate(backend: ServerBackend, schema: str) -> None:
    with postgres.server().connect(postgres.OWNER, backend.database) as connection:
        connection.execute("UPDATE dpor.alembic_version SET version_num = %s", [schema])


@pytest.mark.parametrize(
    ("schema", "said"),
    [("9999", "upgrade dpor-provider"), ("0002", "a Global Administrator runs: dpor registry")],
)
def test_a_registry_of_another_schema_is_not_touched(
    backend: ServerBackend, schema: str, said: str
) -> None:
    registry = backend.registry()
    outdate(backend, schema)
    attempts: tuple[Callable[[], object], ...] = (registry.read, lambda: designate(registry))
    for attempt in attempts:
        with pytest.raises(Unavailable, match=said):
            attempt()
    if schema == "9999":
        with pytest.raises(Unavailable, match=said):
            upgrade_registry(backend.url_as(postgres.OWNER))
    with postgres.server().connect(postgres.OWNER, backend.database) as connection:
        rows = connection.execute("SELECT FROM dpor.designations").fetchall()
    assert rows == []


@contextmanager
def refused(said: str) -> Iterator[None]:
    with pytest.raises(DporError, match=said) as raised:
        yield
    assert str(raised.value).isprintable()


def test_an_upgrade_is_for_an_administrator_who_owns_the_schema(backend: ServerBackend) -> None:
    outdate(backend, "0002")
    with refused("admin may not upgrade the registry: only registry_owner may, who owns its sch"):
        upgrade_registry(backend.url_as(ADMIN))
    with refused("only a Global Administrator may"):
        upgrade_registry(backend.url_as(postgres.OWNER))


def test_an_upgrade_mends_functions_of_the_same_schema(backend: ServerBackend) -> None:
    url = backend.url_as(postgres.OWNER)
    backend.registry(ADMIN).roles.grant(Grant(postgres.OWNER, Role.GLOBAL_ADMINISTRATOR, "/"))
    with refused("which is the newest"):
        upgrade_registry(url)
    with postgres.server().connect(postgres.OWNER, backend.database) as owner:
        owner.execute(
            "CREATE OR REPLACE FUNCTION dpor.digest(text) RETURNS text LANGUAGE sql"
            " RETURN repeat('0', 64)"
        )
    assert upgrade_registry(url) == (tables.SCHEMA, tables.SCHEMA)
    with refused("which is the newest"):
        upgrade_registry(url)
    registry = backend.registry(ADMIN)
    assert registry.audit.entries()[-1].detail == f"functions of schema {tables.SCHEMA}"
    designate(registry)
    assert registry.verify().problems == ()


OLDER = [one for one in released.schemas("postgresql") if one in tables.OLDER]


def as_released(schema: str) -> ServerBackend:
    """A registry with content, as an older version made it; its owner administers it."""
    database = released.load_database(schema)
    made = ServerBackend("", "portal", database)
    return ServerBackend(made.url_as(operating_system_user()), "portal", database)


@pytest.fixture(params=OLDER)
def older(request: pytest.FixtureRequest) -> ServerBackend:
    """A registry of an older schema."""
    return as_released(str(request.param))


def test_an_upgrade_keeps_everything_and_everybody(older: ServerBackend) -> None:
    with postgres.server().connect(postgres.OWNER, older.database) as owner:
        owner.execute("CREATE TABLE dpor.of_a_later_schema ()")
        owner.execute("SELECT dpor.admit('BOB')")
        owner.execute('REVOKE USAGE ON SCHEMA dpor FROM "BOB"')
    before = released.rows_of_database(older.database)
    url = older.url_as(postgres.OWNER)
    for registry in (open_registry(url), older.registry("bob"), older.registry("reader")):
        with pytest.raises(Unavailable, match="a Global Administrator runs: dpor registry upgrade"):
            registry.read()
    assert upgrade_registry(url)[1] == tables.SCHEMA
    assert released.lost(before, released.rows_of_database(older.database)) == {}
    registry = older.registry()
    entries = registry.audit.entries()
    assert len(entries) == len(before["audit_log"]) + 1
    assert (entries[-1].action, entries[-1].actor) == (Action.UPGRADE, postgres.OWNER)
    assert registry.read().designations[ONE].partner_id == released.FABRIKAM
    assert registry.verify().problems == ()
    assert older.registry("bob").designations.withdraw(ONE, seen_version=2).version == 3
    for login in ("bob", "reader"):
        with postgres.server().connect(login, older.database) as connection:
            connection.execute("SELECT * FROM dpor.of_a_later_schema")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM dpor.replies")
    with pytest.raises(Unavailable, match="permission denied for schema dpor"):
        open_registry(postgres.server().url("BOB", older.database)).read()
    assert registry.verify().problems == ()


@pytest.mark.parametrize("schema", released.schemas("postgresql"))
def test_an_upgraded_registry_is_made_as_a_new_one(schema: str) -> None:
    server = postgres.server()
    old, new = released.load_database(schema), server.database()
    init_registry(server.url(postgres.OWNER, new))
    for login in (released.DEPLOYER, released.READER):
        server.admit(login, new)
    with suppress(Invalid):
        upgrade_registry(server.url(postgres.OWNER, old))
    assert shape(old) == shape(new)


def shape(database: str) -> list[str]:
    """The SQL of a registry without its content; who was granted what comes in no order."""
    lines = postgres.server().dump(database, "--schema-only").splitlines()
    return sorted(lines, key=lambda line: line if line.startswith("GRANT") else "")


def cuts(proxy: Proxy, cut: str, run: Callable[[], object]) -> Iterator[None]:
    """Cut the line at one message after the other; some of them and the last ones in `make test`.

    What is run once, uncut, shows how many messages there are.
    """
    proxy.since, proxy.cut, proxy.later = b"", cut, EVER
    run()
    messages = EVER - proxy.later
    step = 1 if THOROUGH else messages // 6
    for later in sorted({*range(0, messages, step), *range(messages - 3, messages)}):
        proxy.cut, proxy.times, proxy.later = cut, 1, later
        yield
        assert proxy.times == 0
        proxy.cut = ""


EVER = 10**6


@pytest.mark.parametrize("cut", ["request", "answer"])
def test_an_init_whose_connection_is_lost_made_all_or_nothing(
    proxy: Proxy, cut: str, survived: Survived
) -> None:
    server = postgres.server()

    def init() -> str:
        database = server.database()
        init_registry(url_through(proxy, postgres.OWNER, database))
        return database

    whole = server.database()
    init_registry(server.url(postgres.OWNER, whole))
    for _ in cuts(proxy, cut, init):
        database = server.database()
        with one_clear_error("cannot make a registry"):
            init_registry(url_through(proxy, postgres.OWNER, database))
        proxy.cut = ""
        url = server.url(postgres.OWNER, database)
        with suppress(Invalid):
            init_registry(url)
        assert shape(database) == shape(whole)
        assert [entry.action for entry in open_registry(url).audit.entries()] == [Action.INIT]
        assert open_registry(url).verify().problems == ()
        survived("connections lost while a registry is made or upgraded", 1)


@pytest.mark.parametrize("cut", ["request", "answer"])
def test_an_upgrade_whose_connection_is_lost_did_all_or_nothing(
    proxy: Proxy, cut: str, survived: Survived
) -> None:
    server = postgres.server()

    def upgrade() -> None:
        upgrade_registry(url_through(proxy, postgres.OWNER, released.load_database(OLDER[-1])))

    whole = released.load_database(OLDER[-1])
    before = released.rows_of_database(whole)
    upgrade_registry(server.url(postgres.OWNER, whole))
    for _ in cuts(proxy, cut, upgrade):
        database = released.load_database(OLDER[-1])
        with one_clear_error("registry postgresql"):
            upgrade_registry(url_through(proxy, postgres.OWNER, database))
        proxy.cut = ""
        url = server.url(postgres.OWNER, database)
        with suppress(Invalid):
            upgrade_registry(url)
        assert shape(database) == shape(whole)
        assert released.lost(before, released.rows_of_database(database)) == {}
        entries = open_registry(url).audit.entries()
        assert [entry.action for entry in entries].count(Action.UPGRADE) == 1
        assert open_registry(url).verify().problems == ()
        survived("connections lost while a registry is made or upgraded", 1)


@contextmanager
def one_clear_error(about: str) -> Iterator[None]:
    """What may fail, in one line."""
    try:
        yield
    except Unavailable as error:
        said = str(error)
    else:
        return
    assert about in said
    assert said.isprintable()


UPGRADE = INIT.replace("init_registry", "upgrade_registry").replace(
    "print(upgrade_registry(sys.argv[1]).identity())", "print(upgrade_registry(sys.argv[1]))"
)


@pytest.mark.parametrize("older", OLDER[:1], indirect=True)
def test_of_four_upgrades_at_once_one_wins(older: ServerBackend) -> None:
    said = race(UPGRADE, [(older.url_as(postgres.OWNER),)] * 4)
    assert said.count(str((OLDER[0], tables.SCHEMA))) == 1
    assert sum("which is the newest" in line for line in said) == 3
    upgrades = [one for one in older.registry().audit.entries() if one.action is Action.UPGRADE]
    assert len(upgrades) == 1
    assert older.registry().verify().problems == ()


@pytest.mark.parametrize("older", OLDER[-1:], indirect=True)
def test_an_upgrade_waits_for_readers_and_not_for_ever(
    older: ServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LOCK_TIMEOUT_S", 0.2)
    url = older.url_as(postgres.OWNER)
    with postgres.server().connect("reader", older.database) as reader, reader.transaction():
        reader.execute("SELECT * FROM dpor.alembic_version")
        with pytest.raises(Unavailable, match="another session has held it for 30 s; try again"):
            upgrade_registry(url)
    assert upgrade_registry(url)[1] == tables.SCHEMA


def test_a_change_waits_for_an_upgrade_and_is_then_made(backend: ServerBackend) -> None:
    registry = backend.registry()
    owner = server.Postgresql(resolve(backend.url_as(postgres.OWNER)))
    with ThreadPoolExecutor(1) as pool:
        with owner.transaction(write=True) as connection:
            change = pool.submit(designate, registry)
            waiting(backend)
            server.install(connection)
        assert change.result() == 1
    assert statistic(backend, "deadlocks") == 0
    assert registry.verify().problems == ()
