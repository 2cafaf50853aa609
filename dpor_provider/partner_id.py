"""What a Partner ID (MPN ID) looks like.

Microsoft publishes no length; those seen in use have 5 to 8 digits and no leading zero.
"""

from __future__ import annotations

import re

from dpor_provider.model import subscription_uuid

WELL_FORMED = re.compile(r"[1-9][0-9]{4,7}", re.ASCII)
PLACEHOLDERS = frozenset({"12345", "123456", "1234567", "12345678"})


def malformed(partner_id: str) -> str | None:
    """What is wrong with a Partner ID, and what to do; None if nothing is."""
    if WELL_FORMED.fullmatch(partner_id):
        if _placeholder(partner_id):
            return "it is a placeholder; ask the partner for its Partner ID (MPN ID)"
        return None
    if subscription_uuid(partner_id.strip()):
        return (
            "it is a GUID, such as a tenant id or a usage attribution id; ask the partner for its"
            " Partner ID (MPN ID), which is 5 to 8 digits"
        )
    meant = "".join(str(int(char)) for char in partner_id if char.isdecimal())
    suggestion = _suggestion(meant)
    if not partner_id.strip():
        return "it is empty; write 5 to 8 digits"
    if partner_id != partner_id.strip():
        return f"it has blanks around it{suggestion}"
    if re.fullmatch(r"0[0-9]+", partner_id, re.ASCII):
        return f"it starts with 0{_suggestion(partner_id.lstrip('0'))}"
    if partner_id.isdecimal() and not partner_id.isascii():
        return f"its digits are not the ASCII ones{suggestion}"
    if partner_id.isdecimal():
        return f"it has {len(partner_id)} digits, where a Partner ID has 5 to 8"
    return f"write 5 to 8 digits and nothing else{suggestion}"


def _placeholder(digits: str) -> bool:
    return digits in PLACEHOLDERS or len(set(digits)) == 1


def _suggestion(meant: str) -> str:
    usable = WELL_FORMED.fullmatch(meant) and not _placeholder(meant)
    return f"; did you mean {meant!r}?" if usable else ""
