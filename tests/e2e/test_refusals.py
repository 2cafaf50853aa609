"""What is refused, and that it is refused in preview, before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend, sqlite_portal
from support.pulumi_project import Project, of


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"partner_id": "MPN-4567890"}, "did you mean '4567890'? [DPOR101]"),
        ({"partner_id": "4567891"}, "did you mean 4567890 (Contoso Consulting)?"),
        ({"partner_id": CONTOSO.former_ids[0]}, "Contoso Consulting has 4567890 now"),
        ({"partner_name": "Contoso Ltd"}, "not 'Contoso Ltd': correct the ID or the name"),
        ({"partner_id": 4567890}, "write it in quotes: '4567890'"),
        ({"subscription_id": "payments"}, "'payments' is no subscription id"),
        ({"former_access": "forget"}, "'forget' is none of 'revoke', 'keep'"),
        ({"on_delete": "explode"}, "'explode' is neither withdraw nor retain"),
    ],
)
def test_what_is_wrong_fails_in_preview(
    project: Project, subscription: str, change: dict[str, object], expected: str
) -> None:
    project.declare(of(subscription) | change)
    assert expected in project.preview().failed().output


def test_a_resource_reports_all_its_problems(project: Project, backend: Backend) -> None:
    backend.demote_deployer()
    project.declare(of(backend.subscription(), "4567891", on_delete="explode"))
    output = project.preview().failed().output
    for expected in ("DPOR102", "DPOR201", "'explode'"):
        assert expected in output


def test_a_retired_partner(project: Project, backend: Backend, subscription: str) -> None:
    backend.registry(ADMIN).partners.retire(CONTOSO.id, FABRIKAM.id)
    project.declare(of(subscription))
    output = project.preview().failed().output
    assert f"declare its successor, {FABRIKAM.id} ({FABRIKAM.name})" in output


def test_an_unauthorized_deployer(project: Project, backend: Backend, subscription: str) -> None:
    backend.demote_deployer()
    project.declare(of(subscription))
    output = project.preview().failed().output
    assert f"{backend.deployer} may not designate" in output
    assert "DPOR201" in output
    project.up("--skip-preview").failed()
    assert backend.live(subscription) is None


def test_a_deployer_of_another_name_is_checked_early_and_the_real_one_when_it_writes(
    project: Project, backend: Backend, subscription: str
) -> None:
    backend.demote_deployer()
    project.configure(backend.config | {"dpor:deployer": backend.administrator})
    project.declare(of(subscription))
    project.preview().ok()
    assert f"{backend.deployer} may not designate" in project.up().failed().output
    assert backend.live(subscription) is None
    assert set(backend.writes()) <= {"refuse"}


def test_refuse_unexpected_partner(project: Project, backend: Backend, subscription: str) -> None:
    backend.designate(subscription, NORTHWIND)
    for change in ({}, {"replaces_partner_id": FABRIKAM.id}):
        project.declare(of(subscription, **change))
        output = project.preview().failed().output
        assert f"has {NORTHWIND.id} ({NORTHWIND.name}), set by {ADMIN}" in output
        assert "DPOR304" in output
        project.up("--skip-preview").failed()
    assert backend.live(subscription) == NORTHWIND.id


def test_unreadable_is_an_error(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription))
    project.up().ok()
    with backend.away():
        for command in (
            ("preview",),
            ("preview", "--refresh"),
            ("refresh", "--yes"),
            ("up", "--yes"),
            ("destroy", "--yes"),
        ):
            output = project.run(*command).failed().output
            assert "dpor registry init" in output, command
    assert len(project.state()) == 1
    project.assert_settled()


def test_another_registry(
    project: Project, backend: Backend, subscription: str, tmp_path: Path
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    (tmp_path / "second").mkdir()
    second = sqlite_portal(tmp_path / "second")
    project.configure(second.config)
    output = project.preview().failed().output
    assert backend.registry().identity() in output
    assert second.registry().identity() in output
    assert second.live(subscription) is None


def test_an_unknown_platform(project: Project, backend: Backend, subscription: str) -> None:
    project.configure(backend.config | {"dpor:platform": "cloud"})
    project.declare(of(subscription))
    assert "platform 'cloud' is not known" in project.preview().failed().output


@pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)
def test_no_password_of_a_registrys_url_reaches_a_state(
    project: Project, subscription: str
) -> None:
    secret = "s3cr3t-of-the-registry"
    project.configure({"dpor:registry": f"postgresql+psycopg://bob:{secret}@db/registry"})
    project.declare(of(subscription))
    for command in (("preview",), ("up", "--yes"), ("up", "--yes", "--skip-preview")):
        output = project.run(*command).failed().output
        assert "a password does not belong into a URL" in output
        assert secret not in output
    state = project.folder.parent / "state" / ".pulumi"
    held = {path for path in state.rglob("*") if path.is_file() and secret in path.read_text()}
    # Pulumi keeps the stack's configuration file there as it was.
    assert all(path.is_relative_to(state / "history") for path in held)
