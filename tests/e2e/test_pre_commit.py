"""The hook for pre-commit, installed and run by the real pre-commit from this checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from dpor_provider.declaration import load

ROOT = Path(__file__).parent.parent.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"
SUBSCRIPTION = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
PARTNERS = """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
"""
GOOD = f"""\
{PARTNERS}subscriptions:
  - {{id: {SUBSCRIPTION}, partner: contoso}}
"""
BAD = GOOD.replace("4567890", "MPN-4567890")


@dataclass(frozen=True)
class Repository:
    """A user's repository, in which `git commit` runs the hook."""

    folder: Path
    environment: Mapping[str, str]

    def write(self, name: str, text: str) -> None:
        """Write and stage a file."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        self.run("git", "add", name)

    def run(self, *command: str) -> str:
        """Run a command, which must succeed."""
        code, output = self.try_to(*command)
        assert code == 0, output
        return output

    def try_to(self, *command: str) -> tuple[int, str]:
        """Run a command; gives its exit code and what it prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def commit(self) -> tuple[int, str]:
        """Commit what is staged, which the hook may refuse."""
        return self.try_to("git", "commit", "--message", "Change")

    @property
    def commits(self) -> int:
        """How many commits there are."""
        return int(self.run("git", "rev-list", "--all", "--count"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The user's environment, in which pip finds every package but this one, and no index.

    The hook's dependencies and what builds it are those of the environment that runs the tests.
    """
    folder = tmp_path_factory.mktemp("pre-commit")
    packages = folder / "packages"
    packages.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and not path.name.startswith(("dpor_provider", "__")):
            (packages / path.name).symlink_to(path)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PIP_"))}
    return kept | {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "HOME": str(folder),
        "PRE_COMMIT_HOME": str(folder / "cache"),
        "PYTHONPATH": str(packages),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        # pip reads this one the other way round: no isolation.
        "PIP_NO_BUILD_ISOLATION": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Alice",
        "GIT_AUTHOR_EMAIL": "alice@example.com",
        "GIT_COMMITTER_NAME": "Alice",
        "GIT_COMMITTER_EMAIL": "alice@example.com",
    }


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]) -> Path:
    """This checkout as a repository with one commit, whatever is committed here."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in (HOOKS.name, "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(
        ROOT / "dpor_provider",
        folder / "dpor_provider",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    repository = Repository(folder, environment)
    repository.run("git", "init", "--quiet", "--initial-branch=main")
    repository.run("git", "add", ".")
    repository.run("git", "commit", "--quiet", "--message", "Release")
    return folder


@pytest.fixture
def repository(tmp_path: Path, environment: Mapping[str, str], checkout: Path) -> Repository:
    """A repository with the hook and one good declaration, committed."""
    folder = tmp_path / "estate"
    folder.mkdir()
    made = Repository(folder, environment)
    made.run("git", "init", "--quiet", "--initial-branch=main")
    configure(made, checkout)
    made.write("partners.yaml", GOOD)
    made.run("pre-commit", "install")
    code, output = made.commit()
    assert code == 0, output
    assert re.search(r"^dpor check\.+Passed$", output, re.MULTILINE), output
    return made


def configure(repository: Repository, checkout: Path, args: Sequence[str] = ()) -> None:
    """Name the hook as a user does; JSON is YAML."""
    revision = Repository(checkout, repository.environment).run("git", "rev-parse", "HEAD").strip()
    hook = {"id": "dpor-check", **({"args": args} if args else {})}
    source = {"repo": str(checkout), "rev": revision, "hooks": [hook]}
    repository.write(".pre-commit-config.yaml", json.dumps({"repos": [source]}))


def test_a_commit_with_a_violation_is_refused_and_passes_when_mended(
    repository: Repository,
) -> None:
    repository.write("partners.yaml", BAD)
    code, output = repository.commit()
    assert code == 1
    assert "- exit code: 1" in output
    assert "partners.yaml:3:17: DPOR101 " in output
    assert "did you mean '4567890'?" in output
    assert repository.commits == 1

    repository.write("partners.yaml", GOOD.replace("Contoso Consulting", "Contoso"))
    code, output = repository.commit()
    assert code == 0, output
    assert repository.commits == 2


def test_what_is_wrong_between_a_changed_file_and_an_unchanged_one_is_found(
    repository: Repository,
) -> None:
    again = {"version": 1, "subscriptions": [{"id": SUBSCRIPTION, "partner": "contoso"}]}
    repository.write("retail/shop.partners.yml", json.dumps(again))
    code, output = repository.commit()
    assert code == 1
    assert "DPOR401" in output
    assert "declared twice, the other time by the entry at" in output


def test_a_commit_without_declarations_does_not_wait_for_the_check(repository: Repository) -> None:
    repository.write("README.md", "Who is partner of record where.\n")
    code, output = repository.commit()
    assert code == 0
    assert re.search(r"^dpor check\.+\(no files to check\)Skipped$", output, re.MULTILINE), output


def test_args_name_the_folders_that_are_one_estate(repository: Repository, checkout: Path) -> None:
    repository.write("production/partners.yaml", GOOD)
    repository.write("training/partners.yaml", BAD)
    assert repository.commit()[0] == 1
    configure(repository, checkout, ["production"])
    code, output = repository.commit()
    assert code == 0, output


def test_the_hook_waits_for_the_files_that_dpor_check_reads_in_a_folder(tmp_path: Path) -> None:
    names = [
        *("partners.yaml", "partners.yml", "retail.partners.yaml", "a.b.partners.yml"),
        *(".partners.yaml", "deep/down/partners.yaml", "deep/retail.partners.yml"),
        *("mypartners.yaml", "partners.yaml.txt", "partners.json", "partners/other.yaml"),
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("version: 1\nsubscriptions: []\n")
    (hook,) = yaml.safe_load(HOOKS.read_text())
    read = {Path(file).relative_to(tmp_path).as_posix() for file in load([tmp_path]).estate.files}
    assert {name for name in names if re.search(hook["files"], name)} == read
