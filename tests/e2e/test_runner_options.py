"""What `dpor up`, `preview`, `destroy` and `refresh` ask of the engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.backends import Backend, sqlite_portal
from support.pulumi_project import Project, of
from support.thorough import thorough

embedded = pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)

PACK = Path(__file__).parent.parent.parent / "policies"
PACK_CONFIG = {"DPOR403": "advisory"}

RECORDING = """\
#!{python} -IS
import json, os, sys

with open({file!r}, "a") as file:
    print(json.dumps([sys.argv[1:], os.environ.get("PULUMI_SKIP_CHECKPOINTS")]), file=file)
os.execv({engine!r}, ["pulumi", *sys.argv[1:]])
"""
"""Stands before the engine, and keeps what it is asked."""

RUNS = {
    "preview": ["preview"],
    "up": ["preview", "up"],
    "refresh": ["refresh"],
    "destroy": ["destroy", "destroy"],
}
"""What the engine is asked for by each command."""

PLAIN = frozenset({"--non-interactive", "--yes", "--skip-preview", "--preview-only"})
VALUED = frozenset({"--color", "--exec-kind", "--event-log", "--save-plan", "--plan"})
"""Options of every run, whatever is asked."""


@dataclass(frozen=True)
class Asked:
    """What the engine was asked for once."""

    operation: str
    options: list[str]
    """Without those of every run."""
    skip_checkpoints: str | None


@dataclass(frozen=True)
class Recorded:
    """A project whose engine is asked through a recorder."""

    project: Project
    file: Path

    def asked(self, *arguments: str) -> list[Asked]:
        """Run our command, and say what it asked for."""
        self.file.write_text("")
        self.project.dpor(*arguments).ok()
        calls = map(json.loads, self.file.read_text().splitlines())
        return [
            Asked(words[1], list(told(words[2:])), skipped)
            for words, skipped in calls
            if words[0] == "--non-interactive" and words[1] in RUNS
        ]


def told(words: Iterable[str]) -> Iterable[str]:
    """The options that some runs have and others do not."""
    rest = iter(words)
    for word in rest:
        if word in VALUED:
            next(rest)
        elif word not in PLAIN:
            yield word


def recorded(project: Project, folder: Path) -> Recorded:
    folder.mkdir()
    file, script = folder / "asked", folder / "pulumi"
    engine = str(project.engine / "pulumi")
    script.write_text(RECORDING.format(python=sys.executable, file=str(file), engine=engine))
    script.chmod(0o755)
    return Recorded(replace(project, engine=folder), file)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory, engine: Path) -> Recorded:
    """A partner of record in each of two stacks; `dev` is the selected one."""
    root = tmp_path_factory.mktemp("options")
    backend = sqlite_portal(root)
    project = Project(root / "estate", engine)
    for stack in ("other", "dev"):
        project.prepare(backend.config, stack)
        project.declare(of(backend.subscription()), stack=stack)
    (root / "pack.json").write_text(json.dumps(PACK_CONFIG))
    return recorded(project, root / "bin")


OURS = "urn:pulumi:dev::estate::pulumi-python:dynamic/dpor:PartnerOfRecord::payments"
STACK = "urn:pulumi:dev::estate::pulumi:pulumi:Stack::estate-dev"

COMMON = {
    "stack": ["--stack", "other"],
    "targets": ["--target", OURS, "--target", STACK],
    "parallel": ["--parallel", "3"],
    "diff": ["--diff"],
}
REFRESH = {"refresh": ["--refresh"]}
EXPECT = {"expect-no-changes": ["--expect-no-changes"]}
POLICIES = {"policies": ["--policy-pack", str(PACK), "--policy-pack-config", "../pack.json"]}
LIMIT = {"limit": ["--allow-withdrawals", "9"]}
GUARDS = {**LIMIT, "checkpoints": ["--checkpoints"]}
"""These are our own: the engine hears nothing of them, or by its environment alone."""

OPTIONS = {
    "preview": {**COMMON, **REFRESH, **EXPECT, **POLICIES, **LIMIT},
    "up": {**COMMON, **REFRESH, **EXPECT, **POLICIES, **GUARDS},
    "refresh": {**COMMON, **EXPECT},
    "destroy": {**COMMON, **REFRESH, **GUARDS},
}

CASES = [
    *(pytest.param(command, (), id=f"{command}-nothing") for command in OPTIONS),
    *(
        # Targets name the stack that they are in.
        pytest.param(command, tuple(kind for kind in kinds if kind != "stack"), id=f"{command}-all")
        for command, kinds in OPTIONS.items()
    ),
    *(
        pytest.param(command, (kind,), id=f"{command}-{kind}", marks=thorough)
        for command, kinds in OPTIONS.items()
        for kind in kinds
    ),
]


@pytest.mark.parametrize(("command", "kinds"), CASES)
def test_each_option_reaches_each_run_of_the_engine_and_no_other_does(
    estate: Recorded, command: str, kinds: tuple[str, ...]
) -> None:
    # Changes would end a run that expects none, and targets must be there.
    stack = "other" if "stack" in kinds else "dev"
    if not estate.project.state(stack):
        estate.project.up(stack=stack).ok()
    options = [word for kind in kinds for word in OPTIONS[command][kind]]
    asked = estate.asked(command, *options)
    assert [one.operation for one in asked] == RUNS[command]
    pack_config = str(estate.project.folder.parent / "pack.json")
    passed = [
        pack_config if word == POLICIES["policies"][-1] else word
        for kind in kinds
        if kind not in GUARDS
        for word in OPTIONS[command][kind]
    ]
    expected = sorted(passed if "stack" in kinds else [*passed, "--stack", "dev"])
    assert [sorted(one.options) for one in asked] == [expected] * len(asked)
    skipped = {"up": "true", "destroy": "true"}.get(command)
    *_, last = asked
    assert last.skip_checkpoints == ("false" if "checkpoints" in kinds else skipped)


@embedded
@pytest.mark.parametrize(
    ("declared", "skipped"),
    [({}, "true"), ({"parent": "team"}, "true"), ({"made": "sub"}, "false")],
    ids=["ours", "ours in a component", "another's"],
)
def test_checkpoints_are_skipped_where_all_resources_are_ours(
    project: Project, backend: Backend, tmp_path: Path, declared: dict[str, str], skipped: str
) -> None:
    estate = recorded(project, tmp_path / "bin")
    project.declare({**of(backend.subscription()), **declared})
    for command in ("up", "destroy"):
        *_, last = estate.asked(command)
        assert (last.operation, last.skip_checkpoints) == (command, skipped)
