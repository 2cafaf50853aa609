"""DPOR404: a partner that can read data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.model import Finding, Level
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject

DATA_ROLES = re.compile(
    r"""
      .*\ Data\ (Reader|Contributor|Owner|Sender|Receiver|Importer)
    | Storage\ (Blob|File|Queue|Table)\ Data\ .*
    | Key\ Vault\ (Administrator|Reader|(Certificate|Certificates|Crypto|Secrets)\ .*)
    | Azure\ Kubernetes\ Service\ RBAC\ .*
    | Virtual\ Machine\ (Administrator|User)\ Login
    | Cognitive\ Services\ (.*\ )?(User|Contributor|Reader)
    | Avere\ Contributor
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Built-in roles with data actions, by name ("Azure built-in roles", Microsoft Learn)."""


class PartnerDataAccess(Rule):
    """Metrics and metadata, never data."""

    id: ClassVar = "DPOR404"
    name: ClassVar = "partner-data-access"
    summary: ClassVar = "A partner's principal holds a role with data actions."
    rationale: ClassVar = (
        "A partner of record sees usage metrics and administrative metadata. A role with data"
        " actions lets it read or change what is stored: blobs, secrets, messages. That is another"
        " agreement, and another decision.\n\nThe platform `portal` knows roles by name alone; the"
        " rule goes by the names of Azure's built-in roles and does not see custom ones."
    )
    mend: ClassVar = "End the assignment, or grant a role without data actions in its place."
    level: ClassVar = Level.ADVISORY
    property_name: ClassVar = "partner_id"
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
access:
  - {scope: /subscriptions/6f9619ff-8b86-4d01-b42d-00cf4fc964ff,
     partner_id: "4567890", role: Storage Blob Data Reader}
""",
            says="Storage Blob Data Reader",
        ),
        Example(
            SIMPLE,
            """\
access:
  - {scope: /, partner_id: "4567890", role: Key Vault Secrets User}
""",
            says="Key Vault Secrets User",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
            """\
access:
  - {scope: /subscriptions/6f9619ff-8b86-4d01-b42d-00cf4fc964ff,
     partner_id: "4567890", role: Support Request Contributor}
  - {scope: /, partner_id: "4567890", role: Data Factory Contributor}
""",
        ),
    )

    def find(self, subject: Subject) -> Iterator[Finding]:
        """One finding for each such role."""
        if not self.applies(subject):
            return
        for item in subject.live.reaching(subject.declared.subscription_id):
            if DATA_ROLES.fullmatch(item.role):
                yield self.finding(
                    subject,
                    f"{item.principal} of {subject.live.directory.label(item.partner_id)} holds"
                    f" {item.role} at {item.scope}, which reads or changes data; a partner of"
                    " record needs metadata only: end it, or grant a role without data actions",
                    about=f"{item.partner_id} {item.principal} {item.role} {item.scope}",
                )
