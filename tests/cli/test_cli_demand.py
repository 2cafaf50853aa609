"""`dpor registry demand`: where nothing changes without a pipeline's token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.backends import CONTOSO, Backend

from dpor_provider.provenance import PIPELINES
from dpor_provider.provenance.obtain import VARIABLE

DPOR = Path(sys.executable).parent / "dpor"
ONE = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
GITHUB = (
    "--issuer",
    "https://token.actions.githubusercontent.com",
    "--audience",
    "dpor-registry.example.com",
)

Done = subprocess.CompletedProcess[str]
Dpor = Callable[..., Done]


@pytest.fixture
def dpor(home: Backend, tmp_path: Path) -> Dpor:
    """Runs `dpor registry` on a registry, outside of a pipeline."""
    marks = {VARIABLE, *PIPELINES}
    clean = {name: value for name, value in os.environ.items() if name not in marks}

    def run(*arguments: str) -> Done:
        return subprocess.run(
            [DPOR, "--registry", home.url, "registry", *arguments],
            cwd=tmp_path,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_demand_is_added_listed_held_to_and_removed(dpor: Dpor) -> None:
    assert "No token is demanded anywhere." in dpor("demand", "list").stderr
    chosen = ("--repository-id", "74", "--environment", "production")
    added = dpor("demand", "add", "/", *GITHUB, *chosen)
    assert added.stdout == ("designations and access under / change only with such a token now\n")
    assert "an environment without protection rules can be named by any workflow" in added.stderr
    refused = dpor("designate", ONE, CONTOSO.id)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "the registry demands an OIDC token of https://token.actions" in refused.stderr
    assert refused.stderr.count("\n") == 1
    listed = dpor("demand", "list").stdout.splitlines()[1]
    assert listed.endswith("dpor-registry.example.com\trepository_id 74, environment production")
    shown = json.loads(dpor("demand", "list", "--format", "json").stdout)
    assert shown["version"] == 1
    (kept,) = shown["demands"]
    assert (kept["scope"], kept["repository_id"], kept["ref"]) == ("/", "74", None)
    removed = dpor("demand", "remove", "/", "--format", "json")
    assert json.loads(removed.stdout) == kept
    assert dpor("designate", ONE, CONTOSO.id).returncode == 0
    assert dpor("verify").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/", *GITHUB), "say whose repository with --repository-id"),
        (("/", "--audience", "a", "--repository-id", "74"), "Missing option '--issuer'"),
        (("everywhere", *GITHUB, "--repository-id", "74"), "is neither / nor a subscription id"),
        (
            ("/", "--issuer", "http://github.com", "--audience", "a", "--repository-id", "74"),
            "a trusted issuer is an https URL",
        ),
        (
            ("/", "--issuer", "https://a:b@c.example", "--audience", "a", "--repository-id", "74"),
            "a trusted issuer is an https URL",
        ),
        (("/", *GITHUB, "--repository-id", "7\x1b[31m4"), "cannot be printed"),
        (("/", *GITHUB, "--repository-id", ""), "must not be empty"),
    ],
)
def test_a_demand_that_could_not_be_met_or_lets_anybody_in_is_none(
    dpor: Dpor, arguments: tuple[str, ...], said: str
) -> None:
    done = dpor("demand", "add", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "\x1b" not in done.stderr
    assert json.loads(dpor("demand", "list", "--format", "json").stdout)["demands"] == []
