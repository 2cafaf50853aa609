"""For GitHub Actions: workflow commands, which become annotations of the pull request."""

from __future__ import annotations

from collections.abc import Iterator

from dpor_provider.checker.result import Reported, Result
from dpor_provider.checker.words import change, path, summary, why_suppressed
from dpor_provider.model import Level
from dpor_provider.printable import line

COMMANDS = {Level.MANDATORY: "error", Level.ADVISORY: "warning"}


def report(result: Result) -> str:
    """A command for each finding, a notice for what does not count, and the summary as a notice."""
    return "".join(f"{text}\n" for text in _lines(result))


def _lines(result: Result) -> Iterator[str]:
    for one in result.findings:
        if one.suppressed:
            message = f"{why_suppressed(one)}; {one.finding.message}"
            yield _command("notice", one, f"{one.finding.rule} suppressed", message)
        else:
            command = COMMANDS[one.finding.level]
            yield _command(command, one, one.finding.rule, one.finding.message)
    for changed in result.changes:
        yield f"::notice title=dpor::{_data(change(changed))}"
    yield f"::notice title=dpor::{_data(summary(result))}"


def _command(command: str, one: Reported, title: str, message: str) -> str:
    properties = {"title": title}
    if where := one.finding.where:
        properties |= {
            "file": path(where),
            "line": str(where.line),
            "endLine": str(where.end_line),
        }
        if where.end_line == where.line:
            properties |= {"col": str(where.column), "endColumn": str(where.end_column)}
    named = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{command} {named}::{_data(line(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(line(text)).replace(":", "%3A").replace(",", "%2C")
