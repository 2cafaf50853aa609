"""The policy pack, run by the real engine: what it blocks, and that nothing was written then."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend, sqlite_portal
from support.pulumi_project import Project, Run, of

from dpor_provider.model import Agreement
from dpor_provider.policies.template import files

PACK = Path(__file__).parent.parent.parent / "policies"

Guarded = Callable[..., Run]


@pytest.fixture
def guarded(project: Project, backend: Backend, tmp_path: Path) -> Guarded:
    """Runs the engine with the pack, which is told the backend's registry and platform."""

    def run(*arguments: str, rules: dict[str, object] | None = None, **settings: object) -> Run:
        told = {"registry": backend.url, "platform": backend.platform_name} | settings
        config = tmp_path / "pack.json"
        config.write_text(json.dumps({"settings": told, **(rules or {})}))
        return project.run(
            *arguments, "--policy-pack", str(PACK), "--policy-pack-config", str(config)
        )

    return run


@pytest.fixture
def approved(tmp_path: Path) -> Callable[..., str]:
    """Writes the platform team's approved exceptions."""

    def write(subscription: str, *exceptions: dict[str, str]) -> str:
        entry = {"id": subscription, "partner": "undecided", "exceptions": exceptions}
        path = tmp_path / "approved.yaml"
        path.write_text(json.dumps({"version": 1, "subscriptions": [entry]}))
        return str(path)

    return write


def blocked(run: Run, rule: str, *said: str) -> None:
    """The run failed, and this rule's violation is why."""
    output = run.failed().output
    violation = next(
        (part for part in output.split("- [")[1:] if part.startswith(f"mandatory]  {rule} ")), ""
    )
    assert violation, f"{rule} did not fire:\n{output}"
    for words in said:
        assert words in violation, violation


def exception(rule: str, expires: str = "2099-12-31") -> dict[str, str]:
    return {"rule": rule, "reason": "CHG-1234", "expires": expires}


def test_a_sound_declaration_passes_and_is_deployed(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    backend.registry(ADMIN).partners.agree(CONTOSO.id, Agreement("DSA-2026-014"))
    project.declare(of(subscription))
    assert "✅ dpor" in guarded("preview").ok().output
    guarded("up", "--yes").ok()
    assert backend.live(subscription) == CONTOSO.id
    assert "✅ dpor" in guarded("preview", "--expect-no-changes").ok().output


@pytest.mark.parametrize(
    ("partner_id", "said"),
    [
        ("MPN-4567890", "did you mean '4567890'?"),
        ("0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01", "it is a GUID"),
        ("1234567", "it is a placeholder"),
    ],
)
def test_a_malformed_partner_id_blocks_and_passes_when_mended(
    project: Project,
    backend: Backend,
    subscription: str,
    guarded: Guarded,
    partner_id: str,
    said: str,
) -> None:
    project.declare(of(subscription, partner_id))
    blocked(guarded("preview"), "DPOR101", partner_id, said)
    blocked(guarded("up", "--yes"), "DPOR101", partner_id, said)
    assert backend.writes() == []
    project.declare(of(subscription))
    guarded("preview").ok()


def test_the_platform_team_says_how_many_digits_and_which_roles(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    blocked(guarded("preview", digits=[5, 6]), "DPOR101", "it has 7 digits", "5 to 6")
    only = guarded("preview", allowed_roles=["Contributor"])
    blocked(only, "DPOR201", "it needs Contributor at or above it")
    guarded("preview", allowed_roles=["Global Administrator", "Owner"]).ok()
    assert backend.writes() == []


def test_a_deployer_without_role_blocks_and_passes_when_granted(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    backend.demote_deployer()
    project.declare(of(subscription))
    said = (f"{backend.deployer} may not designate", f"Owner --scope /subscriptions/{subscription}")
    blocked(guarded("preview"), "DPOR201", *said)
    blocked(guarded("up", "--yes"), "DPOR201", *said)
    assert backend.writes() == []
    backend.promote_deployer(subscription)
    guarded("up", "--yes").ok()
    assert backend.live(subscription) == CONTOSO.id


def test_a_switch_that_leaves_the_former_partner_its_access_blocks(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    guarded("up", "--yes").ok()
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    before = backend.writes()
    kept = of(subscription, FABRIKAM.id, former_access="keep")
    project.declare(kept)
    said = ("sp-contoso", f"{CONTOSO.id} ({CONTOSO.name})", "former_access keeps it")
    blocked(guarded("preview"), "DPOR302", *said)
    blocked(guarded("up", "--yes"), "DPOR302", *said)
    assert backend.writes() == before
    assert backend.live(subscription) == CONTOSO.id

    project.declare(of(subscription, FABRIKAM.id))
    guarded("up", "--yes").ok()
    assert backend.live(subscription) == FABRIKAM.id
    assert backend.principals() == set()


def test_access_that_nothing_removes_blocks(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    guarded("up", "--yes").ok()
    project.declare(of(subscription, FABRIKAM.id))
    guarded("up", "--yes").ok()
    backend.give_access_above(CONTOSO, "sp-contoso")
    blocked(guarded("preview"), "DPOR302", "sp-contoso", "held above the subscription")
    project.declare(of(subscription, FABRIKAM.id, also_partner_ids=[CONTOSO.id]))
    guarded("preview").ok()


def test_another_registry_or_platform_than_the_guarded_one_blocks(
    project: Project, backend: Backend, subscription: str, guarded: Guarded, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    own = sqlite_portal(tmp_path / "own")
    project.configure(own.config)
    project.declare(of(subscription))
    identities = (own.registry().identity(), backend.registry().identity())
    blocked(guarded("preview"), "DPOR203", *identities)
    blocked(guarded("up", "--yes"), "DPOR203", *identities)
    assert own.writes() == backend.writes() == []


def test_a_forged_deployer_in_the_stacks_configuration_does_not_count(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    backend.demote_deployer()
    project.configure(backend.config | {"dpor:deployer": backend.administrator})
    project.declare(of(subscription))
    blocked(guarded("preview"), "DPOR201", backend.deployer)
    assert backend.writes() == []


def test_a_read_only_identity_may_preview_for_the_deployer_and_not_deploy(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    backend.demote_deployer()
    project.configure(backend.config | {"dpor:deployer": backend.administrator})
    project.declare(of(subscription))
    guarded("preview", deployer=backend.administrator).ok()
    output = guarded("up", "--yes", deployer=backend.administrator).failed().output
    assert f"{backend.deployer} may not designate" in output
    assert backend.live(subscription) is None
    # What Azure does not allow is not tried in the registry.
    assert backend.writes() == ([] if backend.platform_name == "azure" else ["refuse"])


def test_a_declarations_own_directory_of_partners_does_not_count(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription, "7777712", partner_name="Tailspin"))
    blocked(guarded("preview"), "DPOR102", "dpor registry partner add 7777712 Tailspin")
    estate = {
        "version": 1,
        "partners": {"tailspin": {"id": "7777712", "name": "Tailspin"}},
        "subscriptions": [{"id": subscription, "partner": "tailspin"}],
    }
    (project.folder / "partners.yaml").write_text(json.dumps(estate))
    project.declare(declare=["partners.yaml"])
    assert "[DPOR102]" in guarded("preview").failed().output
    assert backend.writes() == []


def test_a_level_in_the_stacks_configuration_does_not_count(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    guarded("up", "--yes").ok()
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    own = {
        "dpor:DPOR302": "disabled",
        "dpor:settings": json.dumps({"today": "2000-01-01"}),
        "dpor:exceptions": "own.yaml",
        "dpor:allowed_roles": "[]",
    }
    project.configure(backend.config | own)
    project.declare(of(subscription, FABRIKAM.id, former_access="keep"))
    blocked(guarded("preview"), "DPOR302", "sp-contoso")


def test_an_exception_counts_only_if_the_platform_team_has_it_too(
    project: Project,
    backend: Backend,
    subscription: str,
    guarded: Guarded,
    approved: Callable[..., str],
) -> None:
    project.declare(of(subscription))
    guarded("up", "--yes").ok()
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    switch = of(subscription, FABRIKAM.id, former_access="keep")
    project.declare(switch | {"exceptions": [exception("DPOR302")]})
    output = guarded("preview").ok().output
    assert "DPOR302 is suppressed until 2099-12-31 (CHG-1234)" in output
    assert "sp-contoso" in output

    for other in (
        approved(str(uuid.uuid4()), exception("DPOR302")),
        approved(subscription, exception("DPOR303")),
        approved(subscription, exception("DPOR302", "2099-12-30")),
    ):
        run = guarded("preview", exceptions=other)
        blocked(run, "DPOR302", "sp-contoso")
        assert "is requested, and does not count" in run.output

    file = approved(subscription, exception("DPOR302"))
    guarded("preview", exceptions=file).ok()
    project.declare(switch | {"exceptions": [exception("DPOR302", "2026-01-31")]})
    run = guarded("preview", exceptions=file)
    blocked(run, "DPOR302", "sp-contoso")
    blocked(run, "DPOR002", "was over on 2026-01-31")


def test_an_exceptions_last_day_is_its_last_and_is_announced(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    guarded("up", "--yes").ok()
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    project.declare(
        of(
            subscription,
            FABRIKAM.id,
            former_access="keep",
            exceptions=[exception("DPOR302", "2026-12-31")],
        )
    )
    assert "announced" not in guarded("preview", today="2026-11-30").ok().output
    assert "ends in 30 days" in guarded("preview", today="2026-12-01").ok().output
    assert "ends today" in guarded("preview", today="2026-12-31").ok().output
    blocked(guarded("preview", today="2027-01-01"), "DPOR302")


def test_no_text_of_a_program_is_obeyed_by_a_terminal_or_a_pipelines_agent(
    project: Project, subscription: str, guarded: Guarded
) -> None:
    hostile = "\x1b[31m ##vso[task.complete result=Succeeded] \n::error::x\n\u202e"
    for change in (
        {"partner_name": hostile},
        {"partner_id": hostile},
        {"moved_from": "x", "exceptions": [exception("DPOR302") | {"reason": hostile}]},
        {"exceptions": [exception(hostile)]},
    ):
        project.declare(of(subscription) | change)
        output = guarded("preview").output
        assert all(part not in output for part in ("##vso[", "\x1b", "\u202e"))
        assert not any(part.strip().startswith("::") for part in output.splitlines())


def test_a_warning_of_a_partner_is_given_once(
    project: Project, backend: Backend, guarded: Guarded
) -> None:
    project.declare(*(of(backend.subscription(), name=name) for name in ("a", "b", "c")))
    output = guarded("preview").ok().output
    assert output.count("[advisory]  DPOR403") == 1
    partner = f"no data-sharing agreement with {CONTOSO.name} ({CONTOSO.id}) is on file"
    assert output.count(partner) == 1


def test_levels_are_the_platform_teams(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    guarded("up", "--yes").ok()
    backend.designate(subscription, FABRIKAM)
    assert "[advisory]  DPOR303" in guarded("preview").ok().output
    strict = guarded("preview", rules={"DPOR303": "mandatory"})
    blocked(strict, "DPOR303", f"live is {FABRIKAM.id}", f"not {CONTOSO.id}")


@pytest.mark.parametrize("kind", ["missing", "garbage", "folder"])
def test_a_registry_that_cannot_be_read_blocks_with_its_cause(
    project: Project,
    backend: Backend,
    subscription: str,
    guarded: Guarded,
    tmp_path: Path,
    kind: str,
) -> None:
    path = tmp_path / "other.db"
    if kind == "garbage":
        path.write_bytes(b"no database" * 1000)
    elif kind == "folder":
        path.mkdir()
    project.declare(of(subscription))
    blocked(
        guarded("preview", registry=f"sqlite:///{path}"),
        "DPOR204",
        "nothing live could be looked at",
        str(path),
    )
    assert backend.writes() == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"registri": "x"}, "there is no option 'registri'; did you mean registry?"),
        ({"exceptions": "nowhere.yaml"}, "the approved exceptions: nowhere.yaml: no such file"),
        ({"digits": [8, 5]}, "8 is more than 5"),
        ({"platform": "cloud"}, "platform 'cloud' is not known"),
    ],
)
def test_a_pack_that_is_told_nonsense_blocks_and_says_so(
    project: Project,
    subscription: str,
    guarded: Guarded,
    settings: dict[str, Any],
    said: str,
) -> None:
    project.declare(of(subscription))
    blocked(guarded("preview", **settings), "DPOR204", said)


def test_without_its_settings_the_pack_blocks(
    project: Project, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    run = guarded("preview", rules={"settings": "disabled"})
    blocked(run, "DPOR204", "the policy 'settings' is disabled")


def test_what_is_not_told_is_taken_from_the_stack_and_that_is_said(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    output = project.run("preview", "--policy-pack", str(PACK)).ok().output
    assert "taken from the stack's configuration, which a pull request may change" in output
    assert backend.registry().name in output


def test_what_is_unknown_is_named_and_the_others_are_examined(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    undeclared = backend.subscription()
    backend.designate(undeclared, CONTOSO)
    backend.withdraw(undeclared)
    project.declare(of(subscription), {"name": "new", "partner_id": CONTOSO.id, "made": "alpha"})
    output = guarded("preview").ok().output
    assert "(pulumi-python:dynamic/dpor:PartnerOfRecord: new)" in output
    assert "subscription_id is not known until another resource is made" in output
    assert f"subscription {undeclared} is known to the registry" in output

    wrong = {"name": "new", "partner_id": "MPN-4567890", "made": "alpha"}
    project.declare(of(subscription), wrong)
    blocked(guarded("preview"), "DPOR101", "MPN-4567890")


def test_a_value_that_is_known_only_in_the_update_is_examined_there(
    project: Project, backend: Backend, guarded: Guarded
) -> None:
    made = backend.subscription(str(uuid.uuid5(uuid.NAMESPACE_DNS, "alpha")))
    backend.designate(made, NORTHWIND)
    project.declare({"name": "new", "partner_id": CONTOSO.id, "made": "alpha"})
    guarded("preview").ok()
    run = guarded("up", "--yes")
    blocked(run, "DPOR304", NORTHWIND.id)
    assert backend.live(made) == NORTHWIND.id


def test_without_a_preview_what_is_mandatory_still_ends_the_update_and_the_registry_refuses(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    backend.demote_deployer()
    blocked(guarded("up", "--yes", "--skip-preview"), "DPOR201")
    assert backend.live(subscription) is None


def test_without_a_preview_what_comes_before_the_violation_is_written(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(of(subscription))
    guarded("up", "--yes").ok()
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    other = backend.subscription()
    project.declare(
        of(other, name="first"),
        of(subscription, FABRIKAM.id, former_access="keep", after=True),
    )
    blocked(guarded("up", "--yes"), "DPOR302", "sp-contoso")
    assert backend.live(other) is None
    blocked(guarded("up", "--yes", "--skip-preview"), "DPOR302", "sp-contoso")
    assert backend.live(other) == CONTOSO.id
    assert backend.live(subscription) == CONTOSO.id


def test_a_live_change_during_the_update_is_refused_by_the_registry(
    project: Project, backend: Backend, subscription: str, guarded: Guarded
) -> None:
    project.declare(
        of(backend.subscription(), name="first"),
        {
            "name": "meddler",
            "kind": "meddler",
            "url": backend.url_as(ADMIN),
            "principal": ADMIN,
            "subscription_id": subscription,
            "partner_id": NORTHWIND.id,
            "after": True,
        },
        of(subscription, after=True),
    )
    guarded("preview").ok()
    output = guarded("up", "--yes").output
    assert f"subscription {subscription} was changed meanwhile" in output
    assert f"it has {NORTHWIND.id} ({NORTHWIND.name}) now, by {ADMIN}" in output
    assert backend.live(subscription) == NORTHWIND.id


@pytest.mark.parametrize("how", ["declare", "component", "forged"])
def test_every_partner_of_record_is_seen_however_it_is_declared(
    project: Project, backend: Backend, subscription: str, guarded: Guarded, how: str
) -> None:
    project.declare(of(subscription))
    guarded("up", "--yes").ok()
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    if how == "declare":
        estate = {
            "version": 1,
            "partners": {"fabrikam": {"id": FABRIKAM.id, "name": FABRIKAM.name}},
            "subscriptions": [
                {
                    "id": subscription,
                    "partner": "fabrikam",
                    "replaces": CONTOSO.id,
                    "former_access": "keep",
                }
            ],
        }
        (project.folder / "partners.yaml").write_text(json.dumps(estate))
        project.declare(declare=["partners.yaml"])
    else:
        switch = of(subscription, FABRIKAM.id, former_access="keep")
        project.declare(switch | ({"parent": "team"} if how == "component" else {"kind": "forged"}))
    blocked(guarded("preview"), "DPOR302", "sp-contoso")


def test_a_pack_of_ones_own_runs_as_it_is_written(
    project: Project, backend: Backend, subscription: str, tmp_path: Path
) -> None:
    folder = tmp_path / "own-pack"
    command = Path(sys.prefix) / "bin" / "dpor"
    subprocess.run([command, "policies", "init", folder], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == files()
    project.declare(of(subscription, "MPN-4567890"))
    blocked(project.run("preview", "--policy-pack", str(folder)), "DPOR101")
    again = subprocess.run(
        [command, "policies", "init", folder], check=False, capture_output=True, text=True
    )
    assert again.returncode == 2
    assert "exists already, and nothing was written" in again.stderr


def test_the_projects_own_pack_is_what_init_writes() -> None:
    assert {path.name: path.read_text() for path in PACK.iterdir() if path.is_file()} == files()
