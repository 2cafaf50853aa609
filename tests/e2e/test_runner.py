"""`dpor up`, `preview`, `destroy` and `refresh` on the real engine."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend
from support.pulumi_project import PROGRAM, Project, of
from support.thorough import thorough

from dpor_provider.model import Partner

embedded = pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)
everywhere = pytest.mark.parametrize(
    "backend",
    [
        "sqlite-portal",
        "postgresql-portal",
        pytest.param("sqlite-azure", marks=thorough),
        pytest.param("postgresql-azure", marks=thorough),
    ],
    indirect=True,
)

PACK = Path(__file__).parent.parent.parent / "policies"


MEDDLING = """
from dpor_provider.registry import open_registry

if not pulumi.runtime.is_dry_run():
    designations = open_registry({url!r}, principal={principal!r}).designations
    row = designations.find({subscription!r})
    seen = row.version if row else 0
    designations.designate({subscription!r}, {partner_id!r}, seen_version=seen, owner=None)

"""
"""Somebody who designates by hand after the plan, and before its first step."""


def meddle(project: Project, backend: Backend, subscription: str) -> None:
    """Let somebody designate another partner between the plan and its first step."""
    meddling = MEDDLING.format(
        url=backend.url_as(ADMIN),
        principal=ADMIN,
        subscription=subscription,
        partner_id=NORTHWIND.id,
    )
    program = project.folder / "__main__.py"
    program.write_text(PROGRAM.read_text().replace("\nplan = ", f"{meddling}\nplan = "))


def subscriptions(backend: Backend, count: int) -> list[str]:
    return [backend.subscription() for _ in range(count)]


def declare(project: Project, *ids: str, partner_id: str = CONTOSO.id, **rest: Any) -> None:
    project.declare(*(of(one, partner_id, name=one) for one in ids), **rest)


def result(project: Project, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    """What a command says in JSON, on stdout alone."""
    done = subprocess.run(
        [Path(sys.executable).with_name("dpor"), *arguments, "--format", "json"],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["version"] == 1
    assert found["operation"] == arguments[0]
    assert found["result"] == ("failed" if exit_code else "succeeded")
    return found


@everywhere
def test_what_is_declared_is_deployed_changed_and_destroyed(
    project: Project, backend: Backend
) -> None:
    one, two, three = subscriptions(backend, 3)
    backend.designate(three, CONTOSO)
    declare(project, one, two, three)
    planned = result(project, "preview")
    assert planned["designations"] == {"designated": 2, "adopted": 1}
    assert backend.live(one) is None
    done = result(project, "up")
    assert done["designations"] == {"designated": 2, "adopted": 1}
    assert done["stack"] == "dev"
    assert done["changes"]["create"] == 4
    assert backend.live(one) == CONTOSO.id
    assert "pending_operations" not in project.run("stack", "export").ok().output

    assert project.dpor("up", "--expect-no-changes").ok().output.startswith("up of dev: 3 unch")
    backend.designate(one, FABRIKAM)
    declare(project, one, partner_id=CONTOSO.id)
    project.declare(of(one, name=one), of(two, FABRIKAM.id, name=two))
    refused = result(project, "up", "--expect-no-changes", exit_code=1)
    assert refused["designations"] == {"switched": 1, "repaired": 1, "left": 1}
    assert backend.live(two) == CONTOSO.id
    assert result(project, "up")["designations"] == refused["designations"]
    assert backend.live(one) == CONTOSO.id
    assert backend.live(two) == FABRIKAM.id
    # What was adopted is kept when its resource goes.
    assert backend.live(three) == CONTOSO.id
    project.assert_settled()

    backend.withdraw(two)
    assert result(project, "refresh")["designations"] == {"gone": 1, "unchanged": 1}
    assert result(project, "destroy")["designations"] == {"withdrawn": 1}
    assert backend.live(one) is None


@embedded
def test_no_debug_messages_are_sent_where_nobody_sees_them(project: Project) -> None:
    size = 5
    declare(project, *(str(uuid.uuid4()) for _ in range(size)))
    program = project.folder / "__main__.py"
    program.write_text(LISTENING + program.read_text() + TALKING)

    def sent() -> tuple[int, bool]:
        messages = json.loads((project.folder / "sent.json").read_text())
        return len(messages["debug"]), "hello" in messages["other"]

    project.dpor("up").ok()
    few, greeted = sent()
    assert few < size
    assert greeted
    project.up("--debug").ok()
    many, _ = sent()
    assert many > 3 * size


LISTENING = """
import atexit, json, pathlib
from pulumi.runtime.proto.engine_pb2 import DEBUG
from pulumi.runtime.settings import get_engine

engine, sent = get_engine(), {"debug": [], "other": []}
log = engine.Log


def listened(request):
    sent["debug" if request.severity == DEBUG else "other"].append(request.message)
    return log(request)


engine.Log = listened
atexit.register(lambda: pathlib.Path("sent.json").write_text(json.dumps(sent)))
"""
"""Goes before a program, and keeps what it tells the engine."""

TALKING = """
pulumi.log.info("hello")
"""


@embedded
def test_a_faulty_program_is_told_without_noise(project: Project, subscription: str) -> None:
    (project.folder / "partners.yaml").write_text(
        f"version: 1\npartners: {{x: {{id: '4567899', name: X}}}}\n"
        f"subscriptions: [{{id: {subscription}, partner: x}}]\n"
    )
    project.declare(declare=["partners.yaml"])
    failed = result(project, "up", exit_code=1)
    assert [found["severity"] for found in failed["diagnostics"]] == ["error"]
    assert "DPOR102" in failed["diagnostics"][0]["message"]
    assert "unhandled" not in project.dpor("up").failed().output
    declare(project, subscription, partner_id="4567899")
    (failure,) = result(project, "up", exit_code=1)["failed"]
    assert failure["subscription_id"] == subscription
    assert failure["urn"].endswith(subscription)
    assert failure["message"].startswith("Partner ID 4567899 is not in the directory")
    assert "DPOR102" in failure["message"]
    refused = project.dpor("up").failed().output
    assert "up of dev, of which nothing was done: 1 failed" in refused
    project.configure({"dpor:registry": "sqlite:///nowhere.db"})
    assert "no registry at" in result(project, "up", exit_code=2)["failed"][0]["message"]


@embedded
def test_a_preview_says_why_and_what_goes(project: Project, backend: Backend) -> None:
    switched, repaired, stays = subscriptions(backend, 3)
    declare(project, switched, repaired, stays)
    project.dpor("up").ok()
    backend.designate(repaired, FABRIKAM)
    backend.give_access(switched, CONTOSO, "sp-contoso")
    project.declare(
        of(switched, FABRIKAM.id, name=switched),
        of(repaired, name=repaired),
        of(stays, name=stays),
    )
    planned = {one["subscription_id"]: one for one in result(project, "preview")["subscriptions"]}
    assert planned.keys() == {switched, repaired}
    assert planned[switched]["kind"] == "switched"
    assert planned[switched]["former_partner_id"] == CONTOSO.id
    assert [text.partition(",")[0] for text in planned[switched]["revokes"]] == [
        "Support Request Contributor of sp-contoso"
    ]
    assert planned[repaired]["kind"] == "repaired"
    assert planned[repaired]["drift"].startswith(f"live is {FABRIKAM.id}")
    shown = project.dpor("preview").ok().output
    assert planned[switched]["revokes"][0] in shown
    assert planned[repaired]["drift"] in shown
    assert "1 switched, 1 repaired, 1 unchanged; 1 access ends" in shown
    project.dpor("up").ok()
    backend.give_access(switched, CONTOSO, "sp-contoso")
    (back,) = result(project, "preview")["subscriptions"]
    assert (back["kind"], back["drift"], back["revokes"]) == ("updated", None, [])
    assert "stale access: Support Request Contributor" in project.dpor("preview").ok().output
    assert back["stale_access"]


@embedded
@pytest.mark.parametrize("suffix", ["yml", "json"])
def test_a_project_may_be_called_as_the_engine_has_it(
    project: Project, subscription: str, suffix: str
) -> None:
    for file in (project.folder / "Pulumi.yaml", project.folder / "Pulumi.dev.yaml"):
        content = yaml.safe_load(file.read_text())
        file.with_suffix(f".{suffix}").write_text(json.dumps(content))
        file.unlink()
    declare(project, subscription)
    (project.folder / "within").mkdir()
    project.dpor("up", "-C", "within", "--stack", "dev").ok()
    declare(project, subscription, stack="dev-1-of-1")
    project.dpor("up", "--stack", "dev", "--shard", "1/1").ok()


@embedded
def test_what_a_policy_blocks_is_found_and_nothing_is_deployed(
    project: Project, backend: Backend, subscription: str, tmp_path: Path
) -> None:
    config = tmp_path / "pack.json"
    config.write_text(json.dumps({"DPOR403": "mandatory"}))
    declare(project, subscription)
    guarded = ("--policy-pack", str(PACK), "--policy-pack-config", str(config))
    blocked = result(project, "up", *guarded, exit_code=1)
    (violation,) = (found for found in blocked["diagnostics"] if found["severity"] == "error")
    assert violation["policy"] == "DPOR403"
    assert violation["message"].startswith("no data-sharing agreement with Contoso Consulting")
    assert backend.live(subscription) is None


@embedded
def test_the_engines_options_are_passed_on(project: Project, backend: Backend) -> None:
    one, two = subscriptions(backend, 2)
    declare(project, one, two)
    project.dpor("up", "--parallel", "1").ok()
    project.declare(of(one, FABRIKAM.id, name=one), of(two, FABRIKAM.id, name=two))
    urn = f"urn:pulumi:dev::estate::pulumi-python:dynamic/dpor:PartnerOfRecord::{one}"
    preview = project.dpor("preview", "--target", urn, "--diff").ok().output
    assert f'~ partner_id: "{CONTOSO.id}" => "{FABRIKAM.id}"' in preview
    project.dpor("up", "--target", urn, "--stack", "dev").ok()
    assert (backend.live(one), backend.live(two)) == (FABRIKAM.id, CONTOSO.id)


@everywhere
def test_a_plan_that_withdraws_too_much_is_refused(project: Project, backend: Backend) -> None:
    ids = subscriptions(backend, 3)
    declare(project, *ids)
    project.dpor("up").ok()
    declare(project, ids[0])
    (found,) = result(project, "preview", exit_code=1)["diagnostics"]
    assert "withdraw 2 of 3 designations" in found["message"]
    assert "dpor up refuses it" in found["message"]
    result(project, "preview", "--allow-withdrawals", "2")
    refused = result(project, "up", "--allow-withdrawals", "1", exit_code=1)
    assert refused["begun"] is False
    (found,) = refused["diagnostics"]
    assert "withdraw 2 of 3 designations" in found["message"]
    assert ids[1] in found["message"]
    assert all(backend.live(one) for one in ids)
    assert "withdraw 3 of 3" in project.dpor("destroy").failed().output
    assert result(project, "up", "--allow-withdrawals", "2")["designations"]["withdrawn"] == 2
    # What another one declares now, or has, is not withdrawn.
    project.declare(of(ids[0], name="renamed"))
    assert result(project, "up")["designations"] == {"adopted": 1, "left": 1}
    backend.designate(ids[0], FABRIKAM)
    assert result(project, "destroy")["designations"] == {"left": 1}
    assert backend.live(ids[0]) == FABRIKAM.id


@embedded
def test_another_registry_than_the_stacks_is_refused(project: Project, backend: Backend) -> None:
    declare(project, *subscriptions(backend, 1))
    for command in (("preview",), ("up",), ("destroy",)):
        said = project.dpor("--registry", "sqlite:///elsewhere.db", *command).failed().output
        assert "has a registry and a platform of its own (dpor:registry" in said
    assert backend.writes() == []
    project.dpor("--registry", backend.url, "--platform", "portal", "up").ok()


@embedded
@pytest.mark.parametrize("content", ["name: [", "[a, list]"])
def test_a_project_that_is_none_is_one_line(project: Project, content: str) -> None:
    (project.folder / "Pulumi.yaml").write_text(content)
    output = project.dpor("up", "--stack", "dev", "--shard", "1/2").failed().output
    assert "Pulumi.yaml is no project" in output
    assert "bug" not in output
    assert output.count("\n") == 1


OFF_PLAN = "changed after the plan was made; what changed is left as it is; look at dpor preview"


@embedded
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, CONTOSO, "which is not replaced"),
        (CONTOSO, FABRIKAM, OFF_PLAN),
        (CONTOSO, CONTOSO, OFF_PLAN),
    ],
    ids=["new", "switched", "unchanged"],
)
def test_what_somebody_changes_between_the_plan_and_its_first_step_is_not_overwritten(
    project: Project,
    backend: Backend,
    subscription: str,
    before: Partner | None,
    after: Partner,
    said: str,
) -> None:
    if before:
        declare(project, subscription, partner_id=before.id)
        project.dpor("up").ok()
    declare(project, subscription, partner_id=after.id)
    meddle(project, backend, subscription)
    refused = result(project, "up", exit_code=2)
    assert said in refused["diagnostics"][-1]["message"]
    assert NORTHWIND.id in refused["diagnostics"][0]["message"]
    assert refused["failed"][0]["subscription_id"] == subscription
    assert backend.live(subscription) == NORTHWIND.id


@embedded
def test_a_run_that_fails_says_how_much_it_left(project: Project, backend: Backend) -> None:
    declared = subscriptions(backend, 20)
    declare(project, *declared)
    meddle(project, backend, declared[0])
    failed = result(project, "up", exit_code=2)
    made = failed["designations"].get("designated", 0)
    assert failed["designations"]["failed"] == 1
    said = f"{len(declared) - made - 1} changes of the plan are left to the next run"
    assert failed["diagnostics"][-1]["message"] == said


@embedded
def test_a_stack_with_other_resources_keeps_its_checkpoints(
    project: Project, backend: Backend
) -> None:
    project.declare({**of("", name="payments"), "made": "sub"})
    output = project.dpor("up").ok().output
    assert "checkpoints are kept" in output
    assert "(pulumi-python:dynamic:Resource)" in output
    assert result(project, "destroy")["designations"] == {"withdrawn": 1}


@embedded
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--stack", "nope"], "there is no stack 'nope'; make it with: pulumi stack init nope"),
        (["--target"], "Option '--target' requires an argument; see: dpor --help"),
    ],
)
def test_what_is_missing_is_one_line(project: Project, arguments: list[str], problem: str) -> None:
    run = project.dpor("up", *arguments)
    assert run.exit_code == 2
    assert run.output == f"dpor: {problem}\n"
