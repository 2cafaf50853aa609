"""`dpor rules` and `dpor explain`."""

from __future__ import annotations

import click

from dpor_provider.cli.output import Format, format_option, print_json, print_table, print_text
from dpor_provider.cli.session import RULE


@click.command()
@format_option
def rules(output_format: Format) -> None:
    """List the rules."""
    from dpor_provider.rules import all_rules

    every = all_rules().values()
    if output_format == "json":
        print_json(
            {
                "version": 1,
                "rules": [
                    {
                        "id": rule.id,
                        "name": rule.name,
                        "level": rule.level,
                        "summary": rule.summary,
                        "exceptions": rule.knows_exceptions,
                        "offline": not rule.needs_live,
                    }
                    for rule in every
                ],
            }
        )
        return
    print_table(
        "Rules",
        ("Rule", "Name", "Level", "Offline", "Finds"),
        (
            (rule.id, rule.name, rule.level, "no" if rule.needs_live else "yes", rule.summary)
            for rule in every
        ),
        "There are no rules.",
    )


@click.command()
@click.argument("rule", type=RULE)
def explain(rule: str) -> None:
    """Explain one rule: why it is there, how to mend what it finds, and examples."""
    from dpor_provider.rules import all_rules
    from dpor_provider.rules.page import page

    print_text(page(all_rules()[rule]).rstrip("\n"))
