"""The vocabulary as plain, frozen values: no I/O, and no import of any other layer.

Partner IDs are strings of decimal digits, subscription ids are UUIDs in lower case, and every
time is an aware `datetime` in UTC.
"""

from __future__ import annotations

import fnmatch
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

ROOT_SCOPE = "/"
"""The scope above every subscription."""


def subscription_scope(subscription_id: str) -> str:
    """The scope of one subscription, in Azure's notation."""
    return f"/subscriptions/{subscription_id}"


def subscription_uuid(text: str) -> str | None:
    """The subscription id in its canonical form (lower case, hyphens), or None if it is no UUID.

    Only the 8-4-4-4-12 form of RFC 9562 counts: no braces, no `urn:`, no bare 32 digits.
    """
    try:
        canonical = str(uuid.UUID(text))
    except ValueError:
        return None
    return canonical if text.lower() == canonical else None


class Role(StrEnum):
    """The roles that may designate a partner of record, by Microsoft's names."""

    GLOBAL_ADMINISTRATOR = "Global Administrator"
    OWNER = "Owner"
    CONTRIBUTOR = "Contributor"


class Status(StrEnum):
    """Whether a partner may still be declared."""

    ACTIVE = "active"
    RETIRED = "retired"


class OnDelete(StrEnum):
    """What the end of a declaration does to the live designation."""

    WITHDRAW = "withdraw"
    RETAIN = "retain"


class Intent(StrEnum):
    """What a declaration wants of a subscription."""

    DESIGNATED = "designated"
    NONE = "none"
    UNDECIDED = "undecided"
    UNDECLARED = "undeclared"
    """No declaration names it, and the registry knows it."""


class Level(StrEnum):
    """What a finding does to a deployment: it ends it, or it is shown."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


# --- The declaration -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: lines and columns count from 1, and the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A data-sharing agreement with a partner."""

    reference: str
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Partner:
    """An entry of a directory of partners."""

    id: str
    name: str
    former_ids: tuple[str, ...] = ()
    former_names: tuple[str, ...] = ()
    status: Status = Status.ACTIVE
    replaced_by: str | None = None
    """The successor's Partner ID; only with `Status.RETIRED`."""
    principals: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True)
class FormerAccess:
    """What happens to the access of a former partner: revoked, kept, or kept until a day."""

    keep: bool = False
    until: date | None = None
    """The inclusive last day on which it is kept; None with `keep` means without an end."""
    reason: str | None = None

    def kept_on(self, day: date) -> bool:
        """Whether a former partner's access is to be left alone on this day."""
        return self.keep and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class RuleException:
    """An exception from one rule for one subscription, with a reason and an inclusive last day."""

    rule: str
    reason: str
    expires: date


@dataclass(frozen=True, slots=True)
class Declared:
    """What a declaration says of one subscription, be it a file's or a program's."""

    subscription_id: str
    partner_id: str | None = None
    """None where no partner is wanted (`intent`)."""
    partner_name: str | None = None
    """None where the declaration states no name; the directory's then counts."""
    intent: Intent = Intent.DESIGNATED
    reason: str | None = None
    name: str | None = None
    """The subscription's own name, for people."""
    group: str | None = None
    replaces_partner_id: str | None = None
    moved_from: str | None = None
    former_access: FormerAccess = FormerAccess()
    also_partner_ids: tuple[str, ...] = ()
    on_delete: OnDelete | None = None
    exceptions: tuple[RuleException, ...] = ()
    where: Mapping[str, Position] = field(default_factory=dict, compare=False)
    """The place of each property, by the resource's property names (`partner_id`, …)."""


@dataclass(frozen=True, slots=True)
class Estate:
    """Several files' declarations together."""

    files: tuple[str, ...]
    partners: Mapping[str, Partner]
    """The declared directory, by its own keys."""
    subscriptions: tuple[Declared, ...]


# --- The record --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Directory:
    """The registry's partners; the authority on names, former ids and status."""

    partners: Mapping[str, Partner]
    """By current Partner ID."""
    former: Mapping[str, str]
    """Former Partner ID → current Partner ID."""

    @classmethod
    def of(cls, partners: Iterable[Partner]) -> Directory:
        """Index the partners by their current and former ids."""
        by_id = {partner.id: partner for partner in partners}
        former = {old: partner.id for partner in by_id.values() for old in partner.former_ids}
        return cls(by_id, former)

    def find(self, partner_id: str) -> Partner | None:
        """The partner that has, or had, this Partner ID."""
        return self.partners.get(self.current(partner_id))

    def current(self, partner_id: str) -> str:
        """The Partner ID that a former one became; any other comes back as it is."""
        return (
            partner_id if partner_id in self.partners else self.former.get(partner_id, partner_id)
        )

    def same(self, one: str | None, other: str | None) -> bool:
        """Whether two Partner IDs mean the same company."""
        return one == other or (
            one is not None and other is not None and self.current(one) == self.current(other)
        )

    def retired(self, partner_id: str) -> bool:
        """Whether the partner of this ID must no longer be designated."""
        partner = self.find(partner_id)
        return partner is not None and partner.status is Status.RETIRED

    def label(self, partner_id: str) -> str:
        """The Partner ID with the partner's name where it is known, for messages."""
        partner = self.find(partner_id)
        return f"{partner_id} ({partner.name})" if partner else partner_id


@dataclass(frozen=True, slots=True)
class Designation:
    """The registry's row for one subscription; it outlives a withdrawal, with its version."""

    subscription_id: str
    partner_id: str | None
    """None after a withdrawal."""
    partner_name: str | None
    """The partner's name on record when it was designated."""
    version: int
    """Counts every change, from 1; the token of compare-and-swap."""
    managed_by: str | None
    """project/stack/resource that owns it; None where a person made it."""
    claim: str | None
    """The mark of the create that owns it; None after a change by hand."""
    written_partner_id: str | None
    """The partner that a deployment last wrote; a change by hand leaves it."""
    adopted: bool
    """Whether a deployment found it rather than made it."""
    effective: bool
    """Whether the platform is known to show it."""
    designated_by: str
    designated_at: datetime
    former_partner_id: str | None


@dataclass(frozen=True, slots=True)
class Observation:
    """What a platform showed for one subscription, and who saw it when."""

    subscription_id: str
    partner_id: str | None
    """None where the platform shows that there is no partner."""
    partner_name: str | None
    observed_by: str
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Label:
    """What a platform's label says, which anybody with a small right can write: no evidence."""

    partner_id: str | None
    """As it stands there, whatever it is; None where there is none."""
    partner_name: str | None

    def __str__(self) -> str:
        if self.partner_id is None:
            return "no partner"
        return f"{self.partner_id} ({self.partner_name})" if self.partner_name else self.partner_id


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of a principal at a scope."""

    principal: str
    role: Role
    scope: str


@dataclass(frozen=True, slots=True)
class Permission:
    """What a role permits, by patterns of actions in which `*` stands for anything."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def permits(self, action: str) -> bool:
        """Whether an action is among the actions and not taken out again; case does not count."""
        return _matches(action, self.actions) and not _matches(action, self.not_actions)


def _matches(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Deployer:
    """The principal that runs a deployment, with its roles."""

    principal: str
    grants: tuple[Grant, ...]
    unknown: str | None = None
    """Why identity or roles could not be established; None if they were."""
    object_id: str | None = None
    """Its object id in the tenant, where the platform knows it by one."""
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """The scopes between `/` and each subscription."""
    permissions: Mapping[str, tuple[Permission, ...]] = field(default_factory=dict, repr=False)
    """By scope, what its roles permit on a platform that has actions."""
    _roles: Mapping[str, frozenset[Role]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        roles: dict[str, set[Role]] = defaultdict(set)
        for grant in self.grants:
            anywhere = grant.role is Role.GLOBAL_ADMINISTRATOR
            roles[ROOT_SCOPE if anywhere else grant.scope].add(grant.role)
        by_scope = {scope: frozenset(held) for scope, held in roles.items()}
        object.__setattr__(self, "_roles", by_scope)

    def may_designate(self, subscription_id: str, roles: Collection[Role] = tuple(Role)) -> bool:
        """Whether one of these roles is held where it counts for the subscription."""
        return any(
            not self._roles.get(scope, frozenset()).isdisjoint(roles)
            for scope in self._counting(subscription_id)
        )

    def holds_roles(self, subscription_id: str) -> bool:
        """Whether it is known of any role that counts for the subscription what it permits."""
        return any(self.permissions.get(scope) for scope in self._counting(subscription_id))

    def lacks(self, subscription_id: str, actions: Iterable[str]) -> tuple[str, ...]:
        """Which of these actions no role that counts for the subscription permits."""
        permitted = [
            permission
            for scope in self._counting(subscription_id)
            for permission in self.permissions.get(scope, ())
        ]
        return tuple(
            action for action in actions if not any(one.permits(action) for one in permitted)
        )

    def _counting(self, subscription_id: str) -> tuple[str, ...]:
        between = self.above.get(subscription_id, ())
        return (ROOT_SCOPE, *between, subscription_scope(subscription_id))


@dataclass(frozen=True, slots=True)
class Access:
    """A way in which a partner's principal reaches a subscription."""

    id: str
    scope: str
    principal: str
    role: str
    partner_id: str
    granted_by: str
    granted_at: datetime
    condition: str | None = None

    def inherited(self, subscription_id: str) -> bool:
        """Whether it is held elsewhere than at the subscription itself: above it, or below."""
        return self.scope != subscription_scope(subscription_id)

    def place(self, subscription_id: str) -> str:
        """Where it is held, as seen from the subscription: at, above or below."""
        own = subscription_scope(subscription_id)
        if self.scope == own:
            return "at"
        return "below" if self.scope.startswith(f"{own}/") else "above"


# --- Findings ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found."""

    rule: str
    message: str
    """One line that says what is wrong and what to do next."""
    subscription_id: str | None = None
    property_name: str | None = None
    """The resource's property that it is about."""
    where: Position | None = None
    level: Level = Level.MANDATORY
    partner_id: str | None = None
    about: str = ""
    """What tells it from other findings of the rule on the same property; never a line or time."""

    @property
    def place(self) -> tuple[str, int, int]:
        """What findings are sorted by: file, line and column; those without a place come first."""
        return (self.where.file, self.where.line, self.where.column) if self.where else ("", 0, 0)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message} [{self.rule}]"


# --- The audit log -----------------------------------------------------------------------------


class Action(StrEnum):
    """What an entry of the audit log is about."""

    INIT = "init"
    UPGRADE = "upgrade"
    DESIGNATE = "designate"
    SWITCH = "switch"
    REPAIR = "repair"
    ADOPT = "adopt"
    WITHDRAW = "withdraw"
    RELEASE = "release"
    CONFIRM = "confirm"
    OBSERVE = "observe"
    REFUSE = "refuse"
    GRANT = "grant"
    UNGRANT = "ungrant"
    DEMAND = "demand"
    UNDEMAND = "undemand"
    PARTNER_ADD = "partner-add"
    PARTNER_RENAME = "partner-rename"
    PARTNER_RETIRE = "partner-retire"
    PARTNER_RENUMBER = "partner-renumber"
    PARTNER_AGREEMENT = "partner-agreement"
    PARTNER_PRINCIPALS = "partner-principals"
    ACCESS_ADD = "access-add"
    ACCESS_REMOVE = "access-remove"
    ACCESS_REVOKE = "access-revoke"
    ACCESS_RESTORE = "access-restore"


DESIGNATION_CHANGES = frozenset(
    {
        Action.DESIGNATE,
        Action.SWITCH,
        Action.REPAIR,
        Action.ADOPT,
        Action.WITHDRAW,
        Action.RELEASE,
    }
)
"""What makes the history of a subscription's partner."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change, or one refusal, as the registry recorded it."""

    sequence: int
    at: datetime
    actor: str
    action: Action
    subscription_id: str | None = None
    partner_id: str | None = None
    previous_partner_id: str | None = None
    """The partner that was live before."""
    former_partner_id: str | None = None
    """The partner whose term ended with this change; its access is stale from then on."""
    version: int | None = None
    managed_by: str | None = None
    detail: str | None = None
    provenance: str | None = None
    """Where the deployment came from, as JSON (`dpor_provider.provenance`)."""
    previous_hash: str = ""
    """The hash of the entry before it."""
    hash: str = ""
    """The hash of everything else in it (`dpor_provider.registry.chain`)."""
