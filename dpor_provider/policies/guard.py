"""What the pack knows of a run: what is live, on which terms it judges, and what it has seen."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dpor_provider.declaration import load
from dpor_provider.declaration.inputs import UNKNOWN, read_inputs
from dpor_provider.errors import DporError, Invalid
from dpor_provider.live import Live
from dpor_provider.model import Estate, Finding
from dpor_provider.platforms import DEFAULT, open_platform, read_live
from dpor_provider.policies.options import Options
from dpor_provider.registry import open_registry
from dpor_provider.rules import (
    Rule,
    Settled,
    Subject,
    Target,
    Terms,
    all_rules,
    approvals,
    excusable,
    settle,
    undeclared,
)
from dpor_provider.settings import Settings


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as the pack is shown it."""

    urn: str
    name: str
    managed_by: str
    """project/stack/resource name, by its URN."""
    inputs: Mapping[str, Any]
    """Plain values; `UNKNOWN` for what is not known in a preview."""


@dataclass(slots=True)
class Guard:
    """Examines the resources of one run.

    Registry and platform are read once, in bulk, from what the platform team's options name, and
    the stack's settings only where those are silent.
    """

    stack: Settings
    live: Live | None
    terms: Terms
    notes: tuple[str, ...]
    """What is to be said once in a run."""
    problem: str | None
    """Why nothing live can be looked at; None if it can."""
    _declared: dict[str, Resource] = field(default_factory=dict)

    @classmethod
    def open(cls, options: Options, stack: Settings) -> Guard:
        """Read registry, platform and approved exceptions; what cannot be read is `problem`."""
        terms = Terms(
            today=options.today or datetime.now(UTC).date(),
            roles=options.roles,
            digits=options.digits,
        )
        live, problem = None, None
        try:
            if options.exceptions:
                terms = _approving(terms, options)
            registry = open_registry(options.registry or stack.registry)
            platform = open_platform(
                options.platform or stack.platform, registry, credit=stack.credit
            )
            live = read_live(registry, platform, principal=options.deployer)
        except DporError as error:
            problem = str(error)
        return cls(stack, live, terms, _silent(options, live) if live else (), problem)

    def examine(self, resource: Resource) -> Settled:
        """What all the rules find on a resource."""
        declared, failures = read_inputs(resource.inputs)
        found = [
            Finding("DPOR001", f"{failure.property_name}: {failure.reason}") for failure in failures
        ]
        if self.problem:
            found.append(Finding("DPOR204", f"nothing live could be looked at: {self.problem}"))
        owner = self.live.owner(declared.subscription_id) if self.live else None
        first = self._declared.setdefault(declared.subscription_id or resource.urn, resource)
        subject = Subject(
            declared,
            self.terms,
            self.live,
            managed_by=resource.managed_by,
            recorded=owner == resource.managed_by,
            unknown=frozenset(name for name, value in resource.inputs.items() if value is UNKNOWN),
            elsewhere=repr(first.name) if first.urn != resource.urn else None,
            target=Target(
                _text(resource.inputs.get("registry_id")), self.stack.platform or DEFAULT
            ),
        )
        found += self._claim(resource)
        for rule in all_rules().values():
            found += _careful(rule, functools.partial(rule.find, subject))
        return settle(subject, found, excusable())

    def undeclared(self) -> list[Finding]:
        """What DPOR402 finds on the subscriptions that no resource of the stack declares."""
        if self.live is None:
            return []
        live, rule = self.live, all_rules()["DPOR402"]
        return _careful(
            rule,
            lambda: (
                finding
                for subject in undeclared(Estate((), {}, ()), self.terms, live)
                if subject.declared.subscription_id not in self._declared
                for finding in rule.find(subject)
            ),
        )

    @staticmethod
    def _claim(resource: Resource) -> Iterator[Finding]:
        claimed = resource.inputs.get("managed_by")
        if claimed != resource.managed_by:
            yield Finding(
                "DPOR401",
                f"the resource says that {claimed!r} owns it, and it is {resource.managed_by!r};"
                " leave managed_by to PartnerOfRecord",
            )


def _silent(options: Options, live: Live) -> tuple[str, ...]:
    """What the pack was not told, and takes from the stack, which a pull request may change."""
    taken = [
        what
        for told, what in (
            (options.registry, f"registry {live.registry_name!r}"),
            (options.platform, f"platform {live.platform_name!r}"),
        )
        if told is None
    ]
    if not taken:
        return ()
    whence = "taken from the stack's configuration, which a pull request may change"
    how = "name them in the pack's (--policy-pack-config, settings)"
    return (f"{whence}: {', '.join(taken)}; {how}",)


def _approving(terms: Terms, options: Options) -> Terms:
    path = options.exceptions
    try:
        loaded = load([path] if path else [])
    except Invalid as error:
        raise Invalid(f"the approved exceptions: {error}") from None
    if loaded.findings:
        raise Invalid(f"the approved exceptions: {loaded.findings[0]}")
    return Terms(
        terms.today, terms.roles, terms.digits, approvals(loaded.estate), approved_in=str(path)
    )


def _careful(rule: Rule, find: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a rule finds; its failure is a finding, as it must not pass for 'nothing found'."""
    try:
        return list(find())
    except Exception as error:
        said = f"the rule failed ({failure(error)}); please report this"
        return [Finding(rule.id, said, level=rule.level)]


def failure(error: Exception) -> str:
    """An error that nobody expected, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
