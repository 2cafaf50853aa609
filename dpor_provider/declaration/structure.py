"""The published JSON Schema of a declaration, and the check of a document against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from dpor_provider.declaration import accepts
from dpor_provider.declaration.explain import Path, explain, node_at, shown_value
from dpor_provider.declaration.reader import (
    MAX_FINDINGS,
    TOO_MANY,
    Document,
    List,
    Map,
    Refused,
)
from dpor_provider.model import Finding, subscription_uuid

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

PROPERTIES = {
    "id": "subscription_id",
    "name": "name",
    "partner": "partner_id",
    "reason": "reason",
    "replaces": "replaces_partner_id",
    "moved_from": "moved_from",
    "former_access": "former_access",
    "also": "also_partner_ids",
    "on_delete": "on_delete",
    "exceptions": "exceptions",
}
"""The keys of a subscription and the resource's properties that they set."""


_KEYS = {"version", "directory", "partners", "defaults", "groups", "subscriptions"}
"""The keys of a declaration."""


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a declaration, a fresh copy for each caller."""
    from importlib import resources

    file = resources.files("dpor_provider.declaration").joinpath("partners.schema.json")
    return json.loads(file.read_text("utf-8"))  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Checked:
    """A document after the check of its structure."""

    document: Document
    broken: frozenset[Path] = frozenset()
    """The paths of the entries with problems; `()` stands for unknown keys at the top."""


def check(document: Document) -> Checked:
    """Compare a document with the schema; its findings grow by what is wrong."""
    root = document.root
    if root is None:
        return Checked(document)
    if not root.keys() & _KEYS:
        # What it holds is not repeated: it may be any file that somebody named.
        message = "this is no declaration: it has none of its keys; begin with 'version: 1'"
        return _unusable(document, (document.finding(message, root.span),))
    version = root.get("version", 1)
    if not isinstance(version, Refused) and (version != 1 or isinstance(version, bool)):
        message = (
            f"this version of dpor reads version 1, not {shown_value(version)}; write 'version: 1'"
        )
        return _unusable(document, (document.finding(message, root.spans["version"]),))
    broken: set[Path] = set()
    findings = tuple(islice(_findings(document, root, broken), MAX_FINDINGS + 1))
    if len(findings) > MAX_FINDINGS:
        last = document.finding(TOO_MANY, (*root.span[2:], *root.span[2:]))
        return _unusable(document, (*findings[:MAX_FINDINGS], last))
    whole = Document(document.file, root, (*document.findings, *findings))
    return Checked(whole, frozenset(broken))


def _unusable(document: Document, findings: tuple[Finding, ...]) -> Checked:
    return Checked(Document(document.file, None, (*document.findings, *findings)))


def _findings(document: Document, root: Map, broken: set[Path]) -> Iterator[Finding]:
    try:
        accepts.validate(root)
    except accepts.Refused:
        yield from _problems(document, root, broken)


def _problems(document: Document, root: Map, broken: set[Path]) -> Iterator[Finding]:
    seen = set()
    for error in _validator().iter_errors(root):
        for problem in explain(error, root, tuple(error.absolute_path)):
            unit = _unit(problem.path)
            if problem.path or error.validator == "additionalProperties":
                broken.add(unit)
            if problem.message and (problem.message, problem.span) not in seen:
                seen.add((problem.message, problem.span))
                subscription, prop = _subject(root, unit, problem.path)
                yield document.finding(problem.message, problem.span, subscription, prop)


def _unit(path: Path) -> Path:
    """The path of the smallest entry that is used, or left out, as a whole."""
    match path:
        case ("groups", int(), "subscriptions", int(), *_):
            return path[:4]
        case ("groups" | "subscriptions" | "partners", _, *_):
            return path[:2]
        case _:
            return path[:1]


def _subject(root: Map, unit: Path, path: Path) -> tuple[str | None, str | None]:
    """The subscription and the property that a problem at this path is about."""
    if not unit or unit[0] not in ("defaults", "groups", "subscriptions"):
        return None, None
    key = str(path[len(unit)]) if len(path) > len(unit) else ""
    if len(unit) < 2 or unit[-2] != "subscriptions":
        return None, PROPERTIES.get(key) if key != "name" else None
    entry = node_at(root, unit)
    text = entry.get("id") if isinstance(entry, Map) else None
    return subscription_uuid(text) if isinstance(text, str) else None, PROPERTIES.get(key)


@cache
def _validator() -> Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    declaration = schema()
    literals = frozenset(_literals(declaration))

    def items(validator: Any, subschema: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
        """Validate entries of equal shape once; an estate has thousands, of a few shapes."""
        if not isinstance(instance, list):
            return
        sound = set()
        for index, item in enumerate(instance):
            shape = _shape(item, literals)
            if shape not in sound:
                errors = list(validator.descend(item, subschema, path=index))
                if not errors:
                    sound.add(shape)
                yield from errors

    validator: Any = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"items": items}
    )
    return validator(declaration)  # type: ignore[no-any-return]


def _literals(subschema: Any) -> Iterator[str]:
    """Every text that the schema compares values with."""
    if isinstance(subschema, dict):
        values = [subschema.get("const"), *subschema.get("enum", ())]
        yield from (value for value in values if isinstance(value, str))
        for value in subschema.values():
            yield from _literals(value)
    elif isinstance(subschema, list):
        for value in subschema:
            yield from _literals(value)


def _shape(value: Any, literals: frozenset[str]) -> object:
    """All of a value that the schema can see: keys, types, literals, and whether text is blank."""
    if isinstance(value, str):
        return value if value in literals else not value or value.isspace()
    if isinstance(value, Map):
        return tuple((key, _shape(each, literals)) for key, each in value.items())
    if isinstance(value, List):
        return (List, *(_shape(each, literals) for each in value))
    return type(value)
