"""How far a long run is: a bar on a terminal, else a line now and then; on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from dpor_provider.cli.output import note
from dpor_provider.printable import printable

EVERY_S = 10
"""How often a line is written where there is no terminal."""


class Rate(ProgressColumn):
    """Resources a second."""

    def render(self, task: Task) -> Text:
        """The rate of the last moments, once there is one."""
        rate = task.finished_speed or task.speed
        return Text(f"{rate:,.0f}/s" if rate else "", style="progress.data.speed")


class Bar:
    """A bar, with rate and time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            # The bar alone gives way where the terminal is narrow.
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            Rate(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            expand=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def phase(self, name: str, total: int | None) -> None:
        """Begin a new bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=total)

    def advance(self) -> None:
        """One more."""
        if self._task is None:
            return
        self._progress.advance(self._task)
        (task,) = self._progress.tasks
        if task.total is not None and task.completed > task.total:
            # It was the last deployment's; there are more by now.
            task.total = None

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(printable(f"dpor: {text}"), markup=False, highlight=False)


class Lines:
    """A line now and then."""

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is left to be ended."""

    def phase(self, name: str, total: int | None) -> None:
        """Begin to count anew."""
        self._name, self._total, self._done = name, total, 0
        self._began = self._said = time.monotonic()

    def advance(self) -> None:
        """One more; a line if it is time for one."""
        self._done += 1
        now = time.monotonic()
        if now - self._said < EVERY_S:
            return
        self._said = now
        rate = self._done / (now - self._began)
        total = self._total if self._total and self._done <= self._total else None
        of = f" of {total}" if total else ""
        left = f", {(total - self._done) / rate:.0f} s left" if total else ""
        note(f"{self._name}: {self._done}{of} resources, {rate:.0f} a second{left}")

    def say(self, text: str) -> None:
        """A line."""
        note(f"dpor: {text}")


def progress() -> Bar | Lines:
    """What the terminal can show."""
    return Bar() if sys.stderr.isatty() else Lines()
