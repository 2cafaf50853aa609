"""`dpor up` that is stopped or killed: the next one ends it, and nothing is written twice."""

from __future__ import annotations

import getpass
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from support.backends import CONTOSO, Backend
from support.pulumi_project import Project, of
from support.thorough import THOROUGH, Survived

from dpor_provider.model import Action
from dpor_provider.registry import Registry

embedded = pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)

KILLS = int(os.environ.get("DPOR_TEST_ENGINE_KILLS", "17" if THOROUGH else "1"))
"""Of each kind."""
SIZE = int(os.environ.get("DPOR_TEST_ENGINE_SIZE", "300" if THOROUGH else "20"))
SEED = int(os.environ.get("DPOR_TEST_ENGINE_SEED", str(random.randrange(2**32))))


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Start our command, as a terminal would."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("dpor"), *arguments],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def engines(runner: subprocess.Popen[str]) -> list[psutil.Process]:
    """The engine that a runner has started, while both are there."""
    with suppress(psutil.NoSuchProcess):
        return [one for one in psutil.Process(runner.pid).children() if one.name() == "pulumi"]
    return []


def words(runner: subprocess.Popen[str]) -> list[str]:
    """The command lines of those engines; one that has just ended has none."""
    found: list[str] = []
    for engine in engines(runner):
        with suppress(psutil.Error):
            found += engine.cmdline()
    return found


def kill_engine(runner: subprocess.Popen[str]) -> None:
    for engine in engines(runner):
        engine.kill()


def kill_runner(runner: subprocess.Popen[str]) -> None:
    """The engine ends by itself when nobody reads what it prints."""
    left = engines(runner)
    runner.kill()
    _, alive = psutil.wait_procs(left, timeout=60)
    assert alive == []


def kill_all(runner: subprocess.Popen[str]) -> None:
    """As an operating system that runs out of memory, or a container that is removed."""
    processes = [psutil.Process(runner.pid)]
    with suppress(psutil.NoSuchProcess):
        processes += processes[0].children(recursive=True)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def audited(registry: Registry) -> int:
    """How much has been written to the registry."""
    return registry.audit.head().sequence


def locks(project: Project) -> list[Path]:
    return list((project.folder.parent / "state" / ".pulumi" / "locks").rglob("*.json"))


def pending(project: Project) -> set[str]:
    """The URNs of what a run was creating when the state was last saved."""
    exported = json.loads(project.run("stack", "export").ok().output)["deployment"]
    return {one["resource"]["urn"] for one in exported.get("pending_operations", ())}


def settled(
    project: Project, backend: Backend, declared: set[str], gone: Collection[str] = ()
) -> None:
    """The estate is exactly the declared one, all of it written once, and nothing is pending."""
    rows = backend.registry().designations.all().values()
    assert {row.subscription_id for row in rows if row.partner_id} == declared
    written = Counter(
        (entry.action.value, entry.subscription_id)
        for entry in backend.registry().audit.entries()
        if entry.subscription_id and entry.action is not Action.ADOPT
    )
    designated = [("designate", one) for one in (*declared, *gone)]
    assert written == Counter([*designated, *(("withdraw", one) for one in gone)])
    exported = json.loads(project.run("stack", "export").ok().output)["deployment"]
    assert not exported.get("pending_operations")
    ours = [one for one in exported.get("resources", ()) if "dynamic/dpor" in one["type"]]
    assert {one["outputs"]["subscription_id"] for one in ours} == declared
    assert locks(project) == []
    project.preview("--expect-no-changes").ok()


@contextmanager
def writing(project: Project, backend: Backend, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run whose first writes wait for somebody who writes to the registry until the end."""
    file = backend.url.removeprefix("sqlite:///")
    with backend.held():
        runner = start(project, *arguments)
        seen = 0
        # It reads the registry, too, but for a moment.
        while seen < 5:
            assert runner.poll() is None
            time.sleep(0.1)
            seen = seen + 1 if deploys_to(file, runner.pid) else 0
        yield runner


def stopped(project: Project, backend: Backend, *arguments: str) -> str:
    """What a run says that somebody stops while its first writes wait."""
    with writing(project, backend, *arguments) as runner:
        runner.send_signal(signal.SIGINT)
        # A pipeline that cancels sends this, too; only a second Ctrl-C is meant to kill.
        runner.send_signal(signal.SIGTERM)
        time.sleep(1)
    output, _ = runner.communicate(timeout=120)
    assert runner.returncode == 130, output
    assert "stopping when what has begun is done" in output
    return output


def deploys_to(file: str, runner: int) -> bool:
    """Whether a run is past its preview, and has the registry's file open."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(runner).children(recursive=True)
        return any("--skip-preview" in one.cmdline() for one in family) and any(
            file == opened.path for one in family for opened in one.open_files()
        )
    return False


@embedded
def test_ctrl_c_ends_what_has_begun_and_the_next_run_adopts_it(
    project: Project, backend: Backend
) -> None:
    declared = {str(uuid.uuid4()) for _ in range(60)}
    project.declare(*(of(one, name=one) for one in declared))
    output = stopped(project, backend, "up")
    made = len(backend.registry().designations.all())
    assert 1 <= made < len(declared)
    assert f"{len(declared) - made} changes of the plan are left to the next run" in output
    assert "expected resource operations" not in output
    assert f"{made} designated" in output
    assert locks(project) == []
    assert f"{made} unchanged" in project.dpor("up").ok().output
    settled(project, backend, declared)


@embedded
def test_ctrl_c_ends_what_a_destroy_has_begun_and_the_next_one_ends_the_rest(
    project: Project, backend: Backend
) -> None:
    declared = {str(uuid.uuid4()) for _ in range(40)}
    project.declare(*(of(one, name=one) for one in declared))
    project.dpor("up").ok()
    destroy = ("destroy", "--allow-withdrawals", "40")
    output = stopped(project, backend, *destroy)
    left = sum(row.partner_id is not None for row in backend.registry().designations.all().values())
    assert 1 <= left < len(declared)
    assert f"{len(declared) - left} withdrawn" in output
    assert f"{left} changes of the plan are left to the next run" in output
    assert f"{left} withdrawn" in project.dpor(*destroy).ok().output
    assert project.state() == []
    project.declare()
    project.dpor("up").ok()
    settled(project, backend, set(), declared)


@embedded
def test_ctrl_c_during_the_preview_deploys_nothing(project: Project, backend: Backend) -> None:
    project.declare(*(of(str(uuid.uuid4()), name=str(number)) for number in range(20)))
    runner = start(project, "up")
    while "preview" not in words(runner):
        assert runner.poll() is None
    runner.send_signal(signal.SIGINT)
    output, _ = runner.communicate(timeout=120)
    assert runner.returncode == 130, output
    assert backend.registry().designations.all() == {}
    assert locks(project) == []
    assert project.state() == []


@embedded
def test_a_second_ctrl_c_kills_and_leaves_nothing_running(
    project: Project, backend: Backend
) -> None:
    declared = {str(uuid.uuid4()) for _ in range(10)}
    project.declare(*(of(one, name=one) for one in declared))
    # An engine that has nothing under way would end at the first Ctrl-C.
    with writing(project, backend, "up") as runner:
        family = psutil.Process(runner.pid).children(recursive=True)
        runner.send_signal(signal.SIGINT)
        time.sleep(1)
        runner.send_signal(signal.SIGINT)
        runner.communicate(timeout=60)
        assert runner.returncode == 130
        _, alive = psutil.wait_procs(family, timeout=60)
        assert alive == []
    output = project.dpor("up").ok().output
    assert "lifted the lock of a killed run" in output
    settled(project, backend, declared)


WAITING = """
began = Path("began")
if not pulumi.runtime.is_dry_run() and not began.exists():
    import subprocess
    import time

    subprocess.Popen(["sleep", "600"], process_group=0)
    began.touch()
    time.sleep(600)

"""
"""A program that waits when it is first deployed, and has a process that outlives its engine."""


@embedded
def test_what_a_killed_engine_left_running_is_ended_by_the_next_run(
    project: Project, backend: Backend
) -> None:
    declared = {str(uuid.uuid4())}
    project.declare(*(of(one, name=one) for one in declared))
    program = project.folder / "__main__.py"
    program.write_text(program.read_text().replace("\nplan = ", f"{WAITING}\nplan = "))
    runner = start(project, "up")
    while not (project.folder / "began").exists():
        assert runner.poll() is None
        time.sleep(0.05)
    killed = [psutil.Process(runner.pid), *engines(runner)]
    family = [one for one in killed[0].children(recursive=True) if one not in killed]
    for process in killed:
        process.kill()
    runner.wait(timeout=60)
    _, left = psutil.wait_procs(family, timeout=5)
    assert left
    output = project.dpor("up").ok().output
    assert re.search(r"lifted the lock of a killed run, .* and ended \d+ processes", output)
    assert not any(one.is_running() for one in left)
    settled(project, backend, declared)


@embedded
def test_a_lock_of_a_run_that_goes_on_is_named_and_left(
    project: Project, backend: Backend, subscription: str
) -> None:
    project.declare(of(subscription))
    with closing(sqlite3.connect(backend.url.removeprefix("sqlite:///"))) as holder:
        holder.isolation_level = None
        holder.execute("BEGIN IMMEDIATE")
        runner = start(project, "up")
        while not (held := locks(project)):
            assert runner.poll() is None
            time.sleep(0.05)
        second = project.dpor("up")
        assert second.exit_code == 2
        assert f"stack dev is locked by {getpass.getuser()}@{socket.gethostname()}, process" in (
            second.output
        )
        assert "for 0:0" in second.output
        assert second.output.count("\n") == 1
        assert set(locks(project)) >= set(held)
        holder.execute("ROLLBACK")
    output, _ = runner.communicate(timeout=120)
    assert runner.returncode == 0, output
    assert locks(project) == []


@embedded
def test_creates_that_a_killed_run_left_pending_are_cleared_by_a_refresh(
    project: Project, backend: Backend
) -> None:
    declared = {str(uuid.uuid4()) for _ in range(20)}
    project.declare(*(of(one, name=one) for one in declared))
    with writing(project, backend, "up", "--checkpoints") as runner:
        while not (left := pending(project)):
            assert runner.poll() is None
        kill_all(runner)
        runner.communicate(timeout=60)
    assert left <= pending(project)
    output = project.dpor("refresh").ok().output
    assert "that a killed run left pending; the next up adopts what it made" in output
    assert pending(project) == set()
    project.dpor("up").ok()
    settled(project, backend, declared)


@embedded
def test_a_pending_create_that_nobody_would_adopt_is_left(
    project: Project, backend: Backend
) -> None:
    project.declare({**of("", name="payments"), "made": "sub"})
    project.dpor("up").ok()
    file = project.folder.parent / "state/.pulumi/stacks/estate/dev.json"
    state = json.loads(file.read_text())
    latest, foreign = state["checkpoint"]["latest"], "pulumi-python:dynamic:Resource"
    (made,) = (one for one in latest["resources"] if one["type"] == foreign)
    left = {**made, "urn": f"{made['urn']}-2"}
    del left["id"]
    latest["pending_operations"] = [{"resource": left, "type": "creating"}]
    file.write_text(json.dumps(state))
    output = project.dpor("refresh").ok().output
    assert f"({foreign}); look whether it is there, and say: pulumi refresh --stack dev" in output
    assert pending(project) == {left["urn"]}


@pytest.mark.parametrize(
    ("backend", "kill"),
    [
        ("sqlite-portal", kill_engine),
        ("sqlite-portal", kill_runner),
        ("sqlite-portal", kill_all),
        ("postgresql-portal", kill_all),
    ],
    indirect=["backend"],
)
def test_a_killed_up_is_ended_by_the_next_one(
    project: Project,
    backend: Backend,
    kill: Callable[[subprocess.Popen[str]], None],
    survived: Survived,
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(f"{SEED} {kill.__name__}")
    record_property("seed", SEED)
    up = ("up", "--allow-withdrawals", str(SIZE))
    project.declare(*(of(str(uuid.uuid4()), name=str(number)) for number in range(SIZE)))
    project.dpor(*up).ok()
    registry = backend.registry()
    gone = set(registry.designations.all())
    killed = 0
    while killed < KILLS:
        # A new estate comes and the last one goes.
        declared = {str(uuid.uuid4()) for _ in range(SIZE)}
        project.declare(*(of(one, name=one) for one in declared))
        writes = audited(registry) + chance.randrange(2 * SIZE)
        runner = start(project, *up)
        while audited(registry) < writes:
            assert runner.poll() is None
            time.sleep(0.005)
        # Anything from the middle of a write to the end of the run.
        time.sleep(chance.choice((0, 0, 0.01, 0.1)))
        if runner.poll() is None:
            kill(runner)
            killed += 1
        runner.communicate(timeout=600)
        project.dpor(*up).ok()
        settled(project, backend, declared, gone)
        gone |= declared
    survived(f"kills of dpor up ({kill.__name__}, {SIZE} subscriptions)", killed)


@embedded
def test_what_a_killed_up_made_and_nobody_declares_any_more_is_found(
    project: Project, backend: Backend
) -> None:
    ids = [str(uuid.uuid4()) for _ in range(10)]
    file = project.folder / "partners.yaml"
    file.write_text(declaration(ids))
    project.declare(declare=["partners.yaml"])
    runner = start(project, "up")
    while not backend.registry().designations.all():
        assert runner.poll() is None
    kill_all(runner)
    made = backend.registry().designations.all()
    file.write_text(declaration([]))
    found = project.dpor("drift", "--scope", "/", "--registry", backend.url, "--format", "json")
    assert found.exit_code == 1
    drifted = json.loads(found.output)["drifted"]
    assert {one["subscription_id"]: one["kind"] for one in drifted} == dict.fromkeys(
        made, "undeclared"
    )
    assert {one["managed_by"] for one in drifted} == {f"estate/dev/{one}" for one in made}


def declaration(ids: list[str]) -> str:
    return json.dumps(
        {
            "version": 1,
            "partners": {"contoso": {"id": CONTOSO.id, "name": CONTOSO.name}},
            "subscriptions": [{"id": one, "partner": "contoso"} for one in ids],
        }
    )
