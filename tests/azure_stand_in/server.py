"""Runs the stand-in in a thread of a test."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from trustme import LeafCert
from uvicorn.protocols.http.h11_impl import H11Protocol

from .admin import admin_routes
from .app import OPERATIONS, make_app, make_service
from .estate import Estate, Principal
from .faults import DROP, Faults, FaultyApp
from .identity import Hosts, identity_routes
from .resource_graph.endpoint import ResourceGraph


class DroppableProtocol(H11Protocol):
    """HTTP/1.1 whose connection a fault may end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), DROP: transport.close}
            await app({**scope, "extensions": extensions}, receive, send)

        self.app = droppable


class StandIn:
    """A stand-in, and what a test asks of it.

    Attributes:
        url: Where it listens, without a slash at its end.
        world: What there is now; hold `world.lock` to change it.
        journal: What was asked and what was written.
    """

    def __init__(self, estate: Estate) -> None:
        self.url = ""
        self.service = make_service(estate)
        self.world = self.service.world
        self.consistency = self.world.consistency
        self.journal = self.service.journal
        self.tokens = self.service.tokens
        self.throttle = self.service.throttle
        self.paging = self.service.paging
        self.faults = Faults()
        self.hosts = Hosts()
        self.resource_graph = ResourceGraph()

    def token(self, principal: Principal) -> str:
        """A bearer token for a principal."""
        return self.tokens.issue(principal)

    def serving(
        self, *, port: int = 0, certificate: LeafCert | None = None
    ) -> AbstractContextManager[None]:
        """Serve on 127.0.0.1 until the end of the block (`running` says how)."""
        return _serving(self, port, certificate)

    def app(self) -> ASGIApp:
        """The application that a server runs."""
        others = [
            *identity_routes(self.service, self.hosts),
            *admin_routes(self.service, self.faults),
        ]
        operations = (*OPERATIONS, *self.resource_graph.operations())
        return FaultyApp(make_app(self.service, operations, others), self.faults)


@contextmanager
def running(
    estate: Estate, *, port: int = 0, certificate: LeafCert | None = None
) -> Iterator[StandIn]:
    """A stand-in on 127.0.0.1, until the end of the block.

    Args:
        port: Where; 0 for any that is free.
        certificate: With one it speaks https, as the Azure CLI demands.
    """
    stand_in = StandIn(estate)
    with stand_in.serving(port=port, certificate=certificate):
        yield stand_in


@contextmanager
def _serving(stand_in: StandIn, port: int, certificate: LeafCert | None) -> Iterator[None]:
    config = uvicorn.Config(
        stand_in.app(),
        host="127.0.0.1",
        port=port,
        http=DroppableProtocol,
        log_level="warning",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    scheme = "http"
    if certificate is not None:
        scheme = "https"
        config.load()
        config.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(config.ssl)
    with serving(config) as found:
        stand_in.url = f"{scheme}://127.0.0.1:{found}"
        yield


@contextmanager
def serving(config: uvicorn.Config) -> Iterator[int]:
    """Serve in a thread; gives the port."""
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="azure-stand-in", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the stand-in did not start; its log says why")
            time.sleep(0.005)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
