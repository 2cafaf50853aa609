"""An entry that the server wrote has the hash that Python computes, whatever stands in it."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from support import postgres
from support.backends import ServerBackend, postgresql_portal

from dpor_provider.registry import chain

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
FIELDS = (
    "subscription_id",
    "partner_id",
    "previous_partner_id",
    "former_partner_id",
    "managed_by",
    "detail",
)
SHORT = {"subscription_id", "partner_id", "previous_partner_id", "former_partner_id"}
"""What has room for 32 characters and more."""


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> ServerBackend:
    """A registry on a server."""
    made = postgresql_portal(tmp_path_factory.getbasetemp())
    assert isinstance(made, ServerBackend)
    return made


@pytest.fixture(scope="module")
def owner(backend: ServerBackend) -> psycopg.Connection[tuple[object, ...]]:
    """The connection of the registry's owner, who alone may call what writes the log."""
    return postgres.server().connect(postgres.OWNER, backend.database)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example({"detail": "\x01\x1b\x7f\x80\x85\x9f\u2028\u2029\ufeff\ufffe\U0010ffff"}, None)
@example({"detail": "\"\\/\b\f\n\r\t'\\u0041"}, 2**31 - 1)
@example({"detail": "e\u0301\u00e9\U0001f468\u200d\U0001f469 \u202e", "managed_by": ""}, 0)
@example({}, None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.none() | (TEXTS.map(lambda text: text[:32]) if name in SHORT else TEXTS)
            for name in FIELDS
        },
    ),
    st.none() | st.integers(-(2**31), 2**31 - 1),
)
def test_the_hash_of_any_entry_is_the_one_that_python_computes(
    backend: ServerBackend,
    owner: psycopg.Connection[tuple[object, ...]],
    fields: dict[str, str | None],
    version: int | None,
) -> None:
    owner.execute(
        "SELECT dpor.record('observe', %s, %s)",
        [Jsonb(fields | {"version": version}), fields.get("detail")],
    )
    entry = backend.registry().audit.entries()[-1]
    assert (entry.version, entry.provenance) == (version, fields.get("detail"))
    assert {name: getattr(entry, name) for name in FIELDS} == dict.fromkeys(FIELDS) | fields
    assert entry.hash == chain.digest(entry)


def test_the_log_of_all_of_them_is_whole(backend: ServerBackend) -> None:
    registry = backend.registry()
    entries = registry.audit.entries()
    assert len(entries) > 100
    assert [*chain.verify(entries, registry.identity(), None)] == []
