"""DPOR403: no data-sharing agreement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from dpor_provider.model import Level, Partner
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject

NOTICE = timedelta(days=30)
"""How long before its end an agreement is announced."""


class AgreementMissing(Rule):
    """What a partner sees is covered by an agreement that is on file and reviewed."""

    id: ClassVar = "DPOR403"
    name: ClassVar = "agreement-missing"
    summary: ClassVar = "No data-sharing agreement with the partner is on file, or it ends."
    rationale: ClassVar = (
        "A partner of record sees usage metrics and administrative metadata. An agreement on file"
        " says what it may do with them, and its last day is when it is reviewed. Agreements stand"
        " in the registry's directory of partners, or, where that has none, in the declaration's."
    )
    mend: ClassVar = (
        "File the agreement, and enter it: `dpor registry partner agreement PARTNER_ID REFERENCE"
        " --expires DAY`, or `agreement: {reference: …, expires: …}` beside the partner."
    )
    level: ClassVar = Level.ADVISORY
    property_name: ClassVar = "partner_id"
    declared_in: ClassVar = "directory_name"
    needs_live: ClassVar = False
    needs_subscription: ClassVar = False
    finds: ClassVar = (
        Example(
            SIMPLE,
            says="no data-sharing agreement",
        ),
        Example(
            """\
version: 1
partners:
  contoso:
    id: "4567890"
    name: Contoso Consulting
    agreement: {reference: DSA-2026-014, expires: 2026-11-22}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            says="ended on 2026-11-22",
        ),
        Example(
            """\
version: 1
partners:
  contoso:
    id: "4567890"
    name: Contoso Consulting
    agreement: {reference: DSA-2026-014, expires: 2026-12-23}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            says="ends on 2026-12-23",
        ),
    )
    accepts: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso:
    id: "4567890"
    name: Contoso Consulting
    agreement: {reference: DSA-2026-014, expires: 2026-12-24}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting, agreement: {reference: DSA-2026-014}}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the partner and the agreement."""
        partner, today = _partner(subject), subject.terms.today
        if partner is None:
            return
        agreement, whose = partner.agreement, f"{partner.name} ({partner.id})"
        if agreement is None:
            yield f"no data-sharing agreement with {whose} is on file; see: dpor explain DPOR403"
        elif agreement.expires is None:
            return
        elif agreement.expires < today:
            yield (
                f"the data-sharing agreement {agreement.reference} with {whose} ended on"
                f" {agreement.expires}; renew it, or declare another partner"
            )
        elif agreement.expires - today <= NOTICE:
            yield (
                f"the data-sharing agreement {agreement.reference} with {whose} ends on"
                f" {agreement.expires}; review it by then"
            )


def _partner(subject: Subject) -> Partner | None:
    """The registry's entry if it has an agreement, else the declaration's, else the registry's."""
    partner_id, known = subject.declared.partner_id, None
    if subject.view is not None and partner_id is not None:
        known = subject.view.directory.find(partner_id)
    return known if known and known.agreement else subject.stated or known
