"""For code scanning: SARIF 2.1.0 (Static Analysis Results Interchange Format, OASIS)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from dpor_provider.checker.result import Reported, Result, SuppressedBy
from dpor_provider.checker.words import as_json, path, why_suppressed
from dpor_provider.model import Level, Position
from dpor_provider.printable import line
from dpor_provider.rules import Rule, all_rules

LEVELS = {Level.MANDATORY: "error", Level.ADVISORY: "warning"}


def report(result: Result) -> str:
    """One run; all rules are described in it, and those that did not run are notified."""
    rules = all_rules()
    index = {rule_id: number for number, rule_id in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "dpor",
                "version": version("dpor-provider"),
                "rules": [_rule(rule) for rule in rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolConfigurationNotifications": [
                    {
                        "level": "note",
                        "message": {"text": f"{rule_id} did not run: it needs a registry."},
                        "associatedRule": {"id": rule_id, "index": index[rule_id]},
                    }
                    for rule_id in result.not_run
                ],
            }
        ],
        "results": [_result(one, index) for one in result.findings],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return as_json(log)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.rationale},
        "help": {
            "text": f"{rule.rationale}\n\n{rule.mend}",
            "markdown": f"{rule.rationale}\n\n**How to mend it**\n\n{rule.mend}",
        },
        "defaultConfiguration": {"level": LEVELS[rule.level]},
    }


def _result(one: Reported, index: Mapping[str, int]) -> dict[str, Any]:
    finding = one.finding
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": LEVELS[finding.level],
        "message": {"text": line(finding.message)},
        "partialFingerprints": {"dporFinding/v1": one.fingerprint},
        "properties": {
            "subscriptionId": finding.subscription_id,
            "partnerId": finding.partner_id,
        },
    }
    if finding.where:
        result["locations"] = [{"physicalLocation": _location(finding.where, one.excerpt)}]
    if one.suppressed:
        source = "external" if one.suppressed.kind is SuppressedBy.BASELINE else "inSource"
        result["suppressions"] = [
            {"kind": source, "status": "accepted", "justification": why_suppressed(one)}
        ]
    return result


def _location(where: Position, excerpt: str | None) -> dict[str, Any]:
    file = PurePath(path(where))
    relative = quote(file.as_posix())
    region: dict[str, Any] = {
        "startLine": where.line,
        "startColumn": where.column,
        "endLine": where.end_line,
        "endColumn": where.end_column,
    }
    context = {"startLine": where.line, "snippet": {"text": excerpt}} if excerpt else None
    return {
        "artifactLocation": {"uri": file.as_uri() if file.is_absolute() else relative},
        "region": region,
        **({"contextRegion": context} if context else {}),
    }
