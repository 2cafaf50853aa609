"""For GitLab: a code quality report (GitLab's subset of the Code Climate format)."""

from __future__ import annotations

from typing import Any

from dpor_provider.checker.result import Reported, Result
from dpor_provider.checker.words import as_json, path, why_suppressed
from dpor_provider.model import Level
from dpor_provider.printable import line

SEVERITIES = {Level.MANDATORY: "critical", Level.ADVISORY: "minor"}


def report(result: Result) -> str:
    """An issue for each finding; what is suppressed is of the severity info, and says why."""
    return as_json([_issue(one) for one in result.findings])


def _issue(one: Reported) -> dict[str, Any]:
    finding = one.finding
    description = f"{finding.rule}: {finding.message}"
    if one.suppressed:
        description = f"Suppressed, {why_suppressed(one)}. {description}"
    return {
        "type": "issue",
        "description": line(description),
        "check_name": finding.rule,
        "fingerprint": one.fingerprint,
        "severity": "info" if one.suppressed else SEVERITIES[finding.level],
        "location": {
            # The format has no issue without a place.
            "path": path(finding.where) if finding.where else ".",
            "lines": {"begin": finding.where.line if finding.where else 1},
        },
    }
