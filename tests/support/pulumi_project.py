"""A Pulumi project in a folder of its own, run by the real engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.backends import CONTOSO

PROGRAM = Path(__file__).with_name("program.py")


def of(
    subscription: str, partner_id: str = CONTOSO.id, name: str = "payments", **rest: object
) -> dict[str, object]:
    """The arguments of one resource."""
    return {"name": name, "subscription_id": subscription, "partner_id": partner_id, **rest}


@dataclass(frozen=True)
class Run:
    """What one command of the engine did."""

    exit_code: int
    output: str

    def ok(self) -> Run:
        """This run, which must have succeeded."""
        assert self.exit_code == 0, self.output
        return self

    def failed(self) -> Run:
        """This run, which must have failed, without a traceback."""
        assert self.exit_code != 0, self.output
        assert "Traceback" not in self.output, self.output
        return self


@dataclass(frozen=True)
class Step:
    """One step of a preview."""

    operation: str
    resource: str
    difference: Mapping[str, str]
    """Property → kind of change."""
    replaced_for: tuple[str, ...]
    """The properties that ask for a replacement."""
    new_inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Project:
    """A project with a program that declares what it is told to (`program.py`)."""

    folder: Path
    engine: Path
    name: str = "estate"
    settings: Mapping[str, str] = field(default_factory=dict)
    """The engine's own environment variables."""

    def prepare(self, config: Mapping[str, str], stack: str = "dev") -> Project:
        """Write the project and make the stack."""
        self.folder.mkdir(exist_ok=True)
        (self._state).mkdir(exist_ok=True)
        (self.folder / "Pulumi.yaml").write_text(
            json.dumps(
                {
                    "name": self.name,
                    "runtime": {
                        "name": "python",
                        "options": {"toolchain": "pip", "virtualenv": sys.prefix},
                    },
                }
            )
        )
        (self.folder / "__main__.py").write_text(PROGRAM.read_text())
        self.configure(config, stack)
        self.declare()
        self.run("stack", "select", "--create", stack).ok()
        return self

    def configure(self, config: Mapping[str, str], stack: str = "dev") -> None:
        """Set the stack's whole configuration."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        path.write_text(json.dumps({"config": dict(config)}))

    def declare(self, *resources: Mapping[str, Any], stack: str = "dev", **rest: Any) -> None:
        """Say what the program declares: the arguments of `PartnerOfRecord`, and its name."""
        path = self.folder / f"{stack}.json"
        path.write_text(json.dumps({"resources": resources, **rest}))

    def run(self, *arguments: str) -> Run:
        """Run a command of the engine."""
        done = subprocess.run(
            [self.engine / "pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def dpor(self, *arguments: str) -> Run:
        """Run our own command in the project's folder."""
        done = subprocess.run(
            [Path(sys.executable).with_name("dpor"), *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def environment(self) -> dict[str, str]:
        """The engine's environment: nothing of the user's Pulumi, and no network."""
        kept = {key: value for key, value in os.environ.items() if "PULUMI" not in key}
        return kept | {
            "PATH": os.pathsep.join(
                (str(self.engine), str(Path(sys.prefix) / "bin"), os.environ["PATH"])
            ),
            "PULUMI_HOME": str(self.folder.parent / "home"),
            "PULUMI_BACKEND_URL": f"file://{self._state}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.settings,
        }

    @property
    def _state(self) -> Path:
        return self.folder.parent / "state"

    def up(self, *arguments: str, stack: str = "dev") -> Run:
        """Deploy."""
        return self.run("up", "--yes", "--stack", stack, *arguments)

    def destroy(self, *arguments: str, stack: str = "dev") -> Run:
        """Take the stack's resources away."""
        return self.run("destroy", "--yes", "--stack", stack, *arguments)

    def preview(self, *arguments: str, stack: str = "dev") -> Run:
        """Show what a deployment would do."""
        return self.run("preview", "--diff", "--stack", stack, *arguments)

    def steps(self, *arguments: str, stack: str = "dev") -> dict[str, Step]:
        """The steps of a preview that are more than `same`, by resource name."""
        done = subprocess.run(
            [
                *(self.engine / "pulumi", "preview", "--json", "--stack", stack),
                *("--non-interactive", *arguments),
            ],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        steps = {}
        for step in json.loads(done.stdout)["steps"]:
            name = step["urn"].rpartition("::")[2]
            if step["op"] != "same" and "dynamic/dpor" in step["urn"]:
                steps[name] = Step(
                    step["op"],
                    name,
                    {key: value["kind"] for key, value in (step.get("detailedDiff") or {}).items()},
                    tuple(step.get("replaceReasons") or ()),
                    (step.get("newState") or {}).get("inputs") or {},
                )
        return steps

    def assert_settled(self, stack: str = "dev") -> None:
        """Neither a preview nor a refresh finds anything to change."""
        self.preview("--expect-no-changes", stack=stack).ok()
        self.run("refresh", "--yes", "--stack", stack, "--expect-no-changes").ok()

    def state(self, stack: str = "dev") -> list[dict[str, Any]]:
        """The partners of record in the stack's state."""
        exported = json.loads(self.run("stack", "export", "--stack", stack).ok().output)
        return [
            resource
            for resource in exported["deployment"].get("resources", [])
            if "dynamic/dpor" in resource["type"]
        ]

    def outputs(self, name: str, stack: str = "dev") -> dict[str, Any]:
        """One resource's outputs."""
        return next(
            resource["outputs"]
            for resource in self.state(stack)
            if resource["urn"].endswith(f"::{name}")
        )
