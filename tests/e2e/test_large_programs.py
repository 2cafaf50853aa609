"""What keeps a program of many partners quick: little is loaded, awaited and saved."""

from __future__ import annotations

import json

import pytest
from support.backends import CONTOSO, Backend
from support.pulumi_project import Project

MOST_BYTES = 1500
"""Of the properties of one resource in a state; the rest is the engine's."""

UNNEEDED = {"sqlalchemy", "alembic", "azure", "psycopg", "rich"}

PROGRAM = """
import atexit, json, pathlib, sys
import pulumi
from dpor_provider import PartnerOfRecord

PartnerOfRecord("payments", subscription_id={subscription!r}, partner_id={partner_id!r})
under_way = len(pulumi.runtime.settings.SETTINGS.rpc_manager.rpcs)


def tell():
    told = {{"loaded": sorted(sys.modules), "under_way": under_way}}
    pathlib.Path("told.json").write_text(json.dumps(told))


atexit.register(tell)
"""


@pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)
def test_a_program_loads_no_database_and_no_cloud_and_waits_for_its_registrations_first(
    project: Project, backend: Backend
) -> None:
    program = PROGRAM.format(subscription=backend.subscription(), partner_id=CONTOSO.id)
    (project.folder / "__main__.py").write_text(program)
    project.dpor("up").ok()
    told = json.loads((project.folder / "told.json").read_text())
    assert "dpor_provider.resources.program" in told["loaded"]
    assert {name.partition(".")[0] for name in told["loaded"]} & UNNEEDED == set()
    # The installed SDK has what is reached into; without that no call is under way by then.
    assert told["under_way"] == 1
    (resource,) = project.state()
    assert len(json.dumps([resource["inputs"], resource["outputs"]])) < MOST_BYTES
