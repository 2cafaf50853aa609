"""DPOR305: a designation that nobody has confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from dpor_provider.model import Level
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject

PATIENCE = timedelta(days=14)
"""How long a person has to set a designation on the portal."""


class Unconfirmed(Rule):
    """What is recorded and not set credits nobody."""

    id: ClassVar = "DPOR305"
    name: ClassVar = "unconfirmed"
    summary: ClassVar = "A designation was not confirmed on the portal within 14 days."
    rationale: ClassVar = (
        "On the platform `portal` a person sets the field and confirms the name that the portal"
        " shows. Until then the registry's word is not what the cloud vendor goes by."
    )
    mend: ClassVar = (
        "Do what `dpor worklist` says, then `dpor confirm`; or import what the portal shows with"
        " `dpor observe`."
    )
    level: ClassVar = Level.ADVISORY
    property_name: ClassVar = "partner_id"
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "4567890",
     effective: false, designated_at: 2026-11-08T12:00:00Z}
""",
            says="15 days",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "4567890",
     effective: false, designated_at: 2026-11-09T12:00:00Z}
""",
        ),
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: "4567890",
     effective: true, designated_at: 2026-01-01T12:00:00Z}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the designation, and how to confirm it."""
        record = subject.record
        if record.partner_id is None or record.effective or record.changed_at is None:
            return
        waiting = subject.terms.today - record.changed_at.date()
        if waiting > PATIENCE:
            subscription_id = subject.declared.subscription_id
            yield (
                f"subscription {subscription_id} was given to"
                f" {subject.live.directory.label(record.partner_id)} {waiting.days} days ago, and"
                " nobody has confirmed that the portal shows it; see dpor worklist, then run:"
                f" dpor confirm {subscription_id} --partner-name NAME"
            )
