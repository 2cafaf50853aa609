"""The formats of a result; this folder is their registry: each of its modules holds `report`."""

from __future__ import annotations

import importlib
import pkgutil

from dpor_provider.checker.result import Result


def formats() -> tuple[str, ...]:
    """The names of the formats, in order; text, which is for people, is the first."""
    found = (info.name.replace("_", "-") for info in pkgutil.iter_modules(__path__))
    return tuple(sorted(found, key=lambda name: (name != "text", name)))


def render(result: Result, name: str) -> str:
    """A result in one of the formats, with a newline at its end."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    text: str = module.report(result)
    return text


__all__ = ["formats", "render"]
