"""A Pulumi project in a temporary folder, run with the real engine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

VIRTUALENV = sys.prefix
TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Done:
    """What a run of the CLI left."""

    status: int
    output: str

    def errors(self) -> list[str]:
        """The messages that the engine or the CLI marked as errors, each once."""
        marked = (line.strip() for line in self.output.splitlines())
        return list(dict.fromkeys(line for line in marked if line.startswith("error: ")))


@dataclass(frozen=True)
class Project:
    """A project with one stack."""

    folder: Path
    engine: Path
    virtualenv: str = VIRTUALENV
    main: str = "."
    plugins: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def create(self, program: str) -> Project:
        """Write the project and its program and create the stack."""
        (self.folder / "state").mkdir()
        project = self.folder / "project"
        project.mkdir()
        (project / "Pulumi.yaml").write_text(
            "name: shop\n"
            f"main: {self.main}\n"
            f"runtime: {{name: python, options: {{toolchain: pip, virtualenv: {self.virtualenv}}}}}"
            f"\n{self.plugins}"
        )
        self.write(program)
        self.run("stack", "init", "dev")
        return self

    def write(self, program: str, file: str = "__main__.py") -> None:
        """Write a file of the program."""
        target = self.folder / "project" / self.main / file
        target.parent.mkdir(exist_ok=True)
        target.write_text(dedent(program))

    def command(self, *arguments: str) -> list[str]:
        """The command line for the CLI."""
        return [str(self.engine / "pulumi"), "--non-interactive", "--color=never", *arguments]

    def variables(self) -> dict[str, str]:
        """The environment of the CLI."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "PYTHON"))}
        return kept | {
            "PATH": f"{self.engine}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "not a secret",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.environment,
        }

    def try_(self, *arguments: str) -> Done:
        """Run the CLI, whatever its status."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder / "project",
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def run(self, *arguments: str) -> str:
        """Run the CLI, which has to succeed, and return what it prints."""
        done = self.try_(*arguments)
        assert done.status == 0, done.output
        return done.output


def write_pack(folder: Path, rules: str, virtualenv: str = VIRTUALENV) -> Path:
    """Write a policy pack."""
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text(
        f"runtime: {{name: python, options: {{toolchain: pip, virtualenv: {virtualenv}}}}}\n"
    )
    (folder / "__main__.py").write_text(dedent(rules))
    return folder
