"""What the list of processes shows of a deployment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import postgres
from support.backends import Backend, ServerBackend
from support.processes import command_lines
from support.pulumi_project import Project, of

WORD = "sw0rdfish"
PULUMI = ("pulumi", "up", "--yes", "--stack", "dev", "--non-interactive")
DPOR = (str(Path(sys.executable).with_name("dpor")), "up")


@pytest.mark.skipif(sys.platform != "linux", reason="reads proc(5)")
@pytest.mark.parametrize("backend", ["postgresql-portal"], indirect=True)
@pytest.mark.parametrize("command", [PULUMI, DPOR], ids=["pulumi", "dpor"])
def test_no_secret_of_a_deployment_is_in_the_list_of_processes(
    project: Project, backend: Backend, subscription: str, command: tuple[str, ...]
) -> None:
    assert isinstance(backend, ServerBackend)
    project.declare(of(subscription))
    server = postgres.server()
    with server.connect(postgres.OWNER, backend.database) as holder, holder.transaction():
        holder.execute("LOCK TABLE dpor.grants")
        deployment = subprocess.Popen(
            command,
            cwd=project.folder,
            env=project.environment() | {"PGPASSWORD": WORD, "DPOR_OIDC_TOKEN": WORD},
            stdout=subprocess.DEVNULL,
        )
        # The provider has read all of its settings, and waits for the table.
        while not holder.execute(postgres.WAITING).rowcount:
            assert deployment.poll() is None
        lines = list(command_lines())
    assert deployment.wait() == 0
    for part in (b"pulumi\0", b"pulumi-language-python", b"pulumi.dynamic"):
        assert any(part in line for line in lines)
    assert not [line for line in lines if WORD.encode() in line]
