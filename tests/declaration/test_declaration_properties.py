"""Whatever a file holds, loading gives an estate or findings, and never another exception."""

import contextlib
import json
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from support.thorough import InputSurvived, fuzz

from dpor_provider.declaration import Loaded, load, schema
from dpor_provider.declaration.reader import LINE_BREAK
from dpor_provider.errors import Invalid
from dpor_provider.model import subscription_uuid

EVERYTHING = Path(__file__).parent / "examples" / "valid" / "everything.yaml"

LONGEST = 1000
"""Characters of a message: what is shown of a value is cut, or a log would be flooded."""

quick = fuzz(150)


@pytest.fixture(scope="module")
def file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "partners.yaml")


LoadBytes = Callable[[bytes], Loaded]


def _absolute(content: bytes) -> list[str]:
    """The absolute paths without a space that stand in a content."""
    return re.findall(r"/[\w./-]+", content.decode("utf-8-sig", "replace"))


@pytest.fixture
def load_bytes(file: Path, input_survived: InputSurvived) -> LoadBytes:
    """Loads a file of that content, and looks at what comes of it."""

    def load_them(content: bytes) -> Loaded:
        file.write_bytes(content)
        loaded = load([file])
        for finding in loaded.findings:
            assert finding.rule == "DPOR001"
            assert finding.message.isprintable()
            assert len(finding.message) < LONGEST
            assert finding.where is not None
            # A directory may be a file that there is: hypothesis knows the paths of the code.
            assert finding.where.file in (str(file), *_absolute(content))
            read = Path(finding.where.file).read_bytes()
            lines = LINE_BREAK.split(read.decode("utf-8-sig", "replace"))
            assert 1 <= finding.where.line <= finding.where.end_line <= len(lines)
            assert 1 <= finding.where.column <= len(lines[finding.where.line - 1]) + 1
        for declared in loaded.estate.subscriptions:
            assert subscription_uuid(declared.subscription_id) == declared.subscription_id
            assert (declared.partner_id is None) == (declared.intent.value != "designated")
            assert {"subscription_id", "partner_id"} <= set(declared.where)
        input_survived("hostile declarations")
        return loaded

    return load_them


@quick
@given(content=st.binary())
def test_any_bytes(load_bytes: LoadBytes, content: bytes) -> None:
    load_bytes(content)


@quick
@given(text=st.text())
def test_any_text(load_bytes: LoadBytes, text: str) -> None:
    load_bytes(text.encode())


@quick
@given(text=st.text(alphabet="ab:-?[]{}&*!|>'\"%@`#,~<=01_. \t\n\r\u0085\u2028\ufeff"))
def test_any_text_of_yaml_signs(load_bytes: LoadBytes, text: str) -> None:
    load_bytes(b"version: 1\n" + text.encode())


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
def test_any_data(load_bytes: LoadBytes, data: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump({**data, "version": 1}, allow_unicode=True, default_flow_style=flow)
    load_bytes(text.encode())


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
def test_any_data_under_the_right_keys(load_bytes: LoadBytes, data: dict[str, Any]) -> None:
    loaded = load_bytes(yaml.safe_dump(data, allow_unicode=True).encode())
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
def test_any_edit_of_a_valid_declaration(
    load_bytes: LoadBytes, edits: list[tuple[int, int, str]]
) -> None:
    text = VALID_TEXT
    for start, length, new in edits:
        text = text[:start] + new + text[start + length :]
    load_bytes(text.encode())


SIGNS = [
    "\0",
    "\x1b[2J",
    "\x07",
    "\u202e",
    "\ufeff",
    "\ufffe",
    "\ud800",
    "\udcff",
    "\x85",
    "\u2028",
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252"]


@quick
@given(edits=EDITS, sign=st.sampled_from(SIGNS), place=st.integers(0, len(VALID_TEXT)))
@example(edits=[], sign="\ud800", place=10)
def test_any_sign_in_a_valid_declaration(
    load_bytes: LoadBytes, edits: list[tuple[int, int, str]], sign: str, place: int
) -> None:
    text = VALID_TEXT[:place] + sign + VALID_TEXT[place:]
    for start, length, new in edits:
        text = text[:start] + new + text[start + length :]
    load_bytes(text.encode("utf-8", "surrogatepass"))


@quick
@given(text=st.text(max_size=30) | st.just(VALID_TEXT), encoding=st.sampled_from(ENCODINGS))
def test_any_encoding(load_bytes: LoadBytes, text: str, encoding: str) -> None:
    load_bytes(text.encode(encoding, "replace"))


NUMBERS = [
    *("0777", "0o17", "0x1F", "0b11", "1:30", "190:20:30", "1_000", "+1", "-0", ".5", "1e999"),
    *("-.inf", ".nan", "9" * 5000, "1." + "9" * 5000, "4567890.0", "04567890", "4567890e0"),
]
TIMES = ["2026-02-30", "2026-12-31T00:00:00Z", "0000-00-00", "2026-12-31 25:61:61", "99999-01-01"]
WORDS_OF_YAML = [
    "yes",
    "NO",
    "on",
    "~",
    "null",
    "=",
    "<<",
    "!!python/object:os.system x",
    "!!binary x",
]
REFERENCES = ["*a", "&a b", "&a *a", "!!set {}", "!!omap []", "!!timestamp x", "!<x> y", "%TAG ! x"]
NESTED = ["[" * 5000, "{a: " * 5000, "- " * 5000, "? " * 5000, "[" * 31 + "]" * 31, "&a [" * 100]
LONG = ["x" * 100_000, '"' + "\\x41" * 10_000 + '"', "x" * 2000 + ": y", "? " + "[a]: " * 2]
TRICKS = st.sampled_from([*NUMBERS, *TIMES, *WORDS_OF_YAML, *REFERENCES, *NESTED, *LONG])
LINES = [index for index, line in enumerate(VALID_TEXT.split("\n")) if ": " in line]


@quick
@given(index=st.sampled_from(LINES), value=TRICKS, key=st.booleans())
def test_any_trick_of_yaml_in_any_field(
    load_bytes: LoadBytes, index: int, value: str, key: bool
) -> None:
    lines = VALID_TEXT.split("\n")
    name, _, given_value = lines[index].partition(": ")
    indent = name[: len(name) - len(name.lstrip(" -"))]
    lines[index] = f"{indent}{value}: {given_value}" if key else f"{name}: {value}"
    load_bytes("\n".join(lines).encode())


@quick
@given(data=VALUES, ascii_only=st.booleans(), indent=st.none() | st.integers(0, 4))
def test_any_json(load_bytes: LoadBytes, data: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(data, ensure_ascii=ascii_only, indent=indent, default=str)
    load_bytes(text.encode("utf-8", "surrogatepass"))


def test_aliases_do_not_multiply(load_bytes: LoadBytes) -> None:
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20))
    assert load_bytes(f"version: 1\na0: &a0 [x]\n{laughs}\n".encode()).findings


NAMES = st.text(
    st.characters(exclude_characters="/\0", codec="utf-8"), max_size=30
) | st.sampled_from(
    [
        "a\nb",
        "\x1b[2J",
        "\u202ex",
        "-",
        "*",
        "[a]",
        "?",
        "~",
        "%s",
        "a:1:1: b",
        "\udcff",
        " ",
        "x" * 256,
    ]
)


@quick
@given(name=NAMES, content=st.sampled_from([b"", b"version: 2", b"\0", VALID_TEXT.encode()]))
def test_any_name_of_a_file(name: str, content: bytes, input_survived: InputSurvived) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{name}.partners.yaml")
        with contextlib.suppress(OSError, UnicodeEncodeError):  # a name that no file can have
            file.write_bytes(content)
        for path in (folder, file):
            with contextlib.suppress(Invalid):
                for finding in load([path]).findings:
                    assert finding.message.isprintable()
                    assert finding.where is not None
                    assert finding.where.file == str(file)
    input_survived("hostile names of declarations")


@quick
@given(name=st.text(max_size=20) | st.sampled_from(["..", "/", "\0", "a\0b", "x" * 5000, "~", "."]))
@example(name="\ud800")
@example(name="/proc/self/mounts")
def test_any_name_of_a_directory(load_bytes: LoadBytes, name: str) -> None:
    load_bytes(f"version: 1\ndirectory: {json.dumps(name)}\nsubscriptions: []\n".encode())


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
def test_round_trip(load_bytes: LoadBytes, estate: dict[str, Any], flow: bool) -> None:
    text = yaml.dump(estate, Dumper=_Quoting, allow_unicode=True, default_flow_style=flow)

    loaded = load_bytes(text.encode())

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
