"""What a pipeline's agent makes of the reports: the commands of the findings, and no other.

The parsers follow the published sources of the agents: `ActionCommand` of GitHub's runner, and
`Command` with `CommandStringConvertor` of Azure Pipelines' agent. Both take any name for a
command's, which is stricter than the agents are.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.etree import ElementTree

import pytest
from checker.reporters.report_cases import CASES, CONTOSO, HOSTILE, HOSTILE_PIECES, SHOP
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

from dpor_provider.checker.reporters import formats, render
from dpor_provider.checker.result import (
    Change,
    ChangeKind,
    Reported,
    Result,
    SuppressedBy,
    Suppression,
)
from dpor_provider.checker.words import change, path, summary, why_suppressed
from dpor_provider.model import Finding, Level, Partner, Position
from dpor_provider.printable import line
from dpor_provider.rules import all_rules

cases = pytest.mark.parametrize("result", CASES.values(), ids=CASES)
every_format = pytest.mark.parametrize("format_name", formats())
quick = settings(max_examples=60, deadline=None)


# --- The agents ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    name: str
    properties: Mapping[str, str]
    data: str


def lines_of(text: str) -> list[str]:
    """The lines as .NET's readers find them."""
    return re.split("\r\n|\r|\n", text.removesuffix("\n"))


def decoded(text: str, escapes: Iterable[tuple[str, str]]) -> str:
    for escape, char in escapes:
        text = text.replace(escape, char)
    return text


def properties(text: str, between: str, escapes: Iterable[tuple[str, str]]) -> dict[str, str]:
    found = {}
    for part in text.split(between):
        name, _, value = part.lstrip("=").partition("=")
        # The agents' way to split takes several signs in a row for one.
        if name and (value := value.lstrip("=")):
            found[name] = decoded(value, escapes)
    return found


GITHUB_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
GITHUB_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
AZURE = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%AZP25", "%"))


def github_command(text: str) -> Command | None:
    """What GitHub's runner makes of a line: a command at its start, or an old one anywhere."""
    if (start := text.lstrip()).startswith("::") and (end := start.find("::", 2)) >= 0:
        name, _, rest = start[2:end].partition(" ")
        data = decoded(start[end + 2 :], GITHUB_DATA)
        return Command(name, properties(rest.strip(), ",", GITHUB_PROPERTY), data)
    return bracketed(text, "##[", GITHUB_DATA)


def azure_command(text: str) -> Command | None:
    """What Azure Pipelines' agent makes of a line: a command that starts anywhere in it."""
    return bracketed(text, "##vso[", AZURE)


def bracketed(text: str, prefix: str, escapes: Iterable[tuple[str, str]]) -> Command | None:
    if (start := text.find(prefix)) < 0 or (end := text.find("]", start)) < 0:
        return None
    name, _, rest = text[start + len(prefix) : end].partition(" ")
    return Command(name, properties(rest, ";", escapes), decoded(text[end + 1 :], escapes))


def test_the_agents_find_commands_where_there_are_some() -> None:
    assert github_command("  ::error file=a%2Cb,line=1::50%25") == Command(
        "error", {"file": "a,b", "line": "1"}, "50%"
    )
    assert github_command("x ##[set-env name=A;]b") == Command("set-env", {"name": "A"}, "b")
    assert azure_command("x ##vso[task.logissue type=error;code=a%5D]%AZP250A") == Command(
        "task.logissue", {"type": "error", "code": "a]"}, "%0A"
    )
    assert github_command("a ::error::x") is None
    assert azure_command("# #vso[task.complete]") is None


# --- What they should find -----------------------------------------------------------------------


def as_property(text: str) -> str:
    """A property's value as the agents can hold it: they take signs off its beginning."""
    return line(text).lstrip("=")


def wanted_of_github(result: Result) -> Iterator[Command]:
    for one in result.findings:
        finding, where = one.finding, one.finding.where
        name = "error" if finding.level is Level.MANDATORY else "warning"
        title, message = finding.rule, line(finding.message)
        if one.suppressed:
            name, title = "notice", f"{finding.rule} suppressed"
            message = line(f"{why_suppressed(one)}; {finding.message}")
        wanted = {"title": title}
        if where:
            wanted |= {
                "file": as_property(path(where)),
                "line": str(where.line),
                "endLine": str(where.end_line),
            }
            if where.line == where.end_line:
                wanted |= {"col": str(where.column), "endColumn": str(where.end_column)}
        yield Command(name, {key: value for key, value in wanted.items() if value}, message)
    for changed in result.changes:
        yield Command("notice", {"title": "dpor"}, change(changed))
    yield Command("notice", {"title": "dpor"}, summary(result))


def wanted_of_azure(result: Result) -> Iterator[Command]:
    for one in result.findings:
        finding, where = one.finding, one.finding.where
        if one.suppressed:
            continue
        wanted = {"type": "error" if finding.level is Level.MANDATORY else "warning"}
        if where:
            wanted |= {
                "sourcepath": as_property(path(where)),
                "linenumber": str(where.line),
                "columnnumber": str(where.column),
            }
        wanted["code"] = finding.rule
        properties = {key: value for key, value in wanted.items() if value}
        yield Command("task.logissue", properties, line(finding.message))


def assert_github_finds_what_is_reported(result: Result) -> None:
    found = [github_command(text) for text in lines_of(render(result, "github"))]
    assert found == list(wanted_of_github(result))


def assert_azure_finds_what_is_reported(result: Result) -> None:
    report = lines_of(render(result, "azure-pipelines"))
    found = [command for text in report if (command := azure_command(text))]
    assert found == list(wanted_of_azure(result))
    plain = [text for text in report if not azure_command(text)]
    assert len(plain) == result.suppressed + len(result.changes) + 1
    assert not [text for text in plain if "##vso" in text or "##[" in text]


def assert_no_agent_obeys(report: str) -> None:
    for text in lines_of(report):
        assert github_command(text) is None
        assert azure_command(text) is None
        assert "##vso" not in text


@cases
def test_github_finds_a_command_for_each_finding_and_no_other(result: Result) -> None:
    assert_github_finds_what_is_reported(result)


@cases
def test_azure_pipelines_finds_a_command_for_each_finding_that_counts_and_no_other(
    result: Result,
) -> None:
    assert_azure_finds_what_is_reported(result)


@cases
@pytest.mark.parametrize("format_name", sorted({*formats()} - {"github", "azure-pipelines"}))
def test_no_agent_finds_a_command_in_the_other_formats(result: Result, format_name: str) -> None:
    assert_no_agent_obeys(render(result, format_name))


# --- What no format holds ------------------------------------------------------------------------


def assert_harmless(report: str) -> None:
    """Every character but the line feed is one that a terminal shows."""
    assert report.endswith("\n")
    assert not {char for char in report if not char.isprintable()} - {"\n"}
    assert not {char for char in report if unicodedata.category(char) in ("Cc", "Cs")} - {"\n"}


@cases
@every_format
def test_no_format_holds_what_a_terminal_obeys(result: Result, format_name: str) -> None:
    report = render(result, format_name)
    assert not {"\x1b", "\x00", "\N{RIGHT-TO-LEFT OVERRIDE}", "\r"} & {*report}
    assert_harmless(report)


@pytest.mark.parametrize("format_name", ["gitlab", "json", "junit", "sarif"])
def test_the_formats_for_programs_are_ascii(format_name: str) -> None:
    assert render(HOSTILE, format_name).isascii()


def test_the_hostile_result_holds_every_danger_in_every_text() -> None:
    for one in HOSTILE.findings:
        assert all(piece in one.finding.message for piece in HOSTILE_PIECES)
    assert all(piece in (HOSTILE.base or "") for piece in HOSTILE_PIECES)


# --- Any text ------------------------------------------------------------------------------------

any_char = st.characters(codec=None, exclude_categories=())
texts = st.lists(st.sampled_from(HOSTILE_PIECES) | st.text(any_char)).map("".join)
partners = st.builds(Partner, id=st.just("4567890"), name=texts)
days = st.dates(date(2026, 1, 1), date(2030, 1, 1))
suppressions = st.builds(Suppression, st.just(SuppressedBy.EXCEPTION), texts, days) | st.just(
    Suppression(SuppressedBy.BASELINE)
)


@st.composite
def positions(draw: st.DrawFn) -> Position:
    line_number, column = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    end_line = line_number + draw(st.integers(0, 2))
    end_column = draw(st.integers(column if end_line == line_number else 1, 400))
    file = draw(texts.filter(bool))
    return Position(file, line_number, column, end_line, end_column)


findings = st.builds(
    Finding,
    rule=st.sampled_from(list(all_rules())),
    message=texts,
    subscription_id=st.none() | texts,
    where=st.none() | positions(),
    level=st.sampled_from(Level),
    partner_id=st.none() | texts,
)
reported = st.builds(
    Reported,
    finding=findings,
    fingerprint=st.from_regex(r"[0-9a-f]{32}:[1-9]", fullmatch=True),
    excerpt=st.none() | texts,
    suppressed=st.none() | suppressions,
)
changes = st.builds(
    Change,
    kind=st.sampled_from(ChangeKind),
    subscription_id=st.just(SHOP),
    before=st.just(CONTOSO) | partners,
    after=partners,
    detail=texts,
)
results = st.builds(
    Result,
    subscriptions=st.integers(0, 9),
    findings=st.lists(reported, max_size=4).map(tuple),
    not_run=st.lists(st.sampled_from(list(all_rules())), unique=True).map(tuple),
    base=st.none() | texts.filter(bool),
    changes=st.lists(changes, max_size=3).map(tuple),
)


def utf_16(text: Any) -> bytes:
    """JSON's own units, in which two surrogates side by side are one character."""
    assert isinstance(text, str)
    return text.encode("utf-16", "surrogatepass")


@quick
@given(result=results)
def test_github_finds_the_findings_of_any_text(result: Result) -> None:
    assert_github_finds_what_is_reported(result)


@quick
@given(result=results)
def test_azure_pipelines_finds_the_findings_of_any_text(result: Result) -> None:
    assert_azure_finds_what_is_reported(result)


@quick
@given(result=results, format_name=st.sampled_from(formats()))
def test_no_format_of_any_text_holds_what_a_terminal_or_an_agent_obeys(
    result: Result, format_name: str
) -> None:
    report = render(result, format_name)
    assert_harmless(report)
    if format_name not in ("github", "azure-pipelines"):
        assert_no_agent_obeys(report)


@quick
@given(result=results)
def test_json_of_any_text_parses(result: Result) -> None:
    document = json.loads(render(result, "json"))
    for one, found in zip(result.findings, document["findings"], strict=True):
        assert utf_16(found["message"]) == utf_16(one.finding.message)


@quick
@given(result=results)
def test_sarif_of_any_text_parses(result: Result) -> None:
    (run,) = json.loads(render(result, "sarif"))["runs"]
    for one, found in zip(result.findings, run["results"], strict=True):
        assert found["message"]["text"] == line(one.finding.message)


@quick
@given(result=results)
def test_the_gitlab_report_of_any_text_parses(result: Result) -> None:
    issues = json.loads(render(result, "gitlab"))
    for one, issue in zip(result.findings, issues, strict=True):
        assert line(one.finding.message) in issue["description"]
        issue["location"]["path"].encode()


@quick
@given(result=results)
def test_junit_of_any_text_parses(result: Result) -> None:
    text = render(result, "junit")
    tests = list(ElementTree.fromstring(text).iter("testcase"))
    (suite,) = JUnitXml.fromstring(text.encode())
    assert len(list(suite)) == len(tests)
    for one, test in zip(result.findings, tests, strict=False):
        message = line(one.finding.message)
        said = [
            text
            for element in test
            for text in (element.get("message"), element.text)
            if text is not None
        ]
        assert any(text.endswith(message) for text in said)


@quick
@given(result=results)
def test_text_of_any_text_has_a_line_for_each_finding_and_two_for_each_quoted_one(
    result: Result,
) -> None:
    counted = [one for one in result.findings if not one.suppressed]
    quoted = [one for one in counted if one.finding.where and one.excerpt is not None]
    kinds = [one.suppressed.kind for one in result.findings if one.suppressed]
    wanted = (
        len(counted)
        + 2 * len(quoted)
        + kinds.count(SuppressedBy.EXCEPTION)
        + (SuppressedBy.BASELINE in kinds)
        + (1 + len(result.changes) if result.base else 0)
        + 1
    )
    assert len(render(result, "text").splitlines()) == wanted
