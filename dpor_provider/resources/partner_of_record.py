"""The resource `PartnerOfRecord`: its arguments and its whole lifecycle, without any framework.

Plain values in, plain values out. A dynamic provider (`dpor_provider.resources.dynamic`) is one
thin adapter over this; a provider plugin for other languages is another.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from dpor_provider.errors import Conflict, DporError, Refused, Unavailable
from dpor_provider.live import Live, Record
from dpor_provider.model import (
    Access,
    Action,
    Declared,
    Designation,
    Finding,
    FormerAccess,
    OnDelete,
    RuleException,
    subscription_uuid,
)
from dpor_provider.platforms import Platform, read_live
from dpor_provider.registry import Owner, Registry
from dpor_provider.rules import Subject, examine

UNKNOWN: Final = object()
"""Stands for a value that is not known until other resources are made."""

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

_ALLOWED_BY = {"DPOR304": "replaces_partner_id", "DPOR401": "moved_from"}
"""The property that may allow what a rule refuses: while it is unknown, so is the finding."""

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why inputs are refused."""

    property_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs as they are to be kept, or the reasons why they are refused."""

    inputs: dict[str, Any]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What an update would mean."""

    changes: bool
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What is live: outputs, and inputs where they are no longer the outputs'."""

    outputs: dict[str, Any]
    inputs: dict[str, Any] | None = None


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
                self._read = read_live(
                    self.registry, self.platform, today=self.today, principal=self.deployer
                )
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
        failures += self._elsewhere(old, live)
        id_known = bool(declared.subscription_id)
        if id_known:
            inputs["subscription_id"] = declared.subscription_id
        recorded = bool(old) and _same_subscription(old, inputs)
        subject = Subject(declared, live, inputs.get("managed_by"), recorded, id_known)
        failures += tuple(
            _failure(finding)
            for finding in examine(subject)
            if inputs.get(_ALLOWED_BY.get(finding.rule, "")) is not UNKNOWN
        )
        failures += self._twice(declared, inputs, id_known)
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
        leaving = _leaving(subject)
        if removable := self._removable(declared, live, leaving):
            key = "revokes" if leaving else "stale_access"
            notices[key] = [_words(item, live) for item in removable]
        for item in live.stale_access(declared, leaving):
            if item.inherited(declared.subscription_id):
                self.say(
                    f"subscription {declared.subscription_id}: {_words(item, live)} is held above"
                    " the subscription and remains; end it there if it must go"
                )
        return notices

    def _twice(self, declared: Declared, inputs: Inputs, known: bool) -> tuple[Failure, ...]:
        managed_by = inputs.get("managed_by")
        if not known or managed_by is None:
            return ()
        other = self._declared_by.setdefault(declared.subscription_id, managed_by)
        if other == managed_by:
            return ()
        return (
            Failure(
                "subscription_id",
                f"subscription {declared.subscription_id} is declared twice: by {other} and by"
                f" {managed_by}; remove one of them [DPOR401]",
            ),
        )

    @staticmethod
    def _elsewhere(old: Inputs, live: Live) -> tuple[Failure, ...]:
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
            record = subject.record
            if record.partner_id != subject.declared.partner_id:
                raise
            # It is what is wanted already, say by a killed run whose write was in flight.
            return self._create(subject, inputs, owner)

    def _create(self, subject: Subject, inputs: Inputs, owner: Owner) -> dict[str, Any]:
        self._guard(subject)
        declared, record = subject.declared, subject.record
        leaving = _leaving(subject)
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
        self._revoke(declared, leaving)
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
        leaving = _leaving(subject)
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
        self._revoke(declared, leaving)
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
            return
        if record.partner_id != outputs["written_partner_id"] or record.claim != outputs["claim"]:
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
        default = OnDelete.RETAIN if outputs.get("adopted") else OnDelete.WITHDRAW
        if OnDelete(outputs.get("on_delete") or default) is OnDelete.RETAIN:
            self._release(record)
            self.say(
                f"subscription {subscription_id} keeps its partner of record,"
                f" {directory.label(record.partner_id)}, which is nobody's from now on"
            )
            return
        withdrawn = self.registry.designations.withdraw(
            subscription_id, seen_version=record.version
        )
        self._remember(self.platform.apply(withdrawn))

    def _release(self, record: Record) -> None:
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
        return Subject(declared, self.live, inputs.get("managed_by"), recorded)

    @staticmethod
    def _guard(subject: Subject) -> None:
        if problems := [finding.message for finding in examine(subject)]:
            raise Refused("; ".join(problems))

    def _require_registry(self, outputs: Inputs) -> None:
        if elsewhere := self._elsewhere(outputs, self.live):
            raise Unavailable(elsewhere[0].reason)

    def _designate(
        self,
        declared: Declared,
        seen_version: int,
        owner: Owner,
        action: Action,
        leaving: str | None,
    ) -> None:
        written = self.registry.designations.designate(
            declared.subscription_id,
            declared.partner_id or "",
            seen_version=seen_version,
            owner=owner,
            action=action,
            former_partner_id=leaving,
        )
        self._remember(written)
        self._remember(self.platform.apply(written))

    def _adopt(
        self, declared: Declared, seen_version: int, owner: Owner, leaving: str | None
    ) -> None:
        self._remember(
            self.registry.designations.adopt(
                declared.subscription_id,
                declared.partner_id or "",
                seen_version=seen_version,
                owner=owner,
                former_partner_id=leaving,
            )
        )

    def _revoke(self, declared: Declared, leaving: str | None) -> None:
        if removable := self._removable(declared, self.live, leaving):
            self.live.forget(self.platform.revoke(declared.subscription_id, removable))

    def _removable(self, declared: Declared, live: Live, leaving: str | None) -> tuple[Access, ...]:
        if declared.former_access.kept_on(self.today):
            return ()
        return tuple(
            item
            for item in live.stale_access(declared, leaving)
            if not item.inherited(declared.subscription_id)
        )

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
            **_recorded(record),
            "claim": claim,
            "written_partner_id": inputs["partner_id"],
            "adopted": record.adopted,
            "registry_id": self.live.registry_id,
        }


def read_inputs(inputs: Inputs) -> tuple[Declared, tuple[Failure, ...]]:
    """Read a resource's inputs; unknown ones are left out.

    Returns:
        What they declare, and what is wrong with their form.
    """
    failures: list[Failure] = []

    def text(key: str) -> str | None:
        value = inputs.get(key)
        if value is None or value is UNKNOWN:
            return None
        if not isinstance(value, str):
            number = isinstance(value, float) and value.is_integer()
            meant = f"; write it in quotes: {str(int(value))!r}" if number else ""
            failures.append(Failure(key, f"must be a string, not {_plain(value)}{meant}"))
            return None
        return value

    subscription_id = text("subscription_id") or ""
    canonical = subscription_uuid(subscription_id)
    if inputs.get("subscription_id") is not UNKNOWN and canonical is None:
        failures.append(
            Failure(
                "subscription_id",
                f"{subscription_id!r} is no subscription id; write its UUID, such as"
                " 6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            )
        )
    if inputs.get("partner_id") is None:
        failures.append(Failure("partner_id", "a Partner ID is needed: 5 to 8 digits"))
    on_delete = text("on_delete")
    if on_delete is not None and on_delete not in set(OnDelete):
        failures.append(Failure("on_delete", f"{on_delete!r} is neither withdraw nor retain"))
        on_delete = None
    also = inputs.get("also_partner_ids")
    if also is UNKNOWN or also is None:
        also = []
    if not isinstance(also, list) or not all(isinstance(item, str) for item in also):
        failures.append(Failure("also_partner_ids", "must be a list of Partner IDs"))
        also = []
    declared = Declared(
        subscription_id=canonical or "",
        partner_id=text("partner_id"),
        partner_name=text("partner_name"),
        replaces_partner_id=text("replaces_partner_id"),
        moved_from=text("moved_from"),
        former_access=_former_access(inputs.get("former_access"), failures),
        also_partner_ids=tuple(also),
        on_delete=OnDelete(on_delete) if on_delete else None,
        exceptions=_exceptions(inputs.get("exceptions"), failures),
    )
    return declared, tuple(failures)


def _former_access(value: object, failures: list[Failure]) -> FormerAccess:
    if value is None or value == "revoke":
        return FormerAccess()
    if value is UNKNOWN or value == "keep":
        return FormerAccess(keep=True)
    if isinstance(value, Mapping) and set(value) == {"keep_until", "reason"}:
        until, reason = value["keep_until"], value["reason"]
        try:
            if isinstance(reason, str) and reason.strip():
                return FormerAccess(keep=True, until=date.fromisoformat(until), reason=reason)
        except (TypeError, ValueError):
            pass
    failures.append(
        Failure(
            "former_access",
            f"{_plain(value)} is none of 'revoke', 'keep' and"
            " {'keep_until': 'YYYY-MM-DD', 'reason': 'why'}",
        )
    )
    return FormerAccess(keep=True)


def _exceptions(value: object, failures: list[Failure]) -> tuple[RuleException, ...]:
    if value is None or value is UNKNOWN:
        return ()
    exceptions = []
    for item in value if isinstance(value, list) else [value]:
        if exception := _exception(item):
            exceptions.append(exception)
        else:
            failures.append(
                Failure(
                    "exceptions",
                    f"{_plain(item)} is no exception; write {{'rule': 'DPOR302', 'reason': 'why',"
                    " 'expires': 'YYYY-MM-DD'}",
                )
            )
    return tuple(exceptions)


def _exception(item: object) -> RuleException | None:
    if not isinstance(item, Mapping) or set(item) != {"rule", "reason", "expires"}:
        return None
    if not all(isinstance(text, str) and text.strip() for text in item.values()):
        return None
    try:
        return RuleException(item["rule"], item["reason"], date.fromisoformat(item["expires"]))
    except ValueError:
        return None


def _leaving(subject: Subject) -> str | None:
    """The partner whose term would end: the one last deployed, or the one a create replaces."""
    declared, record, directory = subject.declared, subject.record, subject.live.directory
    candidates = [record.written_partner_id]
    if not subject.recorded:
        candidates.insert(0, record.partner_id)
    return next(
        (
            candidate
            for candidate in candidates
            if candidate and not directory.same(candidate, declared.partner_id)
        ),
        None,
    )


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


def _plain(value: object) -> str:
    return "an unknown value" if value is UNKNOWN else repr(value)
