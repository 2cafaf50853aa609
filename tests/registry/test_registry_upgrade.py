"""A registry that an older version made: left alone, upgraded on demand, and losing nothing."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest
from alembic.config import Config
from support import released
from support.backends import Backend
from support.race import race
from support.released import ONE, OTHER

from dpor_provider.errors import Invalid, Refused, Unavailable
from dpor_provider.model import Action, Agreement
from dpor_provider.registry import tables, upgrade_registry

ON_A_SERVER_SINCE = "0003"


@pytest.fixture(params=tables.OLDER)
def schema(request: pytest.FixtureRequest) -> str:
    """The schema of an older version."""
    return str(request.param)


@pytest.fixture
def older(schema: str, tmp_path: Path) -> Backend:
    """A registry with content, as an older version made it."""
    return Backend(released.load_file(tmp_path / "registry.db", schema), "portal")


def path_of(backend: Backend) -> Path:
    return Path(backend.url.removeprefix("sqlite:///"))


@pytest.mark.parametrize(("kind", "since"), [("sqlite", "0001"), ("postgresql", ON_A_SERVER_SINCE)])
def test_every_schema_has_the_dump_of_its_release(kind: str, since: str) -> None:
    every = [one for one in (*tables.OLDER, tables.SCHEMA) if one >= since]
    assert released.schemas(kind) == every, "tests/registry/released/README.md says how"


def test_every_migration_is_known_as_one_to_upgrade_from() -> None:
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "dpor_provider:registry/migrations")
    every = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert sorted(every) == [*tables.OLDER, tables.SCHEMA]


def test_an_older_registry_is_not_touched_and_says_what_to_run(older: Backend) -> None:
    path = path_of(older)
    before = path.read_bytes()
    with pytest.raises(Unavailable, match="a Global Administrator runs: dpor registry upgrade"):
        older.registry().read()
    assert path.read_bytes() == before


UPGRADE = """
import sys
from dpor_provider.errors import Invalid
from dpor_provider.registry import upgrade_registry
print("ready", flush=True)
sys.stdin.readline()
try:
    print(upgrade_registry(sys.argv[1], principal=sys.argv[2]))
except Invalid as error:
    print("refused:", error)
"""


@pytest.mark.survives("races for an upgrade")
@pytest.mark.parametrize("schema", tables.OLDER[:1], indirect=True)
def test_of_four_upgrades_at_once_one_wins(older: Backend) -> None:
    said = race(UPGRADE, [(older.url, released.ADMIN)] * 4)
    assert said.count(str((tables.OLDER[0], tables.SCHEMA))) == 1
    assert sum("which is the newest" in line for line in said) == 3
    upgrades = [one for one in older.registry().audit.entries() if one.action is Action.UPGRADE]
    assert len(upgrades) == 1
    assert older.registry().verify().problems == ()


def test_an_upgrade_keeps_everything_and_is_recorded(older: Backend, schema: str) -> None:
    kept = released.rows_of_file(path_of(older))
    before, after = upgrade_registry(older.url, principal=released.ADMIN)
    assert (before, after) == (schema, tables.SCHEMA)
    assert released.lost(kept, released.rows_of_file(path_of(older))) == {}
    registry = older.registry(released.ADMIN)
    entries = registry.audit.entries()
    assert len(entries) == len(kept["audit_log"]) + 1
    assert (entries[-1].action, entries[-1].actor) == (Action.UPGRADE, released.ADMIN)
    assert registry.verify().problems == ()
    with pytest.raises(Invalid, match="which is the newest"):
        upgrade_registry(older.url, principal=released.ADMIN)


@pytest.mark.parametrize("schema", released.schemas("sqlite"), indirect=True)
def test_what_any_release_recorded_is_read_and_changed_as_what_this_one_did(
    older: Backend, schema: str
) -> None:
    if schema != tables.SCHEMA:
        upgrade_registry(older.url, principal=released.ADMIN)
    registry = older.registry(released.ADMIN)
    content = registry.read()
    contoso = content.directory.find(released.CONTOSO)
    assert contoso is not None
    assert contoso.principals == ("sp-contoso",)
    live = content.designations[ONE]
    assert (live.partner_id, live.effective, live.managed_by) == (
        released.FABRIKAM,
        True,
        "estate/prod/payments",
    )
    assert content.designations[OTHER].partner_id is None
    assert {grant.principal for grant in content.grants} == {released.ADMIN, released.DEPLOYER}
    assert [held.principal for held in content.access] == ["sp-fabrikam"]
    assert [gone.access.principal for gone in registry.access.removed()] == ["sp-contoso"]
    assert content.observations.keys() == {ONE, OTHER}
    assert any(entry.action is Action.REFUSE for entry in registry.audit.entries())
    registry.partners.agree(contoso.id, Agreement("DSA-2", date(2028, 6, 30)))
    registry.access.restore(ONE)
    deployer = older.registry(released.DEPLOYER)
    assert deployer.designations.withdraw(ONE, seen_version=live.version).partner_id is None
    assert registry.partners.directory().partners[contoso.id].agreement is not None
    assert registry.verify().problems == ()


@pytest.mark.parametrize("schema", released.schemas("sqlite"), indirect=True)
def test_an_upgraded_registry_has_the_tables_of_a_new_one(
    older: Backend, schema: str, made_once: Path
) -> None:
    if schema != tables.SCHEMA:
        upgrade_registry(older.url, principal=released.ADMIN)
    assert released.shape_of_file(path_of(older)) == released.shape_of_file(made_once)


def test_only_a_global_administrator_upgrades(older: Backend) -> None:
    path = path_of(older)
    before = path.read_bytes()
    with pytest.raises(Refused, match="mallory may not upgrade the registry"):
        upgrade_registry(older.url, principal="mallory")
    assert path.read_bytes() == before
    upgrade_registry(older.url, principal=released.ADMIN)


def test_a_registry_of_a_newer_version_is_not_upgraded(home: Backend) -> None:
    with sqlite3.connect(home.url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="upgrade dpor-provider"):
        upgrade_registry(home.url)
