"""The partners of all documents together, and what their keys mean."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from dpor_provider.declaration.dates import day
from dpor_provider.declaration.reader import Document, Map, Span
from dpor_provider.declaration.structure import PROPERTIES, Checked
from dpor_provider.declaration.wording import nearest, quote
from dpor_provider.model import Agreement, Finding, Partner, Position, Status


@dataclass
class Directory:
    """The partners of all documents by their keys."""

    complete: bool
    """Whether a key that is not here is certainly unknown."""
    findings: list[Finding]
    partners: dict[str, Partner] = field(default_factory=dict)
    places: dict[str, dict[str, Position]] = field(default_factory=dict)
    """Where a partner's `id` and `name` stand."""
    known: dict[str, Position] = field(default_factory=dict)
    """Every key, those of unusable partners too, with its place."""
    _successors: list[tuple[Document, str, Span]] = field(default_factory=list)
    _guesses: dict[str, str] = field(default_factory=dict)

    def add(self, checked: Checked) -> None:
        """Take in the partners of one document."""
        document, root = checked.document, checked.document.root
        if root is None or root.partial or () in checked.broken:
            self.complete = False
        if root is None:
            return
        entries = root.get("partners")
        if "partners" in root and (not isinstance(entries, Map) or entries.partial):
            self.complete = False
        if isinstance(entries, Map):
            for key, entry in entries.items():
                place = document.position(entries.key_spans[key])
                sound = ("partners", key) not in checked.broken
                self._add_partner(document, key, place, entry, sound)

    def _add_partner(
        self, document: Document, key: str, place: Position, entry: Any, sound: bool
    ) -> None:
        first = self.known.setdefault(key, place)
        if not isinstance(entry, Map):
            return
        before = len(self.findings)
        agreement = self._agreement(document, entry.get("agreement"))
        sound = sound and not entry.partial and len(self.findings) == before
        if not sound or _is_partial(entry.get("agreement")):
            self.partners.pop(key, None)
            return
        partner = Partner(
            id=str(entry["id"]),
            name=entry["name"],
            former_ids=tuple(map(str, entry.get("former_ids", ()))),
            former_names=tuple(entry.get("former_names", ())),
            status=Status(entry.get("status", Status.ACTIVE)),
            replaced_by=entry.get("replaced_by"),
            principals=tuple(entry.get("principals", ())),
            tenants=tuple(entry.get("tenants", ())),
            agreement=agreement,
        )
        if first is place:
            self.partners[key] = partner
            self.places[key] = {
                "directory_id": document.position(entry.spans["id"]),
                "directory_name": document.position(entry.spans["name"]),
            }
            if partner.replaced_by is not None:
                self._successors.append((document, key, entry.spans["replaced_by"]))
        elif key in self.partners and partner != self.partners[key]:
            known = self.partners.pop(key)
            differing = [f.name for f in fields(Partner) if _differs(known, partner, f.name)]
            message = (
                f"the partner {quote(key)} is declared differently at {first} "
                f"({', '.join(differing)}); make the two alike, or keep one"
            )
            self.findings.append(Finding("DPOR001", message, where=place))

    def _agreement(self, document: Document, agreement: Any) -> Agreement | None:
        if not isinstance(agreement, Map):
            return None
        expires = day(document, agreement, "expires", self.findings)
        return Agreement(agreement.get("reference", ""), expires)

    def link(self) -> None:
        """Resolve the successors' keys, when all partners are known."""
        by_key = {key: partner.id for key, partner in self.partners.items()}
        for document, key, span in self._successors:
            if key in self.partners:
                successor = self.partners[key].replaced_by or ""
                if successor not in self.known:
                    self.refuse(document, "replaced_by", successor, span)
                resolved = replace(self.partners[key], replaced_by=by_key.get(successor))
                self.partners[key] = resolved

    def refuse(
        self,
        document: Document,
        key: str,
        word: str,
        span: Span,
        subscription_id: str | None = None,
    ) -> None:
        """Report a word that is no partner's key, if that is certain."""
        if not self.complete:
            return
        message = f"{quote(key)} names the unknown partner {quote(word)}; {self._guess(word)}"
        prop = PROPERTIES.get(key)
        self.findings.append(document.finding(message, span, subscription_id, prop))

    def _guess(self, word: str) -> str:
        if word not in self._guesses and len(self._guesses) * len(self.known) < _MOST_COMPARISONS:
            by_id = (key for key, partner in self.partners.items() if partner.id == word)
            meant = next(by_id, None) or nearest(word, self.known)
            self._guesses[word] = (
                f"did you mean {quote(meant)}?" if meant else "add it to 'partners'"
            )
        return self._guesses.get(word, "add it to 'partners'")


_MOST_COMPARISONS = 100_000
"""Past these, unknown words get no suggestion; finding one takes time."""


def _is_partial(value: Any) -> bool:
    return isinstance(value, Map) and value.partial


def _differs(one: Partner, other: Partner, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))
