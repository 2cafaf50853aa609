"""`declare`: the partners of record of a declaration file, one resource per subscription."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pulumi

from dpor_provider.declaration import load
from dpor_provider.errors import DporError
from dpor_provider.live import Live
from dpor_provider.model import Declared, Estate, Finding, FormerAccess, Intent
from dpor_provider.platforms import open_platform, read_live
from dpor_provider.printable import line
from dpor_provider.registry import open_registry
from dpor_provider.resources.dynamic import PartnerOfRecord
from dpor_provider.resources.program import program_shard
from dpor_provider.rules import Terms, guard, subjects
from dpor_provider.settings import Settings


def declare(
    *paths: str | os.PathLike[str], opts: pulumi.ResourceOptions | None = None
) -> dict[str, PartnerOfRecord]:
    """Declare every subscription of one or more declaration files.

    The whole estate is examined first, against registry and platform. Whatever is wrong, in any
    file and for any subscription, is reported in one error, before anything is registered.

    Args:
        paths: Files, folders or glob patterns, relative to the program's folder.
        opts: Pulumi's options for every resource.

    Returns:
        The resources by subscription id. A subscription with the partner `none` or `undecided`
        has no resource, nor has one of another shard (`dpor up --shard`).

    Raises:
        pulumi.RunError: the declaration has problems, or the registry cannot be read.
    """
    try:
        shard = program_shard()
        loaded = load(paths)
        settings = Settings.read(_config)
        registry = open_registry(settings.registry)
        live = read_live(
            registry,
            open_platform(settings.platform, registry, credit=settings.credit),
            principal=settings.deployer,
        )
    except DporError as error:
        raise pulumi.RunError(line(str(error))) from None
    owner = f"{pulumi.get_project()}/{pulumi.get_stack()}"
    estate = replace(
        loaded.estate,
        subscriptions=tuple(
            declared
            for declared in loaded.estate.subscriptions
            # What is no subscription's id is everybody's problem.
            if not declared.subscription_id or shard.holds(declared.subscription_id)
        ),
    )
    findings = sorted(
        (*loaded.findings, *_examine(estate, live, owner)), key=lambda found: found.place
    )
    # What is wrong with a partner is wrong for each of its subscriptions, and is said once.
    if lines := list(dict.fromkeys(line(str(finding)) for finding in findings)):
        problems = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
        raise pulumi.RunError("\n".join((f"{problems}; nothing was deployed", *lines)))
    return {
        declared.subscription_id: _resource(declared, opts)
        for declared in estate.subscriptions
        if declared.intent is Intent.DESIGNATED
    }


def _examine(estate: Estate, live: Live, owner: str) -> Iterator[Finding]:
    terms = Terms(datetime.now(UTC).date())
    for subject in subjects(estate, terms, live):
        if subject.declared.intent is Intent.DESIGNATED or subject.elsewhere:
            managed_by = f"{owner}/{subject.declared.subscription_id}"
            recorded = live.owner(subject.declared.subscription_id) == managed_by
            yield from guard(replace(subject, managed_by=managed_by, recorded=recorded))


def _resource(declared: Declared, opts: pulumi.ResourceOptions | None) -> PartnerOfRecord:
    return PartnerOfRecord(
        declared.subscription_id,
        declared.subscription_id,
        declared.partner_id or "",
        declared.partner_name,
        former_access=_former_access(declared.former_access),
        replaces_partner_id=declared.replaces_partner_id,
        moved_from=declared.moved_from,
        also_partner_ids=list(declared.also_partner_ids) or None,
        on_delete=declared.on_delete,
        exceptions=[
            {"rule": item.rule, "reason": item.reason, "expires": item.expires.isoformat()}
            for item in declared.exceptions
        ]
        or None,
        opts=opts,
    )


def _former_access(former: FormerAccess) -> str | Mapping[str, str]:
    if not former.keep:
        return "revoke"
    if former.until is None:
        return "keep"
    return {"keep_until": former.until.isoformat(), "reason": former.reason or ""}


def _config(key: str) -> object:
    namespace, _, name = key.partition(":")
    return pulumi.Config(namespace).get(name)
