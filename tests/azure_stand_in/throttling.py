"""Token buckets of ARM and the query quota of Resource Graph; off unless a test switches them on.

Source: Request limits and throttling (ARM); Guidance for throttled requests (Resource Graph).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

from .errors import too_many_requests

Kind = Literal["reads", "writes", "deletes"]
KINDS: dict[str, Kind] = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket's size, and how much of it comes back in a second."""

    size: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Throttling:
    """What is allowed for one principal, per subscription and for the tenant.

    Attributes:
        together: Whether all subscriptions share one bucket, which is harder than Azure is.
    """

    reads: Bucket = Bucket(250, 25)
    writes: Bucket = Bucket(200, 10)
    deletes: Bucket = Bucket(200, 10)
    together: bool = False


@dataclass(frozen=True, slots=True)
class QueryQuota:
    """What Resource Graph allows one principal: so many queries in so many seconds."""

    queries: int = 15
    seconds: float = 5.0


@dataclass(slots=True)
class _Level:
    left: float
    time: float


class Throttle:
    """Counts requests, and refuses what is too much.

    Attributes:
        throttling: None for no limit.
        quota: None for no limit.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.throttling: Throttling | None = None
        self.quota: QueryQuota | None = None
        self._clock = clock
        self._levels: dict[Hashable, _Level] = {}
        self._windows: dict[str, tuple[float, int]] = {}

    def request(self, principal: str, subscription: str, method: str) -> dict[str, str]:
        """Count a request to ARM.

        Returns:
            The headers that say what is left.

        Raises:
            ArmError: 429, with the seconds to wait in Retry-After.
        """
        if self.throttling is None:
            return {}
        kind = KINDS.get(method, "writes")
        bucket: Bucket = getattr(self.throttling, kind)
        now = self._clock()
        counted = "" if self.throttling.together else subscription
        level = self._levels.setdefault((principal, counted, kind), _Level(bucket.size, now))
        level.left = min(bucket.size, level.left + (now - level.time) * bucket.per_second)
        level.time = now
        if level.left < 1:
            wait = math.ceil((1 - level.left) / bucket.per_second)
            what = f"subscription '{subscription}'" if subscription else "the tenant"
            raise too_many_requests(
                "SubscriptionRequestsThrottled" if subscription else "TenantRequestsThrottled",
                f"Number of '{kind.removesuffix('s')}' requests for {what} actor '{principal}' "
                f"exceeded. Please try again after '{wait}' seconds after additional tokens are "
                "available.",
                wait,
            )
        level.left -= 1
        name = "subscription" if subscription else "tenant"
        return {f"x-ms-ratelimit-remaining-{name}-{kind}": str(int(level.left))}

    def query(self, principal: str) -> dict[str, str]:
        """Count a query to Resource Graph.

        Returns:
            The headers that say what is left.

        Raises:
            ArmError: 429, with the same headers.
        """
        if self.quota is None:
            return {"x-ms-user-quota-remaining": "15", "x-ms-user-quota-resets-after": "00:00:05"}
        now = self._clock()
        began, used = self._windows.get(principal, (now, 0))
        if now - began >= self.quota.seconds:
            began, used = now, 0
        wait = math.ceil(began + self.quota.seconds - now)
        resets = time.strftime("%H:%M:%S", time.gmtime(wait))
        if used >= self.quota.queries:
            error = too_many_requests(
                "RateLimiting",
                "Client application has been throttled and should not attempt to repeat the "
                "request until an amount of time has elapsed. Please see "
                "https://aka.ms/resourcegraph-throttling for help.",
                wait,
            )
            error.headers |= {
                "x-ms-user-quota-remaining": "0",
                "x-ms-user-quota-resets-after": resets,
            }
            raise error
        self._windows[principal] = began, used + 1
        return {
            "x-ms-user-quota-remaining": str(self.quota.queries - used - 1),
            "x-ms-user-quota-resets-after": resets,
        }
