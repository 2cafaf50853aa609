"""`dpor discover`: a declaration from what is live, on portal and on Azure."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.backends import (
    ADMINISTRATOR,
    CONTOSO,
    FABRIKAM,
    NORTHWIND,
    AzureBackend,
    Backend,
    sqlite_azure,
    sqlite_portal,
)

from dpor_provider.declaration import load
from dpor_provider.model import Declared, Intent
from dpor_provider.registry import Owner

DPOR = Path(sys.executable).parent / "dpor"
ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
TWO = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
THREE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a03"
Done = subprocess.CompletedProcess[str]
Dpor = Callable[..., Done]


@pytest.fixture
def portal(tmp_path: Path) -> Backend:
    return sqlite_portal(tmp_path)


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureBackend]:
    made = sqlite_azure(tmp_path)
    assert isinstance(made, AzureBackend)
    with made.here(monkeypatch):
        yield made


@pytest.fixture
def dpor(tmp_path: Path) -> Dpor:
    """Runs `dpor` on the registry."""

    def run(*arguments: str, stdin: str = "", **environment: str) -> Done:
        url = f"sqlite:///{tmp_path / 'registry.db'}"
        return subprocess.run(
            [DPOR, *arguments],
            cwd=tmp_path,
            env={**os.environ, "DPOR_REGISTRY": url, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def read(path: Path, text: str | None = None) -> dict[str, Declared]:
    """What a declaration says, by subscription; it must have no problem."""
    if text is not None:
        path.write_text(text)
    loaded = load([path])
    assert loaded.findings == ()
    return {one.subscription_id: one for one in loaded.estate.subscriptions}


def test_what_the_portal_shows_becomes_a_declaration_that_checks(
    dpor: Dpor, portal: Backend, tmp_path: Path
) -> None:
    (tmp_path / "portal.csv").write_text(
        "Subscription ID;Subscription name;Partner ID;Partner name\n"
        f"{TWO};Payments;{CONTOSO.id};Contoso Consulting\n"
        f"{ONE};Shop;{CONTOSO.former_ids[0]};\n"
        f"{THREE};Archive: old #1;;\n"
    )
    done = dpor("discover", "portal.csv")
    assert done.returncode == 0
    assert done.stderr == "3 subscriptions: 2 with a partner of record, 1 undecided\n"
    found = read(tmp_path / "partners.yaml", done.stdout)
    assert [(one.name, one.partner_id, one.intent) for one in found.values()] == [
        ("Archive: old #1", None, Intent.UNDECIDED),
        ("Payments", CONTOSO.id, Intent.DESIGNATED),
        ("Shop", CONTOSO.id, Intent.DESIGNATED),
    ]
    assert portal.registry().observations.all() == {}
    assert dpor("observe", "portal.csv").returncode == 0
    checked = dpor("check", "partners.yaml")
    assert (checked.returncode, "0 mandatory" in checked.stderr + checked.stdout) == (0, True)
    assert dpor("drift", "partners.yaml").returncode == 0


def test_the_registry_and_the_portal_are_reconciled(
    dpor: Dpor, portal: Backend, tmp_path: Path
) -> None:
    pending = portal.designate(ONE, CONTOSO)
    portal.designate(TWO, FABRIKAM)
    assert not pending.effective
    portal.designate(THREE, NORTHWIND)
    assert dpor("confirm", TWO, "--partner-name", FABRIKAM.name).returncode == 0
    done = dpor("discover", "-", stdin=f"Subscription ID,Partner ID\n{ONE},\n{TWO},99887\n")
    found = read(tmp_path / "partners.yaml", done.stdout)
    assert {key: one.partner_id for key, one in found.items()} == {
        ONE: CONTOSO.id,
        TWO: None,
        THREE: NORTHWIND.id,
    }
    remarks = [line for line in done.stdout.splitlines() if line.startswith("# ")][2:]
    assert remarks == [
        "# <stdin> still shows no partner: not confirmed yet",
        (
            "# <stdin> shows Partner ID 99887, which is not in the registry's directory; see: dpor"
            " registry partner add"
        ),
        f"# the registry says {FABRIKAM.id} ({FABRIKAM.name}), and <stdin> something else",
        "# not shown by <stdin>: deleted, moved away, or out of sight",
    ]


def test_azure_s_subscriptions_have_the_registry_s_partner_and_never_a_label_s(
    dpor: Dpor, azure: AzureBackend, tmp_path: Path
) -> None:
    owned, forged, unlabelled, lost = (azure.subscription() for _ in range(4))
    registry = azure.registry()
    for subscription, owner in ((owned, Owner("e/p/x", "claim")), (lost, None)):
        registry.designations.designate(subscription, CONTOSO.id, seen_version=0, owner=owner)
    with azure.stand_in.world.lock:
        azure.stand_in.world.subscriptions.remove(lost)
        azure.stand_in.world.change_subscription(
            forged,
            name="Shop\n- id: injected # \u202e\u200b",
            tags={"dpor-partner-id": FABRIKAM.id, "dpor-partner-name": "x\nsubscriptions: []"},
        )
    before = len(azure.stand_in.journal.writes)
    done = dpor("discover", "--from", "azure", "--output", "partners.yaml")
    assert (done.returncode, done.stdout) == (0, "")
    assert "4 subscriptions: 2 with a partner of record, 2 undecided" in done.stderr
    found = read(tmp_path / "partners.yaml")
    assert {key: one.partner_id for key, one in found.items()} == {
        owned: CONTOSO.id,
        forged: None,
        unlabelled: None,
        lost: CONTOSO.id,
    }
    assert found[forged].name == "Shop\n- id: injected # \u202e\u200b"
    text = (tmp_path / "partners.yaml").read_text()
    assert dpor("discover", "--from", "azure").stdout == text
    assert "\u202e" not in text
    assert f"# labelled {FABRIKAM.id} (x subscriptions: []), which anybody" in text
    assert "# declared by e/p/x already" in text
    assert "# not shown by Azure: deleted, moved away, or out of sight" in text
    assert len(azure.stand_in.journal.writes) == before


def test_no_subscription_in_sight_is_an_error_and_no_empty_declaration(
    dpor: Dpor, azure: AzureBackend, tmp_path: Path
) -> None:
    azure.subscription()
    nobody = azure.environment(ADMINISTRATOR)
    with azure.stand_in.world.lock:
        for key, item in list(azure.stand_in.world.role_assignments.items()):
            if item.principal_id == ADMINISTRATOR.id:
                azure.stand_in.world.role_assignments.remove(key)
    done = dpor("discover", "--from", "azure", "--output", "partners.yaml", **nobody)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Azure shows no subscription to" in done.stderr
    assert "the role Reader" in done.stderr
    assert not (tmp_path / "partners.yaml").exists()


def test_a_file_that_is_there_is_never_overwritten(
    dpor: Dpor, portal: Backend, tmp_path: Path
) -> None:
    (tmp_path / "partners.yaml").write_text("mine")
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nowhere.yaml")
    csv = f"Subscription ID,Partner ID\n{ONE},\n"
    for name in ("partners.yaml", "dangling.yaml"):
        done = dpor("discover", "-", "--output", name, stdin=csv)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(" exists already and was left as it is; name another file\n")
    assert (tmp_path / "partners.yaml").read_text() == "mine"
    assert dpor("discover", "-", "--output", "no/such.yaml", stdin=csv).returncode == 2
    assert {path.name for path in tmp_path.iterdir() if "yaml" in path.name} == {
        "partners.yaml",
        "dangling.yaml",
    }


@pytest.mark.parametrize("arguments", [(), ("--from", "azure", "-"), ("--from", "portal")])
def test_it_says_where_to_look(dpor: Dpor, portal: Backend, arguments: tuple[str, ...]) -> None:
    done = dpor("discover", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "azure" in done.stderr


def test_a_file_that_cannot_be_read_gives_each_line_and_no_declaration(
    dpor: Dpor, portal: Backend
) -> None:
    done = dpor("discover", "-", stdin=f"Subscription ID,Partner ID\nx,1\n{ONE},abc\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "<stdin>:2:" in done.stderr
    assert "<stdin>:3:" in done.stderr


def test_partners_are_written_as_the_registry_knows_them(
    dpor: Dpor, portal: Backend, tmp_path: Path
) -> None:
    for command in (
        ("add", "7788990", "Größe & Söhne 有限公司"),
        ("add", "7788991", "有限公司"),
        ("add", "7788992", "contoso-consulting"),
        ("add", "7788993", "None"),
        ("retire", NORTHWIND.id, "--replaced-by", FABRIKAM.id),
    ):
        assert dpor("registry", "partner", *command).returncode == 0, command
    done = dpor("discover", "-", stdin=f"Subscription ID,Partner ID\n{ONE},{NORTHWIND.id}\n")
    path = tmp_path / "partners.yaml"
    read(path, done.stdout)
    partners = load([path]).estate.partners
    assert {key: one.id for key, one in partners.items()} == {
        "contoso-consulting": CONTOSO.id,
        "fabrikam-cloud-services": FABRIKAM.id,
        "northwind-traders-it": NORTHWIND.id,
        "groe-sohne": "7788990",
        "partner-7788991": "7788991",
        "contoso-consulting-7788992": "7788992",
        "none-7788993": "7788993",
    }
    known = portal.registry().partners.directory()
    assert {one.id: one for one in partners.values()} == dict(known.partners)
