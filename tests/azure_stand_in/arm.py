"""What every ARM request has in common: who calls, what it asks for, how it is answered."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import ArmError, bad_request, subscription_not_found
from .estate import Subscription
from .journal import Journal, Write
from .rbac import Authorizer, Caller
from .scopes import MANAGEMENT_GROUPS, subscription_of
from .throttling import Throttle
from .tokens import Tokens
from .world import World

VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


@dataclass(slots=True)
class Paging:
    """How many items a page of a list has."""

    size: int = 1000


@dataclass(frozen=True, slots=True)
class Service:
    """What handlers of requests share."""

    world: World
    tokens: Tokens
    authorizer: Authorizer
    throttle: Throttle
    journal: Journal
    paging: Paging


@dataclass(frozen=True, slots=True)
class Call:
    """One request to ARM, from a caller that is known."""

    service: Service
    caller: Caller
    method: str
    url: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    correlation_id: str

    @property
    def world(self) -> World:
        return self.service.world

    def require(self, action: str, scope: str, resource: str | None = None) -> None:
        """Refuse a caller who may not do this.

        Args:
            scope: Where it needs the permission.
            resource: What the error names, where that is not the scope.
        """
        self.service.authorizer.require(self.caller, action, scope, resource or scope)

    def subscription(self, subscription_id: str, *, write: bool = False) -> Subscription:
        """A subscription that the caller's token may be used for.

        Raises:
            ArmError: 404: there is none; 401: it is another tenant's; 409: it is read-only.
        """
        found = self.world.subscriptions.get(subscription_id)
        if found is None or found.state == "Deleted":
            raise subscription_not_found(subscription_id)
        self.service.authorizer.refuse_wrong_tenant(self.caller, found)
        if write and found.state == "Disabled":
            raise ArmError(
                409,
                "ReadOnlyDisabledSubscription",
                f"The subscription '{found.id}' is disabled and therefore marked as read only. You "
                "cannot perform any write actions on this subscription until it is re-enabled.",
            )
        return found

    def scope(self, *, write: bool = False) -> tuple[str, str]:
        """The scope in the path, once it is known to exist, and the tenant that it belongs to.

        A management group that does not exist is refused as one that may not be read, as ARM does.
        """
        scope = "/" + self.path.get("scope", "").strip("/")
        if subscription := subscription_of(scope):
            return scope, self.subscription(subscription, write=write).tenant_id
        if scope.lower().startswith(MANAGEMENT_GROUPS):
            group = self.world.management_groups.get(scope.rpartition("/")[2].lower())
            if group is None or group.tenant_id != self.caller.tenant_id:
                raise bad_request("InvalidScope", f"The scope '{scope}' is not valid.")
        elif scope != "/":
            raise bad_request("InvalidScope", f"The scope '{scope}' is not valid.")
        return scope, self.caller.tenant_id

    def page(self, items: Sequence[Any], render: Callable[[Any], Any]) -> dict[str, Any]:
        """One page of a list, with a link to the next one where there is more."""
        token = self.query.get("$skiptoken", "0")
        if not token.isdecimal():
            raise bad_request("InvalidSkipToken", f"The skip token '{token}' is not valid.")
        start = int(token)
        end = start + self.service.paging.size
        answer: dict[str, Any] = {"value": [render(item) for item in items[start:end]]}
        if end < len(items):
            query = {key: value for key, value in self.query.items() if key != "$skiptoken"}
            answer["nextLink"] = f"{self.url}?{urlencode({**query, '$skipToken': end})}"
        return answer

    def json_object(self) -> Mapping[str, Any]:
        """The request's body, which must be an object."""
        if not isinstance(self.body, dict):
            raise bad_request(
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: a JSON object is "
                "expected.",
            )
        return self.body

    def guid(self, name: str) -> str:
        """A part of the path that must be a GUID."""
        try:
            return str(uuid.UUID(self.path[name]))
        except ValueError:
            raise bad_request(
                "InvalidGuid", f"The value '{self.path[name]}' of '{name}' is not a GUID."
            ) from None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers.

    Attributes:
        effect: Whether a write changed anything, and so belongs in the journal.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] | None = None
    effect: bool = True


Handler = Callable[[Call], Answer]
READS = frozenset({"GET", "HEAD", "POST"})


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path, and the versions of the API in which there is one."""

    method: str
    path: str
    handler: Handler
    versions: Collection[str]

    @property
    def kind(self) -> str:
        return f"{self.method} {self.path}"


def arm_route(service: Service, path: str, operations: Sequence[Operation]) -> Route:
    """A route for all operations on a path; ARM compares paths without case."""
    by_method = {operation.method: operation for operation in operations}

    async def endpoint(request: Request) -> Response:
        content = await request.body()
        with service.world.lock:
            return _answer(service, by_method[request.method], request, content)

    route = Route(path, endpoint, methods=list(by_method))
    route.methods = set(by_method)
    route.path_regex = re.compile(route.path_regex.pattern, re.IGNORECASE)
    return route


def _answer(service: Service, operation: Operation, request: Request, content: bytes) -> Response:
    correlation = request.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
    headers = {
        "x-ms-request-id": str(uuid.uuid4()),
        "x-ms-correlation-request-id": correlation,
        "x-ms-routing-request-id": f"STANDIN:{uuid.uuid4()}",
        "cache-control": "no-cache",
    }
    if request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        headers["x-ms-client-request-id"] = request.headers.get("x-ms-client-request-id", "")
    try:
        call = _call(service, operation, request, content, correlation)
        if operation.method != "POST":
            subscription = subscription_of(request.url.path)
            headers |= service.throttle.request(call.caller.object_id, subscription, request.method)
        answer = operation.handler(call)
    except ArmError as error:
        service.journal.answers[operation.kind, error.status] += 1
        return JSONResponse(error.body, error.status, headers | error.headers)
    if operation.method not in READS and answer.effect:
        service.journal.writes.append(
            Write(
                call.caller.object_id,
                request.method,
                request.url.path,
                call.body,
                datetime.now(UTC),
                correlation,
            )
        )
    service.journal.answers[operation.kind, answer.status] += 1
    headers |= answer.headers or {}
    if answer.body is None:
        return Response(None, answer.status, headers)
    return JSONResponse(answer.body, answer.status, headers)


def _call(
    service: Service, operation: Operation, request: Request, content: bytes, correlation: str
) -> Call:
    caller = service.tokens.check(request.headers.get("authorization"))
    query = {key.lower(): value for key, value in request.query_params.items()}
    _check_version(operation, query.get("api-version"))
    try:
        body = json.loads(content) if content else None
    except ValueError as error:
        raise bad_request(
            "InvalidRequestContent",
            f"The request content was invalid and could not be deserialized: '{error}'.",
        ) from None
    url = str(request.url.replace(query=""))
    return Call(service, caller, request.method, url, request.path_params, query, body, correlation)


def _check_version(operation: Operation, version: str | None) -> None:
    if not version:
        raise bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version in operation.versions:
        return
    supported = ", ".join(sorted(operation.versions))
    if not VERSION.fullmatch(version):
        raise bad_request(
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are '{supported}'.",
        )
    raise bad_request(
        "NoRegisteredProviderFound",
        f"No registered resource provider found for API version '{version}'. The supported "
        f"api-versions are '{supported}'.",
    )


@lru_cache(maxsize=1024)
def timestamp(time: datetime) -> str:
    """A time as ARM writes it: seven digits of a second, UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
