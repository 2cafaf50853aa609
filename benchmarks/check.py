"""`dpor check` and `dpor drift` beside other checkers, on files of like size, taking turns.

yamllint looks at style alone, check-jsonschema at the schema alone, cfn-lint and checkov at
CloudFormation templates; none of them looks at partners. They are installed into an environment of
their own (`.venv.bench`).

Usage: python benchmarks/check.py [--trials N] [--sizes N …]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import random
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from measure import BIN, ROOT, keep, run, say
from sqlalchemy import insert
from support.backends import CONTOSO, sqlite_portal

from dpor_provider.model import Designation
from dpor_provider.registry import tables
from dpor_provider.registry.sqlite import connect
from dpor_provider.registry.url import resolve

PEERS = ROOT / ".venv.bench" / "bin"
PATIENCE_S = 60
LARGE = 10_000
"""From this size on, every command is tried three times."""

FOUND_OR_NOT = range(128)


def main(trials: int, sizes: Sequence[int]) -> None:
    """Measure, and keep the figures."""
    packages = ("yamllint", "check-jsonschema", "cfn-lint", "checkov")
    found: dict[str, Any] = {
        "patience": PATIENCE_S,
        "versions": {name: version(name) for name in packages},
        "sizes": {},
    }
    for size in sizes:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            commands = prepare(folder, size)
            taken: dict[str, list[dict[str, float] | None]] = {name: [] for name in commands}
            found["sizes"][str(size)] = {
                "bytes": (folder / "partners.yaml").stat().st_size,
                "taken": taken,
            }
            count = min(3, trials) if size >= LARGE else trials
            for trial in range(count):
                for name, command in commands.items():
                    if None in taken[name]:
                        continue
                    say(f"{size} subscriptions, trial {trial + 1} of {count}: {name}")
                    exits = (0,) if name.startswith("dpor") else FOUND_OR_NOT
                    try:
                        once = run(command, folder, patience_s=PATIENCE_S, exits=exits)
                        taken[name].append(asdict(once))
                    except subprocess.TimeoutExpired:
                        taken[name].append(None)
        keep("check", found)


def version(package: str) -> str:
    """The version of a peer."""
    places = [str(place) for place in PEERS.parent.glob("lib/python*/site-packages")]
    return next(iter(importlib.metadata.distributions(name=package, path=places))).version


def prepare(folder: Path, size: int) -> dict[str, tuple[str | Path, ...]]:
    """Files of one size, and what looks at them."""
    ids = subscriptions(size)
    file = declaration(folder / "partners.yaml", ids)
    template = cloudformation(folder / "template.yaml", file.stat().st_size)
    schema = folder / "schema.json"
    schema.write_bytes(subprocess.check_output([BIN / "dpor", "schema"]))
    url = registry(folder, ids)
    online = ("--registry", url)
    return {
        "dpor check --offline": (BIN / "dpor", "check", "--offline", file),
        "dpor check": (BIN / "dpor", "check", *online, file),
        "dpor drift": (BIN / "dpor", "drift", *online, file),
        "yamllint": (PEERS / "yamllint", "-d", "relaxed", file),
        "check-jsonschema": (PEERS / "check-jsonschema", "--schemafile", schema, file),
        "cfn-lint": (PEERS / "cfn-lint", template),
        "checkov": (
            *(PEERS / "checkov", "--quiet", "--compact", "--skip-download"),
            *("--framework", "cloudformation", "-f", template),
        ),
    }


def subscriptions(size: int) -> list[str]:
    """Ids, the same ones each time."""
    chance = random.Random(size)
    return [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(size)]


def declaration(file: Path, ids: Sequence[str]) -> Path:
    """A declaration in which nothing is to be found."""
    lines = ["version: 1", "partners:", "  contoso:"]
    lines += [f'    id: "{CONTOSO.id}"', f"    name: {CONTOSO.name}"]
    lines += ["    agreement: {reference: DSA-1}", "subscriptions:"]
    for number, one in enumerate(ids):
        lines += [f"  - id: {one}", f"    name: Subscription {number}", "    partner: contoso"]
    file.write_text("\n".join(lines) + "\n")
    return file


def cloudformation(file: Path, size: int) -> Path:
    """A template of as many bytes."""
    text = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n"
    parts, length = [text], len(text)
    while length < size or len(parts) == 1:
        number = len(parts)
        part = f"  P{number}:\n    Type: AWS::SSM::Parameter\n    Properties:\n"
        part += f"      Type: String\n      Name: /p/{number}\n      Value: contoso\n"
        parts.append(part)
        length += len(part)
    file.write_text("".join(parts))
    return file


def registry(folder: Path, ids: Sequence[str]) -> str:
    """A registry that holds what is declared, for some time already."""
    backend = sqlite_portal(folder)
    then = datetime.now(UTC) - timedelta(days=30)
    rows = [
        asdict(
            Designation(
                subscription_id=one,
                partner_id=CONTOSO.id,
                partner_name=CONTOSO.name,
                version=1,
                managed_by=f"estate/prod/{one}",
                claim="0123456789abcdef0123456789abcdef",
                written_partner_id=CONTOSO.id,
                adopted=False,
                effective=True,
                designated_by="root",
                designated_at=then,
                former_partner_id=None,
            )
        )
        for one in ids
    ]
    with connect(resolve(backend.url)).begin() as connection:
        connection.execute(insert(tables.designations), rows)
    return backend.url


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100, 10_000, 100_000])
    given = parser.parse_args()
    main(given.trials, given.sizes)
