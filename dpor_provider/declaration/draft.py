"""A declaration as text, for people to go on from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from dpor_provider.model import Declared, Intent, Partner, Status
from dpor_provider.printable import line, printable

HEADING = """\
# yaml-language-server: $schema=partners.schema.json
# The schema is written by: dpor schema > partners.schema.json
"""

RESERVED = ("none", "undecided")
"""What a partner's key must not be."""


def draft(
    partners: Iterable[Partner],
    subscriptions: Iterable[Declared],
    remarks: Mapping[str, Sequence[str]],
) -> str:
    """A declaration's text.

    Args:
        partners: The directory. Principals and tenants are left out: the registry's alone count.
        subscriptions: In the order in which they are to be written.
        remarks: Comments above a subscription, by its id.
    """
    partners = list(partners)
    keys = _keys(partners)
    parts = [
        HEADING,
        _yaml({"version": 1}),
    ]
    if partners:
        entries = {keys[one.id]: _partner(one, keys) for one in partners}
        parts.append(f"\n{_yaml({'partners': entries})}")
    parts.append("\nsubscriptions:\n")
    for declared in subscriptions:
        parts += [f"# {line(remark)}\n" for remark in remarks.get(declared.subscription_id, ())]
        parts.append(_yaml([_subscription(declared, keys)]))
    return "".join(parts)


def _keys(partners: Iterable[Partner]) -> Mapping[str, str]:
    keys: dict[str, str] = {}
    for partner in sorted(partners, key=lambda one: one.id):
        plain = unicodedata.normalize("NFKD", partner.name).encode("ascii", "ignore").decode()
        key = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
        if not key or key in RESERVED or key in keys.values():
            key = f"{key or 'partner'}-{partner.id}"
        keys[partner.id] = key
    return keys


def _partner(partner: Partner, keys: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": partner.id, "name": partner.name}
    if partner.former_ids:
        entry["former_ids"] = list(partner.former_ids)
    if partner.former_names:
        entry["former_names"] = list(partner.former_names)
    if partner.status is Status.RETIRED:
        entry["status"] = partner.status.value
        if successor := keys.get(partner.replaced_by or ""):
            entry["replaced_by"] = successor
    if agreement := partner.agreement:
        entry["agreement"] = {"reference": agreement.reference}
        if agreement.expires:
            entry["agreement"]["expires"] = agreement.expires
    return entry


def _subscription(declared: Declared, keys: Mapping[str, str]) -> dict[str, str]:
    entry = {"id": declared.subscription_id}
    if declared.name and declared.name.strip():
        entry["name"] = declared.name
    undecided = declared.partner_id is None
    entry["partner"] = Intent.UNDECIDED.value if undecided else keys[declared.partner_id or ""]
    return entry


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    if printable(text) == text:
        return text
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=False, width=100)
