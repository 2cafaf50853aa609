"""A running stand-in with the example estate, and clients for its principals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from azure_stand_in.clients import Clients
from azure_stand_in.estate import Principal
from azure_stand_in.example import estate
from azure_stand_in.server import StandIn, running


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A stand-in with the example estate."""
    with running(estate()) as server:
        yield server


@pytest.fixture
def clients(stand_in: StandIn) -> Callable[[Principal], Clients]:
    """Clients for one principal."""
    return lambda principal: Clients(stand_in, principal)
