"""The stack's `dpor:*` configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dpor_provider.errors import Invalid


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the registry is, which platform it rules, and whose roles an early check looks at."""

    registry: str | None = None
    platform: str | None = None
    deployer: str | None = None

    @classmethod
    def read(cls, get: Callable[[str], object]) -> Settings:
        """Read them with a function that gives a key's value, or None.

        Raises:
            Invalid: a value is not a string.
        """
        return cls(
            **{key: _text(f"dpor:{key}", get) for key in ("registry", "platform", "deployer")}
        )


def _text(key: str, get: Callable[[str], object]) -> str | None:
    value = get(key)
    if value is None or isinstance(value, str):
        return value or None
    raise Invalid(f"the configuration {key} must be a string, not {value!r}")
