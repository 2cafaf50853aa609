"""The portal: Microsoft publishes no API for the field, so a person sets it, and confirms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar

from dpor_provider.errors import Conflict, Invalid
from dpor_provider.model import Access, Deployer, Designation, Directory, Observation
from dpor_provider.names import same_name
from dpor_provider.platforms import portal_csv
from dpor_provider.platforms.base import View
from dpor_provider.registry import Content, Registry, RemovedAccess


@dataclass(frozen=True, slots=True)
class Task:
    """One entry of the worklist: what a person has yet to do in the portal."""

    designation: Designation
    """With the partner's name as it is now, which the portal shows."""
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Portal:
    """People as the platform: apply is the worklist, observe is what they saw."""

    registry: Registry
    name: ClassVar[str] = "portal"

    def read(self, content: Content, principal: str | None = None) -> View:
        """What was last confirmed or imported, and the registry's own roles and access."""
        who = principal or self.registry.principal
        held = tuple(grant for grant in content.grants if grant.principal == who)
        return View(
            deployer=Deployer(who, held),
            access=content.access,
            observations=content.observations,
        )

    def apply(self, designation: Designation) -> Designation:
        """Leave it on the worklist: what is not yet effective is what a person has to do."""
        return designation

    def revoke(self, subscription_id: str, access: Collection[Access]) -> Collection[Access]:
        """Strike access from the table, keeping it for a restore."""
        return self.registry.access.revoke(subscription_id, [item.id for item in access])

    def restore(self, subscription_id: str, principal: str | None = None) -> Collection[Access]:
        """Bring revoked access back into the table."""
        return self.registry.access.restore(subscription_id, principal)

    def worklist(self) -> tuple[Task, ...]:
        """What people still have to do in the portal, oldest first."""
        revoked: dict[str, list[RemovedAccess]] = defaultdict(list)
        for item in self.registry.access.removed():
            if item.carried_out_at is None:
                revoked[item.subscription_id].append(item)
        directory = self.registry.partners.directory()
        rows = self.registry.designations.all().values()
        return tuple(
            Task(row, _steps(row, revoked.get(row.subscription_id, ())))
            for row in sorted(
                (_as_named_now(row, directory) for row in rows), key=lambda row: row.designated_at
            )
            if not row.effective or row.subscription_id in revoked
        )

    def confirm(self, subscription_id: str, partner_name: str | None) -> Designation:
        """Note that a person sees the designated partner's name in the portal.

        Args:
            subscription_id: The subscription.
            partner_name: The name as the portal shows it; None where it shows no partner.

        Raises:
            Invalid: the registry has no designation to confirm.
            Conflict: another name is on record for the designated Partner ID, or the designation
                changed in the meantime.
        """
        row = self.registry.designations.find(subscription_id)
        if row is None:
            raise Invalid(
                f"the registry has no designation of subscription {subscription_id}; see:"
                " dpor registry show"
            )
        row = _as_named_now(row, self.registry.partners.directory())
        if not same_name(row.partner_name or "", partner_name or ""):
            raise Conflict(_unconfirmed(row, partner_name))
        self.registry.observations.confirm(
            Observation(
                subscription_id=subscription_id,
                partner_id=row.partner_id,
                partner_name=row.partner_name,
                observed_by=self.registry.principal,
                observed_at=datetime.now(UTC),
            ),
            seen_version=row.version,
        )
        return replace(row, effective=True)

    def import_csv(self, data: bytes, source: str) -> tuple[int, int]:
        """Import what the portal shows, all or nothing.

        Args:
            data: The file's content (`portal_csv.read` says which columns).
            source: The file's name, for messages.

        Returns:
            How many subscriptions were imported, and how many pending designations of them are
            confirmed by that.

        Raises:
            Invalid: the file cannot be used; every problem is named with its line.
        """
        directory = self.registry.partners.directory()
        now = datetime.now(UTC)
        who = self.registry.principal
        seen = [
            Observation(row.subscription_id, row.partner_id, row.partner_name, who, now)
            for row in portal_csv.read(data, source, directory)
        ]
        return len(seen), self.registry.observations.record(seen)


def _steps(row: Designation, removed: Iterable[RemovedAccess]) -> tuple[str, ...]:
    if row.partner_id is None:
        setting = ["Under Digital partner of record, clear the partner, and save."]
        confirmation = "--no-partner"
    else:
        setting = [
            f"Under Digital partner of record, enter Partner ID {row.partner_id}.",
            f"Check that the name shown is {row.partner_name}; save only then.",
        ]
        confirmation = "--partner-name NAME, with the name shown."
    if row.effective:
        setting = []
    return (
        f"Open https://portal.azure.com, Subscriptions, {row.subscription_id}, Properties.",
        *setting,
        # What came back by hand and was revoked again is there more than once.
        *dict.fromkeys(
            f"Under Access control (IAM), remove {item.access.role} from {item.access.principal}."
            for item in removed
        ),
        f"Then run: dpor confirm {row.subscription_id} {confirmation}",
    )


def _as_named_now(row: Designation, directory: Directory) -> Designation:
    partner = directory.find(row.partner_id) if row.partner_id else None
    return replace(row, partner_name=partner.name) if partner else row


def _unconfirmed(row: Designation, shown: str | None) -> str:
    expected = f"{row.partner_name} ({row.partner_id})" if row.partner_id else "no partner"
    return (
        f"subscription {row.subscription_id}: the portal shows {shown or 'no partner'}, where"
        f" {expected} is on record;"
        " nothing was confirmed: correct the entry in the portal, or, if the partner was renamed,"
        " run: dpor registry partner rename"
    )
