"""Bytes to plain data in which every value keeps its place, refusing YAML's risky features.

The parser's events are read in one pass, with a bounded depth. Dates stay text: YAML 1.1 and 1.2
disagree on them. A plain number is an `int` only where its spelling is the number's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from yaml import CSafeLoader, MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from yaml.reader import Reader

from dpor_provider.declaration.wording import quote
from dpor_provider.model import Finding, Position

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 32
MAX_FINDINGS = 1000
"""A file with more problems than this counts as unreadable."""


LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""As YAML 1.1 counts lines, and so every `Position`."""

Span = tuple[int, int, int, int]
"""Line, column, end line and end column as `Position` counts them."""


class Map(dict[str, Any]):
    """A mapping with the places of its keys and values."""

    __slots__ = ("key_spans", "partial", "span", "spans")

    def __init__(self) -> None:
        super().__init__()
        self.span: Span
        self.key_spans: dict[str, Span] = {}
        self.spans: dict[str, Span] = {}
        self.partial = False
        """Whether a key of it was refused, so that what it says is not certain."""


class List(list[Any]):
    """A list with the places of its values."""

    __slots__ = ("span", "spans")

    def __init__(self) -> None:
        super().__init__()
        self.span: Span
        self.spans: list[Span] = []


@dataclass(frozen=True, slots=True)
class Misread:
    """An unquoted number that YAML does not read as the digits that stand there."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """In place of a value that was refused and reported."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content, as far as it can be used."""

    file: str
    root: Map | None
    """None where the file's content is unknown; the findings say why."""
    findings: tuple[Finding, ...] = ()

    def finding(
        self, message: str, span: Span, subscription_id: str | None = None, prop: str | None = None
    ) -> Finding:
        """A finding of the rule invalid-declaration at this place."""
        return Finding("DPOR001", message, subscription_id, prop, self.position(span))

    def position(self, span: Span) -> Position:
        """The place as people count it."""
        return Position(self.file, *span)


def unreadable(file: str, message: str, line: int = 1, column: int = 1) -> Document:
    """A document of which nothing is known, with the reason."""
    where = Position(file, line, column, line, column)
    return Document(file, None, (Finding("DPOR001", message, where=where),))


def read(file: str, source: bytes) -> Document:
    """Read one declaration; whatever is wrong with it becomes a finding.

    Args:
        file: The name for the findings.
        source: The whole content.
    """
    if len(source) > MAX_BYTES:
        return unreadable(file, "the file is over 16 MiB; split the declaration into several files")
    source = source.removeprefix(b"\xef\xbb\xbf")
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        return _not_utf8(file, source, error.start)

    findings: list[Finding] = []
    blank = Document(file, None)

    def report(message: str, span: Span) -> None:
        findings.append(blank.finding(message, span))
        if len(findings) == MAX_FINDINGS:
            findings.append(blank.finding(TOO_MANY, span))
            raise _Stop

    lines = LINE_BREAK.split(text)
    last = len(lines), len(lines[-1]) + 1
    try:
        root = _Reader(source, last, report).document()
    except _Stop:
        root = None
    except YAMLError as error:
        findings.append(_not_yaml(blank, text, last, error))
        root = None
    return Document(file, root, tuple(findings))


TOO_MANY = f"there are more problems than these {MAX_FINDINGS}; correct these first"


def _span(start: Any, end: Any, last: tuple[int, int]) -> Span:
    """The place between two marks of the parser, which count from 0 and may be past the last."""
    return (
        *min((start.line + 1, start.column + 1), last),
        *min((end.line + 1, end.column + 1), last),
    )


class _Stop(Exception):
    """The rest of the file is not worth reading; the reason is reported."""


class _Reader:
    def __init__(
        self, source: bytes, last: tuple[int, int], report: Callable[[str, Span], None]
    ) -> None:
        self._last = last
        self._next: Callable[[], Any] = CSafeLoader(source).get_event
        self._report = report
        self._end: Any
        """Where the latest value ends."""

    def document(self) -> Map | None:
        self._next()
        start = self._next()
        if type(start) is StreamEndEvent:
            self._refuse("the file is empty; a declaration begins with 'version: 1'", start)
            return None
        first = self._next()
        value = self._value(first, 1)
        end = self._end
        self._next()
        after = self._next()
        if type(after) is DocumentStartEvent:
            self._refuse("a second document begins here; keep one declaration in a file", after)
        if isinstance(value, Map):
            return value
        if value is None:
            self._refuse("the file is empty; a declaration begins with 'version: 1'", first)
        elif not isinstance(value, Refused):
            self._report(
                f"a declaration is a mapping that begins with 'version: 1', not {kind(value)}",
                _span(first.start_mark, end, self._last),
            )
        return None

    def _refuse(self, message: str, event: Any) -> None:
        self._report(message, _span(event.start_mark, event.end_mark, self._last))

    def _value(self, event: Any, depth: int) -> Any:
        what = type(event)
        self._end = event.end_mark
        if what is AliasEvent:
            self._refuse(
                f"the alias {quote('*' + event.anchor)} is not allowed; write the value out, "
                "or share settings in 'groups' or 'defaults'",
                event,
            )
            return Refused()
        if event.tag is not None:
            self._refuse_tag(event)
            if what is ScalarEvent:
                return Refused()
        if what is ScalarEvent:
            return event.value if event.style else plain(event.value)
        if depth > MAX_DEPTH:
            self._refuse(f"nested deeper than {MAX_DEPTH} levels; a declaration needs 7", event)
            raise _Stop
        return self._map(event, depth) if what is MappingStartEvent else self._list(event, depth)

    def _refuse_tag(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._refuse(
            f"the tag {quote(tag)} is not allowed; leave it out (text goes in quotes)", event
        )

    def _map(self, start: Any, depth: int) -> Map:
        result = Map()
        end = start.end_mark
        while type(key := self._next()) is not MappingEndEvent:
            name = self._key(key, depth)
            event = self._next()
            if name is None:
                result.partial = True
                if type(event) is not AliasEvent:
                    self._value(event, depth + 1)
                continue
            value = self._value(event, depth + 1)
            end = self._end
            if name in result:
                result.partial = True
                line = result.key_spans[name][0]
                self._refuse(
                    f"the key {quote(name)} is here a second time; it is already in line {line}",
                    key,
                )
                continue
            result[name] = value
            result.key_spans[name] = _span(key.start_mark, key.end_mark, self._last)
            result.spans[name] = _span(event.start_mark, end, self._last)
        self._end = key.end_mark if start.flow_style else end
        result.span = _span(start.start_mark, self._end, self._last)
        return result

    def _key(self, event: Any, depth: int) -> str | None:
        if type(event) is not ScalarEvent:
            self._refuse("a key must be a word of text, not an alias, a list or a mapping", event)
            if type(event) is not AliasEvent:
                self._value(event, depth + 1)
            return None
        if event.tag is not None:
            self._refuse_tag(event)
        key: str = event.value
        if key == "<<" and not event.style:
            self._refuse(
                "the merge key '<<' is not allowed; share settings in 'groups' or 'defaults'", event
            )
            return None
        return key

    def _list(self, start: Any, depth: int) -> List:
        result = List()
        end = start.end_mark
        while type(event := self._next()) is not SequenceEndEvent:
            result.append(self._value(event, depth + 1))
            end = self._end
            result.spans.append(_span(event.start_mark, end, self._last))
        self._end = event.end_mark if start.flow_style else end
        result.span = _span(start.start_mark, self._end, self._last)
        return result


_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
for _word in ("true", "yes", "on"):
    _WORDS |= dict.fromkeys((_word, _word.title(), _word.upper()), True)
for _word in ("false", "no", "off"):
    _WORDS |= dict.fromkeys((_word, _word.title(), _word.upper()), False)

_PLAIN_INTEGER = re.compile(r"0|[1-9][0-9]{0,99}")
_NUMBER = re.compile(
    r"""[-+]?(?: 0b[01_]+ | 0o[0-7]+ | 0x[0-9a-fA-F_]+
          | [0-9][0-9_]* (?: :[0-5]?[0-9] )* (?: \.[0-9_]* )? (?: [eE][-+]?[0-9]+ )?
          | \.[0-9][0-9_]* (?: [eE][-+]?[0-9]+ )?
          | \.(?: inf|Inf|INF ) )
     | \.(?: nan|NaN|NAN )""",
    re.VERBOSE,
)


def plain(text: str) -> str | int | bool | Misread | None:
    """What an unquoted word means; a number is what YAML 1.1 or 1.2 takes for one."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or not _NUMBER.fullmatch(text):
        return text
    return int(text) if _PLAIN_INTEGER.fullmatch(text) else Misread(text)


def kind(value: object) -> str:
    """What sort of value it is, for messages."""
    match value:
        case Map():
            return "a mapping"
        case List():
            return "a list"
        case str():
            return "text"
        case bool():
            return "a truth value"
        case None:
            return "nothing"
        case _:
            return "a number"


def _not_utf8(file: str, source: bytes, offset: int) -> Document:
    before = LINE_BREAK.split(source[:offset].decode())
    line, column = len(before), len(before[-1]) + 1
    hint = " (it looks like UTF-16)" if source[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    message = f"byte 0x{source[offset]:02X} at offset {offset} is not UTF-8{hint}"
    return unreadable(file, f"{message}; save the file as UTF-8", line, column)


_HINTS = {
    "mapping values are not allowed": "indent by the same number of spaces, and put text that "
    "contains ': ' in quotes",
    "cannot start any token": "indent with spaces, and put text that begins with a special "
    "character in quotes",
    "did not find expected": "check the indentation and the closing bracket or quote",
    "could not find expected ':'": "a key is followed by a colon and a blank",
    "unexpected end of stream": "close the quote",
    "escape character": 'write backslashes in single quotes, or double them inside "…"',
}


def _not_yaml(document: Document, text: str, last: tuple[int, int], error: YAMLError) -> Finding:
    if not isinstance(error, MarkedYAMLError):
        return _control_character(document, text)
    problem = str(error.problem)
    unclosed = "end of stream" in problem
    mark: Any = (unclosed and error.context_mark) or error.problem_mark or error.context_mark
    hint = next((h for part, h in _HINTS.items() if part in problem), "correct the syntax here")
    return document.finding(f"this is not valid YAML: {problem}; {hint}", _span(mark, mark, last))


def _control_character(document: Document, text: str) -> Finding:
    found = Reader.NON_PRINTABLE.search(text)
    before, character = (text[: found.start()], found[0]) if found else ("", "")
    lines = LINE_BREAK.split(before)
    line, column = len(lines), len(lines[-1]) + 1
    where = Position(document.file, line, column, line, column + len(character))
    name = f"U+{ord(character):04X} " if character else ""
    message = f"the control character {name}is not allowed in YAML; remove it"
    return Finding("DPOR001", message, where=where)
