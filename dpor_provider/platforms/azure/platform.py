"""Azure as the platform: the registry's word as labels, credit and role assignments.

Microsoft publishes no interface for its own record of the digital partner of record: what is
written here labels a subscription, and lets the partner's linked principal be credited for it.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from dpor_provider.errors import DporError, Gone, Invalid, Refused, Unavailable
from dpor_provider.model import (
    Access,
    Deployer,
    Designation,
    Directory,
    Label,
    Observation,
    subscription_scope,
)
from dpor_provider.platforms.azure.access import DELEGATION, ROLE_ASSIGNMENT, PartnerAccess
from dpor_provider.platforms.azure.connection import Connection, connect
from dpor_provider.platforms.azure.credit import Credit
from dpor_provider.platforms.azure.deployer import (
    ASSIGN_ROLES,
    END_DELEGATIONS,
    READ_DELEGATIONS,
    READ_TAGS,
    REMOVE_ROLES,
    WRITE_TAGS,
    Deployers,
)
from dpor_provider.platforms.azure.labels import Labels, label_of
from dpor_provider.platforms.azure.partner_link import PartnerLinks
from dpor_provider.platforms.azure.resource_graph import ResourceGraph
from dpor_provider.platforms.azure.role_assignments import UNKNOWN_TIME, RoleDefinitions
from dpor_provider.platforms.azure.subscriptions import Subscription, read_subscriptions
from dpor_provider.platforms.base import View
from dpor_provider.registry import Content, Registry

GRACE = timedelta(minutes=15)
"""How long Resource Graph may show what was before a write; Azure itself is asked meanwhile."""


@dataclass(frozen=True, slots=True)
class Azure:
    """Azure Resource Manager, for one principal and one run."""

    registry: Registry
    connection: Connection
    credit: bool = False
    name: ClassVar[str] = "azure"
    _directory: list[Directory] = field(default_factory=list, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @classmethod
    def open(cls, registry: Registry, *, credit: bool) -> Azure:
        """The platform as the environment names it; nothing is sent yet.

        Raises:
            Invalid: the environment names an endpoint that no token may be sent to.
        """
        return cls(registry, connect(os.environ), credit)

    def subscriptions(self) -> Collection[Subscription]:
        """The subscriptions that the deployer may see, with their names and labels.

        Raises:
            Unavailable: they cannot be read, or there is none.
        """
        found = list(read_subscriptions(ResourceGraph(self.connection)))
        if not found:
            raise Unavailable(
                f"Azure shows no subscription to {self.connection.identity().name}: assign it the"
                " role Reader at the management group above them, and see that it signed in to the"
                " right tenant"
            )
        return found

    def read(self, content: Content, principal: str | None = None) -> View:
        """Labels, partners' access and the deployer's roles, in bulk by Resource Graph."""
        try:
            return self._read(content, principal)
        except Refused as error:
            # Nobody was refused a change: what lacks a right to look cannot do its job.
            raise Unavailable(str(error)) from error

    def _read(self, content: Content, principal: str | None) -> View:
        graph = ResourceGraph(self.connection)
        found = {item.id: item for item in read_subscriptions(graph)}
        above = {item.id: item.above for item in found.values()}
        definitions = RoleDefinitions(self.connection, above)
        held = self._held(content, PartnerAccess(self.connection, graph, definitions))
        designating = (
            READ_TAGS,
            WRITE_TAGS,
            *((ASSIGN_ROLES, REMOVE_ROLES) if self.credit else ()),
        )
        concerned = {
            one: (
                READ_DELEGATIONS,
                *designating,
                *((REMOVE_ROLES,) if content.former_partners.get(one) else ()),
            )
            for one in found
        }
        deployers = Deployers(self.connection, graph, definitions)
        deployer = deployers.find(principal, above, concerned)
        runner = deployers.find(None, above, concerned) if principal else None
        return View(
            deployer=deployer,
            access=held,
            mislabelled=self._mislabelled(content, found),
            visible=found.keys(),
            invisible_because=(
                f"Azure shows no such subscription to {deployer.principal}: it lacks"
                " Microsoft.Resources/subscriptions/read there (the role Reader has it), or the"
                " subscription was deleted, or is another tenant's"
            ),
            unreadable=_unreadable(content.directory, runner or deployer, found),
            above=above,
            below=_below(held),
            names=self._names(),
            uncreditable=self._uncreditable(content.directory),
            writer=self._writer(content, principal),
            runner=runner,
            designating=designating,
            revoking={ROLE_ASSIGNMENT: REMOVE_ROLES, DELEGATION: END_DELEGATIONS},
        )

    def apply(self, designation: Designation) -> Designation:
        """Label the subscription and credit its partner; then note in the registry that it is so.

        Raises:
            Gone: the subscription was deleted, cancelled, or moved to another tenant.
            Refused: a right is lacking.
            Unavailable: Azure cannot be reached.
        """
        subscription_id, partner_id = designation.subscription_id, designation.partner_id
        directory = self._partners()
        if self.credit and partner_id:
            partner = directory.find(partner_id)
            if partner is None or not partner.principals:
                raise Invalid(self._uncreditable(directory)[partner_id])
            Credit(self.connection).give(subscription_id, partner)
        label = label_of(partner_id, designation.partner_name)
        Labels(self.connection).write(subscription_id, label)
        former = directory.find(designation.former_partner_id or "")
        if self.credit and partner_id is None and former:
            Credit(self.connection).take(subscription_id, former)
        self.registry.observations.confirm(
            Observation(
                subscription_id=subscription_id,
                partner_id=partner_id,
                partner_name=designation.partner_name,
                observed_by=self.registry.principal,
                observed_at=datetime.now(UTC),
            ),
            seen_version=designation.version,
        )
        return replace(designation, effective=True)

    def revoke(self, subscription_id: str, access: Collection[Access]) -> Collection[Access]:
        """Record access, then remove it."""
        partners = self._partner_access()
        scope = subscription_scope(subscription_id)
        removed = []
        for item in access:
            if item.scope == scope:
                self._record(subscription_id, item)
                partners.remove(item)
                removed.append(item)
        return removed

    def restore(self, subscription_id: str, principal: str | None = None) -> Collection[Access]:
        """Bring revoked access back, and strike what was kept of it."""
        partners = self._partner_access()
        wanted = [
            item.access
            for item in self.registry.access.removed()
            if item.subscription_id == subscription_id
            and principal in (None, item.access.principal)
        ]
        for item in {(item.principal, item.role): item for item in wanted}.values():
            partners.restore(subscription_id, item)
        restored = self.registry.access.restore(subscription_id, principal)
        for item in restored:
            # Azure is where it is held; the registry's table is what people maintain for a portal.
            self.registry.access.remove(item.scope, item.principal, item.role)
        return restored

    def _record(self, subscription_id: str, item: Access) -> None:
        if any(
            _same_access(one.access, item) and UNKNOWN_TIME < item.granted_at < one.removed_at
            for one in self.registry.access.removed()
        ):
            # By a run that was killed before it removed it.
            return
        noted = next(
            (one for one in self.registry.access.all() if _same_access(one, item)), None
        ) or self.registry.access.add(
            item.scope, item.principal, item.role, item.partner_id, item.condition
        )
        self.registry.access.revoke(subscription_id, [noted.id])

    def _held(self, content: Content, partners: PartnerAccess) -> list[Access]:
        """Partners' access, without what a revocation of ours has just removed."""
        recent = datetime.now(UTC) - GRACE
        gone = {
            (item.access.scope, item.access.principal, item.access.role)
            for item in self.registry.access.removed()
            if item.removed_at > recent
        }
        return [
            item
            for item in partners.read(content.directory)
            if (item.scope, item.principal, item.role) not in gone or partners.still_there(item)
        ]

    def _mislabelled(
        self, content: Content, found: Mapping[str, Subscription]
    ) -> Mapping[str, Label]:
        recent = datetime.now(UTC) - GRACE
        labels = Labels(self.connection)
        wrong: dict[str, Label] = {}
        for row in content.designations.values():
            if row.subscription_id not in found:
                continue
            wanted = label_of(row.partner_id, row.partner_name)
            shown = found[row.subscription_id].label
            if shown != wanted and row.designated_at > recent:
                try:
                    shown = labels.read(row.subscription_id)
                except Gone:
                    continue
            if shown != wanted:
                wrong[row.subscription_id] = shown
        return wrong

    def _names(self) -> Mapping[str, str]:
        """The name that Microsoft has of a partner, as it tells who is linked to that one."""
        try:
            link = PartnerLinks(self.connection).find()
        except DporError:
            # Not every cloud has the service, and nothing but a name is lost.
            return {}
        return {link.partner_id: link.partner_name} if link and link.partner_name else {}

    def _uncreditable(self, directory: Directory) -> Mapping[str, str]:
        if not self.credit:
            return {}
        return {
            partner.id: (
                f"{partner.name} ({partner.id}) cannot be credited: the directory names no service"
                " principal of it in this tenant; enter the object id of the one that is linked to"
                f" its Partner ID with: dpor registry partner principals {partner.id}"
            )
            for partner in directory.partners.values()
            if not partner.principals
        }

    def _writer(self, content: Content, principal: str | None) -> Deployer | None:
        """Whose roles the registry checks, unless another principal is asked about."""
        if principal is not None:
            return None
        who = self.registry.principal
        return Deployer(who, tuple(grant for grant in content.grants if grant.principal == who))

    def _partner_access(self) -> PartnerAccess:
        return PartnerAccess(
            self.connection, ResourceGraph(self.connection), RoleDefinitions(self.connection, {})
        )

    def _partners(self) -> Directory:
        with self._lock:
            if not self._directory:
                self._directory.append(self.registry.partners.directory())
            return self._directory[0]


def _same_access(one: Access, other: Access) -> bool:
    return (one.scope, one.principal, one.role) == (other.scope, other.principal, other.role)


def _unreadable(
    directory: Directory, reader: Deployer, found: Collection[str]
) -> Mapping[str, str]:
    """Where delegations would be left out without a word.

    Who sees a subscription by rights that are not shown (a delegation of its own) is believed.
    """
    if not any(partner.principals or partner.tenants for partner in directory.partners.values()):
        return {}
    because = (
        f"Azure shows no delegations there to {reader.principal}, which lacks {READ_DELEGATIONS}"
        " (the role Reader has it): whether a former partner has access cannot be told"
    )
    return {
        one: because
        for one in found
        if reader.holds_roles(one) and reader.lacks(one, (READ_DELEGATIONS,))
    }


def _below(held: Iterable[Access]) -> Mapping[str, tuple[str, ...]]:
    scopes: dict[str, dict[str, None]] = defaultdict(dict)
    for item in held:
        parts = item.scope.split("/")
        if len(parts) > 3 and parts[1] == "subscriptions":
            scopes[parts[2]][item.scope] = None
    return {subscription_id: tuple(found) for subscription_id, found in scopes.items()}
