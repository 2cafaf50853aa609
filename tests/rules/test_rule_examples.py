"""Each rule's own examples: what it must find, what it must not, and the pages made of them."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import yaml
from support.rule_example import found, written

from dpor_provider.declaration import load
from dpor_provider.rules import Example, Rule, all_rules
from tools.rule_pages import PAGES, pages

FINDS = [(rule, example) for rule in all_rules().values() for example in rule.finds]
ACCEPTS = [(rule, example) for rule in all_rules().values() for example in rule.accepts]


def name(value: object) -> str | None:
    return value.id if isinstance(value, Rule) else None


@pytest.mark.parametrize("rule", all_rules().values(), ids=name)
def test_a_rule_has_all_that_a_reader_needs(rule: Rule) -> None:
    for attribute in ("summary", "rationale", "mend"):
        text = getattr(rule, attribute)
        assert text.strip() == text
        assert text.endswith("."), attribute
    assert rule.finds
    assert rule.accepts
    assert all(example.says for example in rule.finds)
    assert inspect.getdoc(type(rule))


@pytest.mark.parametrize(("rule", "example"), FINDS, ids=name)
def test_it_finds_what_it_must(rule: Rule, example: Example, tmp_path: Path) -> None:
    findings = found(rule, example, tmp_path)
    assert any(example.says in finding.message for finding in findings), findings
    assert all(finding.message.isprintable() for finding in findings)


@pytest.mark.parametrize(("rule", "example"), ACCEPTS, ids=name)
def test_it_finds_nothing_where_it_must_not(rule: Rule, example: Example, tmp_path: Path) -> None:
    assert found(rule, example, tmp_path) == []


@pytest.mark.parametrize(("rule", "example"), FINDS + ACCEPTS, ids=name)
def test_an_example_is_a_declaration_that_can_be_read(
    rule: Rule, example: Example, tmp_path: Path
) -> None:
    yaml.safe_load(example.declaration)
    if rule.id != "DPOR001" or example in rule.accepts:
        assert load([written(example, tmp_path)]).findings == ()


def test_the_pages_and_the_readmes_table_are_what_the_rules_say() -> None:
    for path, content in pages().items():
        assert path.read_text("utf-8") == content, f"{path.name}: run make docs"
    assert {path.stem for path in PAGES.iterdir()} == set(all_rules())
