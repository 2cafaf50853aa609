"""The application: all routes over one world."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from . import (
    lighthouse,
    management_partner,
    role_assignments,
    role_definitions,
    subscriptions,
    tags,
)
from .arm import Operation, Paging, Service, arm_route
from .estate import Estate
from .journal import Journal
from .rbac import Authorizer
from .throttling import Throttle
from .tokens import Tokens
from .world import World

OPERATIONS: tuple[Operation, ...] = (
    *subscriptions.OPERATIONS,
    *tags.OPERATIONS,
    *role_definitions.OPERATIONS,
    *role_assignments.OPERATIONS,
    *lighthouse.OPERATIONS,
    *management_partner.OPERATIONS,
)


def make_service(
    estate: Estate,
    clock: Callable[[], float] = time.monotonic,
    unix_clock: Callable[[], float] = time.time,
) -> Service:
    """All that handlers share, for an estate.

    Args:
        clock: Seconds that never go back, for lags and buckets.
        unix_clock: Unix time, for tokens.
    """
    world = World(estate, clock)
    return Service(
        world,
        Tokens(world.groups_of, unix_clock),
        Authorizer(world),
        Throttle(clock),
        Journal(),
        Paging(),
    )


def make_app(
    service: Service, operations: Sequence[Operation], others: Sequence[BaseRoute] = ()
) -> ASGIApp:
    """The application, which answers anything unknown as ARM does.

    Args:
        operations: Those of ARM.
        others: Routes that need no token.
    """
    by_path: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        by_path[operation.path].append(operation)
    routes = [arm_route(service, path, found) for path, found in by_path.items()]
    handlers = {404: _not_found, 405: _not_allowed}
    return SingleSlashes(Starlette(routes=[*others, *routes], exception_handlers=handlers))


class SingleSlashes:
    """Reads a path with repeated slashes as one without, as ARM does; SDKs send such paths."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": re.sub("/+", "/", scope["path"])}
        await self._app(scope, receive, send)


def _not_found(request: Request, _: Exception) -> Response:
    message = (
        f"No HTTP resource was found that matches the request URI '{request.url}': the stand-in "
        "does not speak this."
    )
    return JSONResponse({"error": {"code": "InvalidResourceType", "message": message}}, 404)


def _not_allowed(request: Request, _: Exception) -> Response:
    message = f"The requested resource does not support HTTP method '{request.method}'."
    return JSONResponse({"error": {"code": "HttpMethodNotAllowed", "message": message}}, 405)
