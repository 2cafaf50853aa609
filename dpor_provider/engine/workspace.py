"""The user's project, as the Automation API sees it."""

from __future__ import annotations

from pathlib import Path

import yaml
from pulumi.automation import LocalWorkspace, OutputMap

from dpor_provider.engine.command import Command
from dpor_provider.errors import Unavailable
from dpor_provider.printable import line


class Workspace(LocalWorkspace):
    """A user's project, whose selected stack stays the user's choice."""

    def __init__(self, project: Path, command: Command) -> None:
        self._project = project
        super().__init__(work_dir=str(project.parent), pulumi_command=command)

    def select_stack(self, stack_name: str) -> None:
        """Leave the selection as it is; every command names its stack."""

    def stack_outputs(self, stack_name: str) -> OutputMap:  # noqa: ARG002
        """Nothing; to ask would take another run of the engine."""
        return {}

    def config_file(self, stack_name: str) -> Path | None:
        """The file of a stack's configuration; None if it has none."""
        file = self._project
        try:
            project = yaml.safe_load(file.read_text("utf-8"))
            directory = project.get("stackConfigDir") or ""
        except (yaml.YAMLError, UnicodeDecodeError, AttributeError) as error:
            said = line(str(error).partition("\n")[0])
            raise Unavailable(f"{file} is no project: {said}") from error
        file = file.parent / directory / f"Pulumi.{plain_name(stack_name)}{file.suffix}"
        return file if file.is_file() else None

    def create_stack(self, stack_name: str) -> None:
        """Make a stack that has no configuration of its own, and leave the selection as it is."""
        before = self.config_file(stack_name)
        self._run_pulumi_cmd_sync(["stack", "init", stack_name, "--no-select"])
        made = self.config_file(stack_name)
        if made and not before:
            made.unlink()


def plain_name(stack: str) -> str:
    """A stack's name without the organization's and the project's."""
    return stack.rpartition("/")[2]
