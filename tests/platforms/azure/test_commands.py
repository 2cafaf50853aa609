"""`dpor check`, `drift` and `access` on azure, as people and pipelines run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from azure_stand_in.builtin_roles import OWNER, READER
from azure_stand_in.estate import assignment
from azure_stand_in.faults import Respond
from support.backends import (
    CONTOSO,
    FABRIKAM,
    PARTNER_PRINCIPALS,
    AzureBackend,
)

from dpor_provider.registry import Owner

DPOR = Path(sys.executable).parent / "dpor"
GROUP = "/providers/microsoft.management/managementgroups/estate"
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def dpor(backend: AzureBackend, tmp_path: Path) -> Callable[..., Done]:
    """Runs `dpor` on the registry and the stand-in."""

    def run(*arguments: str, **environment: str) -> Done:
        named = {"DPOR_REGISTRY": backend.url, "DPOR_PLATFORM": "azure"}
        return subprocess.run(
            [DPOR, *arguments],
            cwd=tmp_path,
            env={**os.environ, **backend.environment(), **named, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def declared(backend: AzureBackend, tmp_path: Path) -> str:
    """A subscription that a file declares and a deployment has designated."""
    subscription = backend.subscription()
    registry = backend.registry()
    written = registry.designations.designate(
        subscription, CONTOSO.id, seen_version=0, owner=Owner("e/p/x", "claim")
    )
    backend.platform().apply(written)
    (tmp_path / "partners.yaml").write_text(
        "version: 1\n"
        f'partners: {{contoso: {{id: "{CONTOSO.id}", name: {CONTOSO.name}}}}}\n'
        f"subscriptions: [{{id: {subscription}, partner: contoso}}]\n"
    )
    return subscription


def test_check_and_drift_find_nothing_where_all_is_as_declared(
    dpor: Callable[..., Done], declared: str
) -> None:
    checked = dpor("check", "partners.yaml")
    assert (checked.returncode, checked.stderr.count("DPOR2")) == (0, 0), checked.stdout
    assert dpor("drift", "partners.yaml").returncode == 0


def test_drift_shows_a_forged_label(
    dpor: Callable[..., Done], declared: str, backend: AzureBackend
) -> None:
    with backend.stand_in.world.lock:
        backend.stand_in.world.change_subscription(declared, tags={"dpor-partner-id": FABRIKAM.id})
    done = dpor("drift", "partners.yaml")
    assert done.returncode == 1
    assert f"its label says {FABRIKAM.id}" in done.stdout
    assert "DPOR303" in dpor("check", "partners.yaml").stdout


def test_what_cannot_be_read_is_an_error_and_a_finding(
    dpor: Callable[..., Done], declared: str, backend: AzureBackend
) -> None:
    with backend.stand_in.world.lock:
        backend.stand_in.world.subscriptions.remove(declared)
    assert dpor("drift", "partners.yaml").returncode == 2
    checked = dpor("check", "partners.yaml")
    assert checked.returncode == 1
    assert "[DPOR204]" in checked.stdout or "DPOR204" in checked.stdout


def test_a_platform_that_is_out_of_order_is_one_line(
    dpor: Callable[..., Done], declared: str, backend: AzureBackend
) -> None:
    backend.stand_in.faults.add("", "ResourceGraph", Respond(400, '{"error":{"code":"X"}}'))
    done = dpor("drift", "partners.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "reading the subscriptions of the tenant" in done.stderr


def test_access_is_listed_as_azure_has_it_and_restored_there(
    dpor: Callable[..., Done], declared: str, backend: AzureBackend
) -> None:
    at = f"/subscriptions/{declared}"
    principal = PARTNER_PRINCIPALS[1]
    with backend.stand_in.world.lock:
        for role, scope in ((READER, at), (OWNER, f"{at}/resourceGroups/rg"), (READER, GROUP)):
            backend.stand_in.world.role_assignments.put(assignment(principal, role, scope))
    listed = json.loads(dpor("access", "list", declared, "--format", "json").stdout)["access"]
    assert {(item["scope"], item["role"], item["partner_id"]) for item in listed} == {
        (at, "Reader", FABRIKAM.id),
        (f"{at}/resourcegroups/rg", "Owner", FABRIKAM.id),
        (GROUP, "Reader", FABRIKAM.id),
    }
    assert not any(item["stale"] for item in listed)
    other = backend.subscription()
    listed = json.loads(dpor("access", "list", other, "--format", "json").stdout)["access"]
    assert [item["scope"] for item in listed] == [GROUP]

    dpor("registry", "partner", "retire", FABRIKAM.id)
    listed = json.loads(dpor("access", "list", "--format", "json").stdout)["access"]
    assert all(item["stale"] for item in listed)
    view = backend.platform().read(backend.registry().read())
    backend.platform().revoke(declared, [item for item in view.access if item.scope == at])
    assert principal.name not in dpor("access", "list", declared).stdout
    assert "Reader" in dpor("access", "list", "--removed").stdout
    restored = dpor("access", "restore", declared)
    assert (restored.returncode, restored.stdout) == (0, f"restored: Reader of {principal.id}\n")
    with backend.stand_in.world.lock:
        held = {item.role for item in backend.stand_in.world.assignments_at(at)}
    assert held == {READER.id}


@pytest.mark.parametrize("command", ["add", "remove"])
def test_people_keep_no_table_of_what_azure_has(
    dpor: Callable[..., Done], declared: str, command: str
) -> None:
    done = dpor("access", command, declared, "sp", "Reader")
    assert done.returncode == 2
    assert "assign or remove roles there" in done.stderr


@pytest.mark.parametrize("command", [("worklist",), ("confirm", "ONE", "--partner-name", "x")])
def test_no_person_confirms_what_azure_shows(
    dpor: Callable[..., Done], declared: str, command: tuple[str, ...]
) -> None:
    done = dpor(*(declared if word == "ONE" else word for word in command))
    assert done.returncode == 2
    assert "the platform azure needs no person" in done.stderr


def test_no_token_is_printed(dpor: Callable[..., Done], declared: str) -> None:
    token = os.environ["DPOR_AZURE_TOKEN"]
    for arguments in (("drift", "partners.yaml"), ("--debug", "drift", "nothing.yaml")):
        done = dpor(*arguments)
        assert token not in done.stdout + done.stderr
    done = dpor("drift", "partners.yaml", DPOR_AZURE_ENDPOINT="https://management.azure.com")
    assert done.returncode == 2
    assert "DPOR_AZURE_TOKEN is for a test server" in done.stderr
    assert token not in done.stderr
