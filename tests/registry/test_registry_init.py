"""Making a registry, finding it, and what is said where there is none that can be used."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from support.backends import ADMIN, CONTOSO, Backend, ServerBackend
from support.capabilities import without_capabilities
from support.race import race

from dpor_provider.errors import Conflict, DporError, Invalid, Refused, Unavailable
from dpor_provider.model import Action, Grant, Role
from dpor_provider.registry import Owner, Registry, init_registry, open_registry, tables
from dpor_provider.registry import sqlite as sqlite_registry
from dpor_provider.registry.create import new_file
from dpor_provider.registry.database import Database
from dpor_provider.registry.registry import operating_system_user
from dpor_provider.registry.sqlite import Sqlite

EXTRA = 3
"""SQLite's number for `PRAGMA synchronous = EXTRA`."""

SUBSCRIPTION = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"

INIT = """
import sys
from dpor_provider.errors import Invalid
from dpor_provider.registry import init_registry
print("ready", flush=True)
sys.stdin.readline()
try:
    print(init_registry(sys.argv[1], principal=sys.argv[2]).identity())
except Invalid as error:
    print("refused:", error)
"""


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def path_of(home: Backend) -> Path:
    return Path(home.url.removeprefix("sqlite:///"))


def designate(registry: Registry) -> None:
    registry.designations.designate(SUBSCRIPTION, CONTOSO.id, seen_version=0, owner=None)


@contextmanager
def sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def one_line(error: pytest.ExceptionInfo[DporError]) -> str:
    text = str(error.value)
    assert text.isprintable(), text
    return text


@pytest.fixture
def unprivileged(tmp_path: Path) -> Iterator[None]:
    """Files' modes count, for root, too."""
    with without_capabilities():
        probe = tmp_path / "probe"
        probe.mkdir(mode=0o500)
        if os.access(probe, os.W_OK, effective_ids=True):
            pytest.skip("this user may write everywhere")
        yield


# --- Making one --------------------------------------------------------------------------------


def test_init_makes_an_empty_registry_with_its_maker_as_global_administrator(
    tmp_path: Path,
) -> None:
    made = init_registry(url_of(tmp_path / "registry.db"), principal="alice")
    content = made.read()
    assert content.grants == (Grant("alice", Role.GLOBAL_ADMINISTRATOR, "/"),)
    assert (content.designations, content.access, content.observations) == ({}, (), {})
    assert content.directory.partners == {}
    assert [(entry.actor, entry.action) for entry in made.audit.entries()] == [
        ("alice", Action.INIT)
    ]
    assert content.identity == open_registry(url_of(tmp_path / "registry.db")).identity()


def test_the_maker_is_the_operating_systems_user_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.setenv(variable, "mallory")
    made = init_registry(url_of(tmp_path / "registry.db"))
    assert made.principal == operating_system_user() != "mallory"


def test_only_its_owner_may_read_a_registry_and_nothing_else_is_left(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        init_registry(url_of(tmp_path / "deep" / "er" / "registry.db"))
    finally:
        os.umask(umask)
    made = tmp_path / "deep" / "er" / "registry.db"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert list(made.parent.iterdir()) == [made]
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert open_registry(url_of(made)).exposed() is None


@pytest.fixture
def permissive() -> Iterator[None]:
    """Files are made as open as whoever makes them asks for."""
    umask = os.umask(0)
    yield
    os.umask(umask)


def modes_beside(file: Path) -> dict[str, int]:
    """The modes of the files of a registry, by what their names have more than its own."""
    return {
        path.name.removeprefix(file.name): stat.S_IMODE(path.stat().st_mode)
        for path in file.parent.iterdir()
    }


@pytest.mark.parametrize(
    ("version", "beside"),
    [((3, 51, 2), {"-journal"}), (sqlite_registry.WAL_SAFE, {"-wal", "-shm"})],
)
def test_what_sqlite_keeps_beside_a_registry_is_its_owners_alone(
    tmp_path: Path,
    permissive: None,
    monkeypatch: pytest.MonkeyPatch,
    version: tuple[int, int, int],
    beside: set[str],
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    file = tmp_path / "registry.db"
    init_registry(url_of(file))
    with Database(Sqlite(make_url(url_of(file)))).write() as connection:
        connection.exec_driver_sql("DELETE FROM grants")
        assert modes_beside(file) == dict.fromkeys({"", *beside}, 0o600)


def test_a_registry_in_the_making_is_its_owners_alone(tmp_path: Path, permissive: None) -> None:
    seen: dict[str, int] = {}

    def look(connection: Connection) -> None:
        (new,) = tmp_path.glob("*.new")
        seen.update(modes_beside(new))

    new_file(make_url(url_of(tmp_path / "registry.db")), look)
    assert seen == {"": 0o600, "-journal": 0o600}


def test_a_folder_where_others_may_replace_the_registry_is_named(home: Backend) -> None:
    folder = path_of(home).parent
    folder.chmod(0o777)
    assert f"{folder} can be written by others" in (home.registry().exposed() or "")
    # Where the sticky bit is set, only a file's owner may replace it.
    folder.chmod(0o1777)
    assert home.registry().exposed() is None
    folder.chmod(0o700)


def test_two_registries_have_different_identities(tmp_path: Path) -> None:
    one, other = (init_registry(url_of(tmp_path / name)).identity() for name in ("one", "other"))
    assert one != other


def test_a_second_init_is_refused_and_changes_nothing(home: Backend) -> None:
    before = path_of(home).read_bytes()
    with pytest.raises(Invalid, match="exists already and was left as it is") as error:
        init_registry(home.url, principal="mallory")
    one_line(error)
    assert path_of(home).read_bytes() == before
    assert list(path_of(home).parent.iterdir()) == [path_of(home)]


@pytest.mark.parametrize("content", [b"", b"something else"])
def test_init_leaves_a_file_that_is_no_registry_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "registry.db"
    file.write_bytes(content)
    with pytest.raises(Invalid, match="exists already"):
        init_registry(url_of(file))
    assert file.read_bytes() == content


def test_init_does_not_follow_a_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "registry.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(Invalid, match="exists already"):
        init_registry(url_of(tmp_path / "registry.db"))
    assert not (tmp_path / "elsewhere.db").exists()


def test_of_many_concurrent_inits_exactly_one_wins(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    names = [f"maker-{number}" for number in range(4)]
    said = race(INIT, ((url_of(file), name) for name in names))
    winners = [
        (name, text) for name, text in zip(names, said, strict=True) if "refused" not in text
    ]
    registry = open_registry(url_of(file))
    assert winners == [(registry.roles.all()[0].principal, registry.identity())]
    assert sum("exists already" in text for text in said) == len(names) - 1
    assert list(tmp_path.iterdir()) == [file]


def test_an_init_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.grants, "name", "no_such_table")
    with pytest.raises(Unavailable, match=r"cannot make a registry at .*no_such_table") as error:
        init_registry(url_of(tmp_path / "registry.db"))
    one_line(error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["file", "file/folder"])
def test_init_below_a_file_says_that_it_is_no_folder(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(
        Unavailable, match=r"cannot make a registry at .*: Not a directory"
    ) as error:
        init_registry(url_of(tmp_path / below / "registry.db"))
    one_line(error)
    assert (tmp_path / "file").read_text() == "kept"


def test_init_in_a_folder_that_may_not_be_written_says_so(
    tmp_path: Path, unprivileged: None
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)
    with pytest.raises(Unavailable, match="Permission denied") as error:
        init_registry(url_of(folder / "registry.db"))
    one_line(error)
    assert list(folder.iterdir()) == []


# --- Nothing else makes one --------------------------------------------------------------------


USES: dict[str, Callable[[Registry], object]] = {
    "identity": Registry.identity,
    "read": Registry.read,
    "designations": lambda registry: registry.designations.all(),
    "find": lambda registry: registry.designations.find(SUBSCRIPTION),
    "directory": lambda registry: registry.partners.directory(),
    "observations": lambda registry: registry.observations.all(),
    "roles": lambda registry: registry.roles.all(),
    "access": lambda registry: registry.access.all(),
    "audit": lambda registry: registry.audit.entries(),
    "designate": designate,
    "add a partner": lambda registry: registry.partners.add(CONTOSO),
    "grant": lambda registry: registry.roles.grant(Grant("bob", Role.OWNER, "/")),
    "add access": lambda registry: registry.access.add("/", "sp", "Reader", CONTOSO.id),
    "import": lambda registry: registry.observations.record([]),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_whatever_is_done_with_a_missing_registry_says_how_to_make_one(
    tmp_path: Path, use: Callable[[Registry], object]
) -> None:
    registry = open_registry(url_of(tmp_path / "folder" / "registry.db"))
    with pytest.raises(Unavailable, match=r"no registry at .*: dpor registry init") as error:
        use(registry)
    one_line(error)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_registrys_place_is_no_registry(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no registry at"):
        open_registry(url_of(tmp_path)).read()


def test_a_path_that_no_file_can_have_is_unavailable(tmp_path: Path) -> None:
    for attempt in (lambda url: open_registry(url).read(), init_registry):
        with pytest.raises(Unavailable, match="File name too long") as error:
            attempt(url_of(tmp_path / ("x" * 300)))
        one_line(error)


# --- The URL -----------------------------------------------------------------------------------


def test_a_relative_path_counts_from_the_pulumi_project_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, inside = tmp_path / "project", tmp_path / "project" / "a" / "b"
    inside.mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: x")
    (inside / "Pulumi.dev.yaml").write_text("")
    monkeypatch.chdir(inside)
    made = init_registry(None)
    assert (project / ".dpor" / "registry.db").is_file()
    for found in (
        open_registry("sqlite:///.dpor/registry.db", start=project / "a"),
        open_registry("", start=project),
        open_registry("sqlite:///../project/.dpor/registry.db"),
        open_registry(None, start=Path()),
    ):
        assert found.identity() == made.identity()


def test_the_nearest_project_counts(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    for folder in (tmp_path, inner):
        (folder / "Pulumi.yaml").write_text("name: x")
    init_registry("sqlite:///r.db", start=inner)
    assert (inner / "r.db").is_file()


def test_without_a_project_a_relative_path_counts_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    init_registry("sqlite:///r.db")
    assert (tmp_path / "r.db").is_file()


def test_an_opened_registry_stays_where_it_is_when_the_working_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = init_registry("sqlite:///r.db", start=Path())
    monkeypatch.chdir("/")
    assert made.read().identity


@pytest.mark.parametrize(
    "url",
    [
        "registry.db",
        "://",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:registry.db?uri=true",
        "sqlite:///registry.db?mode=ro",
        "sqlite:///regis\0try.db",
        "sqlite://registry.db",
        "sqlite://host/registry.db",
        "sqlite://host:port/registry.db",
        "mysql://host/registry",
        "postgresql://host:port/registry",
    ],
)
def test_a_url_that_names_no_file_is_invalid(url: str) -> None:
    with pytest.raises(Invalid, match="sqlite:///PATH") as error:
        open_registry(url)
    one_line(error)
    with pytest.raises(Invalid):
        init_registry(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@host/registry",
        "postgresql://host/registry?password=hunter2",
        "postgresql://user:hunter2@host:port/registry",
        "sqlite://user:hunter2@/registry.db",
        "user:hunter2@host",
    ],
)
def test_a_password_in_a_url_is_never_shown(url: str) -> None:
    with pytest.raises(Invalid) as error:
        open_registry(url)
    assert "hunter2" not in str(error.value)


# --- Schema and connection ---------------------------------------------------------------------


def test_the_migrations_make_what_the_tables_say(home: Backend) -> None:
    engine = sqlite_registry.connect(make_url(home.url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_the_schema_that_is_asked_for_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "dpor_provider:registry/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [tables.SCHEMA]


def settings_of(connection: Connection) -> dict[str, object]:
    return {
        name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }


def test_every_connection_is_set_up_for_this_version_of_sqlite(home: Backend) -> None:
    opened = Database(Sqlite(make_url(home.url)))
    for transaction in (opened.write, opened.read):
        with transaction() as connection:
            assert settings_of(connection) == {
                "journal_mode": "wal" if sqlite3.sqlite_version_info >= (3, 51, 3) else "delete",
                "synchronous": EXTRA,
                "foreign_keys": 1,
                "busy_timeout": 30_000,
            }


@pytest.mark.parametrize(
    ("version", "mode"),
    [((3, 51, 2), "delete"), ((3, 51, 3), "wal"), ((3, 53, 0), "wal")],
)
def test_wal_is_used_only_where_sqlite_has_no_wal_reset_bug(
    home: Backend,
    monkeypatch: pytest.MonkeyPatch,
    version: tuple[int, int, int],
    mode: str,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    opened = Database(Sqlite(make_url(home.url)))
    with opened.read() as connection:
        assert settings_of(connection)["journal_mode"] == "delete"
    with opened.write() as connection:
        assert settings_of(connection)["journal_mode"] == mode


def test_a_reader_sees_one_moment_while_another_writes(home: Backend) -> None:
    opened = Database(Sqlite(make_url(home.url)))
    with opened.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM audit_log").scalar_one()
    with opened.write() as connection:
        connection.exec_driver_sql("DELETE FROM audit_log")
        with opened.read() as other:
            seen = other.exec_driver_sql("SELECT count(*) FROM audit_log").scalar_one()
    assert seen == before


def test_a_write_holds_the_lock_from_its_start(
    home: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_registry, "BUSY_TIMEOUT_S", 0)
    one, other = (Database(Sqlite(make_url(home.url))) for _ in range(2))
    with (
        one.write(),
        pytest.raises(Unavailable, match="database is locked: another process"),
        other.write(),
    ):
        pytest.fail("two writers at once")


# --- What cannot be used -----------------------------------------------------------------------


def make_foreign(file: Path) -> None:
    with sqlite(file) as connection:
        connection.execute("CREATE TABLE designations (subscription_id TEXT)")


def make_text(file: Path) -> None:
    file.write_text("subscriptions:\n" * 1000)


def make_empty(file: Path) -> None:
    file.write_bytes(b"")


def make_registry_without_tables(file: Path) -> None:
    with sqlite(file) as connection:
        connection.execute(f"PRAGMA application_id = {sqlite_registry.APPLICATION_ID}")


def make_truncated(file: Path) -> None:
    init_registry(url_of(file))
    file.write_bytes(file.read_bytes()[: 4096 * 3 + 100])


def make_newer(file: Path) -> None:
    init_registry(url_of(file))
    with sqlite(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (make_foreign, "is a SQLite file, but no registry; .*: dpor registry init"),
        (make_empty, "is a SQLite file, but no registry"),
        (make_text, "file is not a database: .* restore it from a backup"),
        (make_registry_without_tables, "no such table: alembic_version"),
        (make_truncated, "malformed: .* restore it from a backup"),
        (make_newer, "has schema 9999, .* knows 0004; upgrade dpor-provider"),
    ],
)
def test_what_is_no_usable_registry_is_unavailable_in_one_line_and_stays_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    file = tmp_path / "registry.db"
    make(file)
    before = file.read_bytes()
    for use in (Registry.read, designate):
        with pytest.raises(Unavailable, match=said) as error:
            use(open_registry(url_of(file)))
        assert str(file) in one_line(error)
    assert file.read_bytes() == before


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("sound") / "registry.db"
    registry = init_registry(url_of(file))
    registry.partners.add(CONTOSO)
    registry.roles.grant(Grant(ADMIN, Role.OWNER, "/"))
    registry.access.add("/", "sp-contoso", "Reader", CONTOSO.id)
    designate(registry)
    return file.read_bytes()


@pytest.mark.survives("damaged registries, 25 of each")
@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_registry_is_read_or_unavailable(tmp_path: Path, sound: bytes, seed: int) -> None:
    file = tmp_path / "registry.db"
    used = [index for index, byte in enumerate(sound) if byte]
    chance = random.Random(seed)
    for _ in range(25):
        content = bytearray(sound)
        for index in chance.choices(used, k=chance.randint(1, 20)):
            content[index] = chance.randrange(256)
        file.write_bytes(content)
        for use in (Registry.read, designate):
            said = ""
            try:
                use(open_registry(url_of(file)))
            except (Unavailable, Conflict, Refused) as error:
                said = str(error)
            assert said.isprintable()


def test_a_value_that_cannot_be_read_is_unavailable_and_never_skipped(home: Backend) -> None:
    with sqlite(path_of(home)) as connection:
        connection.execute("UPDATE grants SET role = 'Emperor'")
    for use in (Registry.read, designate):
        with pytest.raises(Unavailable, match="cannot be read; restore it") as error:
            use(home.registry())
        one_line(error)


def test_a_registry_that_another_process_holds_is_unavailable(
    home: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_registry, "BUSY_TIMEOUT_S", 0)
    with sqlite(path_of(home)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        for use in (Registry.read, designate):
            with pytest.raises(Unavailable, match=r"database is locked: .* try again") as error:
                use(home.registry())
            one_line(error)
        holder.execute("ROLLBACK")
    designate(home.registry())


def test_readers_are_let_in_while_another_process_prepares_a_write(
    home: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_registry, "BUSY_TIMEOUT_S", 0)
    with sqlite(path_of(home)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert home.registry().read().identity
        with pytest.raises(Unavailable, match="database is locked"):
            designate(home.registry())
        holder.execute("ROLLBACK")


@pytest.mark.parametrize("version", [sqlite3.sqlite_version_info, sqlite_registry.WAL_SAFE])
@pytest.mark.parametrize(("file", "folder"), [(0o400, 0o500), (0o400, 0o700), (0o600, 0o500)])
def test_a_registry_that_may_only_be_read_can_be_read_and_says_why_it_is_not_written(
    home: Backend,
    unprivileged: None,
    monkeypatch: pytest.MonkeyPatch,
    file: int,
    folder: int,
    version: tuple[int, int, int],
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    path = path_of(home)
    path.chmod(file)
    path.parent.chmod(folder)
    try:
        assert home.registry().read().identity
        with pytest.raises(Unavailable, match="this user may not write") as error:
            designate(home.registry())
        one_line(error)
    finally:
        path.parent.chmod(0o700)


def test_a_copy_can_be_read_where_a_write_ahead_log_cannot(
    home: Backend, unprivileged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", sqlite_registry.WAL_SAFE)
    designate(home.registry())
    folder = path_of(home).parent
    home.registry().backup(folder / "copy.db")
    folder.chmod(0o500)
    try:
        with pytest.raises(Unavailable, match="make a copy") as error:
            home.registry().read()
        assert str(path_of(home)) in one_line(error)
        assert SUBSCRIPTION in open_registry(url_of(folder / "copy.db")).read().designations
    finally:
        folder.chmod(0o700)


def test_an_older_sqlite_that_may_not_write_a_write_ahead_log_says_what_to_do(
    home: Backend, unprivileged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(sqlite3, "sqlite_version_info", sqlite_registry.WAL_SAFE)
        designate(home.registry())
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    path_of(home).chmod(0o400)
    for use in (Registry.read, designate):
        with pytest.raises(Unavailable, match=r"a newer one .* let who may write here") as error:
            use(home.registry())
        assert str(path_of(home)) in one_line(error)
    # What the attempts left beside it is as the file is.
    for path in path_of(home).parent.glob("registry.db*"):
        path.chmod(0o600)
    copy = path_of(home).with_name("copy.db")
    home.registry().backup(copy)
    copy.chmod(0o400)
    assert SUBSCRIPTION in open_registry(url_of(copy)).read().designations


def test_what_others_may_read_keeps_no_write_ahead_log(
    home: Backend, unprivileged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", sqlite_registry.WAL_SAFE)
    home.designate(SUBSCRIPTION, CONTOSO)
    path_of(home).chmod(0o640)
    home.designate(str(uuid.uuid4()), CONTOSO)
    folder = path_of(home).parent
    folder.chmod(0o500)
    try:
        assert SUBSCRIPTION in home.registry().read().designations
    finally:
        folder.chmod(0o700)


def test_a_registry_that_may_not_be_read_says_so(home: Backend, unprivileged: None) -> None:
    path_of(home).chmod(0)
    with pytest.raises(Unavailable) as error:
        home.registry().read()
    assert str(path_of(home)) in one_line(error)


def name_a_partner(registry: Registry) -> object:
    return registry.partners.rename(CONTOSO.id, "Contoso \ud800 Group")


def own(registry: Registry) -> object:
    owner = Owner("a/\ud800/x", "c")
    return registry.designations.designate(SUBSCRIPTION, CONTOSO.id, seen_version=0, owner=owner)


def be_refused(registry: Registry) -> None:
    registry.roles.grant(Grant("\ud800", Role.OWNER, "/"))


@pytest.mark.parametrize("use", [name_a_partner, own, be_refused])
@pytest.mark.parametrize("who", [ADMIN, "nobody"])
def test_what_is_no_text_is_refused_in_one_line_and_is_no_damage(
    backend: Backend, use: Callable[[Registry], object], who: str
) -> None:
    before = backend.registry().audit.head()
    with pytest.raises((Invalid, Refused)) as error:
        use(backend.registry(who))
    said = one_line(error)
    if who == ADMIN and not isinstance(backend, ServerBackend):
        assert "\\ud800" in said
        assert "half a character (a lone surrogate" in said
        assert backend.registry().audit.head() == before
    assert backend.registry().verify().problems == ()


def test_who_has_waited_for_its_turn_is_asked_once_more_before_it_commits(home: Backend) -> None:
    def nobody_waits() -> None:
        raise InterruptedError

    before = home.registry().audit.head()
    with pytest.raises(InterruptedError):
        designate(open_registry(home.url, principal=ADMIN, before_commit=nobody_waits))
    assert home.registry().audit.head() == before
    assert home.registry().designations.all() == {}
    designate(home.registry())


def test_a_mistake_of_ours_is_not_called_damage(home: Backend) -> None:
    database = Database(Sqlite(make_url(home.url)))
    with pytest.raises(ValueError, match="a mistake of ours"), database.write():
        raise ValueError("a mistake of ours")


DAMAGES = [
    ("grants", "role", "'Emperor'"),
    ("partners", "status", "'resting'"),
    ("partners", "agreement_expires", "'tomorrow'"),
    *(("partners", "former_ids", value) for value in ("'[1]'", "'[[['", "'5'", "'null'", "x'00'")),
    *(("partners", "name", value) for value in ("x'00'",)),
    *(("designations", "version", value) for value in ("'many'", "x'00'")),
    *(("designations", "effective", value) for value in ("'no'", "2", "x'00'")),
    *(("designations", "designated_at", value) for value in ("'today'", "5", "x'00'")),
]


@pytest.mark.parametrize(("table", "column", "value"), DAMAGES)
def test_what_no_version_writes_is_unavailable(
    home: Backend, table: str, column: str, value: str
) -> None:
    home.designate(SUBSCRIPTION, CONTOSO)
    with sqlite(path_of(home)) as connection:
        connection.execute(f"UPDATE {table} SET {column} = {value}")
    with pytest.raises(Unavailable, match="cannot be read; restore it") as error:
        home.registry().read()
    one_line(error)
