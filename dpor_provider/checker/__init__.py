"""The checker: declarations, and registry and platform where they are given, to a result."""

from dpor_provider.checker.check import check
from dpor_provider.checker.result import Change, Reported, Result, Suppression

__all__ = ["Change", "Reported", "Result", "Suppression", "check"]
