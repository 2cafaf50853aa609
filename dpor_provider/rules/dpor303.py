"""DPOR303: the live record is not what was deployed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.model import Level
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class LiveDrift(Rule):
    """Somebody changed what a deployment had written."""

    id: ClassVar = "DPOR303"
    name: ClassVar = "live-drift"
    summary: ClassVar = "The live partner is not the one that was deployed."
    rationale: ClassVar = (
        "A person changed the partner, or removed it, behind the declaration's back. The next"
        " deployment restores what is declared; until then another partner is credited and sees"
        " usage metrics. A declaration that changes is no drift, it is a switch."
    )
    mend: ClassVar = (
        "Ask who changed it (the message names who, and when). Deploy to restore what is declared,"
        " or declare the partner that is live."
    )
    level: ClassVar = Level.ADVISORY
    property_name: ClassVar = "partner_id"
    needs_known: ClassVar = ("partner_id",)
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff,
     partner_id: "5127255", written_partner_id: "4567890", designated_by: bob}
""",
            says="live is 5127255, set by bob",
        ),
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff,
     partner_id: "4567890", written_partner_id: "4567890"}
observations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner_id: null}
""",
            says="live is no partner",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff,
     partner_id: "4567890", written_partner_id: "4567890"}
""",
        ),
        Example(
            SIMPLE,
            """\
designations:
  - {subscription_id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff,
     partner_id: "5127255", written_partner_id: "5127255", managed_by: estate/prod/payments}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the live partner, who made it so and when, and what was deployed."""
        record, directory = subject.record, subject.live.directory
        written = record.written_partner_id
        if written is not None and not directory.same(record.partner_id, written):
            yield (
                f"subscription {subject.declared.subscription_id}: live is"
                f" {record.describe(directory)}, not {directory.label(written)}; deploy to restore"
                " what is declared, or declare what is live"
            )
        elif written is not None and record.mislabelled:
            yield (
                f"subscription {subject.declared.subscription_id}: its label says"
                f" {record.mislabelled}, where {directory.label(written)} is on record; anybody who"
                " may write tags can change it, deploy to restore it"
            )
