"""Deployments whose engine or whole process group is killed: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import replace
from itertools import product

import psutil
import pytest
from support import kill
from support.backends import CONTOSO, EVERYWHERE, FABRIKAM, Backend
from support.pulumi_project import Project, of
from support.thorough import Survived, thorough

ON_AZURE = ("after:1", "after:2", "after:3", "before:4", "after:4")
"""Around the commits of a switch: the registry's word, its label, and the former access twice."""


def start(project: Project, *arguments: str, kill_at: str | None = None) -> subprocess.Popen[str]:
    """Start the engine."""
    return subprocess.Popen(
        [project.engine / "pulumi", *arguments, "--yes", "--stack", "dev", "--non-interactive"],
        cwd=project.folder,
        env=project.environment() | kill.settings(kill_at),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def killed(project: Project, kill_at: str, *arguments: str) -> None:
    """Run the engine until it is killed, and lift its lock, as the user would."""
    process = start(project, *arguments, kill_at=kill_at)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, output
    project.run("cancel", "--yes", "--stack", "dev").ok()


def changes(backend: Backend) -> Counter[str]:
    """How often each kind of change was made; an adoption alone may be made again."""
    return Counter(action for action in backend.writes() if action != "adopt")


@EVERYWHERE
@pytest.mark.parametrize("moment", [pytest.param("before", marks=thorough), "after"])
def test_a_killed_create_is_made_once_by_the_next_up(
    project: Project, backend: Backend, subscription: str, moment: str, survived: Survived
) -> None:
    project.declare(of(subscription))
    killed(project, f"{moment}:1", "up")
    # The documented way: a create that was pending is cleared, and adopts what it made.
    project.run("refresh", "--yes", "--stack", "dev", "--clear-pending-creates").ok()
    project.up().ok()
    assert backend.live(subscription) == CONTOSO.id
    assert changes(backend) == {"designate": 1}
    project.assert_settled()
    assert "pending_operations" not in project.run("stack", "export").ok().output
    project.destroy().ok()
    assert backend.live(subscription) is None
    assert backend.registry().verify().problems == ()
    survived("kills of a deployment around a write", 1)


@pytest.mark.parametrize(
    ("backend", "moment"),
    [
        ("sqlite-portal", "after:1"),
        ("postgresql-portal", "before:2"),
        *(
            pytest.param(*point, marks=thorough)
            for point in (
                ("sqlite-portal", "before:2"),
                ("sqlite-portal", "after:2"),
                ("postgresql-portal", "after:1"),
                ("postgresql-portal", "after:2"),
                *product(("sqlite-azure", "postgresql-azure"), ON_AZURE),
            )
        ),
    ],
    indirect=["backend"],
)
def test_a_killed_switch_is_ended_by_the_next_up(
    project: Project, backend: Backend, subscription: str, moment: str, survived: Survived
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    backend.give_access(subscription, CONTOSO, "sp-contoso")
    before = changes(backend)
    project.declare(of(subscription, FABRIKAM.id))
    killed(project, moment, "up")
    project.up().ok()
    assert backend.live(subscription) == FABRIKAM.id
    assert backend.principals() == set()
    assert changes(backend) - before == {"switch": 1, "access-revoke": 1}
    project.assert_settled()
    assert backend.registry().verify().problems == ()
    survived("kills of a deployment around a write", 1)


@pytest.mark.parametrize("moment", [pytest.param("before", marks=thorough), "after"])
def test_a_killed_delete_is_ended_by_the_next_destroy(
    project: Project, backend: Backend, subscription: str, moment: str, survived: Survived
) -> None:
    project.declare(of(subscription))
    project.up().ok()
    killed(project, f"{moment}:1", "destroy")
    project.destroy().ok()
    assert backend.live(subscription) is None
    assert changes(backend) == {"designate": 1, "withdraw": 1}
    assert project.state() == []
    survived("kills of a deployment around a write", 1)


def test_with_checkpoints_skipped_nothing_is_pending_after_a_kill(
    project: Project, backend: Backend
) -> None:
    settings = {"PULUMI_SKIP_CHECKPOINTS": "true"}
    project = replace(project, settings=settings)
    subscriptions = [backend.subscription() for _ in range(10)]
    project.declare(*(of(item, name=item) for item in subscriptions))
    killed(project, "after:4", "up")
    # Four workers write at once: the fourth to begin may be the first to end.
    assert 1 <= len(backend.registry().designations.all()) <= 10
    assert project.state() == []
    assert "pending_operations" not in project.run("stack", "export").ok().output
    project.up().ok()
    assert set(backend.registry().designations.all()) == set(subscriptions)
    assert changes(backend) == {"designate": 10}
    project.assert_settled()


def test_a_provider_whose_engine_was_killed_writes_nothing_more(
    project: Project, backend: Backend
) -> None:
    subscriptions = [backend.subscription() for _ in range(10)]
    project.declare(*(of(item, name=item) for item in subscriptions))
    with backend.held():
        engine = start(project, "up")
        assert engine.stdout is not None
        for line in engine.stdout:
            if "creating" in line and "PartnerOfRecord" in line:
                break
        # An engine that is killed while it saves its state leaves none that it could read.
        time.sleep(2)
        family = psutil.Process(engine.pid).children(recursive=True)
        providers = [process for process in family if "pulumi.dynamic" in process.cmdline()]
        assert providers
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
        # An answer of the engine's stands for a moment.
        time.sleep(0.1)
    # Those who waited have their turn now.
    _, alive = psutil.wait_procs(providers, timeout=60)
    assert alive == []
    assert backend.registry().designations.all() == {}
    project.run("cancel", "--yes", "--stack", "dev").ok()
    project.run("refresh", "--yes", "--stack", "dev", "--clear-pending-creates").ok()
    project.up().ok()
    assert changes(backend) == {"designate": 10}
    project.assert_settled()
