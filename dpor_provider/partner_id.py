"""What a Partner ID (MPN ID) looks like.

Microsoft publishes no length; those seen in use have 5 to 8 digits and no leading zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dpor_provider.model import subscription_uuid

PLACEHOLDERS = frozenset({"12345", "123456", "1234567", "12345678"})


@dataclass(frozen=True, slots=True)
class Digits:
    """How many digits a Partner ID has."""

    fewest: int = 5
    most: int = 8

    def __str__(self) -> str:
        if self.fewest == self.most:
            return f"{self.most}"
        return f"{self.fewest} to {self.most}"

    def hold(self, partner_id: str) -> bool:
        """Whether it is that many ASCII digits, the first of them not 0."""
        return (
            self.fewest <= len(partner_id) <= self.most
            and partner_id.isascii()
            and partner_id.isdecimal()
            and partner_id[0] != "0"
        )


USUAL = Digits()


def malformed(partner_id: str, digits: Digits = USUAL) -> str | None:
    """What is wrong with a Partner ID, and what to do; None if nothing is."""
    if digits.hold(partner_id):
        if _placeholder(partner_id):
            return "it is a placeholder; ask the partner for its Partner ID (MPN ID)"
        return None
    bare = partner_id.strip()
    guid = bare[4:] if bare[:4].lower() == "pid-" else bare
    if subscription_uuid(guid):
        kind = (
            "a customer usage attribution id"
            if guid != bare
            else "a GUID, such as a tenant id or a usage attribution id"
        )
        return (
            f"it is {kind}; ask the partner for its Partner ID (MPN ID), which is {digits} digits"
        )
    meant = "".join(str(int(char)) for char in partner_id if char.isdecimal())
    suggestion = _suggestion(meant, digits)
    if not bare:
        return f"it is empty; write {digits} digits"
    if partner_id != bare:
        return f"it has blanks around it{suggestion}"
    if re.fullmatch(r"0[0-9]+", partner_id, re.ASCII):
        return f"it starts with 0{_suggestion(partner_id.lstrip('0'), digits)}"
    if partner_id.isdecimal() and not partner_id.isascii():
        return f"its digits are not the ASCII ones{suggestion}"
    if partner_id.isdecimal():
        return f"it has {len(partner_id)} digits, where a Partner ID has {digits}"
    return f"write {digits} digits and nothing else{suggestion}"


def _placeholder(digits: str) -> bool:
    return digits in PLACEHOLDERS or len(set(digits)) == 1


def _suggestion(meant: str, digits: Digits) -> str:
    usable = digits.hold(meant) and not _placeholder(meant)
    return f"; did you mean {meant!r}?" if usable else ""
