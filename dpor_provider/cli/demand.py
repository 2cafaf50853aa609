"""`dpor registry demand`: where nothing changes without a pipeline's OIDC token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from dpor_provider.cli.output import (
    Format,
    format_option,
    note,
    print_json,
    print_result,
    print_table,
)
from dpor_provider.cli.session import SCOPE, TEXT, Session, pass_session
from dpor_provider.provenance import Demand, Trust
from dpor_provider.provenance.trust import DEMANDABLE, IDENTIFYING


def _demandable(command: Callable[..., Any]) -> Callable[..., Any]:
    for name in reversed(DEMANDABLE):
        command = click.option(f"--{name.replace('_', '-')}", name, type=TEXT)(command)
    return command


@click.group()
def demand() -> None:
    """Where designations and access change only with an OIDC token of one's pipeline."""


@demand.command()
@click.argument("scope", type=SCOPE)
@click.option("--issuer", type=TEXT, required=True, help="The URL that signs the tokens.")
@click.option("--audience", type=TEXT, required=True, help="This registry's name, to pipelines.")
@_demandable
@format_option
@pass_session
def add(session: Session, /, scope: str, output_format: Format, **trust: Any) -> None:
    """Demand a token that says all this, to the letter, for each change under SCOPE."""
    if not any(trust[name] for name in IDENTIFYING):
        raise click.UsageError(
            "anybody can have a token of an issuer; say whose repository with --repository-id, or"
            " --owner-id or --repository"
        )
    added = Demand(scope, Trust(**trust))
    opened = session.registry
    opened.demands.add(added)
    if isinstance(trust["environment"], str) and not trust["environment_protected"]:
        note(
            "an environment without protection rules can be named by any workflow on any branch:"
            " see that it has them, or demand a --ref too"
        )
    print_result(
        output_format,
        _demand(added),
        f"designations and access under {scope} change only with such a token now",
    )


@demand.command("list")
@format_option
@pass_session
def list_(session: Session, output_format: Format) -> None:
    """List what is demanded where."""
    demands = session.registry.demands.all()
    if output_format == "json":
        print_json({"version": 1, "demands": [_demand(item) for item in demands]})
        return
    print_table(
        "Demands",
        ("Scope", "Issuer", "Audience", "Claims"),
        ((item.scope, item.trust.issuer, item.trust.audience, _claims(item)) for item in demands),
        "No token is demanded anywhere.",
    )


@demand.command()
@click.argument("scope", type=SCOPE)
@format_option
@pass_session
def remove(session: Session, scope: str, output_format: Format) -> None:
    """Demand nothing more at SCOPE; a demand at / goes on holding below it."""
    removed = session.registry.demands.remove(scope)
    print_result(output_format, _demand(removed), f"no token is demanded at {scope} any more")


def _demand(item: Demand) -> dict[str, str | None]:
    from dpor_provider.registry.demands import as_row

    return as_row(item)


def _claims(item: Demand) -> str:
    values = ((name, getattr(item.trust, name)) for name in DEMANDABLE)
    return ", ".join(f"{name} {value}" for name, value in values if value)
