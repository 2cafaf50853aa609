"""For Azure Pipelines: logging commands, which become issues of the run."""

from __future__ import annotations

from collections.abc import Iterator

from dpor_provider.checker.result import Reported, Result
from dpor_provider.checker.words import change, path, summary, why_suppressed
from dpor_provider.model import Level
from dpor_provider.printable import line

TYPES = {Level.MANDATORY: "error", Level.ADVISORY: "warning"}


def report(result: Result) -> str:
    """A command for each finding; what does not count, and the summary, are plain lines."""
    return "".join(f"{text}\n" for text in _lines(result))


def _lines(result: Result) -> Iterator[str]:
    for one in result.findings:
        finding = one.finding
        if one.suppressed:
            place = f"{finding.where}: " if finding.where else ""
            said = f"suppressed {finding.rule}, {why_suppressed(one)}; {finding.message}"
            yield line(place + said)
        else:
            yield _command(one)
    for changed in result.changes:
        yield change(changed)
    yield summary(result)


def _command(one: Reported) -> str:
    finding = one.finding
    properties = {"type": TYPES[finding.level]}
    if where := finding.where:
        properties |= {
            "sourcepath": path(where),
            "linenumber": str(where.line),
            "columnnumber": str(where.column),
        }
    properties["code"] = finding.rule
    named = ";".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"##vso[task.logissue {named}]{_data(line(finding.message))}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(line(text)).replace(";", "%3B").replace("]", "%5D")
