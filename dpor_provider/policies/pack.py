"""The policies that Pulumi sees: one for each rule, and `settings` before them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from dpor_provider.declaration.inputs import UNKNOWN
from dpor_provider.errors import DporError
from dpor_provider.model import Finding, Level, RuleException
from dpor_provider.policies.guard import Guard, Resource, failure
from dpor_provider.policies.options import SCHEMA, Options
from dpor_provider.printable import line
from dpor_provider.rules import Rule, Settled, all_rules
from dpor_provider.settings import Settings

TYPE = "pulumi-python:dynamic/dpor:PartnerOfRecord"
MARKS = {"subscription_id", "partner_id", "registry_id"}
"""What the provider of a `PartnerOfRecord` is known by, under whatever type."""
SHOWN = 10
"""How many undeclared subscriptions are named."""

LEVELS = {Level.MANDATORY: EnforcementLevel.MANDATORY, Level.ADVISORY: EnforcementLevel.ADVISORY}


def serve() -> None:
    """Serve the policy pack; does not return."""
    PolicyPack("dpor", policies=_Policies().all(), enforcement_level=EnforcementLevel.MANDATORY)


class _Policies:
    """The policies of one process, which serves one run.

    Pulumi asks the policies one after the other, in order, for each resource. The first one,
    `settings`, has the options, runs the rules, and keeps what they found for the others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guard: Guard | None = None
        self._unusable: str | None = None
        self._found: dict[str, Settled] = {}
        self._said: set[str] = set()

    def all(self) -> list[Policy]:
        """`settings`, then the rules."""
        settings = ResourceValidationPolicy(
            name="settings",
            description="What the pack was told, and what it says without blocking.",
            enforcement_level=EnforcementLevel.ADVISORY,
            config_schema=PolicyConfigSchema(SCHEMA),
            validate=self._settings,
        )
        return [settings, *map(self._policy, all_rules().values())]

    def _policy(self, rule: Rule) -> Policy:
        named: dict[str, Any] = {
            "name": rule.id,
            "display_name": rule.name,
            "description": f"{rule.name}: {rule.summary}",
            "enforcement_level": LEVELS[rule.level],
            "remediation_steps": rule.mend,
        }
        if rule.id == "DPOR402":
            return StackValidationPolicy(**named, validate=self._undeclared)

        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if _is_ours(args):
                for message in self._messages(rule, args.urn):
                    if self._is_news(rule, message):
                        report(line(message), args.urn)

        return ResourceValidationPolicy(**named, validate=validate)

    def _settings(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not _is_ours(args):
            return
        guard, first = self._opened(args.get_config())
        settled = self._found[args.urn] = self._examined(guard, args)
        for note in guard.notes if guard and first else ():
            report(line(note), args.urn)
        for finding in settled.findings:
            if finding.level is Level.ADVISORY and _level(finding) is Level.MANDATORY:
                report(line(f"{finding.message} [{finding.rule}]"), args.urn)
        for finding, exception in settled.suppressed:
            report(line(_suppressed(finding, exception)), args.urn)

    def _examined(self, guard: Guard | None, args: ResourceValidationArgs) -> Settled:
        if guard is None:
            return _unusable(self._unusable or "")
        try:
            return guard.examine(_resource(args))
        except Exception as error:
            # Left to Pulumi, it would end the run without a word about its cause.
            return _unusable(failure(error))

    def _opened(self, config: Mapping[str, Any]) -> tuple[Guard | None, bool]:
        """The guard of this run, and whether it was opened just now."""
        with self._lock:
            if self._guard is not None or self._unusable is not None:
                return self._guard, False
            try:
                stack = Settings.read(lambda key: pulumi.Config("dpor").get(key.split(":")[1]))
                self._guard = Guard.open(Options.read(config), stack)
            except DporError as error:
                self._unusable = str(error)
            except Exception as error:
                self._unusable = failure(error)
            return self._guard, True

    def _messages(self, rule: Rule, urn: str) -> list[str]:
        settled = self._found.get(urn)
        if settled is None:
            settled = _unusable("the policy 'settings' is disabled; let it be advisory")
        return [
            finding.message
            for finding in settled.findings
            if finding.rule == rule.id and finding.level is _level(finding)
        ]

    def _is_news(self, rule: Rule, message: str) -> bool:
        """Whether it is to be said: what only warns of a partner is said once, not everywhere."""
        if rule.needs_subscription or rule.level is Level.MANDATORY:
            return True
        with self._lock:
            said = message in self._said
            self._said.add(message)
            return not said

    def _undeclared(self, _args: StackValidationArgs, report: ReportViolation) -> None:
        found = self._guard.undeclared() if self._guard else []
        for finding in found[:SHOWN]:
            report(line(finding.message), None)
        if len(found) > SHOWN:
            report(f"{len(found) - SHOWN} more are not declared; see: dpor check", None)


def _is_ours(args: ResourceValidationArgs) -> bool:
    return args.resource_type == TYPE or (
        args.resource_type.startswith("pulumi-python:dynamic") and args.props.keys() >= MARKS
    )


def _resource(args: ResourceValidationArgs) -> Resource:
    owner = f"{pulumi.get_project()}/{pulumi.get_stack()}"
    inputs = {key: _plain(args.props, key) for key in args.props if not key.startswith("__")}
    return Resource(args.urn, args.name, f"{owner}/{args.name}", inputs)


def _plain(holder: Any, key: Any) -> Any:
    """A value without the library's wrapping; `UNKNOWN` if it is not known, or a part of it."""
    try:
        value = holder[key]
    except UnknownValueError:
        return UNKNOWN
    if isinstance(value, Mapping):
        parts = {name: _plain(value, name) for name in value}
        return UNKNOWN if any(part is UNKNOWN for part in parts.values()) else parts
    if isinstance(value, str) or not hasattr(value, "__getitem__"):
        return value
    items = [_plain(value, index) for index in range(len(value))]
    return UNKNOWN if any(item is UNKNOWN for item in items) else items


def _level(finding: Finding) -> Level:
    """The level of the policy that a finding belongs to."""
    return all_rules()[finding.rule].level


def _unusable(why: str) -> Settled:
    return Settled((Finding("DPOR204", f"the pack cannot work as it is told: {why}"),), ())


def _suppressed(finding: Finding, exception: RuleException) -> str:
    until = f"{finding.rule} is suppressed until {exception.expires} ({exception.reason})"
    return f"{until}: {finding.message}"
