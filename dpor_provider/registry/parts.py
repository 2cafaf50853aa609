"""What a registry consists of, whichever database it is in."""

from __future__ import annotations

from dataclasses import dataclass

from dpor_provider.registry import access, demands, designations, directory, observations, roles


@dataclass(frozen=True, slots=True)
class Parts:
    """What a registry keeps, each part with its own ways to read and change it."""

    partners: directory.Partners
    designations: designations.Designations
    observations: observations.Observations
    roles: roles.Roles
    access: access.AccessTable
    demands: demands.Demands
