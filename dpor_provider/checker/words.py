"""What several formats say alike."""

from __future__ import annotations

import json
from pathlib import PurePath

from dpor_provider.checker.result import Change, ChangeKind, Reported, Result, SuppressedBy
from dpor_provider.model import Level, Partner, Position
from dpor_provider.printable import line
from dpor_provider.rules import Rule, all_rules


def rule_of(reported: Reported) -> Rule:
    """The rule of a finding."""
    return all_rules()[reported.finding.rule]


def help_page(rule_id: str) -> str:
    """The rule's page in the documentation."""
    return f"docs/rules/{rule_id}.md"


def path(where: Position) -> str:
    """The file, with forward slashes; bytes of its name that are no UTF-8 are escaped."""
    return PurePath(where.file).as_posix().encode(errors="backslashreplace").decode()


def as_json(document: object) -> str:
    """JSON that is ASCII, and that no pipeline's agent obeys."""
    return json.dumps(document, indent=2).replace("##", "#\\u0023") + "\n"


def why_suppressed(reported: Reported) -> str:
    """Why a finding does not count, and for how long."""
    suppression = reported.suppressed
    if suppression is None:
        return ""
    if suppression.kind is SuppressedBy.BASELINE:
        return "in the baseline"
    return line(f"exception until {suppression.expires}: {suppression.reason}")


def summary(result: Result) -> str:
    """The result in one line."""
    counts = (
        f"{result.subscriptions} subscription{'' if result.subscriptions == 1 else 's'}:"
        f" {result.count(Level.MANDATORY)} mandatory, {result.count(Level.ADVISORY)} advisory,"
        f" {result.suppressed} suppressed"
    )
    if not result.not_run:
        return counts
    return f"{counts}; not run, for want of a registry: {', '.join(result.not_run)}"


def change(one: Change) -> str:
    """What a revision does to a subscription, in one line."""
    said = f"{one.kind.replace('-', ' ')} {one.subscription_id}"
    match one.kind:
        case ChangeKind.DESIGNATED:
            return line(f"{said}: {_partner(one.after)}")
        case ChangeKind.SWITCHED:
            return line(f"{said}: {_partner(one.before)} to {_partner(one.after)}")
        case ChangeKind.WITHDRAWN:
            return line(f"{said}: {_partner(one.before)}")
        case ChangeKind.EXCEPTION_REQUESTED:
            return line(f"{said}: {one.detail}")


def _partner(partner: Partner | None) -> str:
    return f"{partner.name} ({partner.id})" if partner else "none"
