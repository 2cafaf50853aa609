"""`PartnerOfRecord` as a Pulumi dynamic resource: a thin adapter over the lifecycle.

The state holds a reference to `PartnerOfRecordProvider`, by module and name, and nothing of its
code or settings. Both names are therefore permanent: a state of any release must find them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from dpor_provider.declaration.inputs import UNKNOWN
from dpor_provider.errors import DporError
from dpor_provider.platforms import open_platform
from dpor_provider.printable import line
from dpor_provider.registry import open_registry
from dpor_provider.resources.engine import engine
from dpor_provider.resources.partner_of_record import Lifecycle
from dpor_provider.resources.program import once_per_subscription
from dpor_provider.settings import Settings


class PartnerOfRecordProvider(ResourceProvider):
    """Runs in Pulumi's dynamic provider process, once for one operation of the CLI."""

    serialize_as_secret_always = False

    # Set by `configure` only: an attribute set earlier would end up in the state.
    _lifecycle: Lifecycle
    _misconfigured: DporError | None = None

    def configure(self, req: ConfigureRequest) -> None:
        """Open registry and platform as the stack's configuration names them."""
        # An error's text is for a person; Pulumi would print the whole traceback before it.
        sys.tracebacklimit = 0
        try:
            settings = Settings.read(req.config.get)
            registry = open_registry(settings.registry)
            self._lifecycle = Lifecycle(
                registry,
                open_platform(settings.platform, registry, credit=settings.credit),
                today=datetime.now(UTC).date(),
                deployer=settings.deployer,
                say=_say,
                before_write=_before_write(),
            )
        except DporError as error:
            self._misconfigured = error

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Verify all that can be known beforehand."""
        if self._misconfigured:
            return CheckResult(news, [CheckFailure("", line(str(self._misconfigured)))])
        checked = self._lifecycle.check(_plain(_olds), _plain(news))
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
        difference = self._configured().diff(_plain(_olds), _plain(_news))
        if difference.replaces:
            return DiffResult(changes=True, replaces=list(difference.replaces))
        return DiffResult(changes=None if difference.changes else False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Designate or adopt."""
        outputs = self._configured().create(_plain(props))
        return CreateResult(outputs["subscription_id"], outputs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Read the live record."""
        found = self._configured().read(_plain(props))
        if found is None:
            return ReadResult(None, {})
        return ReadResult(id_, found.outputs, found.inputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring the live record to what is declared."""
        return UpdateResult(self._configured().update(_plain(_olds), _plain(_news)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """End what is this resource's to end."""
        self._configured().delete(_plain(_props))

    def _configured(self) -> Lifecycle:
        if self._misconfigured:
            raise self._misconfigured
        return self._lifecycle


class PartnerOfRecord(Resource, module="dpor", name="PartnerOfRecord"):
    """The digital partner of record of one subscription.

    Args:
        resource_name: The resource's name in the stack.
        subscription_id: The subscription's UUID.
        partner_id: The Partner ID (MPN ID), 5 to 8 digits.
        partner_name: The name that must be on record for that ID; the registry's by default.
        former_access: What a switch does with the former partner's access: `revoke`, `keep`, or
            `{"keep_until": "2026-12-31", "reason": "…"}`, the day included.
        replaces_partner_id: Another partner's live designation that may be replaced.
        moved_from: The project whose designation may be taken over.
        also_partner_ids: Further partners that may keep access.
        on_delete: `withdraw` (the default for what was designated here) or `retain` (the default
            for what was adopted).
        exceptions: Exceptions from rules, for the policy pack: `{"rule", "reason", "expires"}`.
        opts: Pulumi's options.

    Raises:
        pulumi.RunError: the program declares the subscription twice.
    """

    subscription_id: pulumi.Output[str]
    partner_id: pulumi.Output[str]
    partner_name: pulumi.Output[str]
    managed_by: pulumi.Output[str]
    """project/stack/resource name."""
    version: pulumi.Output[int]
    """Counts the changes of the record."""
    claim: pulumi.Output[str]
    """The mark by which a delete knows what it may withdraw."""
    written_partner_id: pulumi.Output[str]
    """The partner that this resource last wrote."""
    adopted: pulumi.Output[bool]
    """Whether an identical designation, that no deployment made, was found and taken over."""
    effective: pulumi.Output[str]
    """`yes`, or `pending` until the platform shows it."""
    designated_by: pulumi.Output[str]
    designated_at: pulumi.Output[str]
    """An ISO 8601 time in UTC."""
    former_partner_id: pulumi.Output[str | None]
    registry_id: pulumi.Output[str]
    """The identity of the registry that records it."""

    def __init__(
        self,
        resource_name: str,
        subscription_id: pulumi.Input[str],
        partner_id: pulumi.Input[str],
        partner_name: pulumi.Input[str] | None = None,
        *,
        former_access: pulumi.Input[str | Mapping[str, str]] = "revoke",
        replaces_partner_id: pulumi.Input[str] | None = None,
        moved_from: pulumi.Input[str] | None = None,
        also_partner_ids: pulumi.Input[Sequence[str]] | None = None,
        on_delete: pulumi.Input[str] | None = None,
        exceptions: pulumi.Input[Sequence[Mapping[str, str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        managed_by = f"{pulumi.get_project()}/{pulumi.get_stack()}/{resource_name}"
        super().__init__(
            PartnerOfRecordProvider(),
            resource_name,
            {
                "subscription_id": once_per_subscription(subscription_id, resource_name),
                "partner_id": partner_id,
                "partner_name": partner_name,
                "former_access": None if former_access == "revoke" else former_access,
                "replaces_partner_id": replaces_partner_id,
                "moved_from": moved_from,
                "also_partner_ids": also_partner_ids,
                "on_delete": on_delete,
                "exceptions": exceptions,
                "managed_by": managed_by,
                "version": None,
                "claim": None,
                "written_partner_id": None,
                "adopted": None,
                "effective": None,
                "designated_by": None,
                "designated_at": None,
                "former_partner_id": None,
                "registry_id": None,
            },
            opts,
        )


def _before_write() -> Callable[[], None]:
    started_by = engine()
    if started_by is None:
        return lambda: None
    started_by.watch()
    return started_by.require


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


def _say(text: str) -> None:
    # What a provider prints is shown below the stack.
    sys.stdout.write(f"{line(text)}\n")
    sys.stdout.flush()
