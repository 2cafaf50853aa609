"""What a platform team tells the pack, with `--policy-pack-config`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dpor_provider.errors import Invalid
from dpor_provider.model import Role
from dpor_provider.partner_id import USUAL, Digits
from dpor_provider.printable import brief

SCHEMA: dict[str, dict[str, Any]] = {
    "registry": {
        "type": "string",
        "description": "The registry that is guarded, such as sqlite:////srv/dpor/registry.db.",
    },
    "platform": {"type": "string", "description": "The platform that is guarded."},
    "deployer": {
        "type": "string",
        "description": "Whose roles are looked up, where the identity that previews deploys not.",
    },
    "allowed_roles": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "enum": list(Role)},
        "description": "The roles that may designate.",
    },
    "digits": {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"type": "integer", "minimum": 1, "maximum": 20},
        "description": "The fewest and the most digits of a Partner ID.",
    },
    "exceptions": {
        "type": "string",
        "description": "A declaration, relative to the pack's folder; an exception counts only if"
        " it stands there, too.",
    },
    "today": {
        "type": "string",
        "format": "date",
        "description": "The day that expiries are compared with.",
    },
}
"""The JSON Schema of each option."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the pack was told; what it was not told is None, or the usual."""

    registry: str | None = None
    platform: str | None = None
    deployer: str | None = None
    roles: tuple[Role, ...] = tuple(Role)
    digits: Digits = USUAL
    exceptions: Path | None = None
    today: date | None = None

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Options:
        """Read the options.

        Raises:
            Invalid: there is no such option, its value is not as `SCHEMA` says, a day is none, or
                the digits are not the fewest and then the most.
        """
        if unknown := sorted(config.keys() - SCHEMA.keys()):
            near = difflib.get_close_matches(unknown[0], SCHEMA, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(SCHEMA)}"
            raise Invalid(f"settings: there is no option {brief(unknown[0])}; {hint}")
        for name, value in config.items():
            _require(name, value)
        exceptions, today = config.get("exceptions"), config.get("today")
        fewest, most = map(int, config.get("digits", (USUAL.fewest, USUAL.most)))
        if fewest > most:
            raise Invalid(f"digits: {fewest} is more than {most}; write the fewest, then the most")
        return cls(
            registry=config.get("registry"),
            platform=config.get("platform"),
            deployer=config.get("deployer"),
            roles=tuple(Role(role) for role in config.get("allowed_roles", Role)),
            digits=Digits(fewest, most),
            exceptions=Path(exceptions) if exceptions else None,
            today=_day(today) if today else None,
        )


def _require(name: str, value: object) -> None:
    from jsonschema import Draft202012Validator

    schema = SCHEMA[name]
    if not Draft202012Validator(schema).is_valid(value):
        raise Invalid(
            f"{name}: {brief(value)} is not what is expected ({schema['type']}):"
            f" {schema['description']}"
        )


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Newer versions of Python read other forms, too.
    if day is None or day.isoformat() != text:
        raise Invalid(f"today: {brief(text)} is no day; write it as 2026-12-31")
    return day
