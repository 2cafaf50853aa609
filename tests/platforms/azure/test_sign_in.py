"""No sign-in that works: the first thing that many will see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure_stand_in.server import StandIn

from dpor_provider.errors import Unavailable
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.connection import connect
from dpor_provider.platforms.azure.errors import azure_errors
from dpor_provider.registry import init_registry

DPOR = Path(sys.executable).parent / "dpor"


def test_one_line_says_how_to_sign_in(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    init_registry(url)
    kept = {name: value for name, value in os.environ.items() if "AZURE" not in name}
    done = subprocess.run(
        [DPOR, "discover", "--from", "azure"],
        env={**kept, "DPOR_REGISTRY": url, "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "there is no Azure sign-in that works here; run az login" in done.stderr


def test_what_entra_id_answers_is_its_first_line() -> None:
    refused = ClientAuthenticationError(
        message="AADSTS7000222: The client secret has expired.\nTrace ID: x\nTimestamp: y"
    )
    with (
        pytest.raises(Unavailable, match=r"run az login.*The client secret has expired$"),
        azure_errors("reading"),
    ):
        raise refused


def test_a_token_that_azure_refuses_is_no_missing_sign_in(stand_in: StandIn) -> None:
    connection = connect({"DPOR_AZURE_ENDPOINT": stand_in.url, "DPOR_AZURE_TOKEN": "no token"})
    with (
        pytest.raises(Unavailable, match=r"sign in anew with az login.*\[correlation id"),
        azure_errors("reading the subscriptions"),
    ):
        list(connection.client(extra.subscriptions.SubscriptionClient).subscriptions.list())
