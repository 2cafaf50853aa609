"""The `pulumi` command: started in a session of its own, and stopped with care."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import InvalidVersionError, create_command_error

from dpor_provider.engine.processes import MARK, end_session
from dpor_provider.errors import Unavailable

INSTALL = "https://www.pulumi.com/docs/iac/download-install/"

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a terminal or a pipeline asks a run to stop with."""


class Command(PulumiCommand):
    """Pulumi's command line, run for the Automation API.

    The engine is the leader of a session, so that whatever a killed engine leaves behind can be
    found by it, and so that Ctrl-C reaches the engine once, from here.

    Args:
        say: Takes a line for a person.

    Raises:
        Unavailable: there is no `pulumi`, or one that the Automation API cannot use.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.interrupted = False
        """Whether somebody asked for a stop."""
        self.result: CommandResult | None = None
        """What the last run printed, and its exit code."""
        try:
            super().__init__()
        except FileNotFoundError:
            raise Unavailable(
                f"there is no pulumi on the PATH; install 3.259.0 or newer: {INSTALL}"
            ) from None
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unavailable(f"pulumi cannot be run: {error}") from None
        except InvalidVersionError as error:
            raise Unavailable(f"this pulumi cannot be used: {error} See {INSTALL}") from None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """Run one command to its end; what it printed is handed on as a whole.

        Raises:
            CommandError: it failed.
        """
        running: list[subprocess.Popen[str]] = []
        with self._stopping(running):
            engine = subprocess.Popen(  # noqa: S603 - the arguments are a list
                [self.command, "--non-interactive", *args],
                cwd=cwd,
                env={
                    **os.environ,
                    **additional_env,
                    "PULUMI_AUTOMATION_API": "true",
                    MARK: str(os.getpid()),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            running.append(engine)
            if self.interrupted:
                engine.send_signal(signal.SIGINT)
            with engine:
                output, errors = engine.communicate()
        for printed, take in ((output, on_output), (errors, on_error)):
            if take:
                take(printed)
        self.result = CommandResult(stdout=output, stderr=errors, code=engine.returncode)
        if engine.returncode != 0:
            raise create_command_error(self.result)
        return self.result

    @contextmanager
    def _stopping(self, running: Sequence[subprocess.Popen[str]]) -> Iterator[None]:
        """The first signal lets the engine end what it began; another Ctrl-C kills it.

        Args:
            running: The engine, once it is there.
        """

        def stop(number: int, _frame: FrameType | None) -> None:
            if not self.interrupted:
                self.interrupted = True
                self._say("stopping when what has begun is done; Ctrl-C again kills the engine")
                for engine in running:
                    engine.send_signal(signal.SIGINT)
            elif number == signal.SIGINT:
                for engine in running:
                    engine.kill()
                    end_session(engine.pid)

        before = {number: signal.signal(number, stop) for number in STOPS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
