"""The rules; this folder is their registry: each module `dporNNN` holds one `Rule`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from dpor_provider.model import Finding
from dpor_provider.rules.base import Example, Rule
from dpor_provider.rules.exceptions import Settled, approvals, settle, stands_in
from dpor_provider.rules.subject import Subject, Target, Terms, subjects, undeclared


@functools.cache
def all_rules() -> Mapping[str, Rule]:
    """Every rule by its id, in order.

    Raises:
        ValueError: two modules hold a rule of the same id.
    """
    rules: dict[str, Rule] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        if not module.startswith("dpor"):
            continue
        for candidate in vars(importlib.import_module(f"{__name__}.{module}")).values():
            if isinstance(candidate, type) and issubclass(candidate, Rule) and candidate != Rule:
                if candidate.id in rules:
                    raise ValueError(f"rule {candidate.id} is there twice, in {module} again")
                rules[candidate.id] = candidate()
    return rules


def examine(subject: Subject, rules: Mapping[str, Rule] | None = None) -> Settled:
    """What rules find on one subscription, and what its exceptions take out of that.

    Args:
        subject: The subscription.
        rules: The rules by id; all of them by default.
    """
    chosen = all_rules() if rules is None else rules
    found = [finding for rule in chosen.values() for finding in rule.find(subject)]
    return settle(subject, found, excusable()) if found else Settled((), ())


def guard(subject: Subject) -> tuple[Finding, ...]:
    """What the resource itself refuses; the declaration's exceptions count, but cannot make it so.

    No exception makes an unknown Partner ID a partner, lets a retired one be designated anew (the
    registry refuses both), or lets two resources share a subscription.
    """
    settled = examine(subject, _guards())
    impossible = {"DPOR101", "DPOR102"}
    if subject.declared.partner_id != subject.record.partner_id:
        impossible.add("DPOR301")
    if subject.elsewhere:
        impossible.add("DPOR401")
    refused = [finding for finding, _ in settled.suppressed if finding.rule in impossible]
    return tuple(finding for finding in (*settled.findings, *refused))


@functools.cache
def excusable() -> frozenset[str]:
    """The ids of the rules that know exceptions."""
    return frozenset(rule.id for rule in all_rules().values() if rule.knows_exceptions)


@functools.cache
def _guards() -> Mapping[str, Rule]:
    return {rule.id: rule for rule in all_rules().values() if rule.guards_writes}


__all__ = [
    "Example",
    "Rule",
    "Settled",
    "Subject",
    "Target",
    "Terms",
    "all_rules",
    "approvals",
    "examine",
    "excusable",
    "guard",
    "settle",
    "stands_in",
    "subjects",
    "undeclared",
]
