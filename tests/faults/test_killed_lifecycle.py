"""Create, update and delete, killed before and after each of their writes, and run again."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import kill
from support.backends import CONTOSO, FABRIKAM, REGISTRIES, Backend
from support.thorough import THOROUGH, Survived

from dpor_provider.model import Action

PROGRAM = """
import json, sys
from datetime import date
from dpor_provider.platforms import open_platform
from dpor_provider.registry import open_registry
from dpor_provider.resources.partner_of_record import Lifecycle
url, platform, operation = sys.argv[1:]
registry = open_registry(url)
lifecycle = Lifecycle(
    registry, open_platform(platform, registry), date(2026, 11, 23), say=lambda line: None
)
old, new = json.load(sys.stdin)
if operation == "create":
    print(json.dumps(lifecycle.create(lifecycle.check({}, new).inputs)))
elif operation == "update":
    print(json.dumps(lifecycle.update(old, lifecycle.check(old, new).inputs)))
else:
    lifecycle.delete(old)
"""

QUICK = {name: REGISTRIES[name] for name in (REGISTRIES if THOROUGH else ["sqlite-portal"])}
ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
Properties = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One operation of the engine, and how it finds the registry."""

    operation: str
    live: str | None = None
    """The partner that is live before, by hand."""
    old: Properties | None = None
    """The inputs of the resource that is there before."""
    new: Properties | None = None
    access: bool = False
    """Whether the partner before has access."""


def declared(partner_id: str, **rest: object) -> Properties:
    return {
        "subscription_id": ONE,
        "partner_id": partner_id,
        "managed_by": "estate/dev/payments",
        **rest,
    }


CHANGES = {
    "create": Change("create", new=declared(CONTOSO.id)),
    "adopt": Change("create", live=CONTOSO.id, new=declared(CONTOSO.id)),
    "create-that-replaces": Change(
        "create",
        live=FABRIKAM.id,
        new=declared(CONTOSO.id, replaces_partner_id=FABRIKAM.id),
        access=True,
    ),
    "switch": Change("update", old=declared(FABRIKAM.id), new=declared(CONTOSO.id), access=True),
    "delete": Change("delete", old=declared(FABRIKAM.id)),
    "retain": Change("delete", old=declared(FABRIKAM.id, on_delete="retain")),
}


def run(backend: Backend, operation: str, old: Properties, new: Properties, at: str | None) -> Any:
    done = kill.run(
        ["-c", PROGRAM, backend.url, backend.platform_name, operation],
        at,
        json.dumps([old, new]),
    )
    if at and kill.was_killed(done):
        return None
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "{}")


def prepare(backend: Backend, change: Change) -> Properties:
    """Make what is there before; returns the outputs of the resource."""
    if change.live:
        backend.registry().designations.designate(ONE, change.live, seen_version=0, owner=None)
    outputs: Properties = run(backend, "create", {}, change.old, None) if change.old else {}
    if change.access:
        backend.registry().access.add(f"/subscriptions/{ONE}", "sp", "Reader", FABRIKAM.id)
    return outputs


def written(backend: Backend) -> Counter[Action]:
    """How often each kind of change was made; an adoption alone may be made again."""
    return Counter(
        entry.action
        for entry in backend.registry().audit.entries()
        if entry.action is not Action.ADOPT
    )


@pytest.mark.parametrize("make", QUICK.values(), ids=QUICK)
@pytest.mark.parametrize("name", CHANGES)
def test_what_is_killed_at_any_write_is_made_once_by_the_next_run(
    make: Callable[[Path], Backend], tmp_path: Path, name: str, survived: Survived
) -> None:
    change = CHANGES[name]
    whole = folder(make, tmp_path)
    outputs = run(whole, change.operation, prepare(whole, change), change.new or {}, None)
    expected = whole.live(ONE), whole.principals(), written(whole)
    kills = 0
    for moment in ("before", "after"):
        for number in range(1, 9):
            backend = folder(make, tmp_path)
            old = prepare(backend, change)
            arguments = backend, change.operation, old, change.new or {}
            if run(*arguments, f"{moment}:{number}") is not None:
                break
            kills += 1
            again = run(*arguments, None)
            assert (backend.live(ONE), backend.principals(), written(backend)) == expected
            assert set(again) == set(outputs)
            assert backend.registry().verify().problems == ()
    assert kills >= 2 * len({"switch", "create-that-replaces"} & {name}) + 2
    survived("kills of an operation around a write", kills)


def folder(make: Callable[[Path], Backend], tmp_path: Path) -> Backend:
    made = tmp_path / uuid.uuid4().hex
    made.mkdir()
    return make(made)
