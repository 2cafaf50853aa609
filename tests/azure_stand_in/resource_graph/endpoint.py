"""Microsoft.ResourceGraph/resources: one page of a query's result."""

from __future__ import annotations

import base64
import json
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from ..arm import Answer, Call, Operation
from ..errors import ArmError
from ..scopes import SUBSCRIPTIONS
from .language import Query, QueryError, Row, compile_query
from .tables import TABLE_COLUMNS, AuthorizationScope, Selection, Tables

VERSIONS = ("2019-04-01", "2021-03-01", "2022-10-01", "2024-04-01")
SCOPE_FILTER_SINCE = "2022-10-01"
MAX_TOP = 1000
MAX_SUBSCRIPTIONS = 10_000
REMEMBERED = 2
FORMATS = ("objectArray",)


@dataclass(frozen=True, slots=True)
class _Result:
    rows: list[Row]
    limit_hit: bool


class ResourceGraph:
    """Answers queries. The last results are kept until anything changes, for their next pages.

    Attributes:
        max_subscriptions: How many subscriptions a query reaches that names none.
    """

    def __init__(self) -> None:
        self.max_subscriptions = MAX_SUBSCRIPTIONS
        self._results: OrderedDict[Hashable, _Result] = OrderedDict()

    def operations(self) -> tuple[Operation, ...]:
        path = "/providers/Microsoft.ResourceGraph/resources"
        return (Operation("POST", path, self.query, VERSIONS),)

    def query(self, call: Call) -> Answer:
        """Run a query and answer one page."""
        headers = call.service.throttle.query(call.caller.object_id)
        body = call.json_object()
        options = body.get("options") or {}
        if not isinstance(options, dict):
            raise _bad_query(call, "InvalidOptions", "'options' is not an object.")
        query = self._compiled(call, body.get("query"))
        selection = _selection(call, body, options)
        first = _first(call, options)
        most = _most(call, options)
        result = self._result(call, query, selection)
        page = result.rows[first : first + most]
        end = first + len(page)
        more = end < len(result.rows)
        pageable = "id" in query.columns and not query.limited
        answer: dict[str, Any] = {
            "totalRecords": len(result.rows),
            "count": len(page),
            "data": page,
            "facets": [],
            "resultTruncated": "true" if more and not pageable else "false",
        }
        if more and pageable:
            answer["$skipToken"] = _token(end, str(body["query"]))
        if result.limit_hit:
            headers |= {"x-ms-tenant-subscription-limit-hit": "true"}
        return Answer(answer, headers=headers)

    def _compiled(self, call: Call, source: object) -> Query:
        if not isinstance(source, str) or not source.strip():
            raise _bad_query(call, "InvalidQuery", "The query is empty.")
        try:
            return compile_query(source, TABLE_COLUMNS)
        except QueryError as error:
            at = {"line": error.line, "characterPositionInLine": error.column}
            raise _bad_query(
                call,
                "InvalidQuery",
                "Query is invalid. Please refer to the documentation for the Azure Resource Graph "
                "service and fix the error before retrying.",
                {"code": error.code, "message": str(error), **at},
            ) from None

    def _result(self, call: Call, query: Query, selection: Selection) -> _Result:
        seen = call.world.graph.read()
        caller = call.caller
        permissions = call.world.role_assignments_seen.current().version
        source = str(call.json_object()["query"])
        key = (
            caller,
            source,
            selection,
            self.max_subscriptions,
            seen,
            permissions,
            call.world.directory_version,
        )
        if key in self._results:
            self._results.move_to_end(key)
            return self._results[key]
        tables = Tables(
            call.world, call.service.authorizer, caller, selection, self.max_subscriptions
        )
        if selection.subscriptions is not None and not tables.subscriptions:
            raise _bad_query(
                call,
                "NoValidSubscriptionsInQueryRequest",
                "There are no valid subscriptions requested for querying resources.",
            )
        result = _Result(query.run(tables.rows(query.table)), tables.limit_hit)
        self._results[key] = result
        while len(self._results) > REMEMBERED:
            self._results.popitem(last=False)
        return result


def _selection(call: Call, body: Mapping[str, Any], options: Mapping[str, Any]) -> Selection:
    scope: Any = "AtScopeAndBelow"
    if call.query["api-version"] >= SCOPE_FILTER_SINCE:
        scope = options.get("authorizationScopeFilter") or scope
    if scope not in get_args(AuthorizationScope):
        raise _bad_query(call, "InvalidOptions", f"authorizationScopeFilter '{scope}' is unknown.")
    return Selection(
        subscriptions=_names(call, body, "subscriptions", SUBSCRIPTIONS),
        management_groups=_names(call, body, "managementGroups", ""),
        scope=scope,
    )


def _names(call: Call, body: Mapping[str, Any], key: str, prefix: str) -> frozenset[str] | None:
    given = body.get(key)
    if given is None or given == []:
        return None
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise _bad_query(call, "InvalidRequest", f"'{key}' is not a list of strings.")
    return frozenset(each.lower().removeprefix(prefix) for each in given)


def _most(call: Call, options: Mapping[str, Any]) -> int:
    top = options.get("$top", MAX_TOP)
    if not isinstance(top, int) or isinstance(top, bool) or not 1 <= top <= MAX_TOP:
        raise _bad_query(call, "InvalidOptions", f"$top '{top}' is not between 1 and {MAX_TOP}.")
    wanted = options.get("resultFormat", "table" if call.query["api-version"] < "2021" else None)
    if wanted not in (None, *FORMATS):
        raise _bad_query(
            call, "InvalidOptions", f"The stand-in speaks no result format but {FORMATS[0]}."
        )
    return top


def _first(call: Call, options: Mapping[str, Any]) -> int:
    token = options.get("$skipToken")
    if token is None:
        skip = options.get("$skip", 0)
        if not isinstance(skip, int) or isinstance(skip, bool) or skip < 0:
            raise _bad_query(call, "InvalidOptions", f"$skip '{skip}' is not a number of rows.")
        return skip
    try:
        match json.loads(base64.urlsafe_b64decode(token)):
            case [int(end), query] if query == call.json_object()["query"]:
                return end
    except (ValueError, TypeError):
        pass
    raise _bad_query(call, "InvalidSkipToken", "The skip token is not one for this query.")


def _token(end: int, query: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([end, query]).encode()).decode()


def _bad_query(call: Call, code: str, message: str, *inner: Mapping[str, Any]) -> ArmError:
    """Resource Graph's errors say nothing but the time; what is wrong is in their details."""
    now = datetime.now(UTC).isoformat()
    return ArmError(
        400,
        "BadRequest",
        "Please provide below info when asking for support: "
        f"timestamp = {now}, correlationId = {call.correlation_id}.",
        details=({"code": code, "message": message}, *inner),
    )
