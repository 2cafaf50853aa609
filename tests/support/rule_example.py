"""A rule's example as real input: a declaration file, and the live state that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from dpor_provider.checker import Result, check
from dpor_provider.declaration import load
from dpor_provider.live import Live
from dpor_provider.model import (
    Access,
    Deployer,
    Designation,
    Directory,
    Estate,
    Finding,
    Grant,
    Observation,
    Partner,
    Role,
    Status,
)
from dpor_provider.rules import Example, Rule, Target, Terms, subjects

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def checked(example: Example, folder: Path) -> Result:
    """What `dpor check` says of the example, with a registry that holds its live state."""
    from dpor_provider.rules import all_rules

    loaded = load([written(example, folder)])
    return check(loaded, Terms(TODAY), live(example, loaded.estate), all_rules())


def found(rule: Rule, example: Example, folder: Path) -> list[Finding]:
    """What a rule finds in an example, however it is run."""
    stated = yaml.safe_load(example.live) or {} if example.live else {}
    target = stated.get("target")
    if "managed_by" not in stated and target is None:
        result = checked(example, folder)
        return [one.finding for one in result.findings if one.finding.rule == rule.id]
    # What only a resource and the policy pack know.
    estate = load([written(example, folder)]).estate
    return [
        finding
        for subject in subjects(estate, Terms(TODAY), live(example, estate))
        for finding in rule.find(
            replace(
                subject,
                managed_by=stated.get("managed_by"),
                target=Target(**target) if target else None,
            )
        )
    ]


def written(example: Example, folder: Path) -> Path:
    """The example as a file."""
    path = folder / "partners.yaml"
    path.write_text(example.declaration, "utf-8")
    return path


def live(example: Example, estate: Estate) -> Live:
    """The live state that an example names; all else is as it should be."""
    stated: dict[str, Any] = yaml.safe_load(example.live) or {} if example.live else {}
    for key in ("managed_by", "target"):
        stated.pop(key, None)
    directory = [_partner(entry) for entry in stated.pop("directory", ())]
    access: dict[str, dict[str, Access]] = {}
    for number, entry in enumerate(stated.pop("access", ())):
        item = _access(str(number), entry)
        access.setdefault(item.scope, {})[item.id] = item
    result = Live(
        registry_id=stated.pop("registry_id", "825c7d0e-d8f0-4b23-bcad-10bf0e2a00c9"),
        registry_name="sqlite:////srv/registry.db",
        directory=Directory.of(directory or estate.partners.values()),
        designations={
            row.subscription_id: row for row in map(_designation, stated.pop("designations", ()))
        },
        observations={
            seen.subscription_id: seen for seen in map(_observation, stated.pop("observations", ()))
        },
        former_partners=stated.pop("former_partners", {}),
        access=access,
        deployer=_deployer(stated.pop("deployer", None)),
        unreadable=stated.pop("unreadable", {}),
    )
    assert not stated, f"an example names what is no part of the live state: {sorted(stated)}"
    return result


def _partner(entry: Mapping[str, Any]) -> Partner:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return Partner(**{**fields, "status": Status(fields.get("status", "active"))})


def _designation(entry: Mapping[str, Any]) -> Designation:
    usual: dict[str, Any] = {
        "partner_name": None,
        "version": 1,
        "managed_by": None,
        "claim": None,
        "written_partner_id": None,
        "adopted": False,
        "effective": True,
        "designated_by": "alice",
        "designated_at": NOW,
        "former_partner_id": None,
    }
    return Designation(**{**usual, **entry})


def _observation(entry: Mapping[str, Any]) -> Observation:
    usual: dict[str, Any] = {"partner_name": None, "observed_by": "bob", "observed_at": NOW}
    return Observation(**{**usual, **entry})


def _access(identity: str, entry: Mapping[str, Any]) -> Access:
    usual: dict[str, Any] = {
        "id": identity,
        "principal": "sp-partner",
        "role": "Reader",
        "granted_by": "alice",
        "granted_at": NOW,
    }
    return Access(**{**usual, **entry})


def _deployer(entry: Mapping[str, Any] | None) -> Deployer:
    if entry is None:
        return Deployer("ci-deploy", (Grant("ci-deploy", Role.OWNER, "/"),))
    grants = tuple(
        Grant(entry["principal"], Role(grant["role"]), grant["scope"])
        for grant in entry.get("grants", ())
    )
    return Deployer(entry["principal"], grants, entry.get("unknown"))
