"""`PartnerAdminLink` with the real engine, over a stand-in for Azure in this process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from azure_stand_in.estate import PartnerLink, Principal
from azure_stand_in.example import CONTOSO, CUSTOMER, FABRIKAM, NOBODY, PARTNER_SP, estate
from azure_stand_in.server import StandIn, running
from support.pulumi_project import Project

PROGRAM = '''"""Declares what the stack's JSON file says."""

import json
from pathlib import Path

import pulumi

from dpor_provider import PartnerAdminLink

for arguments in json.loads(Path(f"{pulumi.get_stack()}.json").read_text())["resources"]:
    PartnerAdminLink(**arguments)
'''


def link(partner_id: str = CONTOSO.id, name: str = CONTOSO.name, **more: str) -> dict[str, str]:
    return {"resource_name": "link", "partner_id": partner_id, "partner_name": name, **more}


def fabrikam(**more: str) -> dict[str, str]:
    return link(FABRIKAM.id, FABRIKAM.name, **more)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running(estate()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, engine: Path, stand_in: StandIn) -> Project:
    """A project without a registry, run by the partner's service principal."""
    made = run_by(Project(tmp_path / "links", engine, "links"), stand_in).prepare({})
    (made.folder / "__main__.py").write_text(PROGRAM)
    return made


def run_by(project: Project, stand_in: StandIn, principal: Principal = PARTNER_SP) -> Project:
    """The project, run by another identity."""
    signed_in = {"DPOR_AZURE_ENDPOINT": stand_in.url, "DPOR_AZURE_TOKEN": stand_in.token(principal)}
    return replace(project, settings=signed_in)


def live(stand_in: StandIn) -> str | None:
    found = stand_in.world.partner_links.get(f"{CUSTOMER.id}/{PARTNER_SP.id}")
    return found.partner_id if found and found.state == "Active" else None


def change(stand_in: StandIn, partner_id: str) -> None:
    """Link the service principal to another partner by hand."""
    links = stand_in.world.partner_links
    before = links.get(f"{CUSTOMER.id}/{PARTNER_SP.id}") or PartnerLink(
        tenant_id=CUSTOMER.id, object_id=PARTNER_SP.id, partner_id="", version=0
    )
    with stand_in.world.lock:
        links.put(replace(before, partner_id=partner_id, version=before.version + 1))


def writes(stand_in: StandIn) -> list[str]:
    return [f"{write.method} {write.path.rpartition('/')[2]}" for write in stand_in.journal.writes]


def test_from_making_to_ending(project: Project, stand_in: StandIn, tmp_path: Path) -> None:
    project.declare(link())
    shown = project.preview().ok().output
    assert "pulumi-python:dynamic/dpor:PartnerAdminLink" in shown
    assert writes(stand_in) == []
    assert "linking this identity to partner 4567890" in project.up().ok().output
    outputs = project.outputs("link")
    assert (outputs["partner_name"], outputs["version"]) == (CONTOSO.name, 1)
    assert outputs["object_id"] == PARTNER_SP.id
    project.assert_settled()

    exported = project.run("stack", "export", "--stack", "dev").ok().output
    assert stand_in.token(PARTNER_SP).split(".")[0] not in exported
    verified = subprocess.run(
        [Path(sys.executable).parent / "dpor", "state", "verify"],
        input=exported,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout

    project.declare(fabrikam())
    assert project.steps()["link"].operation == "update"
    project.up().ok()
    project.assert_settled()
    project.destroy().ok()
    assert writes(stand_in) == ["PUT 4567890", "PATCH 5127255", "DELETE 5127255"]


def test_drift_is_shown_and_repaired_each_time(project: Project, stand_in: StandIn) -> None:
    project.declare(link())
    project.up().ok()
    for number in range(2):
        change(stand_in, FABRIKAM.id)
        shown = project.preview().ok().output
        assert f"live is partner {FABRIKAM.id} ({FABRIKAM.name}), version {2 * number + 2}" in shown
        assert project.preview("--expect-no-changes").exit_code != 0
        project.up().ok()
        assert live(stand_in) == CONTOSO.id
        assert "drift" not in project.outputs("link")
    assert f'"{FABRIKAM.id}"' not in project.preview("--refresh").ok().output
    change(stand_in, FABRIKAM.id)
    refreshed = project.preview("--refresh").ok().output
    assert f'"{FABRIKAM.id}" => "{CONTOSO.id}"' in refreshed
    project.up("--refresh").ok()
    assert live(stand_in) == CONTOSO.id
    project.assert_settled()


def test_refusals_are_one_line_and_write_nothing(project: Project, stand_in: StandIn) -> None:
    change(stand_in, FABRIKAM.id)
    project.declare(link())
    assert f"replaces_partner_id {FABRIKAM.id}" in project.up().failed().output
    project.declare(link(), link(resource_name="second"))
    assert "has the PartnerAdminLink 'link' already" in project.up().failed().output
    project.declare(fabrikam())
    project.up().ok()

    stranger = run_by(project, stand_in, NOBODY)
    said = f"it is the link of the identity {PARTNER_SP.id}"
    assert said in stranger.preview().failed().output
    assert said in stranger.run("refresh", "--yes", "--stack", "dev").failed().output
    assert said in stranger.destroy().failed().output
    assert writes(stand_in) == []
    assert project.outputs("link")["adopted"] is True


def test_a_rename_and_a_replacement_keep_the_link(project: Project, stand_in: StandIn) -> None:
    project.declare(link())
    project.up().ok()
    project.declare(link(resource_name="renamed"))
    assert "another resource of this run has it" in project.up().ok().output
    urn = next(resource["urn"] for resource in project.state())
    project.up("--replace", urn).ok()
    project.assert_settled()
    assert writes(stand_in) == ["PUT 4567890"]
    assert live(stand_in) == CONTOSO.id


def test_a_wrong_name_or_id_leaves_nothing_behind(project: Project, stand_in: StandIn) -> None:
    project.declare(link(FABRIKAM.id, CONTOSO.name))
    said = project.up().failed().output
    assert f"Azure calls partner {FABRIKAM.id} {FABRIKAM.name!r}" in said
    assert "the link was taken back" in said
    assert live(stand_in) is None

    project.declare(link("4567889"))
    said = project.up().failed().output
    assert "the first location ID is 4567890" in said
    assert "direct cause" not in said
    project.declare(link())
    project.up().ok()
    project.assert_settled()
    assert json.dumps(project.state()).count(FABRIKAM.id) == 0
