"""What the engine's events say of a run: the steps, and what went wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import DiagnosticEvent, PolicyEvent, StepEventMetadata

PARTNER_OF_RECORD = "pulumi-python:dynamic/dpor:PartnerOfRecord"
OURS = frozenset({PARTNER_OF_RECORD})
"""The types whose `create` adopts what a lost state no longer knows."""
PROVIDER = "pulumi:providers:pulumi-python"
PULUMI = "pulumi:"
"""How the types begin that Pulumi keeps in the state and nowhere else."""

CREATES = frozenset({OpType.CREATE, OpType.CREATE_REPLACEMENT})
DELETES = frozenset({OpType.DELETE, OpType.DELETE_REPLACED})
UNDONE = frozenset({OpType.REFRESH, OpType.REPLACE})
"""A look at what is there, and the heading over a deletion and a creation."""

ERROR = "error"
NOISE = (
    "preview failed",
    "update failed",
    "destroy failed",
    "refresh failed",
    "an unhandled error occurred: ",
)
"""How diagnostics begin that say nothing more than the exit code."""
NEVER_SEEN = "expected resource operations for "
"""How the diagnostics begin on the steps of a plan that the engine was never told of: one on each.

Those that it was told of and did not come to are in none.
"""
PREAMBLE = re.compile(
    r"^\S+ resource '.*?'(?:: property \S+ value \{.*?\})? has a problem: "
    r"|\bdpor_provider\.errors\.\w+: ",
    re.DOTALL,
)
"""What the engine and Python put before our words: the resource and the value, said once more."""
RULE = re.compile(r"\[DPOR\d{3}\]")
"""How our words name the rule that found something."""


def adopts(kind: str, custom: bool) -> bool:
    """Whether the next run finds again what a lost state would have known of a resource.

    Args:
        kind: The resource's type.
        custom: Whether it stands for something outside the state.
    """
    return not custom or kind in OURS or kind.startswith(PULUMI)


@dataclass(frozen=True, slots=True)
class Step:
    """What the engine does, or has done, with one resource."""

    operation: OpType
    urn: str
    type: str
    custom: bool
    """Whether it stands for something outside the state."""
    old: Mapping[str, Any]
    """The outputs of the last deployment; empty for a new resource."""
    new: Mapping[str, Any]
    """The inputs of this one; empty where the resource goes."""
    failed: bool = False

    @property
    def designates(self) -> bool:
        """Whether it is about a partner of record."""
        return self.type == PARTNER_OF_RECORD

    @property
    def ours(self) -> bool:
        """Whether nothing is lost if the state never hears of it."""
        return adopts(self.type, self.custom)

    @property
    def subscription_id(self) -> str | None:
        """The subscription whose partner it is about; None if it is about something else."""
        if not self.designates:
            return None
        found = (self.new or self.old).get("subscription_id")
        return found if isinstance(found, str) else None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What the engine, the program or a policy says."""

    severity: str
    """error, warning or info."""
    urn: str | None
    message: str
    policy: str | None = None

    def __str__(self) -> str:
        rule = f" [{self.policy}]" if self.policy else ""
        name = f"{self.urn.rpartition('::')[2]}: " if self.urn else ""
        return f"{self.severity}: {name}{self.message}{rule}"

    @property
    def violation(self) -> bool:
        """Whether it is a policy that blocks."""
        return self.policy is not None and self.severity == ERROR

    @property
    def finding(self) -> bool:
        """Whether it is what a rule found, be it in the program or in a check."""
        return self.violation or RULE.search(self.message) is not None


@dataclass(slots=True)
class Tally:
    """Takes the events of one run of the engine, in their order, and keeps what counts.

    Args:
        advance: Called for each resource that is done with.
    """

    advance: Callable[[], None]
    steps: dict[tuple[str, bool], Step] = field(default_factory=dict)
    """By URN and whether it deletes: a replaced resource has two."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    changes: Mapping[str, int] = field(default_factory=dict)
    """The engine's own count of steps, by operation."""
    config: Mapping[str, str] = field(default_factory=dict)
    """What our provider is configured with."""

    def __call__(self, event: EngineEvent) -> None:
        """Take one event."""
        if event.res_outputs_event:
            self._step(event.res_outputs_event.metadata, failed=False)
        elif event.res_op_failed_event:
            self._step(event.res_op_failed_event.metadata, failed=True)
        elif event.diagnostic_event:
            self._diagnostic(event.diagnostic_event)
        elif event.policy_event:
            self._policy(event.policy_event)
        elif event.prelude_event:
            self.config = event.prelude_event.config
        elif event.summary_event:
            self.changes = {
                str(getattr(operation, "value", operation)): count
                for operation, count in event.summary_event.resource_changes.items()
            }

    @property
    def said(self) -> tuple[Diagnostic, ...]:
        """The diagnostics, without those that only announce that there are others."""
        telling = [found for found in self.diagnostics if not found.message.startswith(NOISE)]
        told = any(found.severity == ERROR for found in telling)
        return tuple(telling if told else self.diagnostics)

    @property
    def errors(self) -> Iterator[Diagnostic]:
        """The errors, in order."""
        return (found for found in self.diagnostics if found.severity == ERROR)

    @property
    def refused(self) -> bool:
        """Whether nothing went wrong but what rules found."""
        errors = [found for found in self.said if found.severity == ERROR]
        return bool(errors) and all(found.finding for found in errors)

    @property
    def designations(self) -> Iterator[Step]:
        """The steps that are about partners of record."""
        return (step for step in self.steps.values() if step.designates)

    def left(self, plan: Tally) -> int:
        """How many changes of a plan this run says nothing about."""
        changes = {
            key
            for key, step in plan.steps.items()
            # Of a component the engine says nothing when a run is stopped.
            if step.custom and step.operation != OpType.SAME and not step.type.startswith(PULUMI)
        }
        complained = {found.urn for found in self.errors}
        return sum(key[0] not in complained for key in changes - self.steps.keys())

    def complain(self, message: str) -> None:
        """Add an error of our own."""
        self.diagnostics.append(Diagnostic(ERROR, None, message))

    def _step(self, metadata: StepEventMetadata, *, failed: bool) -> None:
        old, new = metadata.old, metadata.new
        state = new or old
        if metadata.type == PROVIDER and state:
            # A destroy configures it as the last deployment did, whatever the stack says now.
            self.config = state.inputs or self.config
        if metadata.op in UNDONE:
            return
        self.steps[metadata.urn, metadata.op in DELETES] = Step(
            metadata.op,
            metadata.urn,
            metadata.type,
            bool(state and state.custom),
            _kept(old.outputs if old else None),
            _kept(new.inputs if new else None),
            failed,
        )
        self.advance()

    def _diagnostic(self, event: DiagnosticEvent) -> None:
        message = event.message.strip()
        severity = event.severity.partition("#")[0]
        if severity == "debug" or event.ephemeral or not message or message.startswith(NEVER_SEEN):
            return
        urn = event.urn or None
        self.diagnostics.append(Diagnostic(severity, urn, PREAMBLE.sub("", message, count=1)))

    def _policy(self, event: PolicyEvent) -> None:
        severity = ERROR if event.enforcement_level == "mandatory" else "warning"
        # The first line is the policy's description, which its name stands for.
        message = event.message.strip().partition("\n")[2] or event.message.strip()
        self.diagnostics.append(
            Diagnostic(severity, event.resource_urn or None, message, event.policy_name)
        )


def _kept(properties: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (properties or {}).items() if not key.startswith("__")}
