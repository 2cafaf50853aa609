"""`up`, `preview`, `destroy` and `refresh`: the real engine, on the user's own project."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from pulumi.automation import (
    CommandError,
    ConcurrentUpdateError,
    OnEvent,
    Stack,
    StackNotFoundError,
)

from dpor_provider.engine.command import Command
from dpor_provider.engine.designations import Kind, changes, limit, refreshed
from dpor_provider.engine.events import Tally, adopts
from dpor_provider.engine.locks import named
from dpor_provider.engine.outcome import Outcome, failures
from dpor_provider.engine.processes import end_session
from dpor_provider.engine.workspace import Workspace, plain_name
from dpor_provider.errors import Unavailable
from dpor_provider.live import Live
from dpor_provider.platforms import DEFAULT, open_platform, read_live
from dpor_provider.registry import open_registry
from dpor_provider.registry.url import project_file, resolve
from dpor_provider.resources.program import UNSEEN
from dpor_provider.resources.shard import VARIABLE, Shard
from dpor_provider.settings import Settings

SHOWN = 5
"""How many subscriptions, or types, a sentence names."""

EXIT_FOUND = 1
EXIT_FAILED = 2
EXIT_INTERRUPTED = 130

CHANGES_FOUND = 7
"""Pulumi's exit code where changes were found and none were expected."""

OFF_PLAN = " violates plan: "
"""How the engine says that a step is not the planned one."""


class Watcher(Protocol):
    """Shows a person how far a run is."""

    def phase(self, name: str, total: int | None) -> None:
        """What begins, and of how many resources it is, where that is known."""

    def advance(self) -> None:
        """One more resource is done with."""

    def say(self, text: str) -> None:
        """A line for a person."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a run; what is Pulumi's own is passed on."""

    stack: str | None = None
    """The selected one if None."""
    policy_packs: tuple[str, ...] = ()
    policy_pack_configs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    parallel: int | None = None
    diff: bool = False
    refresh: bool = False
    expect_no_changes: bool = False
    allow_withdrawals: int = 0
    checkpoints: bool = False
    shard: Shard | None = None
    """The part of the estate, in a stack of its own with the named stack's configuration."""
    registry: str | None = None
    platform: str | None = None
    """What the command line or the environment names; a run uses what the stack names."""


class Runner:
    """Runs the engine on the project that a folder belongs to.

    Args:
        options: What is asked.
        watcher: Shows how far the run is.
        start: The folder.

    Raises:
        Unavailable: there is no project, no engine or no stack.
    """

    def __init__(self, options: Options, watcher: Watcher, start: Path) -> None:
        project = project_file(start)
        if not project:
            raise Unavailable(
                f"neither {start} nor a folder above it has a Pulumi.yaml; run this in the folder"
                " of a Pulumi project"
            )
        self._began = time.monotonic()
        self._options = options
        self._watcher = watcher
        self._command = Command(watcher.say)
        self._workspace = Workspace(project, self._command)
        self._resources: int | None = None
        name = options.stack or self._selected()
        self._workspace.env_vars = {UNSEEN: "true"}
        self._config_file: Path | None = None
        if options.shard:
            self._config_file = self._workspace.config_file(name)
            name = options.shard.stack(name)
            self._workspace.env_vars = {**self._workspace.env_vars, VARIABLE: str(options.shard)}
        self._stack = Stack.select(name, self._workspace)
        self._output: list[str] = []
        self._config: Mapping[str, str] = {}
        self._live = cache(self._read_live)

    def preview(self) -> Outcome:
        """Show what `up` would do."""
        plan, code = self._preview(None)
        code = code or self._refused(plan, "dpor up refuses it")
        return self._outcome("preview", plan, code, begun=False)

    def up(self) -> Outcome:
        """Preview, and deploy what the preview showed."""
        with tempfile.TemporaryDirectory(prefix="dpor-") as folder:
            file = str(Path(folder) / "plan.json")
            plan, code = self._preview(file)
            if code := code or self._refused(plan, "nothing was deployed"):
                return self._outcome("up", plan, code, begun=False)
            ours = self._ours(plan)
            self._skip_checkpoints(ours)
            done, code = self._engine(
                "deploying",
                len(plan.steps),
                lambda on_event: self._stack.up(
                    **self._passed_on,
                    **self._of_the_program,
                    # A plan holds every value; those of other providers may differ each time.
                    plan=file if ours else None,
                    show_secrets=False,
                    on_event=on_event,
                ),
            )
        if any(OFF_PLAN in found.message for found in done.errors):
            done.complain(
                "live, or what the program declares, changed after the plan was made; what changed"
                " is left as it is; look at dpor preview, and run it again"
            )
        elif code:
            _name_what_is_left(plan, done)
        return self._outcome("up", done, code)

    def destroy(self) -> Outcome:
        """Take the stack's resources away."""
        plan, code = self._engine(
            "previewing",
            self._resources,
            lambda on_event: self._stack.preview_destroy(
                **self._passed_on, refresh=self._options.refresh, on_event=on_event
            ),
        )
        self._require_the_stacks_own()
        if code := code or self._refused(plan, "nothing was destroyed"):
            return self._outcome("destroy", plan, code, begun=False)
        self._skip_checkpoints(self._ours(plan))
        done, code = self._engine(
            "destroying",
            len(plan.steps),
            lambda on_event: self._stack.destroy(
                **self._passed_on,
                refresh=self._options.refresh,
                show_secrets=False,
                on_event=on_event,
            ),
        )
        if code:
            _name_what_is_left(plan, done)
        return self._outcome("destroy", done, code)

    def refresh(self) -> Outcome:
        """Bring the state to what is live; nothing but the state is written.

        What a killed run was creating, and the next `up` adopts, is pending no more.
        """
        adopted = self._adopts_pending_creates()
        done, code = self._engine(
            "refreshing",
            self._resources,
            lambda on_event: self._stack.refresh(
                **self._passed_on,
                expect_no_changes=self._options.expect_no_changes,
                clear_pending_creates=adopted,
                show_secrets=False,
                on_event=on_event,
            ),
        )
        return self._outcome("refresh", done, code)

    # --- The engine ----------------------------------------------------------------------------

    @property
    def _passed_on(self) -> dict[str, Any]:
        return {
            "parallel": self._options.parallel,
            "target": list(self._options.targets),
            "diff": self._options.diff,
            "color": "never",
            "config_file": str(self._config_file) if self._config_file else None,
            "on_output": self._output.append,
        }

    @property
    def _of_the_program(self) -> dict[str, Any]:
        return {
            "refresh": self._options.refresh,
            "expect_no_changes": self._options.expect_no_changes,
            "policy_packs": list(self._options.policy_packs),
            "policy_pack_configs": list(self._options.policy_pack_configs),
        }

    def _preview(self, plan: str | None) -> tuple[Tally, int]:
        if self._options.shard:
            self._make_stack()
        found, code = self._engine(
            "previewing",
            self._resources,
            lambda on_event: self._stack.preview(
                **self._passed_on,
                **self._of_the_program,
                plan=plan,
                on_event=on_event,
            ),
        )
        self._require_the_stacks_own()
        refused = code == EXIT_FAILED and found.refused
        return found, EXIT_FOUND if refused else code

    def _engine(
        self, phase: str, total: int | None, call: Callable[[OnEvent], object]
    ) -> tuple[Tally, int]:
        """Run the engine once; returns what it did, and our exit code."""
        self._watcher.phase(phase, total)
        self._output.clear()
        tally = Tally(self._watcher.advance)
        try:
            call(tally)
            # Stopped too late for the engine is early enough for what would come next.
            return tally, EXIT_INTERRUPTED if self._command.interrupted else 0
        except StackNotFoundError:
            raise self._no_stack() from None
        except ConcurrentUpdateError as error:
            self._lift_locks(str(error))
            return self._engine(phase, total, call)
        except CommandError:
            return tally, self._exit_code(tally)
        finally:
            self._config = tally.config

    def _require_the_stacks_own(self) -> None:
        """Go on only where the command line names no other registry or platform than the stack.

        Raises:
            Unavailable: it does; to be called after a preview, when nothing has begun.
        """
        stack, asked = Settings.read(self._config.get), self._options
        if self._config and (
            (asked.registry and resolve(asked.registry) != resolve(stack.registry))
            or (asked.platform and asked.platform != (stack.platform or DEFAULT))
        ):
            raise Unavailable(
                f"stack {self._stack.name} has a registry and a platform of its own (dpor:registry,"
                " dpor:platform), and the command line or the environment (DPOR_REGISTRY,"
                " DPOR_PLATFORM) names another; leave them out, or set the stack's"
            )

    def _no_stack(self) -> Unavailable:
        name = self._stack.name
        shard = self._options.shard
        make = (
            f"dpor up --shard {shard} makes it"
            if shard
            else f"make it with: pulumi stack init {name}"
        )
        return Unavailable(f"there is no stack {name!r}; {make}")

    def _make_stack(self) -> None:
        with self._one_line():
            stacks = {plain_name(stack.name): stack for stack in self._workspace.list_stacks()}
            if found := stacks.get(plain_name(self._stack.name)):
                self._resources = found.resource_count
                return
            self._workspace.create_stack(self._stack.name)
        self._watcher.say(f"made the stack {self._stack.name}")

    def _lift_locks(self, error: str) -> None:
        """Take the locks of killed runs of this host away.

        Raises:
            Unavailable: the stack is locked by another run.
        """
        stack, locks = self._stack.name, tuple(named(error))
        held = [lock for lock in locks if not (lock.file and lock.left_behind)]
        if held or not locks:
            who = "; ".join(map(str, held)) or "another run"
            over = bool(held) and all(lock.left_behind for lock in held)
            then = (
                "that run has ended;" if over else "wait until that run has ended, or, if it has,"
            )
            raise Unavailable(
                f"stack {stack} is locked by {who}; {then} say: pulumi cancel --stack {stack}"
            )
        for lock in locks:
            left = end_session(lock.pid)
            lock.lift()
            ended = f", and ended {left} processes that it left behind" if left else ""
            self._watcher.say(f"lifted the lock of a killed run, held by {lock}{ended}")

    def _exit_code(self, tally: Tally) -> int:
        result = self._command.result
        if self._command.interrupted:
            return EXIT_INTERRUPTED
        if any(found.violation for found in tally.diagnostics):
            return EXIT_FOUND
        if result is not None and result.code == CHANGES_FOUND:
            tally.complain("there are changes, and none were expected")
            return EXIT_FOUND
        if not any(tally.errors) and result is not None:
            tally.complain(result.stderr.strip().removeprefix("error: ") or "the engine failed")
        return EXIT_FAILED

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except StackNotFoundError:
            raise self._no_stack() from None
        except CommandError:
            result = self._command.result
            said = (result.stderr if result else "").strip().removeprefix("error: ")
            raise Unavailable(said or "the engine failed") from None

    def _selected(self) -> str:
        with self._one_line():
            found = self._workspace.stack()
        if found is None:
            raise Unavailable("no stack is selected; name one with --stack")
        self._resources = found.resource_count
        return found.name

    # --- What is refused, and what is safe -----------------------------------------------------

    def _refused(self, plan: Tally, so: str) -> int:
        """The exit code if the plan withdraws more than it may; 0 if not."""
        designations = list(plan.designations)
        withdrawn = [
            change.subscription_id or ""
            for change in changes(designations, self._live)
            if change.kind is Kind.WITHDRAWN
        ]
        estate = sum(bool(step.old) for step in designations)
        if len(withdrawn) <= max(limit(estate), self._options.allow_withdrawals):
            return 0
        plan.complain(
            f"this would withdraw {len(withdrawn)} of {estate} designations"
            f" ({_some(withdrawn)}); {so}; if it is meant, say"
            f" --allow-withdrawals {len(withdrawn)}"
        )
        return EXIT_FOUND

    def _ours(self, plan: Tally) -> bool:
        """Whether the next run finds again whatever a lost state would have known."""
        foreign = sorted({step.type for step in plan.steps.values() if not step.ours})
        if foreign:
            self._watcher.say(
                "checkpoints are kept, which takes longer: the stack has resources of other"
                f" kinds ({_some(foreign)})"
            )
        return not foreign

    def _adopts_pending_creates(self) -> bool:
        """Whether a killed run left creates in the state, and the next `up` adopts all of them.

        The engine clears all or none, and what would be made a second time must not be cleared.
        """
        with self._one_line():
            state = self._stack.export_stack().deployment or {}
        pending = state.get("pending_operations") or ()
        left = [one["resource"] for one in pending if one["type"] == "creating"]
        foreign = sorted({one["type"] for one in left if not adopts(one["type"], one["custom"])})
        if foreign:
            self._watcher.say(
                "a killed run was creating what the next up would create again"
                f" ({_some(foreign)}); look whether it is there, and say: pulumi refresh"
                f" --stack {self._stack.name}"
            )
        elif left:
            self._watcher.say(
                f"clearing {len(left)} creates that a killed run left pending; the next up adopts"
                " what it made"
            )
        return bool(left) and not foreign

    def _skip_checkpoints(self, safe: bool) -> None:
        skipped = safe and not self._options.checkpoints
        self._workspace.env_vars = {
            **self._workspace.env_vars,
            "PULUMI_SKIP_CHECKPOINTS": "true" if skipped else "false",
        }

    # --- What came of it -----------------------------------------------------------------------

    def _read_live(self) -> Live:
        settings = Settings.read(self._config.get)
        registry = open_registry(settings.registry)
        return read_live(
            registry, open_platform(settings.platform, registry, credit=settings.credit)
        )

    def _outcome(
        self, operation: str, tally: Tally, exit_code: int, *, begun: bool = True
    ) -> Outcome:
        steps = list(tally.designations)
        return Outcome(
            operation,
            self._stack.name,
            exit_code,
            tally.changes,
            tuple(refreshed(steps) if operation == "refresh" else changes(steps, self._live)),
            tuple(failures(tally)),
            tally.said,
            begun,
            "".join(self._output),
            round(time.monotonic() - self._began, 1),
        )


def _name_what_is_left(plan: Tally, done: Tally) -> None:
    if left := done.left(plan):
        done.complain(f"{left} changes of the plan are left to the next run")


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
