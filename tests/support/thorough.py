"""Tests that `make torture` runs, and `make test` has no time for."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

THOROUGH = bool(os.environ.get("DPOR_TEST_ALL"))

Survived = Callable[[str, int], None]
"""Notes how many faults of a kind a test has seen through, with nothing lost."""

thorough = pytest.mark.skipif(not THOROUGH, reason="runs in: make torture")
