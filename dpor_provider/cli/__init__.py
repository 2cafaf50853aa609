"""The command `dpor`."""

from dpor_provider.cli.main import main

__all__ = ["main"]
