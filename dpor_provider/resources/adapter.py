"""A Pulumi dynamic provider over a lifecycle: what is the same for every resource.

Pulumi keeps a provider in the state, pickled. A class in an installed module, whose instances have
no attributes, is kept as a reference: none of its code or settings.
"""

from __future__ import annotations

import contextlib
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from dpor_provider.declaration.inputs import UNKNOWN, Inputs
from dpor_provider.errors import DporError
from dpor_provider.printable import line
from dpor_provider.resources.engine import engine
from dpor_provider.resources.results import Checked, Difference, Found


class Steps(Protocol):
    """A resource's lifecycle, without any framework."""

    def check(self, old: Inputs, new: Inputs) -> Checked:
        """Verify all that can be known beforehand."""

    def diff(self, old_outputs: Inputs, new: Inputs) -> Difference:
        """Say whether an update or a replacement is asked for."""

    def create(self, inputs: Inputs) -> dict[str, Any]:
        """Make or adopt; gives the outputs."""

    def read(self, outputs: Inputs) -> Found | None:
        """Read what is live; None if it is gone."""

    def update(self, old_outputs: Inputs, inputs: Inputs) -> dict[str, Any]:
        """Bring what is live to what is declared; gives the outputs."""

    def delete(self, outputs: Inputs) -> None:
        """End what is this resource's to end."""


class Adapter(ResourceProvider):
    """Runs in Pulumi's dynamic provider process, once for one operation of the CLI."""

    serialize_as_secret_always = False

    # Set by `configure` only: an attribute set earlier would end up in the state.
    _steps: Steps
    _misconfigured: DporError | None = None

    @abstractmethod
    def open(self, config: Callable[[str], object]) -> Steps:
        """The lifecycle, by the stack's configuration.

        Raises:
            DporError: it cannot be had.
        """

    @abstractmethod
    def identify(self, outputs: Inputs) -> str:
        """A resource's id, by its outputs."""

    def configure(self, req: ConfigureRequest) -> None:
        """Open what the stack's configuration names."""
        # An error's text is for a person; Pulumi would print the whole traceback before it.
        sys.tracebacklimit = 0
        try:
            self._steps = self.open(req.config.get)
        except DporError as error:
            self._misconfigured = error

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Verify all that can be known beforehand."""
        if self._misconfigured:
            return CheckResult(news, [CheckFailure("", line(str(self._misconfigured)))])
        checked = self._steps.check(_plain(_olds), _plain(news))
        inputs = {
            key: news[key] if value is UNKNOWN else value for key, value in checked.inputs.items()
        }
        failures = [
            CheckFailure(_named(failure.property_name, news), line(failure.reason))
            for failure in checked.failures
        ]
        return CheckResult(inputs, failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare; which properties differ is left to the engine, which shows them."""
        with _in_one_line():
            difference = self._configured().diff(_plain(_olds), _plain(_news))
        if difference.replaces:
            return DiffResult(changes=True, replaces=list(difference.replaces))
        return DiffResult(changes=None if difference.changes else False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make or adopt."""
        with _in_one_line():
            outputs = self._configured().create(_plain(props))
        return CreateResult(self.identify(outputs), outputs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Read what is live."""
        with _in_one_line():
            found = self._configured().read(_plain(props))
        if found is None:
            return ReadResult(None, {})
        return ReadResult(id_, found.outputs, found.inputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring what is live to what is declared."""
        with _in_one_line():
            return UpdateResult(self._configured().update(_plain(_olds), _plain(_news)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """End what is this resource's to end."""
        with _in_one_line():
            self._configured().delete(_plain(_props))

    def _configured(self) -> Steps:
        if self._misconfigured:
            raise self._misconfigured
        return self._steps


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    """Let an error go without its causes, which Pulumi would print before it."""
    try:
        yield
    except DporError as error:
        raise type(error)(line(str(error))) from None


def before_write() -> Callable[[], None]:
    """What to call before each write: it ends a process whose engine is gone."""
    started_by = engine()
    if started_by is None:
        return lambda: None
    started_by.watch()
    return started_by.require


def say(text: str) -> None:
    """Show a line below the stack, as everything that a provider prints."""
    sys.stdout.write(f"{line(text)}\n")
    sys.stdout.flush()


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: UNKNOWN if _unknown(value) else value
        for key, value in properties.items()
        if not key.startswith("__")
    }


def _unknown(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_unknown, value))
    return isinstance(value, Unknown)


def _named(property_name: str, inputs: Mapping[str, Any]) -> str:
    """The property's name, if Pulumi may print the value with it, which it does as it is."""
    value = str(inputs.get(property_name, ""))
    return property_name if line(value) == value else ""
