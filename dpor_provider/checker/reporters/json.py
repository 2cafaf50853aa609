"""For programs: everything, as JSON of version 1."""

from __future__ import annotations

from typing import Any

from dpor_provider.checker.result import Reported, Result
from dpor_provider.checker.words import as_json, help_page, path, rule_of
from dpor_provider.model import Level, Partner


def report(result: Result) -> str:
    """One object; what is beyond ASCII is escaped."""
    document: dict[str, Any] = {
        "version": 1,
        "summary": {
            "subscriptions": result.subscriptions,
            "mandatory": result.count(Level.MANDATORY),
            "advisory": result.count(Level.ADVISORY),
            "suppressed": result.suppressed,
            "not_run": list(result.not_run),
        },
        "findings": [_finding(one) for one in result.findings],
    }
    if result.base:
        document["base"] = result.base
        document["changes"] = [
            {
                "kind": one.kind,
                "subscription_id": one.subscription_id,
                "before": _partner(one.before),
                "after": _partner(one.after),
                "detail": one.detail,
            }
            for one in result.changes
        ]
    return as_json(document)


def _partner(partner: Partner | None) -> dict[str, str] | None:
    return {"id": partner.id, "name": partner.name} if partner else None


def _finding(one: Reported) -> dict[str, Any]:
    finding, where, suppressed = one.finding, one.finding.where, one.suppressed
    return {
        "rule": finding.rule,
        "name": rule_of(one).name,
        "level": finding.level,
        "message": finding.message,
        "file": path(where) if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "end_line": where.end_line if where else None,
        "end_column": where.end_column if where else None,
        "subscription_id": finding.subscription_id,
        "partner_id": finding.partner_id,
        "fingerprint": one.fingerprint,
        "help": help_page(finding.rule),
        "suppressed": {
            "kind": suppressed.kind,
            "reason": suppressed.reason,
            "expires": suppressed.expires.isoformat() if suppressed.expires else None,
        }
        if suppressed
        else None,
    }
