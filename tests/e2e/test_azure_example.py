"""`examples/azure` as its README says: every identity with its own role, and no more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure_stand_in.builtin_roles import SUPPORT_REQUEST_CONTRIBUTOR
from azure_stand_in.estate import (
    Estate,
    ManagementGroup,
    Partner,
    Permission,
    RoleDefinition,
    ServicePrincipal,
    Subscription,
    Tenant,
    assignment,
    guid,
)
from azure_stand_in.server import StandIn, running
from support import postgres
from support.pulumi_project import Project

from dpor_provider.model import Agreement, Grant, Role
from dpor_provider.model import Partner as DirectoryEntry
from dpor_provider.policies.template import files
from dpor_provider.registry import init_registry

FOLDER = Path(__file__).parent.parent.parent / "examples" / "azure"
PARTNERS = yaml.safe_load((FOLDER / "estate" / "partners.yaml").read_text())
SETTINGS = yaml.safe_load((FOLDER / "estate" / "Pulumi.prod.yaml").read_text())["config"]
WORKFLOWS = {
    name: yaml.safe_load((FOLDER / f"github-{name}.yml").read_text())
    for name in ("partners", "links")
}
TENANT = Tenant(
    id=WORKFLOWS["partners"]["env"]["AZURE_TENANT_ID"],
    name="Woodgrove",
)
ROOT = ManagementGroup(name=TENANT.id, tenant_id=TENANT.id, display_name="Tenant Root Group")


def principal(name: str, object_id: str | None = None) -> ServicePrincipal:
    return ServicePrincipal(
        id=object_id or guid("principal", name),
        tenant_id=TENANT.id,
        name=name,
        application_id=guid("application", name),
    )


LOOKING = tuple(principal(f"partners-{name}") for name in ("check", "preview", "drift"))
UP = principal("partners-up", SETTINGS["dpor:deployer"])
LINKED = {
    key: principal(f"partner-{key}", partner["principals"][0])
    for key, partner in PARTNERS["partners"].items()
}
IDENTITIES = {one.name: one for one in (*LOOKING, UP, *LINKED.values())}
SUBSCRIPTIONS = {item["name"]: item["id"] for item in PARTNERS["subscriptions"]}


def role(name: str) -> RoleDefinition:
    """A role as `az role definition create` takes it."""
    given = json.loads((FOLDER / "roles" / f"{name}.json").read_text())
    return RoleDefinition(
        id=guid("role", name),
        name=given["Name"],
        permissions=(Permission(actions=tuple(given["Actions"])),),
        assignable_scopes=tuple(given["AssignableScopes"]),
        tenant_id=TENANT.id,
    )


def estate() -> Estate:
    """The README's tenant, before the first deployment."""
    observer, designator = role("observer"), role("designator")
    (scope,) = observer.assignable_scopes
    group = ManagementGroup(
        name=scope.rpartition("/")[2],
        tenant_id=TENANT.id,
        display_name="Estate",
        parent=TENANT.id,
    )
    return Estate(
        tenants=(TENANT,),
        principals=tuple(IDENTITIES.values()),
        management_groups=(ROOT, group),
        subscriptions=tuple(
            Subscription(id=key, name=name, tenant_id=TENANT.id, management_group=group.name)
            for name, key in SUBSCRIPTIONS.items()
        ),
        role_definitions=(observer, designator),
        role_assignments=(
            *(assignment(one, observer, scope) for one in LOOKING),
            assignment(UP, designator, scope),
        ),
        partners=tuple(
            Partner(id=one["id"], name=one["name"]) for one in PARTNERS["partners"].values()
        ),
    )


@dataclass(frozen=True)
class Workplace:
    """A runner's folder, in which jobs are run step by step."""

    folder: Path
    engine: Path
    stand_in: StandIn
    registry: str

    def step(self, workflow: str, job: str, name: str, **matrix: str) -> tuple[int, str]:
        """Run a job's step as the job's identity; gives the exit code and what it prints."""
        content = WORKFLOWS[workflow]
        found = content["jobs"][job]
        (step,) = (one for one in found["steps"] if one.get("name") == name)
        script = _filled(step["run"], matrix)
        identity = IDENTITIES[_filled(found["environment"], matrix)]
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder / step["working-directory"],
            env=self.environment(identity, {**content["env"], **found.get("env", {})}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout

    def environment(
        self, identity: ServicePrincipal, variables: Mapping[str, str]
    ) -> dict[str, str]:
        """A job's variables, but for the places, and a token in the place of a sign-in."""
        usual = Project(self.folder / "estate", self.engine).environment()
        given = {key: text for key, text in variables.items() if "secrets." not in text}
        here = {"PULUMI_BACKEND_URL": usual["PULUMI_BACKEND_URL"], "DPOR_REGISTRY": self.registry}
        return {
            **{key: value for key, value in usual.items() if not key.startswith("GIT_")},
            **given,
            **{key: value for key, value in here.items() if key in variables},
            "DPOR_AZURE_ENDPOINT": self.stand_in.url,
            "DPOR_AZURE_TOKEN": self.stand_in.token(identity),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def declare(self, text: str) -> None:
        """Change the declaration."""
        (self.folder / "estate" / "partners.yaml").write_text(text)

    def credited(self) -> dict[str, set[str]]:
        """Who is credited for each subscription, by names."""
        names = {one.id: key for key, one in LINKED.items()}
        found: dict[str, set[str]] = {name: set() for name in SUBSCRIPTIONS}
        places = {f"/subscriptions/{key}": name for name, key in SUBSCRIPTIONS.items()}
        held = [item for _, item in self.stand_in.world.role_assignments.items()]
        for item in held:
            if item.principal_id in names:
                assert item.role == SUPPORT_REQUEST_CONTRIBUTOR.id
                found[places[item.scope.lower()]].add(names[item.principal_id])
        return found


def _filled(text: str, matrix: Mapping[str, str]) -> str:
    for key, value in matrix.items():
        text = text.replace("${{ matrix." + key + " }}", value)
    assert "${{" not in text
    return text


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running(estate()) as server:
        yield server


@pytest.fixture
def workplace(tmp_path: Path, engine: Path, stand_in: StandIn) -> Workplace:
    """Checkouts beside each other, and a registry on a server where each identity has a login."""
    server = postgres.server()
    database = server.database()
    registry = init_registry(server.url(postgres.OWNER, database))
    for entry in PARTNERS["partners"].values():
        registry.partners.add(
            DirectoryEntry(entry["id"], entry["name"], principals=tuple(entry["principals"]))
        )
        agreement = entry["agreement"]
        registry.partners.agree(
            entry["id"], Agreement(agreement["reference"], agreement["expires"])
        )
    server.login(UP.name)
    registry.roles.grant(Grant(UP.name, Role.CONTRIBUTOR, "/"))
    for one in LOOKING:
        server.login(one.name)
        server.admit(one.name, database)

    work = tmp_path / "work"
    url = f"postgresql+psycopg:///{database}?host={server.folder}"
    shutil.copytree(FOLDER, work)
    for folder in ("estate", "links", "policies"):
        (work / folder / "venv").symlink_to(sys.prefix)
    for file in (work / "estate" / "Pulumi.prod.yaml", work / "policies" / "config.json"):
        text = file.read_text()
        assert SETTINGS["dpor:registry"] in text
        file.write_text(text.replace(SETTINGS["dpor:registry"], url))
    (work / "state").mkdir()
    made = Workplace(work, engine, stand_in, url)
    for folder, stack in (("estate", "prod"), ("links", "contoso"), ("links", "fabrikam")):
        Project(work / folder, engine).run("stack", "init", stack).ok()
    return made


def git(folder: Path, *arguments: str) -> None:
    author = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True)


def test_the_estate_from_its_check_to_its_drift(workplace: Workplace, stand_in: StandIn) -> None:
    folder = workplace.folder / "estate"
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "partners.yaml")
    git(folder, "commit", "--quiet", "--message", "Start")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")

    code, said = workplace.step("partners", "check", "Check")
    assert code == 0, said
    code, said = workplace.step("partners", "preview", "Preview")
    assert code == 0, said
    assert "1.4.0" in said
    assert not stand_in.journal.writes

    code, said = workplace.step("partners", "up", "Deploy")
    assert code == 0, said
    assert workplace.credited() == {
        "Payments production": {"contoso"},
        "Payments staging": {"contoso"},
        "Shop production": {"fabrikam"},
    }
    assert {write.principal for write in stand_in.journal.writes} == {UP.id}
    code, said = workplace.step("partners", "drift", "Compare")
    assert code == 0, said

    stand_in.journal.clear()
    workplace.declare(
        (folder / "partners.yaml").read_text().replace("partner: fabrikam", "partner: contoso")
    )
    code, said = workplace.step("partners", "drift", "Compare")
    assert code == 1, said
    code, said = workplace.step("partners", "preview", "Preview")
    assert code == 0, said
    assert f"Support Request Contributor of {LINKED['fabrikam'].id}" in said
    code, said = workplace.step("partners", "up", "Deploy")
    assert code == 0, said
    assert workplace.credited()["Shop production"] == {"contoso"}

    ending = subprocess.run(
        [workplace.engine / "pulumi", "destroy", "--stack", "prod", "--yes", "--non-interactive"],
        cwd=folder,
        env=workplace.environment(
            UP, WORKFLOWS["partners"]["env"] | WORKFLOWS["partners"]["jobs"]["up"]["env"]
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ending.returncode == 0, ending.stdout
    assert set().union(*workplace.credited().values()) == set()
    for key in SUBSCRIPTIONS.values():
        assert stand_in.world.tags(key) == {}


def test_who_only_looks_can_write_nothing(workplace: Workplace, stand_in: StandIn) -> None:
    """The deploying step, as the identity that previews."""
    jobs: dict[str, Any] = WORKFLOWS["partners"]["jobs"]
    environment = jobs["up"]["environment"]
    try:
        jobs["up"]["environment"] = "partners-preview"
        code, said = workplace.step("partners", "up", "Deploy")
    finally:
        jobs["up"]["environment"] = environment
    assert code != 0
    assert "Traceback" not in said
    assert not stand_in.journal.writes


def test_the_links_of_the_partners(workplace: Workplace, stand_in: StandIn) -> None:
    for key in LINKED:
        code, said = workplace.step("links", "link", "Link", partner=key)
        assert code == 0, said
        code, said = workplace.step("links", "link", "Look for drift", partner=key)
        assert code == 0, said
    links = {item.object_id: item.partner_id for _, item in stand_in.world.partner_links.items()}
    assert links == {one.id: PARTNERS["partners"][key]["id"] for key, one in LINKED.items()}


def test_the_pack_is_the_one_that_dpor_writes() -> None:
    assert (FOLDER / "policies" / "__main__.py").read_text() == files()["__main__.py"]


def test_places_that_belong_together_agree() -> None:
    pack = json.loads((FOLDER / "policies" / "config.json").read_text())["settings"]
    env = WORKFLOWS["partners"]["env"]
    assert pack["registry"] == SETTINGS["dpor:registry"] == env["DPOR_REGISTRY"]
    assert pack["platform"] == SETTINGS["dpor:platform"] == env["DPOR_PLATFORM"]
    assert pack["deployer"] == SETTINGS["dpor:deployer"] == env["DEPLOYER"]
    for job in WORKFLOWS["partners"]["jobs"].values():
        assert job["env"]["PGUSER"] == job["environment"]
    options = WORKFLOWS["links"][True]["workflow_dispatch"]["inputs"]["partner"]["options"]
    assert options == list(LINKED)
    for key, partner in PARTNERS["partners"].items():
        link = yaml.safe_load((FOLDER / "links" / f"Pulumi.{key}.yaml").read_text())["config"]
        assert link == {
            "partner-links:partner_id": partner["id"],
            "partner-links:partner_name": partner["name"],
        }


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_follow_their_schema_and_pin_what_they_use(name: str) -> None:
    check = Path(sys.executable).parent / "check-jsonschema"
    schema = ("--builtin-schema", "vendor.github-workflows")
    subprocess.run([check, *schema, FOLDER / f"github-{name}.yml"], check=True)
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
