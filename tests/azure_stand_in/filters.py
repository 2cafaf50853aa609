"""The part of OData's `$filter` that these lists know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput

from .errors import bad_request

_PARSER = Lark(
    r"""
    start: term ("and"i term)*
    ?term: NAME "(" [value] ")" -> function
         | NAME "eq"i value -> equal
         | NAME "in"i "(" value ("," value)* ")" -> member
    ?value: STRING | BARE
    NAME: /[A-Za-z]+/
    STRING: /'[^']*'/
    BARE: /[0-9A-Fa-f-]{36}/
    %ignore " "
    """,
    parser="earley",
)


@dataclass(frozen=True, slots=True)
class Term:
    """A condition: a function or property by its lower-case name, and its values."""

    kind: str
    name: str
    values: tuple[str, ...]


class _Terms(Transformer[Token, Any]):
    def start(self, terms: list[Term]) -> tuple[Term, ...]:
        return tuple(terms)

    def function(self, parts: list[Token | None]) -> Term:
        return _term("function", parts)

    def equal(self, parts: list[Token | None]) -> Term:
        return _term("equal", parts)

    def member(self, parts: list[Token | None]) -> Term:
        return _term("member", parts)


def _term(kind: str, parts: list[Token | None]) -> Term:
    name, *values = parts
    return Term(kind, str(name).lower(), tuple(each.strip("'") for each in values if each))


def parse_filter(text: str | None) -> tuple[Term, ...]:
    """The terms of a filter, all of which must hold.

    Raises:
        ArmError: 400: the filter is not understood.
    """
    if not text:
        return ()
    try:
        terms: tuple[Term, ...] = _Terms().transform(_PARSER.parse(text))
    except UnexpectedInput:
        raise invalid_filter(text) from None
    return terms


def invalid_filter(text: str | None) -> Exception:
    """What is answered to a filter that is not understood."""
    return bad_request(
        "InvalidFilterInQueryString", f"The filter '{text}' in the query string is not valid."
    )
