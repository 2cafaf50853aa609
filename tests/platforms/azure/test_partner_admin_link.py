"""The lifecycle of a PartnerAdminLink, without an engine, over the stand-in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from azure_stand_in.estate import PartnerLink, Principal
from azure_stand_in.example import CONTOSO, CUSTOMER, FABRIKAM, NOBODY, PARTNER_SP
from azure_stand_in.faults import Do, Drop, Junk, Respond
from azure_stand_in.server import StandIn

from dpor_provider.declaration.inputs import UNKNOWN
from dpor_provider.errors import Conflict, Invalid, Refused, Unavailable
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.partner_link import PartnerLinks
from dpor_provider.resources.partner_admin_link import LinkLifecycle

LIST = "ManagementPartner/partners$"
ONE = "ManagementPartner/partners/"
SERVER_ERROR = Respond(500, '{"error": {"code": "InternalServerError", "message": "try later"}}')

Inputs = dict[str, Any]


class Deployment:
    """What one run of the engine does with one resource."""

    def __init__(self, connection: Connection) -> None:
        self.said: list[str] = []
        self.lifecycle = LinkLifecycle(PartnerLinks(connection), say=self.said.append)

    def check(self, inputs: Inputs, state: Inputs | None = None) -> Inputs:
        """The checked inputs, of which none is refused."""
        checked = self.lifecycle.check(state["inputs"] if state else {}, inputs)
        assert checked.failures == ()
        return checked.inputs

    def refused(self, inputs: Inputs, state: Inputs | None = None) -> str:
        """Why inputs are refused."""
        checked = self.lifecycle.check(state["inputs"] if state else {}, inputs)
        assert checked.failures
        return "; ".join(failure.reason for failure in checked.failures)

    def changes(self, inputs: Inputs, state: Inputs) -> bool:
        """Whether a preview shows a change."""
        return self.lifecycle.diff(state["outputs"], self.check(inputs, state)).changes

    def up(self, inputs: Inputs, state: Inputs | None = None) -> Inputs:
        """The state after a deployment."""
        checked = self.check(inputs, state)
        if state is None:
            outputs = self.lifecycle.create(checked)
        elif self.lifecycle.diff(state["outputs"], checked).changes:
            outputs = self.lifecycle.update(state["outputs"], checked)
        else:
            return state
        assert "drift" not in outputs
        # As the engine keeps it: what is None is dropped.
        kept = {key: value for key, value in outputs.items() if value is not None}
        return {"inputs": checked, "outputs": kept}


Deploying = Callable[..., Deployment]


@pytest.fixture
def run(connecting: Callable[[Principal], Connection]) -> Deploying:
    """Another run, as the partner's service principal or somebody else."""
    return lambda principal=PARTNER_SP: Deployment(connecting(principal))


class Live:
    """The partner link of the partner's service principal, as others change it."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in

    @property
    def link(self) -> PartnerLink | None:
        key = f"{CUSTOMER.id}/{PARTNER_SP.id}"
        return self.stand_in.world.partner_links.get(key)

    @property
    def partner_id(self) -> str | None:
        link = self.link
        return link.partner_id if link and link.state == "Active" else None

    def set(self, partner_id: str | None) -> None:
        """Change it by hand."""
        now = self.link or PartnerLink(
            tenant_id=CUSTOMER.id, object_id=PARTNER_SP.id, partner_id="", version=0
        )
        with self.stand_in.world.lock:
            self.stand_in.world.partner_links.put(
                replace(now, state="Deleted", version=now.version + 1)
                if partner_id is None
                else replace(now, partner_id=partner_id, state="Active", version=now.version + 1)
            )

    @property
    def writes(self) -> list[str]:
        """What was written through Azure, in order."""
        return [
            f"{write.method} {write.path.rpartition('/')[2]}"
            for write in self.stand_in.journal.writes
        ]


@pytest.fixture
def live(stand_in: StandIn) -> Live:
    return Live(stand_in)


def of(partner: Any = CONTOSO, **more: object) -> Inputs:
    return {"partner_id": partner.id, "partner_name": partner.name, **more}


# --- The whole life ----------------------------------------------------------------------------


def test_from_making_to_ending(run: Deploying, live: Live) -> None:
    deployment = run()
    assert deployment.check(of()) == {
        **of(),
        "tenant_id": CUSTOMER.id,
        "object_id": PARTNER_SP.id,
    }
    assert live.writes == []
    state = deployment.up(of())
    outputs = state["outputs"]
    assert outputs["linked_at"].startswith("20")
    assert outputs | {"linked_at": ""} == {
        **of(),
        "tenant_id": CUSTOMER.id,
        "object_id": PARTNER_SP.id,
        "version": 1,
        "etag": 1,
        "state": "Active",
        "linked_at": "",
        "written_partner_id": CONTOSO.id,
        "written_version": 1,
        "adopted": False,
    }
    assert deployment.said == [
        f"linking this identity to partner {CONTOSO.id}; Azure takes some 15 seconds"
    ]
    assert not run().changes(of(), state)
    found = run().lifecycle.read(outputs)
    assert found is not None
    assert (found.outputs, found.inputs) == (outputs, None)

    state = run().up(of(FABRIKAM), state)
    assert state["outputs"]["written_partner_id"] == FABRIKAM.id
    assert state["outputs"]["version"] == 2
    run().lifecycle.delete(state["outputs"])
    assert live.partner_id is None
    assert live.writes == [
        f"PUT {CONTOSO.id}",
        f"PATCH {FABRIKAM.id}",
        f"DELETE {FABRIKAM.id}",
    ]
    assert run().lifecycle.read(outputs) is None
    run().lifecycle.delete(state["outputs"])


def test_unknown_values_wait(run: Deploying, live: Live) -> None:
    live.set(FABRIKAM.id)
    unknown = {"partner_id": UNKNOWN, "partner_name": UNKNOWN}
    assert run().check(unknown)["partner_id"] is UNKNOWN
    assert run().check(of(replaces_partner_id=UNKNOWN))["replaces_partner_id"] is UNKNOWN
    assert run().check({"partner_id": FABRIKAM.id, "partner_name": UNKNOWN})


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (of(partner_id="12345"), "'12345' is no Partner ID: it is a placeholder"),
        (of(partner_id="04567890"), "it starts with 0; did you mean '4567890'?"),
        (of(partner_id=4567890.0), "must be a string, not 4567890; write it in quotes: '4567890'"),
        (of(partner_id=["4567890"]), "must be a string, not ['4567890']"),
        (of(partner_id=CUSTOMER.id), "it is a GUID, such as a tenant id"),
        (of(partner_name=" "), "it is empty; write the partner's name"),
        (of(on_delete="delete"), "withdraw or retain, not 'delete'"),
        ({"partner_id": "4567890"}, "partner_name is missing"),
        ({"partner_name": "Contoso Consulting"}, "partner_id is missing"),
    ],
)
def test_malformed_inputs(run: Deploying, inputs: Inputs, said: str) -> None:
    assert said in run().refused(inputs)


# --- What is there already ---------------------------------------------------------------------


def test_adopts_an_identical_link_and_leaves_it(run: Deploying, live: Live) -> None:
    live.set(CONTOSO.id)
    state = run().up(of(partner_name="CONTOSO consulting"))
    assert (state["outputs"]["adopted"], state["outputs"]["partner_name"]) == (True, CONTOSO.name)
    assert not run().changes(of(partner_name="CONTOSO consulting"), state)
    ending = run()
    ending.lifecycle.delete(state["outputs"])
    assert live.partner_id == CONTOSO.id
    assert "nobody's from now on" in ending.said[0]
    assert live.writes == []


def test_ends_an_adopted_link_where_that_is_asked_for(run: Deploying, live: Live) -> None:
    live.set(CONTOSO.id)
    state = run().up(of(on_delete="withdraw"))
    run().lifecycle.delete(state["outputs"])
    assert live.partner_id is None


def test_retains_its_own_link_where_that_is_asked_for(run: Deploying, live: Live) -> None:
    state = run().up(of())
    state = run().up(of(on_delete="retain"), state)
    assert (state["outputs"]["adopted"], state["outputs"]["written_version"]) == (False, 1)
    run().lifecycle.delete(state["outputs"])
    assert live.partner_id == CONTOSO.id
    assert live.writes == [f"PUT {CONTOSO.id}"]


def test_replaces_only_whom_it_names(run: Deploying, live: Live) -> None:
    live.set(FABRIKAM.id)
    assert f"replaces_partner_id {FABRIKAM.id} [DPOR304]" in run().refused(of())
    other = of(replaces_partner_id="2345678")
    assert "since only 2345678 may be" in run().refused(other)
    with pytest.raises(Refused, match="which is not replaced"):
        run().lifecycle.create(other)
    assert live.writes == []
    state = run().up(of(replaces_partner_id=FABRIKAM.id))
    assert live.writes == [f"PATCH {CONTOSO.id}"]
    assert state["outputs"]["adopted"] is False


def test_a_former_link_that_was_ended_is_no_link(run: Deploying, live: Live) -> None:
    live.set(FABRIKAM.id)
    live.set(None)
    state = run().up(of())
    assert state["outputs"]["version"] == 3
    assert live.writes == [f"PUT {CONTOSO.id}"]


# --- The partner's name ------------------------------------------------------------------------


def test_a_name_that_is_known_before(run: Deploying, live: Live) -> None:
    live.set(CONTOSO.id)
    wrong = of(partner_name=FABRIKAM.name)
    said = run().refused(wrong)
    assert f"Azure calls partner {CONTOSO.id} {CONTOSO.name!r}, not {FABRIKAM.name!r}" in said
    assert "[DPOR103]" in said
    with pytest.raises(Refused, match="correct the ID or the name"):
        run().lifecycle.create(wrong)
    assert live.writes == []


def test_a_new_link_of_another_name_is_taken_back(run: Deploying, live: Live) -> None:
    with pytest.raises(Invalid, match="the link was taken back"):
        run().up(of(partner_name=FABRIKAM.name))
    assert live.partner_id is None
    assert live.writes == [f"PUT {CONTOSO.id}", f"DELETE {CONTOSO.id}"]


def test_a_change_to_another_name_is_taken_back(run: Deploying, live: Live) -> None:
    state = run().up(of())
    with pytest.raises(Invalid, match=f"it is {CONTOSO.id} again"):
        run().up(of(FABRIKAM, partner_name="Contoso"), state)
    assert live.partner_id == CONTOSO.id
    assert not run().changes(of(), state)


@pytest.mark.parametrize(
    ("first", "method", "undo"),
    [
        (None, "DELETE", f"az managementpartner delete --partner-id {FABRIKAM.id}"),
        (CONTOSO, "PATCH", f"az managementpartner update --partner-id {CONTOSO.id}"),
    ],
)
def test_what_cannot_be_taken_back_is_said(
    run: Deploying,
    live: Live,
    stand_in: StandIn,
    slept: list[float],
    first: Any,
    method: str,
    undo: str,
) -> None:
    state = run().up(of(first)) if first else None
    stand_in.faults.add(
        method, f"{ONE}{FABRIKAM.id if first is None else CONTOSO.id}", SERVER_ERROR
    )
    with pytest.raises(Unavailable, match="it could not be taken back") as caught:
        run().up(of(FABRIKAM, partner_name="Contoso"), state)
    assert f"as this identity run: {undo}" in str(caught.value)
    assert live.partner_id == FABRIKAM.id


def test_a_name_that_azure_does_not_show(run: Deploying, live: Live, stand_in: StandIn) -> None:
    body = {"properties": {"partnerId": CONTOSO.id, "version": "1", "state": "Active"}}
    stand_in.faults.add("GET", LIST, Respond(200, json.dumps(body)), calls={3, 4, 5})
    deployment = run()
    state = deployment.up(of())
    assert "Azure shows no name" in deployment.said[-1]
    assert state["outputs"]["partner_name"] == CONTOSO.name
    assert not run().changes(of(), state)
    found = run().lifecycle.read(state["outputs"])
    assert found is not None
    assert (found.outputs["partner_name"], found.inputs) == (CONTOSO.name, None)


# --- Drift -------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [FABRIKAM.id, None])
def test_drift_is_shown_and_repaired_each_time(run: Deploying, live: Live, to: str | None) -> None:
    state = run().up(of())
    seen = set()
    for _ in range(3):
        live.set(to)
        drift = run().check(of(), state)["drift"]
        assert drift.startswith(f"live is {f'partner {to}' if to else 'no partner'}")
        # The engine compares inputs: the same text as last time is no change for it.
        assert drift != state["inputs"].get("drift")
        seen.add(drift)
        state = run().up(of(), state)
        assert live.partner_id == CONTOSO.id
        assert not run().changes(of(), state)
    assert len(seen) > 1


def test_a_refresh_shows_the_live_partner(run: Deploying, live: Live) -> None:
    state = run().up(of())
    live.set(FABRIKAM.id)
    found = run().lifecycle.read(state["outputs"])
    assert found is not None
    assert found.inputs is not None
    assert found.inputs["partner_id"] == found.outputs["partner_id"] == FABRIKAM.id
    assert found.outputs["partner_name"] == FABRIKAM.name
    assert found.outputs["written_partner_id"] == CONTOSO.id
    assert run().lifecycle.diff(found.outputs, state["inputs"]).changes

    refreshed = {"inputs": found.inputs, "outputs": found.outputs}
    # Nothing of somebody else's is ended.
    run().lifecycle.delete(refreshed["outputs"])
    assert live.partner_id == FABRIKAM.id
    run().up(of(), refreshed)
    assert live.partner_id == CONTOSO.id


def test_a_link_made_anew_by_somebody_else_is_not_ended(run: Deploying, live: Live) -> None:
    state = run().up(of())
    live.set(None)
    live.set(CONTOSO.id)
    assert not run().changes(of(), state)
    ending = run()
    ending.lifecycle.delete(state["outputs"])
    assert live.partner_id == CONTOSO.id
    assert "not this resource's to end" in ending.said[0]


def test_a_repair_by_hand_needs_no_write(run: Deploying, live: Live) -> None:
    state = run().up(of())
    live.set(FABRIKAM.id)
    state = run().up(of(FABRIKAM), state)
    assert live.writes == [f"PUT {CONTOSO.id}"]
    assert (state["outputs"]["adopted"], state["outputs"]["partner_id"]) == (True, FABRIKAM.id)


# --- Who runs it -------------------------------------------------------------------------------


def test_another_identity_is_refused(run: Deploying, live: Live) -> None:
    state = run().up(of())
    live.stand_in.journal.clear()
    stranger = run(NOBODY)
    assert f"it is the link of the identity {PARTNER_SP.id}" in stranger.refused(of(), state)
    for call in (
        lambda: stranger.lifecycle.read(state["outputs"]),
        lambda: stranger.lifecycle.delete(state["outputs"]),
        lambda: stranger.lifecycle.update(state["outputs"], of(FABRIKAM)),
        lambda: stranger.lifecycle.create(state["inputs"]),
    ):
        with pytest.raises(Refused, match=f"this run is {NOBODY.id}"):
            call()
    assert live.partner_id == CONTOSO.id
    assert live.stand_in.journal.requests("ManagementPartner") == 0


# --- Several resources, races and broken connections -------------------------------------------


def test_a_rename_keeps_the_link(run: Deploying, live: Live) -> None:
    """The new resource is made before the old one is deleted, in one run."""
    state = run().up(of())
    deployment = run()
    renamed = deployment.up(of())
    deployment.lifecycle.delete(state["outputs"])
    assert live.partner_id == CONTOSO.id
    assert "another resource of this run has it" in deployment.said[-1]
    assert renamed["outputs"]["adopted"] is True


@pytest.mark.parametrize(
    ("method", "action"), [("PUT", Drop(after=True)), ("PUT", SERVER_ERROR), ("GET", Drop())]
)
def test_repeats_change_nothing(
    run: Deploying,
    live: Live,
    stand_in: StandIn,
    slept: list[float],
    method: str,
    action: Any,
) -> None:
    stand_in.faults.add(method, "ManagementPartner", action, calls={1, 2})
    state = run().up(of())
    assert live.writes == [f"PUT {CONTOSO.id}"]
    assert (state["outputs"]["adopted"], state["outputs"]["version"]) == (False, 1)
    stand_in.faults.add("DELETE", ONE, Drop(after=True), calls={1})
    run().lifecycle.delete(state["outputs"])
    assert live.partner_id is None


def test_an_answer_that_is_lost_for_good(
    run: Deploying, live: Live, stand_in: StandIn, slept: list[float]
) -> None:
    for method in ("PUT", "DELETE"):
        stand_in.faults.add(method, ONE, Respond(502, after=True), calls={1})
        stand_in.faults.add(method, ONE, SERVER_ERROR)
    state = run().up(of())
    assert state["outputs"]["adopted"] is False
    run().lifecycle.delete(state["outputs"])
    assert live.writes == [f"PUT {CONTOSO.id}", f"DELETE {CONTOSO.id}"]


def test_a_run_that_was_killed_after_its_write(run: Deploying, live: Live) -> None:
    run().up(of())
    state = run().up(of())
    assert live.writes == [f"PUT {CONTOSO.id}"]
    assert state["outputs"]["adopted"] is True


def test_a_name_that_a_terminal_would_obey(run: Deploying, live: Live, stand_in: StandIn) -> None:
    body = {"properties": {"partnerId": FABRIKAM.id, "partnerName": "\x1b[2J##vso[x]\nEvil"}}
    stand_in.faults.add("GET", LIST, Respond(200, json.dumps(body)))
    for said in (run().refused(of()), run().refused(of(FABRIKAM))):
        assert "Evil" in said
        assert not {"\x1b", "\n"} & set(said)


def test_what_cannot_be_written_says_so(
    run: Deploying, live: Live, stand_in: StandIn, slept: list[float]
) -> None:
    stand_in.faults.add("PUT", ONE, SERVER_ERROR)
    with pytest.raises(Unavailable, match=f"linking this identity to partner {CONTOSO.id}: try"):
        run().up(of())
    assert live.partner_id is None


def test_what_cannot_be_read_is_not_gone(run: Deploying, live: Live, stand_in: StandIn) -> None:
    state = run().up(of())
    stand_in.faults.add("GET", LIST, Junk())
    assert "none of Azure Resource Manager's" in run().refused(of(), state)
    for call in (run().lifecycle.read, run().lifecycle.delete):
        with pytest.raises(Unavailable):
            call(state["outputs"])
    assert live.partner_id == CONTOSO.id


def test_a_change_between_check_and_write(run: Deploying, live: Live) -> None:
    state = run().up(of())
    deployment = run()
    checked = deployment.check(of(FABRIKAM), state)
    live.set(None)
    with pytest.raises(Conflict, match="it is to no partner now; nothing was written"):
        deployment.lifecycle.update(state["outputs"], checked)
    assert live.writes == [f"PUT {CONTOSO.id}"]


def test_a_change_right_after_the_write(run: Deploying, live: Live, stand_in: StandIn) -> None:
    def meddle() -> None:
        live.set(FABRIKAM.id)

    # The check's, the create's, and then the one after the write.
    stand_in.faults.add("GET", LIST, Do(meddle), calls={3})
    with pytest.raises(Conflict, match="somebody else changes it too"):
        run().up(of())
    assert live.partner_id == FABRIKAM.id


@pytest.mark.parametrize("other", [CONTOSO, FABRIKAM])
def test_two_runs_at_once(run: Deploying, live: Live, stand_in: StandIn, other: Any) -> None:
    """The other one's link is there when this one's arrives."""

    def meddle() -> None:
        live.set(other.id)

    stand_in.faults.add("PUT", ONE, Do(meddle), calls={1})
    if other is CONTOSO:
        assert run().up(of())["outputs"]["version"] == 1
    else:
        with pytest.raises(Conflict, match=f"already linked to the partner id {FABRIKAM.id}"):
            run().up(of())
    assert live.partner_id == other.id
    assert live.writes == []


def test_is_ended_before_a_write_whose_engine_is_gone(
    connecting: Callable[[Principal], Connection], live: Live
) -> None:
    class Gone(Exception):
        pass

    def gone() -> None:
        raise Gone

    lifecycle = LinkLifecycle(PartnerLinks(connecting(PARTNER_SP)), before_write=gone)
    checked = lifecycle.check({}, of())
    with pytest.raises(Gone):
        lifecycle.create(checked.inputs)
    assert live.writes == []


def test_without_the_extra_one_line_says_what_to_install() -> None:
    program = """
import sys
from dpor_provider import PartnerAdminLink
from dpor_provider.resources.dynamic_link import PartnerAdminLinkProvider
from pulumi.dynamic import Config, ConfigureRequest
assert not [name for name in sys.modules if name.partition(".")[0] == "azure"]
sys.modules["azure.identity"] = None
provider = PartnerAdminLinkProvider()
provider.configure(ConfigureRequest(Config({}, "links")))
(failure,) = provider.check({}, {"partner_id": "4567890"}).failures
print(failure.reason)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "pip install 'dpor-provider[azure]'" in done.stdout


def test_no_token_in_what_is_kept_and_said(run: Deploying, stand_in: StandIn) -> None:
    deployment = run()
    state = deployment.up(of())
    text = json.dumps([state, deployment.said]) + repr(deployment.lifecycle)
    assert "eyJ" not in text
    assert "Bearer" not in text
