"""Azure Resource Graph: many subscriptions in few requests.

It leaves out what the caller may not read, says nothing of that, and lags behind what was written
by up to minutes. Source: Microsoft's "Guidance for throttled requests in Azure Resource Graph",
"Work with large Azure resource data sets".
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from dpor_provider.errors import Unavailable
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.connection import Connection
from dpor_provider.platforms.azure.errors import azure_errors

VERSION = "2022-10-01"
"""The first that knows `authorizationScopeFilter`."""

PAGE = 1000
"""Rows, the most that there may be."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResourceGraph:
    """Queries over everything that the caller may read."""

    connection: Connection

    def rows(self, query: str, doing: str, *, scope: str | None = None) -> Iterator[Row]:
        """All rows of a query, page by page.

        Args:
            query: It projects `id`, without which there are no pages, and orders by it.
            doing: What is being read, for messages.
            scope: Which role assignments count (`authorizationScopeFilter`).

        Raises:
            Unavailable: it cannot be read, or not to its end.
        """
        options = {"$top": PAGE, "resultFormat": "objectArray"}
        if scope is not None:
            options |= {"authorizationScopeFilter": scope}
        body: Row = {"query": query, "options": options}
        for page, headers in self._pages(body, doing):
            if headers.get("x-ms-tenant-subscription-limit-hit") == "true":
                break
            yield from page
        else:
            return
        # There are more than it looks at where nobody says which.
        for part in self._in_parts(doing):
            for page, _ in self._pages({**body, "subscriptions": part}, doing):
                yield from page

    def _pages(self, body: Row, doing: str) -> Iterator[tuple[list[Row], dict[str, str]]]:
        client = self.connection.client(
            extra.resourcegraph.ResourceGraphClient, api_version=VERSION
        )
        token: str | None = None
        while True:
            options = body["options"] | ({"$skipToken": token} if token else {})
            headers: dict[str, str] = {}
            with azure_errors(doing):
                answer = client.resources(
                    BytesIO(json.dumps({**body, "options": options}).encode()),
                    raw_response_hook=lambda raw, kept=headers: kept.update(
                        {name.lower(): value for name, value in raw.http_response.headers.items()}
                    ),
                )
                # A body that is null is read as None.
                rows: object = answer.data if answer else None
                token = answer.skip_token if answer else None
                truncated = bool(answer) and str(answer.result_truncated).lower() == "true"
            if not isinstance(rows, list) or (truncated and not token):
                raise Unavailable(
                    f"{doing}: Azure Resource Graph's answer is not whole; run it again"
                )
            yield rows, headers
            if not token:
                return
            _keep_to_the_quota(headers)

    def _in_parts(self, doing: str) -> Iterator[Sequence[str]]:
        client = self.connection.client(extra.subscriptions.SubscriptionClient)
        with azure_errors(doing):
            ids = [str(item.subscription_id) for item in client.subscriptions.list()]
        for start in range(0, len(ids), PAGE):
            yield ids[start : start + PAGE]


def _keep_to_the_quota(headers: dict[str, str]) -> None:
    """Wait where the next query would be refused: 15 in 5 seconds are a user's."""
    if headers.get("x-ms-user-quota-remaining") == "0":
        hours, minutes, seconds = headers.get("x-ms-user-quota-resets-after", "0:0:5").split(":")
        time.sleep(min(int(hours) * 3600 + int(minutes) * 60 + float(seconds), 60))
