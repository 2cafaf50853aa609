"""A rule in words: its page in the documentation, and what `dpor explain` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dpor_provider.rules.base import Example, Rule


def page(rule: Rule) -> str:
    """The rule's page, in Markdown."""
    return "\n".join(_lines(rule)) + "\n"


def table(rules: Iterable[Rule]) -> str:
    """All rules as a table, in Markdown."""
    rows = (
        f"| [{rule.id}](docs/rules/{rule.id}.md) | {rule.name} | {rule.level} | {rule.summary} |"
        for rule in rules
    )
    return "\n".join(("| Rule | Name | Level | Finds |", "|---|---|---|---|", *rows)) + "\n"


def _lines(rule: Rule) -> Iterator[str]:
    yield from (f"# {rule.id}: {rule.name}", "", rule.summary, "")
    yield f"- Level: {rule.level}, unless the policy pack's configuration says otherwise"
    yield f"- Exceptions: {'yes' if rule.knows_exceptions else 'none'}"
    where = "the policy pack and `dpor check`"
    yield f"- Found by: {'the resource itself, ' if rule.guards_writes else ''}{where}"
    if rule.needs_live:
        yield "- Needs a registry: with `--offline` it does not run"
    yield from ("", "## Why", "", rule.rationale, "", "## How to mend it", "", rule.mend, "")
    yield from ("## What it finds", "")
    for example in rule.finds:
        yield from _example(example)
    yield from ("## What it accepts", "")
    for number, example in enumerate(rule.accepts):
        yield from _example(example, last=number == len(rule.accepts) - 1)


def _example(example: Example, last: bool = False) -> Iterator[str]:
    yield from ("```yaml", example.declaration.rstrip("\n"), "```")
    if example.live:
        yield from ("", "where this is live:", "")
        yield from ("```yaml", example.live.rstrip("\n"), "```")
    if example.says:
        yield from ("", f"The message says: {example.says}")
    if not last:
        yield ""
