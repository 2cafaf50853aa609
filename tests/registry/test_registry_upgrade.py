"""A registry that an older version made: left alone, upgraded on demand, and losing nothing."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest
from alembic.config import Config
from support.backends import ADMIN, CONTOSO, Backend
from support.older import downgrade_file
from support.race import race

from dpor_provider.errors import Invalid, Refused, Unavailable
from dpor_provider.model import Action, Agreement
from dpor_provider.registry import tables, upgrade_registry


@pytest.fixture(params=tables.OLDER)
def schema(request: pytest.FixtureRequest) -> str:
    """The schema of an older version."""
    return str(request.param)


@pytest.fixture
def older(schema: str, home: Backend) -> Backend:
    """A registry with content, as an older version made it."""
    downgrade_file(home.url, schema)
    return home


def test_every_migration_is_known_as_one_to_upgrade_from() -> None:
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "dpor_provider:registry/migrations")
    every = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert sorted(every) == [*tables.OLDER, tables.SCHEMA]


def test_an_older_registry_is_not_touched_and_says_what_to_run(older: Backend) -> None:
    path = Path(older.url.removeprefix("sqlite:///"))
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
    print(upgrade_registry(sys.argv[1]))
except Invalid as error:
    print("refused:", error)
"""


@pytest.mark.survives("races for an upgrade")
@pytest.mark.parametrize("schema", tables.OLDER[:1], indirect=True)
def test_of_four_upgrades_at_once_one_wins(older: Backend) -> None:
    said = race(UPGRADE, [(older.url,)] * 4)
    assert said.count(str((tables.OLDER[0], tables.SCHEMA))) == 1
    assert sum("which is the newest" in line for line in said) == 3
    upgrades = [one for one in older.registry().audit.entries() if one.action is Action.UPGRADE]
    assert len(upgrades) == 1
    assert older.registry().verify().problems == ()


def test_an_upgrade_keeps_everything_and_is_recorded(older: Backend, schema: str) -> None:
    before, after = upgrade_registry(older.url)
    assert (before, after) == (schema, tables.SCHEMA)
    registry = older.registry()
    content = registry.read()
    assert CONTOSO.id in content.directory.partners
    assert registry.audit.entries()[-1].action is Action.UPGRADE
    assert registry.verify().problems == ()
    registry.partners.agree(CONTOSO.id, Agreement("DSA-1", date(2027, 6, 30)))
    partner = registry.partners.directory().partners[CONTOSO.id]
    assert partner.agreement == Agreement("DSA-1", date(2027, 6, 30))
    with pytest.raises(Invalid, match="which is the newest"):
        upgrade_registry(older.url)


def test_only_a_global_administrator_upgrades(older: Backend) -> None:
    path = Path(older.url.removeprefix("sqlite:///"))
    before = path.read_bytes()
    with pytest.raises(Refused, match="mallory may not upgrade the registry"):
        upgrade_registry(older.url, principal="mallory")
    assert path.read_bytes() == before
    upgrade_registry(older.url, principal=ADMIN)


def test_a_registry_of_a_newer_version_is_not_upgraded(home: Backend) -> None:
    with sqlite3.connect(home.url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="upgrade dpor-provider"):
        upgrade_registry(home.url)
