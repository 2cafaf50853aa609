"""Days as text to dates."""

from __future__ import annotations

import re
from datetime import date

from dpor_provider.declaration.reader import Document, Map
from dpor_provider.declaration.wording import quote
from dpor_provider.model import Finding

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day(
    document: Document,
    entry: Map,
    key: str,
    findings: list[Finding],
    subscription_id: str | None = None,
    prop: str | None = None,
) -> date | None:
    """The day that stands under this key; what is none is reported, and None."""
    text = entry.get(key)
    if not isinstance(text, str):
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        problem = "is not a date; write year-month-day, as in 2026-12-31"
    except ValueError:
        problem = "is not a day of the calendar; correct the month or the day"
    message = f"{quote(key)}: {quote(text)} {problem}"
    findings.append(document.finding(message, entry.spans[key], subscription_id, prop))
    return None
