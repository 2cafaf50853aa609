"""Compiles a query into steps over rows. What it does not know, it refuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from .values import COMPARISONS, TEXT_OPERATORS, Type, Value, equals, sort_key, text

Row = Mapping[str, Value]
Step = Callable[[Iterable[Row]], Iterable[Row]]
Columns = Mapping[str, Type]
Node = Tree[Token]

_PARSER = Lark(
    Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8"),
    start="query",
    parser="lalr",
    maybe_placeholders=True,
    propagate_positions=True,
)
EXPANDED_ROWS = 128
_ESCAPE = re.compile(r"""\\(?!['"nrt])""")
COUNT_COLUMN = "Count"


class QueryError(Exception):
    """The query is not understood, or not spoken here.

    Args:
        code: Resource Graph's: ParserFailure or InvalidQuery.
    """

    def __init__(self, code: str, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Scalar:
    """An expression: its type, and its value for a row."""

    type: Type
    value: Callable[[Row], Value]


@dataclass(frozen=True, slots=True)
class Query:
    """A query over one table.

    Attributes:
        table: Its name in lower case.
        columns: Those of the result.
        limited: Whether `take` or `limit` bounds the result, which cannot be paged then.
    """

    table: str
    columns: Columns
    steps: tuple[Step, ...]
    limited: bool

    def run(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that the query gives."""
        for step in self.steps:
            rows = step(rows)
        return list(rows)


def compile_query(source: str, tables: Mapping[str, Columns]) -> Query:
    """Read a query.

    Args:
        tables: The columns of the tables that there are, by name in lower case.

    Raises:
        QueryError: it is not understood, or names something that there is not.
    """
    try:
        tree = _PARSER.parse(source)
    except UnexpectedInput as error:
        raise QueryError(
            "ParserFailure",
            f"ParserFailure at line {error.line}, column {error.column}: "
            + error.get_context(source, 20).splitlines()[0].strip(),
            error.line,
            error.column,
        ) from None
    table, *operators = tree.children
    name = str(table).lower()
    if name not in tables:
        raise QueryError("InvalidQuery", f"Table '{table}' is not one that the stand-in has.")
    building = _Building(dict(tables[name]))
    for operator in operators:
        building.add(operator)  # type: ignore[arg-type]
    return Query(name, building.columns, tuple(building.steps), building.limited)


@dataclass(slots=True)
class _Building:
    """A query while its operators are read, one after the other."""

    columns: dict[str, Type]
    steps: list[Step] = field(default_factory=list)
    limited: bool = False

    def add(self, operator: Node) -> None:
        getattr(self, f"_{operator.data}")(operator)

    def _where(self, operator: Node) -> None:
        condition = self._scalar(operator.children[0])
        if condition.type not in ("bool", "dynamic"):
            raise _error(operator, "The condition of 'where' must be of type bool.")
        self.steps.append(lambda rows: (row for row in rows if condition.value(row) is True))

    def _extend(self, operator: Node) -> None:
        new = self._named(operator)
        self.columns.update({name: scalar.type for name, scalar in new.items()})
        self.steps.append(
            lambda rows: (
                {**row, **{name: scalar.value(row) for name, scalar in new.items()}} for row in rows
            )
        )

    def _project(self, operator: Node) -> None:
        new = self._named(operator)
        self.columns = {name: scalar.type for name, scalar in new.items()}
        self.steps.append(
            lambda rows: ({name: scalar.value(row) for name, scalar in new.items()} for row in rows)
        )

    def _project_away(self, operator: Node) -> None:
        gone = {str(name) for name in operator.children[1:]}
        for name in gone:
            self._known(operator, name)
        self.columns = {name: kind for name, kind in self.columns.items() if name not in gone}
        kept = tuple(self.columns)
        self.steps.append(lambda rows: ({name: row[name] for name in kept} for row in rows))

    def _order(self, operator: Node) -> None:
        keys: list[tuple[Scalar, bool]] = []
        for ordering in _trees(operator):
            scalar = self._scalar(ordering.children[0])
            if scalar.type == "dynamic":
                raise _error(
                    operator, "'order by' takes no dynamic: convert it, as with tostring()."
                )
            keys.append((scalar, ordering.children[1] != "asc"))

        def ordered(rows: Iterable[Row]) -> Iterable[Row]:
            found = list(rows)
            for scalar, descending in reversed(keys):
                found.sort(key=lambda row: sort_key(scalar.value(row)), reverse=descending)
            return found

        self.steps.append(ordered)

    def _take(self, operator: Node) -> None:
        most = int(str(operator.children[0]))
        self.limited = True
        self.steps.append(lambda rows: islice(rows, most))

    def _count(self, _: Node) -> None:
        self.columns = {COUNT_COLUMN: "long"}
        self.steps.append(lambda rows: [{COUNT_COLUMN: sum(1 for _ in rows)}])

    def _expand(self, operator: Node) -> None:
        ((name, scalar),) = self._named(operator).items()
        if scalar.type != "dynamic":
            raise _error(operator, "'mv-expand' takes a dynamic.")
        self.columns[name] = "dynamic"

        def expanded(rows: Iterable[Row]) -> Iterator[Row]:
            for row in rows:
                value = scalar.value(row)
                if isinstance(value, dict):
                    value = [{key: each} for key, each in value.items()]
                elements = value if isinstance(value, list) else [value]
                yield from ({**row, name: each} for each in elements[:EXPANDED_ROWS])

        self.steps.append(expanded)

    def _named(self, operator: Node) -> dict[str, Scalar]:
        found: dict[str, Scalar] = {}
        for place, column in enumerate(_trees(operator, "column"), start=1):
            name, expression = column.children
            found[str(name or _column_name(expression, place))] = self._scalar(expression)
        return found

    def _known(self, node: Node, name: str) -> Type:
        if name not in self.columns:
            raise _error(node, f"Failed to resolve scalar expression named '{name}'")
        return self.columns[name]

    def _scalar(self, node: object) -> Scalar:
        assert isinstance(node, Tree)
        made: Scalar = getattr(self, f"_read_{node.data}")(node)
        return made

    def _read_any(self, node: Node) -> Scalar:
        return _logical(self._conditions(node), decisive=True)

    def _read_all(self, node: Node) -> Scalar:
        return _logical(self._conditions(node), decisive=False)

    def _conditions(self, node: Node) -> list[Scalar]:
        found = [self._scalar(each) for each in node.children]
        if any(each.type not in ("bool", "dynamic") for each in found):
            raise _error(node, "'and' and 'or' take conditions.")
        return found

    def _read_compare(self, node: Node) -> Scalar:
        left, operator, right = node.children
        test = COMPARISONS[str(operator)]
        one, other = self._scalar(left), self._scalar(right)
        types = {one.type, other.type}
        if str(operator) in TEXT_OPERATORS and not types <= {"string", "dynamic"}:
            raise _error(node, f"'{operator}' takes strings.")
        if "dynamic" not in types and len(types) > 1:
            raise _error(node, f"'{operator}' cannot compare {' with '.join(sorted(types))}.")
        return Scalar("bool", lambda row: test(one.value(row), other.value(row)))

    def _read_within(self, node: Node) -> Scalar:
        tested, operator, *given = node.children
        one = self._scalar(tested)
        others = [self._scalar(each) for each in given]
        ignoring_case, negative = "~" in str(operator), str(operator).startswith("!")

        def within(row: Row) -> bool:
            value = one.value(row)
            if ignoring_case:
                value = text(value).lower()
                found = any(value == text(each.value(row)).lower() for each in others)
            else:
                found = any(equals(value, each.value(row)) for each in others)
            return found is not negative

        return Scalar("bool", within)

    def _read_path(self, node: Node) -> Scalar:
        source, *accessors = node.children
        scalar = self._scalar(source)
        for accessor in accessors:
            assert isinstance(accessor, Tree)
            if scalar.type != "dynamic":
                raise _error(node, "A path's source must be of type dynamic.")
            scalar = Scalar("dynamic", _access(scalar, accessor))
        return scalar

    def _read_name(self, node: Node) -> Scalar:
        name = str(node.children[0])
        return Scalar(self._known(node, name), lambda row: row[name])

    def _read_call(self, node: Node) -> Scalar:
        name, *given = node.children
        arguments = [self._scalar(each) for each in given if each is not None]
        function = FUNCTIONS.get(str(name))
        if function is None:
            raise _error(node, f"Unknown function: '{name}'.")
        if len(arguments) != function.arity and function.arity >= 0:
            raise _error(node, f"{name}() takes {function.arity} argument(s).")
        return Scalar(
            function.type,
            lambda row: function.value(*(each.value(row) for each in arguments)),
        )

    def _read_string(self, node: Node) -> Scalar:
        value = _text(node, str(node.children[0]))
        return Scalar("string", lambda _: value)

    def _read_number(self, node: Node) -> Scalar:
        value = int(str(node.children[0]))
        return Scalar("long", lambda _: value)

    def _read_boolean(self, node: Node) -> Scalar:
        value = str(node.children[0]).lower() == "true"
        return Scalar("bool", lambda _: value)


@dataclass(frozen=True, slots=True)
class _Function:
    type: Type
    arity: int
    value: Callable[..., Value]


def _not(value: Value) -> bool | None:
    return None if value is None else not value


def _array_length(value: Value) -> int | None:
    return len(value) if isinstance(value, list) else None


FUNCTIONS: Mapping[str, _Function] = {
    "not": _Function("bool", 1, _not),
    "tolower": _Function("string", 1, lambda value: text(value).lower()),
    "toupper": _Function("string", 1, lambda value: text(value).upper()),
    "tostring": _Function("string", 1, text),
    "isempty": _Function("bool", 1, lambda value: text(value) == ""),
    "isnotempty": _Function("bool", 1, lambda value: text(value) != ""),
    "isnull": _Function("bool", 1, lambda value: value is None),
    "isnotnull": _Function("bool", 1, lambda value: value is not None),
    "strcat": _Function("string", -1, lambda *values: "".join(map(text, values))),
    "split": _Function("dynamic", 2, lambda value, by: text(value).split(text(by))),
    "array_length": _Function("long", 1, _array_length),
}


def _text(node: Node, token: str) -> str:
    """What a string literal stands for."""
    if token.startswith("@"):
        return token[2:-1]
    if _ESCAPE.search(token.replace("\\\\", "")):
        raise _error(node, f"The string {token} has an escape that is none.")
    return str(ast.literal_eval(token))


def _access(source: Scalar, accessor: Node) -> Callable[[Row], Value]:
    key = accessor.children[0]
    assert isinstance(key, Token)
    place: int | str = str(key)
    if key.type == "SIGNED_INT":
        place = int(str(key))
    elif key.type == "STRING":
        place = _text(accessor, str(key))

    def access(row: Row) -> Value:
        value = source.value(row)
        if isinstance(place, int):
            inside = isinstance(value, list) and -len(value) <= place < len(value)
            return value[place] if inside else None
        return value.get(place) if isinstance(value, dict) else None

    return access


def _logical(conditions: list[Scalar], *, decisive: bool) -> Scalar:
    """`or` (decisive true) and `and` (decisive false), with nulls as unknown."""

    def decide(row: Row) -> bool | None:
        unknown = False
        for each in conditions:
            value = each.value(row)
            if not isinstance(value, bool):
                unknown = True
            elif value == decisive:
                return decisive
        return None if unknown else not decisive

    return Scalar("bool", decide)


def _column_name(expression: object, place: int) -> str:
    """The name of a column that is given none: that of its last part, as `properties_state`."""
    assert isinstance(expression, Tree)
    if expression.data == "path":
        source, *accessors = expression.children
        assert isinstance(source, Tree)
        if source.data == "name":
            names = (each.children[0] for each in (source, *accessors) if isinstance(each, Tree))
            return "_".join(str(name).strip("'\"") for name in names)
    return f"Column{place}"


def _trees(operator: Node, kind: str | None = None) -> list[Node]:
    return [
        each
        for each in operator.children
        if isinstance(each, Tree) and (kind is None or each.data == kind)
    ]


def _error(node: Node, message: str) -> QueryError:
    return QueryError(
        "InvalidQuery",
        message,
        getattr(node.meta, "line", 1),
        getattr(node.meta, "column", 1),
    )
