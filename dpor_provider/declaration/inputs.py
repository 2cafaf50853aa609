"""A program's declaration of one subscription: a resource's inputs to the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from dpor_provider.model import (
    Declared,
    FormerAccess,
    OnDelete,
    RuleException,
    subscription_uuid,
)

UNKNOWN: Final = object()
"""Stands for a value that is not known until other resources are made."""

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why inputs are refused."""

    property_name: str
    reason: str


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


def _plain(value: object) -> str:
    return "an unknown value" if value is UNKNOWN else repr(value)
