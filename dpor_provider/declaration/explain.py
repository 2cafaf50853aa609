"""The schema's verdicts in words: what is wrong, and what would be right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from dpor_provider.declaration.reader import (
    List,
    Map,
    Misread,
    Refused,
    Span,
    kind,
    plain,
)
from dpor_provider.declaration.wording import either, nearest, quote, shown

if TYPE_CHECKING:
    from jsonschema import ValidationError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in words."""

    message: str
    """Empty where another finding already says it."""
    path: Path
    span: Span


def explain(error: ValidationError, root: Map, path: Path) -> Iterator[Problem]:
    """What a validation error means to the person who wrote the file."""
    instance: Any = error.instance
    if "propertyNames" in error.absolute_schema_path:
        name = "a blank word" if not instance.strip() else f"{quote(instance)}, a word of its own"
        span = node_at(root, path).key_spans[instance]
        message = f"a partner's key cannot be {name}; choose another key"
        yield Problem(message, (*path, instance), span)
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(error, path)
    elif error.validator == "required":
        yield from _missing_keys(error, path)
    elif error.validator == "dependentRequired":
        message = "'reason' explains the 'partner' beside it; add 'partner: none' or drop it"
        yield Problem(message, (*path, "reason"), instance.key_spans["reason"])
    else:
        message = "" if isinstance(instance, Refused) else _wrong_value(error, path)
        parent = node_at(root, path[:-1])
        yield Problem(message, path, parent.spans[path[-1]])


def _unknown_keys(error: ValidationError, path: Path) -> Iterator[Problem]:
    instance: Any = error.instance
    known = [key for key in _properties(error) if key not in instance]
    for index, key in enumerate(each for each in instance if each not in _properties(error)):
        meant = nearest(key, known) if index < _SUGGESTIONS else None
        hint = f"did you mean {quote(meant)}?" if meant else f"known here: {', '.join(known)}"
        message = f"unknown key {quote(key)} in {_a(error)}; {hint if known else 'remove it'}"
        yield Problem(message, path, instance.key_spans[key])


_SUGGESTIONS = 100
"""Further unknown keys of one entry get no suggestion; finding one takes time."""


def _missing_keys(error: ValidationError, path: Path) -> Iterator[Problem]:
    instance: Any = error.instance
    required: Any = error.validator_value
    for missing in required:
        if missing not in instance:
            yield _missing_key(error, path, missing)


def _missing_key(error: ValidationError, path: Path, missing: str) -> Problem:
    instance: Any = error.instance
    properties = _properties(error)
    span = next(iter(instance.key_spans.values()), instance.span)
    if missing == "version":
        message = "'version' is missing; begin with 'version: 1'"
    elif missing == "status":
        message, span = _ONLY_RETIRED, instance.spans["replaced_by"]
    elif not properties:
        message = "'partner: none' needs a 'reason' beside it, such as 'reason: Sandbox'"
        path, span = (*path, "partner"), instance.spans["partner"]
    else:
        example = properties[missing].get("examples")
        hint = f"add it, as in '{missing}: {_word(example[0])}'" if example else "add it"
        message = f"{quote(missing)} is missing in {_a(error)}; {hint}"
    unknown = islice((key for key in instance if key not in properties), _SUGGESTIONS)
    misspelt = properties and any(nearest(key, [missing]) for key in unknown)
    return Problem("" if instance.partial or misspelt else message, path, span)


_ONLY_RETIRED = "'replaced_by' is for a partner with 'status: retired'; add that, or remove it"


def _wrong_value(error: ValidationError, path: Path) -> str:
    instance: Any = error.instance
    label = quote(path[-1]) if isinstance(path[-1], str) else f"an entry of {quote(str(path[-2]))}"
    schema: Any = error.schema
    match error.validator:
        case "const":
            return _ONLY_RETIRED
        case "pattern":
            return f"{label} is blank; write its text"
        case "enum":
            choice: Any = error.validator_value
            meant = nearest(instance, choice) if isinstance(instance, str) else None
            choice = _FORMER_ACCESS if "revoke" in choice else choice
            hint = f"; did you mean {quote(meant)}?" if meant else ""
            return f"{label} must be {either(choice)}, not {shown_value(instance)}{hint}"
    if schema.get("title") == "Handover":
        return f"{label} must be {either(_FORMER_ACCESS)}, not {shown_value(instance)}"
    if isinstance(instance, Misread) and schema["type"] == ["string", "integer"]:
        digits = instance.text.replace("_", "")
        example = shown(digits) if digits.isdecimal() else "4567890"
        return (
            f"{label} is the number {quote(instance.text)} without quotes, which YAML can turn "
            f'into another one; write it in quotes: "{example}"'
        )
    wanted, hint = _wanted(schema, instance)
    if instance is None:
        return f"{label} is empty; it must be {wanted}{hint}"
    return f"{label} must be {wanted}, not {shown_value(instance)}{hint}"


_FORMER_ACCESS = ("revoke", "keep", "{keep_until: DATE, reason: TEXT}")


def _wanted(schema: Any, instance: Any) -> tuple[str, str]:
    """What the schema wants here, and how to get there."""
    match schema["type"]:
        case "array":
            of_words = schema["items"]["$ref"].endswith(("text", "partner_key", "partner_id"))
            one = of_words and isinstance(instance, str | int) and not isinstance(instance, bool)
            return (
                "a list",
                f"; write [{_word(instance)}]" if one else "; each entry begins with '- '",
            )
        case "object":
            return "a mapping ('key: value')", ""
    title, examples = schema["title"], schema.get("examples")
    if title != "Text":
        noun = title if title == "Partner ID" else title[0].lower() + title[1:]
        return f"a {noun}", f"; for example {json.dumps(examples[0])}" if examples else ""
    match instance:
        case bool():
            hint = "; yes, no, on, off, true and false need quotes to be text"
        case int():
            hint = f'; write it in quotes: "{instance}"'
        case Misread():
            hint = f'; write it in quotes: "{shown(instance.text)}"'
        case _:
            hint = ""
    return "text", hint


def _word(value: object) -> str:
    """The value as it is written in YAML."""
    word = shown(str(value))
    return f'"{word}"' if isinstance(value, str) and plain(value) != value else word


def shown_value(value: Any) -> str:
    """A value as messages name it."""
    match value:
        case str():
            return quote(value)
        case Misread():
            return f"the number {value.text[:40]}"
        case bool() | None | Map() | List():
            return kind(value)
        case _:
            return f"the number {value}"


def _properties(error: ValidationError) -> dict[str, Any]:
    schema: Any = error.schema
    properties: dict[str, Any] = schema.get("properties", {}) if "title" in schema else {}
    return properties


def _a(error: ValidationError) -> str:
    """The entry's kind with its article."""
    schema: Any = error.schema
    title = schema["title"].lower()
    return f"{'an' if title[0] in 'aeiou' else 'a'} {title}"


def node_at(root: Map, path: Path) -> Any:
    """The value at a path that a validation error gave."""
    node: Any = root
    for step in path:
        node = node[step]
    return node
