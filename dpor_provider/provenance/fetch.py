"""Small JSON documents over HTTPS, with a bound on everything."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from dpor_provider.errors import Unavailable
from dpor_provider.provenance.trust import LOOPBACK

LARGEST = 256 * 1024
"""Bytes; more than any issuer's keys take."""

TIMEOUT = 10.0
"""Seconds that a server may be silent, and that it may take to send a document."""

SAFE = re.compile(rf"(?:https://[A-Za-z0-9.-]+|{LOOPBACK})(?::[0-9]+)?(?:[/?][!-~]*)?", re.ASCII)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *arguments: object, **options: object) -> None:
        """Make of a redirect the error that any other answer than 200 is."""


def fetch(
    url: str, what: str, headers: Mapping[str, str] | None = None, timeout: float = TIMEOUT
) -> dict[str, Any]:
    """Get a JSON object.

    Args:
        url: Where it is: https, or http on this very machine.
        what: What it is, for the error.
        headers: What the request carries, and no error repeats.
        timeout: Seconds, for a silence and for the document.

    Raises:
        Unavailable: it could not be had, or is no JSON object.
    """
    if not SAFE.fullmatch(url):
        raise Unavailable(f"{what} is to be had over https alone, and its URL is another")
    place = urlsplit(url).netloc
    deadline = time.monotonic() + timeout
    body = b""
    request = Request(url, headers=dict(headers or {}))  # noqa: S310 - its scheme is checked above
    try:
        with build_opener(_NoRedirect).open(request, timeout=timeout) as response:
            while part := response.read1(LARGEST):
                body += part
                if len(body) > LARGEST or time.monotonic() > deadline:
                    raise Unavailable(
                        f"{what} at {place} is larger than {LARGEST // 1024} KiB, or takes longer"
                        f" than {timeout:g} seconds"
                    )
        return parse_object(body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # The error's own text may repeat a header, or what an impostor sent.
        why = type(error).__name__
        if isinstance(error, HTTPError):
            why = f"HTTP status {error.code}"
            error.close()
        raise Unavailable(
            f"{what} could not be had from {place} ({why}); try again, or see that this machine"
            " may reach it"
        ) from None


def parse_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object (RFC 8259) in which no name stands twice.

    Raises:
        ValueError: it is none.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")
