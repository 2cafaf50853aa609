"""What every command shares: the registry, the platform, and how arguments are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from dpor_provider.model import Role, subscription_scope, subscription_uuid

if TYPE_CHECKING:
    from dpor_provider.platforms import Platform
    from dpor_provider.registry import Registry


@dataclass(frozen=True, slots=True)
class Session:
    """The registry and the platform that the command line names."""

    registry_url: str | None
    platform_name: str | None

    def naming(self, registry_url: str | None, platform_name: str | None) -> Session:
        """The session with what a command's own options name in place of the general ones."""
        return Session(registry_url or self.registry_url, platform_name or self.platform_name)

    @property
    def registry(self) -> Registry:
        """The registry, opened."""
        from dpor_provider.registry import open_registry

        return open_registry(self.registry_url)

    @property
    def platform(self) -> Platform:
        """The platform, over the registry."""
        from dpor_provider.platforms import open_platform

        return open_platform(self.platform_name, self.registry)


class Text(click.ParamType[str]):
    """A name: not empty, without control characters, which could forge what is printed."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what cannot be printed."""
        text = str(value).strip()
        if not text:
            self.fail("must not be empty", param, ctx)
        if not text.isprintable():
            self.fail(f"{text!r} holds a character that cannot be printed", param, ctx)
        return text


class Subscription(Text):
    """A subscription's id."""

    name = "subscription"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is no UUID; an Azure scope is one too."""
        text = super().convert(value, param, ctx)
        found = subscription_uuid(text.removeprefix("/subscriptions/"))
        if found is None:
            self.fail(f"{text!r} is no subscription id (a UUID)", param, ctx)
        return found


class Scope(Text):
    """A scope, or a subscription, which is one."""

    name = "scope"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give `/` or `/subscriptions/UUID`."""
        text = super().convert(value, param, ctx)
        if text == "/":
            return text
        found = subscription_uuid(text.removeprefix("/subscriptions/"))
        if found is None:
            self.fail(f"{text!r} is neither / nor a subscription id (a UUID)", param, ctx)
        return subscription_scope(found)


class PartnerId(Text):
    """A well-formed Partner ID."""

    name = "partner_id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what DPOR101 refuses."""
        from dpor_provider.partner_id import malformed

        text = str(value)
        if problem := malformed(text):
            self.fail(f"{text!r} is no Partner ID: {problem}", param, ctx)
        return text


class RoleName(click.ParamType[Role]):
    """One of the roles that may designate."""

    name = "role"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Role:
        """Read a role's name, whatever its case, with blanks or hyphens."""
        wanted = str(value).casefold().replace("-", " ")
        found = next((role for role in Role if role.casefold() == wanted), None)
        if found is None:
            self.fail(f"{value!r} is none of {', '.join(Role)}", param, ctx)
        return found


class RuleId(click.ParamType[str]):
    """A rule, by its id or its name."""

    name = "rule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the id; refuse what is no rule."""
        import difflib

        from dpor_provider.rules import all_rules

        rules = all_rules()
        ids = {name: rule.id for rule in rules.values() for name in (rule.id.lower(), rule.name)}
        wanted = str(value).lower()
        if wanted not in ids:
            near = difflib.get_close_matches(wanted, ids, n=1)
            hint = f"did you mean {ids[near[0]]}?" if near else "see: dpor rules"
            self.fail(f"{value!r} is no rule; {hint}", param, ctx)
        return ids[wanted]


class Day(click.ParamType[date]):
    """A day."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read YYYY-MM-DD."""
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            day = None
        # Newer versions of Python read other forms, too.
        if day is None or day.isoformat() != str(value):
            self.fail(f"{value!r} is no day; write it as 2026-12-31", param, ctx)
        return day


TEXT = Text()
SUBSCRIPTION = Subscription()
SCOPE = Scope()
PARTNER_ID = PartnerId()
ROLE = RoleName()
RULE = RuleId()
DAY = Day()

pass_session = click.make_pass_decorator(Session)
