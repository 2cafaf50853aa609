"""The pipelines of `examples/ci`: every command in them is real, and their scripts do their job."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import click
import pytest
import yaml
from support.backends import ADMIN, CONTOSO, Backend, sqlite_portal
from support.planted import plant
from support.pulumi_project import Project

from dpor_provider.cli.main import dpor
from dpor_provider.model import Grant, Role
from dpor_provider.policies.template import files
from dpor_provider.registry.registry import operating_system_user

FOLDER = Path(__file__).parent.parent.parent / "examples" / "ci"
README = FOLDER / "README.md"
SHOWN_FILE = re.compile(r"^`([\w.]+)`(?:(?!\n\n).)*\n\n```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN_COMMANDS = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

SUBSCRIPTION = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
OTHER = "8854663a-8528-5749-8fab-6489de93353a"
GOOD = f"""\
version: 1
partners:
  contoso: {{id: "{CONTOSO.id}", name: {CONTOSO.name}}}
subscriptions:
  - {{id: {SUBSCRIPTION}, partner: contoso}}
"""
BAD = GOOD.replace(CONTOSO.id, f"MPN-{CONTOSO.id}")
BAD_WITH_EXCEPTION = BAD.replace(
    "partner: contoso}",
    "partner: contoso, exceptions: [{rule: DPOR101, reason: Urgent, expires: 2099-12-31}]}",
)


class Loader(yaml.SafeLoader):
    """Reads GitLab's references too."""


Loader.add_constructor("!reference", lambda _loader, node: node)


@dataclass(frozen=True)
class Step:
    """One script of a pipeline."""

    shell: tuple[str, ...]
    """What the system runs it with."""
    script: str
    folder: str
    """Where, in the runner's working folder."""

    def commands(self) -> Iterator[list[str]]:
        """Its commands, word by word."""
        return commands(self.script)


@dataclass(frozen=True)
class System:
    """How a CI system writes a pipeline."""

    file: str
    schema: tuple[str, ...]
    """The published schema, and options of check-jsonschema that it needs."""
    variables: str
    """The key of the variables."""
    policies: str
    """Where the policy pack is, in the runner's working folder."""
    found: str
    """What the check prints of the bad declaration."""
    steps: Callable[[Mapping[str, Any]], Iterator[Step]]

    def pipeline(self) -> dict[str, Any]:
        """The file's content."""
        content = yaml.load((FOLDER / self.file).read_text(), Loader)
        assert isinstance(content, dict)
        return content

    def scripts(self) -> list[Step]:
        """All steps that run a script."""
        return list(self.steps(self.pipeline()))

    def step(self, program: str, subcommand: str) -> Step:
        """The step that runs a command."""
        (found,) = (
            step
            for step in self.scripts()
            if any(
                Path(words[0]).name == program and words[1] == subcommand
                for words in step.commands()
            )
        )
        return found


def commands(script: str) -> Iterator[list[str]]:
    """A script's commands, word by word."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        for is_end, words in itertools.groupby(lexer, lambda word: set(word) <= set("&|;")):
            if not is_end:
                yield list(words)


def azure_scripts() -> Iterator[str]:
    """The scripts of the Azure example's workflows, a partner in the place of the matrix."""
    for file in (FOLDER.parent / "azure").glob("github-*.yml"):
        for step in github(yaml.load(file.read_text(), Loader)):
            yield step.script.replace("${{ matrix.partner }}", "contoso")


def github(pipeline: Mapping[str, Any]) -> Iterator[Step]:
    for job in pipeline["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                yield Step(("bash", "-e"), step["run"], step.get("working-directory", "."))


def gitlab(pipeline: Mapping[str, Any]) -> Iterator[Step]:
    for job in pipeline.values():
        for key in ("before_script", "script"):
            if isinstance(job, dict) and key in job:
                lines = [line for line in job[key] if isinstance(line, str)]
                yield Step(("bash", "-eo", "pipefail"), "\n".join(lines), "estate")


def azure(pipeline: Mapping[str, Any]) -> Iterator[Step]:
    for job in pipeline["jobs"]:
        steps = job["strategy"]["runOnce"]["deploy"]["steps"] if "strategy" in job else job["steps"]
        for step in steps:
            if "script" in step:
                folder = step["workingDirectory"].replace("$(Build.SourcesDirectory)", ".")
                yield Step(("bash",), step["script"], folder)


GITHUB = System(
    file="github-actions.yml",
    schema=("vendor.github-workflows",),
    variables="env",
    policies="policies",
    found="::error title=DPOR101,file=partners.yaml,line=3,",
    steps=github,
)
GITLAB = System(
    file="gitlab-ci.yml",
    schema=("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
    variables="variables",
    policies="estate.policies",
    found="partners.yaml:3:17: DPOR101 ",
    steps=gitlab,
)
AZURE = System(
    file="azure-pipelines.yml",
    schema=(
        *("vendor.azure-pipelines", "--data-transform", "azure-pipelines"),
        # The schema has a pattern that ECMAScript's Unicode mode refuses.
        *("--regex-variant", "nonunicode"),
    ),
    variables="variables",
    policies="policies",
    found="##vso[task.logissue type=error;sourcepath=partners.yaml;linenumber=3;",
    steps=azure,
)
SYSTEMS = (GITHUB, GITLAB, AZURE)
READING = {"preview", "up"}
"""The commands of Pulumi that run what is in a state."""


def shown_files() -> dict[str, str]:
    """The files that the README shows, by their names."""
    return dict(SHOWN_FILE.findall(README.read_text()))


def command_lines(program: str) -> list[list[str]]:
    """What follows a program's name, wherever it is run in the pipelines and in the README."""
    blocks = SHOWN_COMMANDS.findall(README.read_text())
    scripts = [step.script for system in SYSTEMS for step in system.scripts()]
    scripts += [re.sub(r"^\$ ", "", block, flags=re.MULTILINE) for block in blocks]
    found = (
        tuple(words[1:])
        for script in scripts
        for words in commands(script)
        if Path(words[0]).name == program
    )
    return [list(words) for words in dict.fromkeys(found)]


@pytest.fixture(params=SYSTEMS, ids=lambda system: system.file)
def system(request: pytest.FixtureRequest) -> System:
    """Each CI system in turn."""
    chosen = request.param
    assert isinstance(chosen, System)
    return chosen


@dataclass(frozen=True)
class Runner:
    """A runner's working folder: the pull request's checkout, and the policy pack beside it."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def estate(self) -> Path:
        """The pull request's checkout."""
        return self.folder / "estate"

    def git(self, *arguments: str) -> None:
        """Run git in the checkout."""
        subprocess.run(["git", *arguments], cwd=self.estate, env=self.environment, check=True)

    def change(self, file: str, text: str) -> None:
        """Commit a change."""
        (self.estate / file).write_text(text)
        self.git("commit", "--quiet", "--message", "Change", file)

    def run(self, step: Step) -> tuple[int, str]:
        """Run a step as the system does; gives the exit code and what it prints."""
        script = self.folder / "script"
        script.write_text(step.script)
        done = subprocess.run(
            [*step.shell, script],
            cwd=self.folder / step.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def runner(system: System, home: Backend, engine: Path, tmp_path: Path) -> Runner:
    """A runner, with a branch off `main` checked out, and all that the README says in place."""
    folder = tmp_path / "work"
    project = Project(folder / "estate", engine)
    pack = folder / system.policies
    for made in (project.folder, pack):
        made.mkdir(parents=True)
        (made / "venv").symlink_to(sys.prefix)
    (folder / "state").mkdir()
    usual = project.environment()
    (folder / "passphrase").write_text(usual.pop("PULUMI_CONFIG_PASSPHRASE"))
    variables = {
        name: Template(value).safe_substitute(CI_PROJECT_DIR=project.folder)
        for name, value in system.pipeline()[system.variables].items()
    }
    here = {
        "DPOR_REGISTRY": home.url,
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
    }
    assert here.keys() <= variables.keys()
    runner = Runner(
        folder,
        {
            **{name: value for name, value in usual.items() if not name.startswith("GIT_")},
            **variables,
            **here,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Alice",
            "GIT_AUTHOR_EMAIL": "alice@example.com",
            "GIT_COMMITTER_NAME": "Alice",
            "GIT_COMMITTER_EMAIL": "alice@example.com",
        },
    )

    place = {"Pulumi.yaml": project.folder, "Pulumi.prod.yaml": project.folder}
    for name, text in {**files(), **shown_files()}.items():
        text = text.replace(variables["DPOR_REGISTRY"], home.url)
        (place.get(name, pack) / name).write_text(text)
    shutil.copy(FOLDER.parent / "embedded" / "__main__.py", project.folder)
    (project.folder / "partners.yaml").write_text(GOOD)
    (project.folder / ".gitignore").write_text("venv\n")
    project.run("stack", "init", "prod").ok()
    home.registry(ADMIN).roles.grant(Grant("ci-deploy", Role.CONTRIBUTOR, "/"))

    origin = str(folder / "origin")
    runner.git("init", "--quiet", "--initial-branch=main")
    runner.git("add", ".")
    runner.git("commit", "--quiet", "--message", "Start")
    runner.git("clone", "--quiet", "--bare", ".", origin)
    runner.git("remote", "add", "origin", origin)
    runner.git("fetch", "--quiet", "origin")
    runner.git("checkout", "--quiet", "-b", "change")
    return runner


def test_a_pipeline_follows_its_systems_schema(system: System) -> None:
    name, *options = system.schema
    check = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [check, "--builtin-schema", name, *options, FOLDER / system.file],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("words", command_lines("dpor"), ids=shlex.join)
def test_dpor_takes_every_command_line(words: list[str]) -> None:
    command: click.Command | None = dpor
    context = None
    while isinstance(command, click.Group):
        context = click.Context(command, parent=context)
        _, command, words = command.resolve_command(context, words)
    assert command is not None
    command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("words", command_lines("pulumi"), ids=shlex.join)
def test_the_engine_takes_every_command_line(words: list[str], engine: Path) -> None:
    def help_on(*given: str) -> subprocess.CompletedProcess[str]:
        # The engine reads all flags before it prints the help.
        return subprocess.run(
            [engine / "pulumi", *given, "--help"], capture_output=True, text=True, check=False
        )

    done = help_on(*words)
    assert done.returncode == 0, done.stderr
    assert f"  pulumi {words[0]} " in done.stdout
    assert "unknown flag" in help_on(*words, "--no-such-flag").stderr


def test_what_a_pipeline_uses_is_pinned_and_githubs_token_may_only_read() -> None:
    workflow = GITHUB.pipeline()
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        used = [step for step in job["steps"] if "uses" in step]
        for step in used:
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+)*", step["uses"])
            assert step["with"]["persist-credentials"] is False
        assert [step["with"].get("ref") for step in used] == [None, "v1.4.0"]
    (clone,) = (words for step in GITLAB.scripts() for words in step.commands() if "clone" in words)
    assert clone[clone.index("--branch") + 1] == "v1.4.0"
    (policies,) = AZURE.pipeline()["resources"]["repositories"]
    assert policies["ref"] == "refs/tags/v1.4.0"


def test_pack_settings_and_dpor_never_come_from_the_pull_request(
    system: System, runner: Runner
) -> None:
    def resolved(step: Step, word: str) -> Path:
        path = Template(word).substitute(runner.environment)
        return Path(os.path.normpath(runner.folder / step.folder / path))

    named = [
        resolved(step, words[words.index(option) + 1])
        for step in (system.step("pulumi", "preview"), system.step("pulumi", "up"))
        for words in step.commands()
        if words[1] in READING
        for option in ("--policy-pack", "--policy-pack-config")
    ]
    check = system.step("dpor", "check")
    named += [resolved(check, words[0]) for words in check.commands() if words[1] == "check"]
    assert len(named) >= 5
    for path in named:
        assert path.is_relative_to(runner.folder / system.policies)
        assert not path.is_relative_to(runner.estate)


def test_no_state_is_read_before_it_was_looked_at(system: System) -> None:
    steps = [list(step.commands()) for step in system.scripts()]
    steps += [list(commands(words)) for words in azure_scripts()]
    reading = [step for step in steps if any(words[1] in READING for words in step)]
    assert len(reading) >= 2 + 4
    for step in reading:
        at = next(index for index, words in enumerate(step) if words[1] in READING)
        export, verify, command = step[at - 2 : at + 1]
        stack = command[command.index("--stack") + 1]
        assert export == ["pulumi", "stack", "export", "--stack", stack]
        assert Path(verify[0]).name == "dpor"
        assert verify[1:] == ["state", "verify"]


def test_planted_code_stops_the_deployment_before_it_is_run(
    system: System, runner: Runner, home: Backend, engine: Path, tmp_path: Path
) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    home.registry(ADMIN).roles.grant(Grant(operating_system_user(), Role.CONTRIBUTOR, scope))
    up = system.step("pulumi", "up")
    code, output = runner.run(up)
    assert code == 0, output
    project = Project(runner.estate, engine)
    exported = project.run("stack", "export", "--stack", "prod").ok().output
    planted = tmp_path / "planted.json"
    planted.write_text(plant(exported, tmp_path / "marker"))
    project.run("stack", "import", "--stack", "prod", "--file", str(planted)).ok()
    code, output = runner.run(up)
    assert code == 1, output
    assert "may run anything" in output
    assert "Updating (prod)" not in output
    assert not (tmp_path / "marker").exists()


def test_the_check_stops_a_violation_and_passes_when_it_is_mended(
    system: System, runner: Runner, home: Backend
) -> None:
    home.demote_deployer()
    check = system.step("dpor", "check")
    for declaration in (BAD, BAD_WITH_EXCEPTION):
        runner.change("partners.yaml", declaration)
        code, output = runner.run(check)
        assert code == 1, output
        assert system.found in output
    runner.change("partners.yaml", GOOD.replace(CONTOSO.name, "Fabrikam"))
    code, output = runner.run(check)
    assert code == 1, output
    assert "on record as 'Contoso Consulting', not 'Fabrikam'" in output
    runner.change("partners.yaml", GOOD.replace(SUBSCRIPTION, OTHER))
    code, output = runner.run(check)
    assert code == 0, output


@pytest.mark.parametrize("system", [GITLAB], indirect=True, ids=["gitlab-ci.yml"])
def test_gitlabs_report_is_where_the_job_says(system: System, runner: Runner) -> None:
    runner.change("partners.yaml", BAD)
    runner.run(system.step("dpor", "check"))
    report = system.pipeline()["check"]["artifacts"]["reports"]["codequality"]
    found = json.loads((runner.estate / report).read_text())
    assert [
        (one["check_name"], one["location"]) for one in found if one["severity"] != "minor"
    ] == [("DPOR101", {"path": "partners.yaml", "lines": {"begin": 3}})]


def test_the_preview_needs_no_role_and_the_deployment_does_what_was_previewed(
    system: System, runner: Runner, home: Backend, tmp_path: Path
) -> None:
    home.demote_deployer()
    preview, up = system.step("pulumi", "preview"), system.step("pulumi", "up")

    settings = (runner.estate / "Pulumi.prod.yaml").read_text()
    (tmp_path / "own").mkdir()
    own = sqlite_portal(tmp_path / "own")
    own.registry(ADMIN).roles.grant(Grant("ci-deploy", Role.CONTRIBUTOR, "/"))
    runner.change("Pulumi.prod.yaml", settings.replace(home.url, own.url))
    code, output = runner.run(preview)
    assert code != 0
    assert "[mandatory]  DPOR203" in output

    runner.change("Pulumi.prod.yaml", settings)
    code, output = runner.run(preview)
    assert code == 0, output
    assert "1.4.0" in output
    assert home.live(SUBSCRIPTION) is None

    scope = f"/subscriptions/{SUBSCRIPTION}"
    home.registry(ADMIN).roles.grant(Grant(operating_system_user(), Role.CONTRIBUTOR, scope))
    code, output = runner.run(up)
    assert code == 0, output
    assert home.live(SUBSCRIPTION) == CONTOSO.id
