"""The compiled schema says of every document what the schema says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dpor_provider.declaration import accepts, schema
from tools.compile_schema import COMPILED, compiled

EVERYTHING = yaml.load(
    (Path(__file__).parent / "examples" / "valid" / "everything.yaml").read_text(),
    Loader=yaml.BaseLoader,
)
EVERYTHING["version"] = 1
VALIDATOR = Draft202012Validator(schema())

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from(
            ["", " ", "none", "keep", "revoke", "retain", "retired", "2026-12-31", "x"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["id", "name", "partner", "reason", "rule", "expires", "keep_until"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=5,
)


def accepted(document: object) -> bool:
    try:
        accepts.validate(document)
    except accepts.Refused:
        return False
    return True


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    keys = list(node) if isinstance(node, dict) else range(len(node))
    here = [(node, key) for key in keys]
    inner = [node[key] for key in keys if isinstance(node[key], dict | list)]
    return here + [place for each in inner for place in places(each)]


def test_it_is_compiled_from_the_schema_that_is_published() -> None:
    assert COMPILED.read_text("utf-8") == compiled(), "run make docs"


def test_it_accepts_a_document_with_everything() -> None:
    assert VALIDATOR.is_valid(EVERYTHING)
    assert accepted(EVERYTHING)


@pytest.mark.parametrize("key", ["version", "partners", "groups", "defaults", "subscriptions"])
def test_it_refuses_what_is_none_of_the_right_types(key: str) -> None:
    assert not accepted({"version": 1} | {key: object()})


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_it_agrees_with_the_schema_on_any_change(data: st.DataObject) -> None:
    document = copy.deepcopy(EVERYTHING)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(document) or [(document, "version")]))
        what = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if what == "remove":
            del container[key]
        elif what == "replace":
            container[key] = data.draw(values)
        elif isinstance(container, list):
            container.append(data.draw(values))
        else:
            container[data.draw(st.sampled_from(["partner", "reason", "status", "name", "x"]))] = (
                data.draw(values)
            )
    assert accepted(document) == VALIDATOR.is_valid(document), document


@settings(max_examples=200, deadline=None)
@given(values)
def test_it_agrees_with_the_schema_on_anything(document: object) -> None:
    assert accepted(document) == VALIDATOR.is_valid(document)
