"""A running stand-in with the example estate, and connections to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.core.pipeline.transport import HttpTransport
from azure_stand_in.estate import Principal
from azure_stand_in.example import estate
from azure_stand_in.server import StandIn, running
from support.backends import AzureBackend, sqlite_azure

from dpor_provider.platforms.azure.connection import Connection, connect

Connecting = Callable[[Principal], Connection]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A stand-in with the example estate."""
    with running(estate()) as server:
        yield server


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureBackend]:
    """An embedded registry over a stand-in of its own."""
    made = sqlite_azure(tmp_path)
    assert isinstance(made, AzureBackend)
    with made.here(monkeypatch):
        yield made


@pytest.fixture
def connecting(stand_in: StandIn) -> Connecting:
    """Connects as a principal."""
    return lambda principal: connect(
        {"DPOR_AZURE_ENDPOINT": stand_in.url, "DPOR_AZURE_TOKEN": stand_in.token(principal)}
    )


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which are not waited."""
    waits: list[float] = []
    monkeypatch.setattr(HttpTransport, "sleep", lambda _, seconds: waits.append(seconds))
    return waits
