"""The reports are valid by the schemas of their formats, and their own tools' parsers read them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import xmlschema
from checker.reporters.report_cases import CASES
from jsonschema import Draft4Validator, Draft202012Validator
from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from dpor_provider.checker.reporters import render
from dpor_provider.checker.result import Reported, Result
from dpor_provider.checker.words import path, why_suppressed
from dpor_provider.model import Level
from dpor_provider.printable import line
from dpor_provider.rules import all_rules

SCHEMAS = Path(__file__).parent / "schemas"

cases = pytest.mark.parametrize("result", CASES.values(), ids=CASES)


@cache
def schema(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_bytes())


def sarif(result: Result) -> Any:
    return json.loads(render(result, "sarif"))


def junit_suite(result: Result) -> TestSuite:
    (suite,) = JUnitXml.fromstring(render(result, "junit").encode())
    assert isinstance(suite, TestSuite)
    return suite


def junit_cases(result: Result) -> list[TestCase]:
    """The test cases of the findings, in their order."""
    return list(junit_suite(result))[: len(result.findings)]


# --- SARIF ---------------------------------------------------------------------------------------


@cases
def test_sarif_is_valid_by_the_schema_of_the_standard(result: Result) -> None:
    validator = Draft4Validator(schema("sarif-2.1.0.json"))
    assert [error.message for error in validator.iter_errors(sarif(result))] == []


def test_the_schema_of_sarif_is_one_that_refuses() -> None:
    log = sarif(CASES["normal"])
    log["runs"][0]["results"][0]["level"] = "critical"
    validator = Draft4Validator(schema("sarif-2.1.0.json"))
    assert not validator.is_valid(log)


@cases
def test_sarif_describes_every_rule_and_refers_to_its_description(result: Result) -> None:
    (run,) = sarif(result)["runs"]
    described = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in described] == list(all_rules())
    for rule in described:
        assert rule["shortDescription"]["text"] == all_rules()[rule["id"]].summary
        assert rule["fullDescription"]["text"] == all_rules()[rule["id"]].rationale
        assert all_rules()[rule["id"]].mend in rule["help"]["text"]
    for found in run["results"]:
        assert described[found["ruleIndex"]]["id"] == found["ruleId"]
    for invocation in run["invocations"]:
        for notified in invocation["toolConfigurationNotifications"]:
            rule = notified["associatedRule"]
            assert described[rule["index"]]["id"] == rule["id"]


@cases
def test_sarif_has_a_result_for_each_finding_with_its_place_and_what_suppresses_it(
    result: Result,
) -> None:
    results = sarif(result)["runs"][0]["results"]
    for one, found in zip(result.findings, results, strict=True):
        assert found["ruleId"] == one.finding.rule
        assert found["message"]["text"] == line(one.finding.message)
        assert [entry["justification"] for entry in found.get("suppressions", [])] == (
            [why_suppressed(one)] if one.suppressed else []
        )
        where = one.finding.where
        assert len(found.get("locations", [])) == (where is not None)
        if where is not None:
            place = found["locations"][0]["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            assert unquote(uri.removeprefix("file://")) == path(where)
            assert uri.isascii()
            assert uri.isprintable()
            assert place["region"]["startLine"] == where.line
            assert place["region"]["endColumn"] == where.end_column


# --- JUnit ---------------------------------------------------------------------------------------


@cases
def test_junit_is_valid_by_the_schema_of_jenkins_but_for_three_common_attributes(
    result: Result,
) -> None:
    root = ElementTree.fromstring(render(result, "junit"))
    del root.attrib["skipped"]
    for case in root.iter("testcase"):
        case.attrib.pop("file", None)
        case.attrib.pop("line", None)
    validator = xmlschema.XMLSchema(SCHEMAS / "jenkins-junit-10.xsd")
    assert [error.reason for error in validator.iter_errors(root)] == []


@cases
def test_junit_counts_what_a_parser_of_it_counts(result: Result) -> None:
    suite = junit_suite(result)
    found = list(suite)
    assert suite.tests == len(found)
    assert suite.failures == sum(case.is_failure for case in found)
    assert suite.errors == sum(case.is_error for case in found)
    assert suite.skipped == sum(case.is_skipped for case in found)
    assert suite.failures == result.count(Level.MANDATORY)


@cases
def test_junit_has_a_failure_for_each_mandatory_finding_and_skips_what_is_suppressed(
    result: Result,
) -> None:
    for one, case in zip(result.findings, junit_cases(result), strict=True):
        where = one.finding.where
        message = line(one.finding.message)
        assert case.name is not None
        assert one.fingerprint in case.name
        assert case.classname == (line(where.file) if where else "dpor")
        if one.suppressed:
            (skipped,) = case.result
            assert isinstance(skipped, Skipped)
            assert skipped.message == f"{why_suppressed(one)}; {message}"
        elif one.finding.level is Level.MANDATORY:
            (failure,) = case.result
            assert isinstance(failure, Failure)
            assert failure.message == message
            assert failure.text == (f"{line(str(where))}: {message}" if where else message)
        else:
            assert case.result == []
            assert case.system_out is not None
            assert message in case.system_out


@cases
def test_junit_names_every_rule_and_skips_those_that_did_not_run(result: Result) -> None:
    found = {one.finding.rule for one in result.findings}
    rest = list(junit_suite(result))[len(result.findings) :]
    names = [f"{rule.id} {rule.name}" for rule in all_rules().values() if rule.id not in found]
    assert [case.name for case in rest] == names
    skipped = {case.name.split()[0] for case in rest if case.name and case.is_skipped}
    assert skipped == set(result.not_run) - found


def test_junit_is_what_its_declaration_says_in_any_character_set() -> None:
    text = render(CASES["hostile"], "junit")
    read = ElementTree.fromstring(text.encode("cp1252")).find("testsuite/testcase/system-out")
    assert read is not None
    assert read.text is not None
    assert "日本語" in read.text


# --- GitLab --------------------------------------------------------------------------------------


@cases
def test_the_gitlab_report_is_valid_by_a_schema_written_from_its_documentation(
    result: Result,
) -> None:
    validator = Draft202012Validator(schema("gitlab-code-quality.json"))
    issues = json.loads(render(result, "gitlab"))
    assert [error.message for error in validator.iter_errors(issues)] == []


@cases
def test_the_gitlab_report_has_an_issue_for_each_finding(result: Result) -> None:
    issues = json.loads(render(result, "gitlab"))
    assert len({issue["fingerprint"] for issue in issues}) == len(result.findings)
    for one, issue in zip(result.findings, issues, strict=True):
        assert issue["check_name"] == one.finding.rule
        assert issue["description"].endswith(f"{one.finding.rule}: {line(one.finding.message)}")
        assert issue["severity"] == gitlab_severity(one)
        if one.finding.where:
            assert issue["location"]["path"] == path(one.finding.where)


def gitlab_severity(one: Reported) -> str:
    if one.suppressed:
        return "info"
    return "critical" if one.finding.level is Level.MANDATORY else "minor"


# --- JSON ----------------------------------------------------------------------------------------


@cases
def test_json_counts_and_holds_each_finding_as_it_is(result: Result) -> None:
    document = json.loads(render(result, "json"))
    assert document["version"] == 1
    assert document["summary"]["mandatory"] == result.count(Level.MANDATORY)
    assert document["summary"]["suppressed"] == result.suppressed
    assert document.get("base") == result.base
    assert len(document.get("changes", [])) == len(result.changes)
    for one, found in zip(result.findings, document["findings"], strict=True):
        assert found["message"] == one.finding.message
        assert found["fingerprint"] == one.fingerprint
        assert (found["suppressed"] is None) == (one.suppressed is None)
        assert found["file"] == (path(one.finding.where) if one.finding.where else None)
