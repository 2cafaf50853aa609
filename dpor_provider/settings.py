"""The stack's `dpor:*` configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dpor_provider.errors import Invalid
from dpor_provider.printable import brief


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the registry is, which platform it rules, and whose roles an early check looks at."""

    registry: str | None = None
    platform: str | None = None
    deployer: str | None = None
    credit: bool = False
    """Whether the platform credits partners, too."""

    @classmethod
    def read(cls, get: Callable[[str], object]) -> Settings:
        """Read them with a function that gives a key's value, or None.

        Raises:
            Invalid: a value is not a string, or not true or false.
        """
        return cls(
            registry=_text("dpor:registry", get),
            platform=_text("dpor:platform", get),
            deployer=_text("dpor:deployer", get),
            credit=_truth("dpor:credit", get),
        )


def _truth(key: str, get: Callable[[str], object]) -> bool:
    value = get(key)
    if value is None or value is False or value in ("", "false"):
        return False
    if value is True or value == "true":
        return True
    raise Invalid(f"the configuration {key} must be true or false, not {brief(value)}")


def _text(key: str, get: Callable[[str], object]) -> str | None:
    value = get(key)
    if value is None or isinstance(value, str):
        return value or None
    raise Invalid(f"the configuration {key} must be a string, not {brief(value)}")
