"""The resource `PartnerOfRecord`: its arguments and its whole lifecycle, without any framework.

Plain values in, plain values out. A dynamic provider (`dpor_provider.resources.dynamic`) is one
thin adapter over this; a provider plugin for other languages is another.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from dpor_provider.declaration.inputs import UNKNOWN, Failure, Inputs, read_inputs
from dpor_provider.errors import Conflict, DporError, Gone, Refused, Unavailable
from dpor_provider.live import Live, Record
from dpor_provider.model import (
    Access,
    Action,
    Declared,
    Designation,
    Finding,
    OnDelete,
)
from dpor_provider.platforms import Platform, read_live
from dpor_provider.registry import Owner, Registry
from dpor_provider.resources.results import Checked, Difference, Found
from dpor_provider.rules import Subject, Terms, guard

INPUTS = (
    "subscription_id",
    "partner_id",
    "partner_name",
    "former_access",
    "replaces_partner_id",
    "moved_from",
    "also_partner_ids",
    "on_delete",
    "exceptions",
    "managed_by",
    "registry_id",
)
"""What a program states, and what `check` adds to it for good."""

NOTICES = ("drift", "revokes", "stale_access")
"""What `check` adds to the inputs where live differs; never kept in the outputs."""


@dataclass(slots=True)
class Lifecycle:
    """Check, diff, create, read, update and delete, over a registry and a platform.

    One instance serves one run. The live state is read once, in bulk, when it is first needed,
    and is kept up to date with the instance's own writes; several threads may share an instance.
    """

    registry: Registry
    platform: Platform
    today: date
    deployer: str | None = None
    """Whose roles `check` looks at; None means the principal that runs this."""
    say: Callable[[str], None] = print
    """Takes a line for a person."""
    before_write: Callable[[], None] = lambda: None
    """Called before each write; it ends a process whose work nobody waits for any more."""
    _read: Live | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _declared_by: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def live(self) -> Live:
        """The live state.

        Raises:
            Unavailable: registry or platform cannot be read.
        """
        with self._lock:
            if self._read is None:
                self._read = read_live(self.registry, self.platform, principal=self.deployer)
            return self._read

    # --- Before anything is written ------------------------------------------------------------

    def check(self, old: Inputs, new: Inputs) -> Checked:
        """Verify all that can be known beforehand, and show what is not as declared.

        Args:
            old: The inputs of the last deployment; empty for a new resource.
            new: The program's inputs; a value may be `UNKNOWN`.

        Returns:
            The inputs, with `registry_id`, and with `drift`, `revokes` and `stale_access` where
            there is any; or the failures.
        """
        inputs = {key: new[key] for key in INPUTS if new.get(key) is not None}
        declared, failures = read_inputs(inputs)
        try:
            live = self.live
        except DporError as error:
            return Checked(inputs, (*failures, Failure("", str(error))))
        failures += self._moved_registry(old, live)
        id_known = bool(declared.subscription_id)
        if id_known:
            inputs["subscription_id"] = declared.subscription_id
            if cause := live.uncreditable.get(declared.partner_id or ""):
                failures += (Failure("partner_id", cause),)
            if cause := live.unreadable_because(declared.subscription_id):
                failures += (Failure("subscription_id", f"{cause} [DPOR204]"),)
        subject = Subject(
            declared,
            Terms(self.today),
            live,
            managed_by=inputs.get("managed_by"),
            recorded=bool(old) and _same_subscription(old, inputs),
            unknown=frozenset(key for key, value in inputs.items() if value is UNKNOWN),
            elsewhere=self._elsewhere(declared, inputs),
        )
        failures += tuple(map(_failure, guard(subject)))
        inputs["registry_id"] = live.registry_id
        if failures:
            return Checked(inputs, failures)
        if id_known and inputs.get("partner_id") is not UNKNOWN:
            inputs |= self._notices(subject)
        return Checked(inputs)

    def diff(self, old_outputs: Inputs, new: Inputs) -> Difference:
        """Whether checked inputs ask for an update or a replacement."""
        if not _same_subscription(old_outputs, new):
            return Difference(True, ("subscription_id",))
        changes = any(
            new.get(key) != old_outputs.get(key)
            for key in INPUTS
            if key != "partner_name" or key in new
        )
        return Difference(changes or any(key in new for key in NOTICES))

    def _notices(self, subject: Subject) -> dict[str, Any]:
        declared, live, record = subject.declared, subject.live, subject.record
        notices: dict[str, Any] = {}
        expected = record.written_partner_id or declared.partner_id
        if subject.recorded and record.partner_id != expected:
            notices["drift"] = (
                f"live is {record.describe(live.directory)}, not"
                f" {live.directory.label(expected or '')}"
            )
        elif subject.recorded and record.mislabelled:
            notices["drift"] = (
                f"its label says {record.mislabelled}, where {live.directory.label(expected or '')}"
                f" is on record (version {record.version})"
            )
        leaving = subject.leaving
        if removable := subject.removable:
            key = "revokes" if leaving else "stale_access"
            notices[key] = [_words(item, live) for item in removable]
        for item in subject.stale_access:
            if item.inherited(declared.subscription_id):
                self.say(
                    f"subscription {declared.subscription_id}: {_words(item, live)} is held"
                    f" {item.place(declared.subscription_id)} the subscription and remains; end it"
                    " there if it must go"
                )
        return notices

    def _elsewhere(self, declared: Declared, inputs: Inputs) -> str | None:
        """The other resource of this run that declares the subscription, if there is one."""
        managed_by = inputs.get("managed_by")
        if not declared.subscription_id or managed_by is None:
            return None
        first = self._declared_by.setdefault(declared.subscription_id, managed_by)
        return first if first != managed_by else None

    @staticmethod
    def _moved_registry(old: Inputs, live: Live) -> tuple[Failure, ...]:
        before = old.get("registry_id")
        if before in (None, live.registry_id):
            return ()
        return (
            Failure(
                "registry_id",
                f"this stack's designations are in the registry with the identity {before}, but"
                f" dpor:registry names {live.registry_name}, whose identity is"
                f" {live.registry_id}; point it back, or move the stack to the other registry by"
                " taking the resource out of the state (pulumi state delete) and adopting there"
                " [DPOR203]",
            ),
        )

    # --- Writing -------------------------------------------------------------------------------

    def create(self, inputs: Inputs) -> dict[str, Any]:
        """Designate, or adopt an identical designation; returns the outputs.

        Raises:
            Conflict: the record changed after this run read it.
            Refused: no role, another project's record, or another partner's.
            Unavailable: registry or platform cannot be reached.
        """
        subject = self._subject(inputs, recorded=False)
        owner = Owner(_managed_by(inputs), secrets.token_hex(16))
        try:
            return self._create(subject, inputs, owner)
        except Conflict:
            self._read_again(subject.declared.subscription_id)
            subject = self._subject(inputs, recorded=False)
            if subject.record.partner_id != subject.declared.partner_id:
                raise
            # It is what is wanted already, say by a killed run whose write was in flight.
            return self._create(subject, inputs, owner)

    def _create(self, subject: Subject, inputs: Inputs, owner: Owner) -> dict[str, Any]:
        self._guard(subject)
        declared, record = subject.declared, subject.record
        leaving, removable = subject.leaving, subject.removable
        if record.partner_id == declared.partner_id:
            self._adopt(declared, record.version, owner, leaving)
        else:
            self._designate(
                declared,
                record.version,
                owner,
                Action.SWITCH if leaving else Action.DESIGNATE,
                leaving,
            )
        self._revoke(declared, removable)
        return self._outputs(inputs, owner.claim)

    def update(self, old_outputs: Inputs, inputs: Inputs) -> dict[str, Any]:
        """Bring the live record to what is declared; returns the outputs.

        A change of the declared partner is a switch and ends the former partner's access. Drift
        is repaired without touching any access but that of partners that were former already.

        Raises:
            Conflict: the record changed after this run read it.
            Refused: no role, or another project's record.
            Unavailable: registry or platform cannot be reached.
        """
        subject = self._subject(inputs, recorded=True)
        self._guard(subject)
        declared, record = subject.declared, subject.record
        owner = Owner(_managed_by(inputs), old_outputs["claim"])
        leaving, removable = subject.leaving, subject.removable
        if record.partner_id != declared.partner_id:
            if record.partner_id is None:
                self.say(
                    f"subscription {declared.subscription_id} had no partner of record any more;"
                    f" designating {declared.partner_id} again"
                )
            action = Action.SWITCH if leaving else Action.REPAIR
            self._designate(declared, record.version, owner, action, leaving)
        elif leaving or self._moved(record, owner):
            self._adopt(declared, record.version, owner, leaving)
        elif record.mislabelled:
            self._label(declared, record, owner)
        self._revoke(declared, removable)
        return self._outputs(inputs, owner.claim)

    def delete(self, outputs: Inputs) -> None:
        """End what this resource designated, if it is still this resource's; say so if not.

        Raises:
            Refused: no role.
            Unavailable: registry or platform cannot be reached, or it is another registry.
        """
        self._require_registry(outputs)
        subscription_id = outputs["subscription_id"]
        try:
            self._delete(subscription_id, outputs)
        except Conflict:
            self._read_again(subscription_id)
            self._delete(subscription_id, outputs)

    def _delete(self, subscription_id: str, outputs: Inputs) -> None:
        record, directory = self.live.record(subscription_id), self.live.directory
        if record.partner_id is None:
            if record.mislabelled:
                # A withdrawal that was killed half-way.
                self.before_write()
                self._unlabel(self.live.designations[subscription_id])
            return
        if not _owns(outputs, record):
            owner = f" of {record.managed_by}" if record.managed_by else ""
            self.say(
                f"subscription {subscription_id} keeps its partner of record{owner},"
                f" {record.describe(directory)}: it is not this resource's to withdraw"
            )
            if record.managed_by == outputs["managed_by"] and record.claim in (
                None,
                outputs["claim"],
            ):
                self._release(record)
            return
        if _retains(outputs):
            self._release(record)
            self.say(
                f"subscription {subscription_id} keeps its partner of record,"
                f" {directory.label(record.partner_id)}, which is nobody's from now on"
            )
            return
        self.before_write()
        withdrawn = self.registry.designations.withdraw(
            subscription_id, seen_version=record.version
        )
        self._remember(withdrawn)
        self._unlabel(withdrawn)

    def _unlabel(self, withdrawn: Designation) -> None:
        try:
            self._apply(withdrawn)
        except Gone as error:
            self.say(f"{error}; its designation is withdrawn, and what it is labelled with remains")

    def _release(self, record: Record) -> None:
        self.before_write()
        self._remember(
            self.registry.designations.release(record.subscription_id, seen_version=record.version)
        )

    # --- Reading -------------------------------------------------------------------------------

    def read(self, outputs: Inputs) -> Found | None:
        """What is live for a resource of the state; None if there is no partner of record.

        Raises:
            Unavailable: registry or platform cannot be read, or it is another registry. What is
                unreadable is never reported as gone.
        """
        self._require_registry(outputs)
        if cause := self.live.unreadable_because(outputs["subscription_id"]):
            raise Unavailable(cause)
        record = self.live.record(outputs["subscription_id"])
        if record.partner_id is None:
            return None
        if record.partner_id == outputs.get("partner_id"):
            return Found({**outputs, "effective": _recorded(record)["effective"]})
        changed = {"partner_id": record.partner_id, "partner_name": record.partner_name}
        inputs = {key: outputs[key] for key in INPUTS if outputs.get(key) is not None}
        return Found({**outputs, **_recorded(record), **changed}, {**inputs, **changed})

    # --- Parts ---------------------------------------------------------------------------------

    def _subject(self, inputs: Inputs, *, recorded: bool) -> Subject:
        declared, failures = read_inputs(inputs)
        if failures:
            raise Refused("; ".join(failure.reason for failure in failures))
        return Subject(
            declared,
            Terms(self.today),
            self.live,
            managed_by=inputs.get("managed_by"),
            recorded=recorded,
        )

    @staticmethod
    def _guard(subject: Subject) -> None:
        if cause := subject.live.unreadable_because(subject.declared.subscription_id):
            raise Unavailable(cause)
        live = subject.live
        if live.runner:
            subject = replace(subject, view=replace(live, deployer=live.runner))
        if problems := [finding.message for finding in guard(subject)]:
            raise Refused("; ".join(problems))

    def _require_registry(self, outputs: Inputs) -> None:
        if moved := self._moved_registry(outputs, self.live):
            raise Unavailable(moved[0].reason)

    def _designate(
        self,
        declared: Declared,
        seen_version: int,
        owner: Owner,
        action: Action,
        leaving: str | None,
    ) -> None:
        self.before_write()
        written = self.registry.designations.designate(
            declared.subscription_id,
            declared.partner_id or "",
            seen_version=seen_version,
            owner=owner,
            action=action,
            former_partner_id=leaving,
        )
        self._remember(written)
        self._apply(written)

    def _label(self, declared: Declared, record: Record, owner: Owner) -> None:
        row = self.live.designations[declared.subscription_id]
        if row.effective:
            # It was as it should be, and somebody else changed it.
            self._designate(declared, record.version, owner, Action.REPAIR, None)
        else:
            self._apply(row)

    def _adopt(
        self, declared: Declared, seen_version: int, owner: Owner, leaving: str | None
    ) -> None:
        self.before_write()
        mislabelled = self.live.record(declared.subscription_id).mislabelled
        adopted = self.registry.designations.adopt(
            declared.subscription_id,
            declared.partner_id or "",
            seen_version=seen_version,
            owner=owner,
            former_partner_id=leaving,
        )
        if mislabelled:
            self._apply(adopted)
        else:
            self._remember(adopted)

    def _revoke(self, declared: Declared, removable: Collection[Access]) -> None:
        if removable:
            self.before_write()
            self.live.forget(self.platform.revoke(declared.subscription_id, removable))

    def _apply(self, designation: Designation) -> None:
        self.before_write()
        self._remember(self.platform.apply(designation))

    def _remember(self, designation: Designation) -> None:
        self.live.remember(designation)

    def _read_again(self, subscription_id: str) -> None:
        row = self.registry.designations.find(subscription_id)
        if row is not None:
            self._remember(row)

    @staticmethod
    def _moved(record: Record, owner: Owner) -> bool:
        return record.claim == owner.claim and record.managed_by != owner.managed_by

    def _outputs(self, inputs: Inputs, claim: str) -> dict[str, Any]:
        record = self.live.record(inputs["subscription_id"])
        kept = {key: inputs[key] for key in INPUTS if key in inputs}
        return {
            "partner_name": record.partner_name,
            **kept,
            "partner_name_source": (
                self.live.platform_name if inputs["partner_id"] in self.live.names else "registry"
            ),
            **_recorded(record),
            "claim": claim,
            "written_partner_id": inputs["partner_id"],
            "adopted": record.adopted,
            "registry_id": self.live.registry_id,
        }


def withdraws(outputs: Inputs, record: Record) -> bool:
    """Whether the delete of a resource ends the live record, rather than leave it."""
    return record.partner_id is not None and _owns(outputs, record) and not _retains(outputs)


def _owns(outputs: Inputs, record: Record) -> bool:
    return (record.partner_id, record.claim) == (outputs["written_partner_id"], outputs["claim"])


def _retains(outputs: Inputs) -> bool:
    default = OnDelete.RETAIN if outputs.get("adopted") else OnDelete.WITHDRAW
    return OnDelete(outputs.get("on_delete") or default) is OnDelete.RETAIN


def _recorded(record: Record) -> dict[str, Any]:
    return {
        "version": record.version,
        "effective": "yes" if record.effective else "pending",
        "designated_by": record.changed_by,
        "designated_at": record.changed_at.isoformat() if record.changed_at else None,
        "former_partner_id": record.former_partner_id,
    }


def _same_subscription(one: Inputs, other: Inputs) -> bool:
    return str(one.get("subscription_id")).lower() == str(other.get("subscription_id")).lower()


def _managed_by(inputs: Inputs) -> str:
    managed_by = inputs.get("managed_by")
    if not isinstance(managed_by, str):
        raise Refused("a PartnerOfRecord needs managed_by: project/stack/resource name")
    return managed_by


def _words(item: Access, live: Live) -> str:
    return (
        f"{item.role} of {item.principal}, partner {live.directory.label(item.partner_id)},"
        f" granted by {item.granted_by} at {item.granted_at:%Y-%m-%d %H:%M:%S.%f} UTC"
    )


def _failure(finding: Finding) -> Failure:
    return Failure(finding.property_name or "", f"{finding.message} [{finding.rule}]")
