"""What the steps of a resource's lifecycle answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dpor_provider.declaration.inputs import Failure


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs as they are to be kept, or the reasons why they are refused."""

    inputs: dict[str, Any]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What an update would mean."""

    changes: bool
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What is live: outputs, and inputs where they are no longer the outputs'."""

    outputs: dict[str, Any]
    inputs: dict[str, Any] | None = None
