"""The rules; this folder is their registry: each module `dporNNN` holds one `Rule`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from dpor_provider.model import Finding
from dpor_provider.rules.base import Rule, Subject


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


def examine(subject: Subject) -> Iterator[Finding]:
    """What all the rules find on one subscription."""
    for rule in all_rules().values():
        yield from rule.find(subject)


__all__ = ["Rule", "Subject", "all_rules", "examine"]
