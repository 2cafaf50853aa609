"""Tests that `make torture` and `make test-backends` run, and `make test` has no time for."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

THOROUGH = bool(os.environ.get("DPOR_TEST_ALL"))

Survived = Callable[[str, int], None]
"""Notes how many faults of a kind a test has seen through, with nothing lost."""

InputSurvived = Callable[[str], None]
"""Notes an input of a kind that a test has seen through."""


def fuzz(examples: int) -> settings:
    """Settings of a test that generates hostile input; fifty times as much for `make torture`."""
    return settings(
        max_examples=examples * 50 if THOROUGH else examples,
        deadline=None,
        # What counts inputs may, and a busy machine is no fault of what is tested.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


thorough = pytest.mark.skipif(not THOROUGH, reason="runs in: make torture, make test-backends")
