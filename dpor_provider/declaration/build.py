"""Checked documents to an estate: what each subscription says, states or inherits."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dpor_provider.declaration.dates import day
from dpor_provider.declaration.directory import Directory
from dpor_provider.declaration.explain import Path
from dpor_provider.declaration.reader import List, Map, Span
from dpor_provider.declaration.structure import PROPERTIES, Checked
from dpor_provider.declaration.wording import quote
from dpor_provider.model import (
    Declared,
    Estate,
    Finding,
    FormerAccess,
    Intent,
    OnDelete,
    Position,
    RuleException,
    subscription_uuid,
)


def build(
    declarations: Sequence[Checked], directories: Sequence[Checked], complete: bool
) -> tuple[Estate, list[Finding]]:
    """Put checked documents together.

    Args:
        declarations: The documents whose partners and subscriptions count.
        directories: The documents of which only the partners count.
        complete: Whether every directory that is named could be found.

    Returns:
        The estate without the subscriptions that have a problem, and the problems found here.
    """
    findings: list[Finding] = []
    directory = Directory(complete, findings)
    for checked in (*declarations, *directories):
        directory.add(checked)
    directory.link()
    subscriptions = [
        declared
        for checked in declarations
        if checked.document.root is not None
        for declared in _Builder(checked, checked.document.root, directory, findings).declared()
    ]
    files = tuple(checked.document.file for checked in (*declarations, *directories))
    return Estate(files, directory.partners, tuple(subscriptions)), findings


@dataclass(frozen=True, slots=True)
class _Settings:
    """What one level (defaults, group, subscription) says."""

    values: dict[str, Any] = field(default_factory=dict)
    """By the names of `Declared`."""
    where: dict[str, Position] = field(default_factory=dict)
    sound: bool = True

    def over(self, outer: _Settings) -> _Settings:
        """These settings, and the outer level's where this one says nothing."""
        values, where = {**outer.values, **self.values}, {**outer.where, **self.where}
        return _Settings(values, where, outer.sound and self.sound)


@dataclass(frozen=True)
class _Builder:
    """The subscriptions of one document."""

    checked: Checked
    root: Map
    directory: Directory
    findings: list[Finding]

    def declared(self) -> Iterator[Declared]:
        broken = self.checked.broken
        top_sound = not self.root.partial and () not in broken and ("defaults",) not in broken
        defaults = self._settings(self.root.get("defaults"), top_sound)
        yield from self._entries(self.root, (), defaults, None, ((), {}))
        groups = self.root.get("groups")
        for index, group in enumerate(groups if isinstance(groups, List) else ()):
            path: Path = ("groups", index)
            settings = self._settings(group, path not in broken).over(defaults)
            if isinstance(group, Map):
                exceptions = self._exceptions(group, None)
                settings = replace(settings, sound=settings.sound and exceptions is not None)
                where = self._exception_places(group, 0)
                inherited = (exceptions or (), where)
                yield from self._entries(group, path, settings, group.get("name"), inherited)

    def _entries(
        self,
        parent: Map,
        path: Path,
        outer: _Settings,
        group: str | None,
        inherited: tuple[tuple[RuleException, ...], dict[str, Position]],
    ) -> Iterator[Declared]:
        entries = parent.get("subscriptions")
        for index, entry in enumerate(entries if isinstance(entries, List) else ()):
            if isinstance(entry, Map):
                sound = (*path, "subscriptions", index) not in self.checked.broken
                declared = self._subscription(entry, outer, group, inherited, sound)
                if declared is not None:
                    yield declared

    def _subscription(
        self,
        entry: Map,
        outer: _Settings,
        group: str | None,
        inherited: tuple[tuple[RuleException, ...], dict[str, Position]],
        sound: bool,
    ) -> Declared | None:
        document = self.checked.document
        subscription_id = self._uuid(entry)
        settings = self._settings(entry, sound, subscription_id).over(outer)
        own = self._exceptions(entry, subscription_id)
        if subscription_id is None or own is None or not settings.sound:
            return None
        values, where = settings.values, settings.where
        if "intent" not in values:
            message = (
                "the subscription has no 'partner', and neither its group nor 'defaults' has one; "
                "name a partner, or write 'undecided', or 'none' with a 'reason'"
            )
            span = entry.spans["id"]
            self.findings.append(document.finding(message, span, subscription_id, "partner_id"))
            return None
        if values["intent"] is not Intent.DESIGNATED:
            where.pop("directory_id", None)
            where.pop("directory_name", None)
        if values["reason"] is None:
            where.pop("reason", None)
        where["subscription_id"] = document.position(entry.spans["id"])
        if "name" in entry:
            where["name"] = document.position(entry.spans["name"])
        where |= inherited[1]
        where |= self._exception_places(entry, len(inherited[0]))
        return Declared(
            subscription_id=subscription_id,
            name=entry.get("name"),
            group=group,
            exceptions=inherited[0] + own,
            where=where,
            **values,
        )

    def _uuid(self, entry: Map) -> str | None:
        text = entry.get("id")
        if not isinstance(text, str):
            return None
        canonical = subscription_uuid(text)
        if canonical is None:
            try:
                hint = f"write it as {uuid.UUID(text.strip())}"
            except ValueError:
                hint = "it looks like 6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
            message = f"the subscription id {quote(text)} is no UUID; {hint}"
            finding = self.checked.document.finding(
                message, entry.spans["id"], prop="subscription_id"
            )
            self.findings.append(finding)
        return canonical

    def _settings(self, entry: Any, sound: bool, subscription_id: str | None = None) -> _Settings:
        """Resolve what an entry says; what the schema refused in it is passed over."""
        if not isinstance(entry, Map):
            return _Settings(sound=sound)
        before = len(self.findings)
        document, values, where = self.checked.document, dict[str, Any](), dict[str, Position]()
        for key, value in entry.items():
            if key not in _SETTINGS:
                continue
            span = entry.spans[key]
            place = where[PROPERTIES[key]] = document.position(span)
            match key, value:
                case "partner", str():
                    sound &= self._partner(entry, value, values, where, subscription_id)
                    where["partner_name"] = place
                case "replaces", str() | int():
                    partner_id = self._reference(key, str(value), span, subscription_id)
                    sound &= partner_id is not None
                    values["replaces_partner_id"] = partner_id
                case "also", List():
                    ids = [
                        self._reference(key, each, value.spans[index], subscription_id)
                        for index, each in enumerate(value)
                        if isinstance(each, str)
                    ]
                    sound &= None not in ids
                    values["also_partner_ids"] = tuple(ids)
                case "former_access", _:
                    sound &= not (isinstance(value, Map) and value.partial)
                    values["former_access"] = self._former_access(value, subscription_id)
                case "on_delete", "withdraw" | "retain":
                    values["on_delete"] = OnDelete(value)
                case "moved_from", _:
                    values["moved_from"] = value
        sound = sound and not entry.partial and len(self.findings) == before
        return _Settings(values, where, sound)

    def _partner(
        self,
        entry: Map,
        key: str,
        values: dict[str, Any],
        where: dict[str, Position],
        subscription_id: str | None,
    ) -> bool:
        """Set what `partner:` says; whether it could be resolved."""
        values |= {"partner_id": None, "partner_name": None, "reason": entry.get("reason")}
        if key in (Intent.NONE, Intent.UNDECIDED):
            values["intent"] = Intent(key)
            return True
        values["intent"] = Intent.DESIGNATED
        partner = self.directory.partners.get(key)
        if partner is None:
            if key not in self.directory.known:
                document, span = self.checked.document, entry.spans["partner"]
                self.directory.refuse(document, "partner", key, span, subscription_id)
            return False
        values["partner_id"], values["partner_name"] = partner.id, partner.name
        where.update(self.directory.places[key])
        return True

    def _reference(
        self, key: str, word: str, span: Span, subscription_id: str | None
    ) -> str | None:
        """The Partner ID that a key (or, after `replaces`, a Partner ID) means."""
        partner = self.directory.partners.get(word)
        if partner is not None:
            return partner.id
        if word in self.directory.known:
            return None
        if key == "replaces" and word.isascii() and word.isdecimal():
            return word
        self.directory.refuse(self.checked.document, key, word, span, subscription_id)
        return None

    def _former_access(self, value: Any, subscription_id: str | None) -> FormerAccess:
        if not isinstance(value, Map):
            return FormerAccess(keep=value == "keep")
        until = day(
            self.checked.document,
            value,
            "keep_until",
            self.findings,
            subscription_id,
            "former_access",
        )
        return FormerAccess(keep=True, until=until, reason=value.get("reason"))

    def _exceptions(
        self, entry: Map, subscription_id: str | None
    ) -> tuple[RuleException, ...] | None:
        """The exceptions of a group or a subscription; None if one of them is unusable."""
        exceptions = entry.get("exceptions")
        if not isinstance(exceptions, List):
            return ()
        document, result, sound = self.checked.document, [], True
        for each in exceptions:
            if not isinstance(each, Map):
                continue
            expires = day(document, each, "expires", self.findings, subscription_id, "exceptions")
            if expires is None or each.partial:
                sound = False
            else:
                result.append(RuleException(each.get("rule", ""), each.get("reason", ""), expires))
        return tuple(result) if sound else None

    def _exception_places(self, entry: Map, first: int) -> dict[str, Position]:
        exceptions = entry.get("exceptions")
        if not isinstance(exceptions, List):
            return {}
        document = self.checked.document
        places = {
            f"exceptions[{first + index}]": document.position(span)
            for index, span in enumerate(exceptions.spans)
        }
        return {"exceptions": document.position(entry.spans["exceptions"]), **places}


_SETTINGS = frozenset(PROPERTIES) - {"id", "name", "exceptions"}
