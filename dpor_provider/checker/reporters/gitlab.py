"""For GitLab: a code quality report (GitLab's subset of the Code Climate format)."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from dpor_provider.checker.result import Reported, Result
from dpor_provider.checker.words import line, why_suppressed
from dpor_provider.model import Level

SEVERITIES = {Level.MANDATORY: "critical", Level.ADVISORY: "minor"}


def report(result: Result) -> str:
    """An issue for each finding; what is suppressed is of the severity info, and says why."""
    return json.dumps([_issue(one) for one in result.findings], indent=2) + "\n"


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
            "path": PurePath(finding.where.file).as_posix() if finding.where else ".",
            "lines": {"begin": finding.where.line if finding.where else 1},
        },
    }
