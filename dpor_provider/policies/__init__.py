"""The policy pack: the rules, run by Pulumi before anything is deployed."""

from __future__ import annotations


def run() -> None:
    """Serve the policy pack; does not return."""
    from dpor_provider.policies.pack import serve

    serve()


__all__ = ["run"]
