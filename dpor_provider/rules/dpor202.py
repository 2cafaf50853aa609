"""DPOR202: nobody knows who deploys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from dpor_provider.model import Finding
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class UnknownDeployer(Rule):
    """What is not known about the deployer is never taken for a role."""

    id: ClassVar = "DPOR202"
    name: ClassVar = "unknown-deployer"
    summary: ClassVar = "Who deploys, or with which roles, could not be established."
    rationale: ClassVar = (
        "The deployer's identity comes from the operating system, the database or the cloud's"
        " token, its roles from the registry or the platform. Where one of them cannot be read,"
        " nothing is deployed: a failed look-up must not open the door that DPOR201 guards."
    )
    mend: ClassVar = (
        "Mend what the message names as the cause: a missing sign-in, a right to read role"
        " assignments, a registry that cannot be reached."
    )
    property_name: ClassVar = "subscription_id"
    needs_subscription: ClassVar = False
    knows_exceptions: ClassVar = False
    guards_writes: ClassVar = True
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
deployer: {principal: "", unknown: the token has expired}
""",
            says="the token has expired",
        ),
    )
    accepts: ClassVar = (Example(SIMPLE),)

    def find(self, subject: Subject) -> Iterator[Finding]:
        """One finding of the whole run, whichever subscription it is found on."""
        for finding in super().find(subject):
            yield replace(finding, subscription_id=None, partner_id=None, where=None)

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name the cause."""
        deployer = subject.live.deployer
        if deployer.unknown:
            who = deployer.principal or "the deployer"
            yield f"the roles of {who} could not be established: {deployer.unknown}"
