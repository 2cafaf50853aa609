"""The query language: what each operator does, nulls and types, and what is refused."""

from __future__ import annotations

import pytest

from azure_stand_in.resource_graph.language import Columns, QueryError, Row, compile_query

COLUMNS: Columns = {
    "id": "string",
    "name": "string",
    "n": "long",
    "d": "dynamic",
    "tags": "dynamic",
}
ROWS: list[Row] = [
    {"id": "/A", "name": "Pay-ments EU", "n": 1, "d": {"x": "Yes", "list": [1, 2]}, "tags": None},
    {"id": "/b", "name": "shop", "n": 3, "d": {"x": None, "list": []}, "tags": {"env": "Prod"}},
    {"id": "/c", "name": "", "n": 2, "d": {}, "tags": {"e-n": "it's", "env": "prod"}},
]


def run(query: str) -> list[Row]:
    return compile_query(f"t {query}", {"t": COLUMNS}).run(ROWS)


def names(condition: str) -> str:
    """The ids' last letters of the rows that a condition keeps."""
    return "".join(row["id"][-1] for row in run(f"| where {condition}")).lower()


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("name == 'shop'", "b"),
        ("name == 'SHOP'", ""),
        ("name =~ 'SHOP'", "b"),
        ("name != 'shop'", "ac"),
        ("name !~ 'SHOP'", "ac"),
        ("name in ('shop', 'x')", "b"),
        ("name in ('SHOP')", ""),
        ("name in~ ('SHOP', 'x')", "b"),
        ("name !in ('shop')", "ac"),
        ("name !in~ ('SHOP')", "ac"),
        ("name has 'pay'", "a"),
        ("name has 'EU'", "a"),
        ("name has 'pay-ments'", "a"),
        ("name has 'men'", ""),
        ("name !has 'eu'", "bc"),
        ("name contains 'MEN'", "a"),
        ("name !contains 'o'", "ac"),
        ("name startswith 'SH'", "b"),
        ("name !startswith 'sh'", "ac"),
        ("name endswith 'eu'", "a"),
        ("isempty(name)", "c"),
        ("isnotempty(name)", "ab"),
        ("n > 1 and n <= 3", "bc"),
        ("n < 2 or n >= 3", "ab"),
        ("not(name == 'shop')", "ac"),
        ("tolower(id) == '/a'", "a"),
        ("toupper(name) == 'SHOP'", "b"),
        ("name == 'shop' or name has 'eu' and n == 2", "b"),
        ("(name == 'shop' or name has 'eu') and n == 1", "a"),
        ("d.x == 'Yes'", "a"),
        ("d.x =~ 'yes'", "a"),
        ("d.x != 'Yes'", "bc"),
        ("not(d.x == 'Yes')", "bc"),
        ("isnull(d.x)", "bc"),
        ("isnotempty(d.x)", "a"),
        ("tags['env'] == 'prod'", "c"),
        ("tags.env in~ ('PROD')", "bc"),
        ("isempty(tags['env'])", "a"),
        ("tags['e-n'] == \"it's\"", "c"),
        ("tags['e-n'] == 'it\\'s'", "c"),
        ("tags['e-n'] == @\"it's\"", "c"),
        ("'\\\\q\\t' != name", "abc"),
        ("tostring(d.list) == '[1,2]'", "a"),
        ("d.list[0] == 1", "a"),
        ("d.list[-1] == 2", "a"),
        ("array_length(d.list) == 0", "b"),
        ("split(id, '/')[-1] == 'b'", "b"),
        ("strcat(name, '-', tostring(n)) == 'shop-3'", "b"),
        ("tostring(d.x) == ''", "bc"),
        ("true", "abc"),
        ("n == 1 // and so on", "a"),
    ],
)
def test_conditions(condition: str, kept: str) -> None:
    assert names(condition) == kept


def test_nulls_are_neither_equal_nor_different() -> None:
    assert names("d.x == d.nothing") == ""
    assert names("d.nothing != d.other") == ""
    assert names("not(d.nothing == d.other)") == ""
    assert names("d.nothing == d.other or n == 1") == "a"


def test_project_names_columns_after_their_paths() -> None:
    (row, *_) = run("| project id, d.x, tags['e-n'], twice = strcat(name, name), tolower(name)")
    assert list(row) == ["id", "d_x", "tags_e-n", "twice", "Column5"]


def test_extend_replaces_and_adds() -> None:
    found = run("| extend name = tolower(name), m = n | project name, m")
    assert found[0] == {"name": "pay-ments eu", "m": 1}


def test_project_away() -> None:
    assert list(run("| project-away d, tags")[0]) == ["id", "name", "n"]


def test_order_is_descending_by_default() -> None:
    assert [row["n"] for row in run("| order by n")] == [3, 2, 1]
    assert [row["n"] for row in run("| sort by n asc")] == [1, 2, 3]
    by_two = run("| extend k = tostring(array_length(d.list)) | order by k asc, n desc")
    assert [row["n"] for row in by_two] == [2, 3, 1]


def test_take_limit_and_count() -> None:
    assert len(run("| take 2")) == 2
    assert len(run("| limit 1")) == 1
    assert run("| where n > 1 | count") == [{"Count": 2}]


def test_expands_arrays() -> None:
    """Null gives one row with null, an empty array none."""
    found = run("| mv-expand e = d.list | project id, e")
    assert found == [{"id": "/A", "e": 1}, {"id": "/A", "e": 2}, {"id": "/c", "e": None}]
    assert [row["tags"] for row in run("| mv-expand tags | where id == '/c'")] == [
        {"e-n": "it's"},
        {"env": "prod"},
    ]


def test_names_that_begin_like_operators() -> None:
    assert run("| project inner = n, order_by = n, has_it = n, truely = n | where inner == 1")
    assert run("| project inx = n | where inx in (1)") == [{"inx": 1}]


@pytest.mark.parametrize(
    "query",
    [
        "| where",
        "| where name",
        "| where n",
        "| where nothing == 1",
        "| where name = 'x'",
        "| where name == 1",
        "| where n contains 'x'",
        "| where name.x == 'y'",
        "| where name == 'x",
        "| where name == '\\q'",
        "| where name == '\\x'",
        "| where tags['\\N'] == 'x'",
        "| where unknown(name)",
        "| where tolower(name, id) == 'x'",
        "| where name and n == 1",
        "| order by d",
        "| order by d.x asc",
        "| mv-expand name",
        "| summarize count() by name",
        "| join (t) on id",
        "| project id | where name == 'x'",
        "| take many",
        "| project-away nothing",
        "; t",
        "| where name matches regex 'x'",
        "| union t",
    ],
)
def test_refuses(query: str) -> None:
    with pytest.raises(QueryError):
        compile_query(f"t {query}", {"t": COLUMNS})


def test_refuses_unknown_tables() -> None:
    with pytest.raises(QueryError, match="'resources'"):
        compile_query("resources", {"t": COLUMNS})


def test_says_where() -> None:
    with pytest.raises(QueryError) as caught:
        compile_query("t\n| where name ===  'x'", {"t": COLUMNS})
    assert (caught.value.code, caught.value.line) == ("ParserFailure", 2)
