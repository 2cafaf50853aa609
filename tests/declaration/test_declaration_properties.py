"""Whatever a file holds, loading gives an estate or findings, and never another exception."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dpor_provider.declaration import Loaded, load, schema
from dpor_provider.model import subscription_uuid

EVERYTHING = Path(__file__).parent / "examples" / "valid" / "everything.yaml"

quick = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "partners.yaml")


def load_bytes(file: Path, content: bytes) -> Loaded:
    file.write_bytes(content)
    loaded = load([file])
    for finding in loaded.findings:
        assert finding.rule == "DPOR001"
        assert finding.message.isprintable()
        assert finding.where is not None
        assert finding.where.file == str(file)
        assert 1 <= finding.where.line <= finding.where.end_line
        assert finding.where.column >= 1
    for declared in loaded.estate.subscriptions:
        assert subscription_uuid(declared.subscription_id) == declared.subscription_id
        assert (declared.partner_id is None) == (declared.intent.value != "designated")
        assert {"subscription_id", "partner_id"} <= set(declared.where)
    return loaded


@quick
@given(content=st.binary())
def test_any_bytes(file: Path, content: bytes) -> None:
    load_bytes(file, content)


@quick
@given(text=st.text())
def test_any_text(file: Path, text: str) -> None:
    load_bytes(file, text.encode())


@quick
@given(text=st.text(alphabet="ab:-?[]{}&*!|>'\"%@`#,~<=01_. \t\n\r\u0085\u2028\ufeff"))
def test_any_text_of_yaml_signs(file: Path, text: str) -> None:
    load_bytes(file, b"version: 1\n" + text.encode())


WORDS = sorted({*schema()["properties"], *schema()["$defs"]["partner"]["properties"]}) + sorted(
    {*schema()["$defs"]["group"]["properties"], "keep_until", "reference", "expires", "rule"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text(max_size=8)
    | st.sampled_from(["none", "undecided", "contoso", "keep", "retired", "2026-12-31", *WORDS])
    | st.uuids().map(str)
)
KEYS = st.sampled_from(WORDS) | st.text(max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@quick
@given(data=st.dictionaries(KEYS, VALUES), flow=st.booleans())
def test_any_data(file: Path, data: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump({**data, "version": 1}, allow_unicode=True, default_flow_style=flow)
    load_bytes(file, text.encode())


SUBSCRIPTION = [*schema()["$defs"]["subscription"]["properties"]]
SECTIONS = {name: VALUES for name in schema()["properties"] if name != "version"}
SECTIONS["subscriptions"] = st.lists(
    st.fixed_dictionaries(
        {"id": st.uuids().map(str)},
        optional=dict.fromkeys(SUBSCRIPTION[1:], VALUES),
    ),
    max_size=3,
)


@quick
@given(data=st.fixed_dictionaries({"version": st.just(1)}, optional=SECTIONS))
def test_any_data_under_the_right_keys(file: Path, data: dict[str, Any]) -> None:
    loaded = load_bytes(file, yaml.safe_dump(data, allow_unicode=True).encode())
    if not loaded.findings:
        groups = [data, *data.get("groups", ())]
        entries = sum(len(group.get("subscriptions", ())) for group in groups)
        assert len(loaded.estate.subscriptions) == entries


VALID_TEXT = EVERYTHING.read_text("utf-8")
SNIPPETS = st.sampled_from(
    [
        *("", " ", "\n", "  - ", "&a ", "*a", "!!str ", "<<: ", "---\n", "[", "}", '"', "'", "\t"),
        *("\0", "0", "_", "null", "contoso: ", "partner: ", "? ", "|\n", "#", "no", "2026-02-30"),
    ]
)
EDITS = st.lists(
    st.tuples(st.integers(0, len(VALID_TEXT)), st.integers(0, 30), SNIPPETS | st.text(max_size=5)),
    min_size=1,
    max_size=4,
)


@quick
@given(edits=EDITS)
def test_any_edit_of_a_valid_declaration(file: Path, edits: list[tuple[int, int, str]]) -> None:
    text = VALID_TEXT
    for start, length, new in edits:
        text = text[:start] + new + text[start + length :]
    load_bytes(file, text.encode())


# --- What is generated comes back ----------------------------------------------------------------


class _Quoting(yaml.SafeDumper):
    """Quotes all text, for PyYAML leaves some words bare that YAML 1.2 takes for numbers."""


_Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)

TEXT = st.text(
    st.characters(categories=("L", "M", "N", "P", "S", "Zs")), min_size=1, max_size=12
).filter(lambda text: not text.isspace())
PARTNERS = st.dictionaries(
    TEXT.filter(lambda key: key not in ("none", "undecided")),
    st.fixed_dictionaries({"id": st.integers(1, 10**8).map(str), "name": TEXT}),
    min_size=1,
    max_size=4,
)


@st.composite
def estates(draw: st.DrawFn) -> dict[str, Any]:
    partners = draw(PARTNERS)
    keys = st.sampled_from(sorted(partners))
    optional = {"partner": keys, "replaces": keys, "moved_from": TEXT, "also": st.lists(keys)}
    subscription = st.fixed_dictionaries(
        {"id": st.uuids().map(str)}, optional={"name": TEXT, **optional}
    )
    group = st.fixed_dictionaries(
        {"name": TEXT, "subscriptions": st.lists(subscription, max_size=3)}, optional=optional
    )
    return {
        "version": 1,
        "partners": partners,
        "defaults": {**draw(st.fixed_dictionaries({}, optional=optional)), "partner": draw(keys)},
        "groups": draw(st.lists(group, max_size=3)),
        "subscriptions": draw(st.lists(subscription, max_size=3)),
    }


@quick
@given(estate=estates(), flow=st.booleans())
def test_round_trip(file: Path, estate: dict[str, Any], flow: bool) -> None:
    text = yaml.dump(estate, Dumper=_Quoting, allow_unicode=True, default_flow_style=flow)

    loaded = load_bytes(file, text.encode())

    ids = {key: partner["id"] for key, partner in estate["partners"].items()}
    defaults = estate["defaults"]
    expected = [{**defaults, **entry, "group": None} for entry in estate["subscriptions"]] + [
        {**defaults, **group, "name": None, **entry, "group": group["name"]}
        for group in estate["groups"]
        for entry in group["subscriptions"]
    ]
    assert loaded.findings == ()
    assert {
        key: {"id": partner.id, "name": partner.name}
        for key, partner in loaded.estate.partners.items()
    } == estate["partners"]
    assert [
        {
            "id": declared.subscription_id,
            "name": declared.name,
            "group": declared.group,
            "partner_id": declared.partner_id,
            "partner_name": declared.partner_name,
            "replaces": declared.replaces_partner_id,
            "moved_from": declared.moved_from,
            "also": list(declared.also_partner_ids),
        }
        for declared in loaded.estate.subscriptions
    ] == [
        {
            "id": str(uuid.UUID(entry["id"])),
            "name": entry.get("name"),
            "group": entry["group"],
            "partner_id": ids[entry["partner"]],
            "partner_name": estate["partners"][entry["partner"]]["name"],
            "replaces": ids[entry["replaces"]] if "replaces" in entry else None,
            "moved_from": entry.get("moved_from"),
            "also": [ids[key] for key in entry.get("also", ())],
        }
        for entry in expected
    ]
