"""What another process may ask a stand-in that it knows by its URL: its journal, tokens, faults."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import faults
from .arm import Service
from .faults import Action, Faults

ACTIONS: dict[str, type[Any]] = {
    each.__name__: each
    for each in (
        faults.Respond,
        faults.Truncate,
        faults.Junk,
        faults.Slow,
        faults.Hang,
        faults.Drop,
        faults.Kill,
    )
}


def admin_routes(service: Service, scripted: Faults) -> list[Route]:
    """The routes, under a path that Azure does not have; they need no token."""

    def writes(_: Request) -> Response:
        found = [
            {
                "principal": each.principal,
                "method": each.method,
                "path": each.path,
                "body": each.body,
                "time": each.time.isoformat(),
                "correlation_id": each.correlation_id,
            }
            for each in service.journal.writes
        ]
        return JSONResponse(found)

    def requests(_: Request) -> Response:
        return JSONResponse(
            [
                {"kind": kind, "status": status, "count": count}
                for (kind, status), count in service.journal.answers.items()
            ]
        )

    def token(request: Request) -> Response:
        found = service.world.principals.get(request.path_params["principal"])
        if found is None:
            return JSONResponse({"error": "there is no such principal"}, 404)
        return JSONResponse({"token": service.tokens.issue(found)})

    async def add_fault(request: Request) -> Response:
        given = await request.json()
        try:
            action: Action = ACTIONS[given["action"]](**given.get("with", {}))
            scripted.add(given["method"], given["path"], action, given.get("calls"))
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"not a fault: {error}"}, 400)
        return JSONResponse({}, 201)

    def clear_faults(_: Request) -> Response:
        scripted.clear()
        return JSONResponse({})

    return [
        Route("/_stand_in/writes", writes),
        Route("/_stand_in/requests", requests),
        Route("/_stand_in/tokens/{principal}", token),
        Route("/_stand_in/faults", add_fault, methods=["POST"]),
        Route("/_stand_in/faults", clear_faults, methods=["DELETE"]),
    ]
