"""A Pulumi program that declares what the tests' program does, of a class that does nothing."""

import json
import os
from pathlib import Path
from typing import Any

import pulumi
from idle_provider import IdleProvider
from pulumi.dynamic import Resource

# What the other program loads, for an equal start.
import dpor_provider.resources.declare  # noqa: F401
from dpor_provider.resources.program import make_haste

QUICK = "QUICK"
"""Set where the program is to be as quick as ours, so that the providers remain to compare."""

OUTPUTS = (
    "partner_name",
    "partner_name_source",
    "version",
    "claim",
    "written_partner_id",
    "adopted",
    "effective",
    "designated_by",
    "designated_at",
    "former_partner_id",
    "registry_id",
)


class Idle(Resource, module="idle", name="PartnerOfRecord"):
    """Has the properties of PartnerOfRecord."""

    subscription_id: pulumi.Output[str]
    partner_id: pulumi.Output[str]
    partner_name: pulumi.Output[str]
    partner_name_source: pulumi.Output[str]
    managed_by: pulumi.Output[str]
    version: pulumi.Output[int]
    claim: pulumi.Output[str]
    written_partner_id: pulumi.Output[str]
    adopted: pulumi.Output[bool]
    effective: pulumi.Output[str]
    designated_by: pulumi.Output[str]
    designated_at: pulumi.Output[str]
    former_partner_id: pulumi.Output[str | None]
    registry_id: pulumi.Output[str]

    def __init__(self, name: str, **stated: Any) -> None:
        """Declare one."""
        if QUICK in os.environ:
            make_haste()
        managed_by = f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"
        properties = {**dict.fromkeys(OUTPUTS), **stated, "managed_by": managed_by}
        super().__init__(IdleProvider(), name, properties)


for one in json.loads(Path(f"{pulumi.get_stack()}.json").read_text())["resources"]:
    Idle(**one)
