"""What goes wrong with Azure, in one line: what was done, what Azure said, what to do next."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from dpor_provider.errors import Conflict, DporError, Gone, Invalid, Refused, Unavailable
from dpor_provider.printable import line

LONGEST = 600
"""Characters of what Azure says that are repeated."""

CORRELATION = "x-ms-correlation-request-id"
"""The header by which Azure's support and activity log find a request."""

KINDS: dict[int, tuple[type[DporError], str]] = {
    400: (Invalid, ""),
    401: (Unavailable, "; sign in anew with az login, or see that the job's identity is valid"),
    403: (Refused, "; docs/azure.md lists the permissions that each task needs"),
    404: (Unavailable, ""),
    409: (Conflict, "; run it again"),
    412: (Conflict, "; run it again"),
    429: (Unavailable, "; Azure's limits stay exhausted, try again in some minutes"),
}

GONE = frozenset(
    {"SubscriptionNotFound", "InvalidAuthenticationTokenTenant", "ReadOnlyDisabledSubscription"}
)
"""Azure's codes for a subscription that was deleted, moved to another tenant, or cancelled."""


@contextlib.contextmanager
def azure_errors(doing: str) -> Iterator[None]:
    """Turn what Microsoft's clients raise into this package's errors.

    Args:
        doing: What is being done, to begin the sentence: "reading the tags of subscription …".

    Raises:
        Invalid: Azure does not accept what was sent.
        Refused: the principal lacks a permission; nothing was written.
        Conflict: something changed meanwhile.
        Gone: the subscription was deleted, moved to another tenant, or cancelled.
        Unavailable: Azure cannot be reached, does not know the principal or the thing, or answers
            what cannot be read.
    """
    try:
        yield
    except IncompleteReadError as error:
        raise Unavailable(
            f"{doing}: Azure's answer did not arrive whole; run it again, which repeats nothing"
        ) from error
    except (DecodeError, DeserializationError) as error:
        raise Unavailable(
            f"{doing}: the answer is none of Azure Resource Manager's; see whether a proxy answers"
            " in its place"
        ) from error
    except HttpResponseError as error:
        if isinstance(error, ClientAuthenticationError) and not _by_resource_manager(error):
            raise Unavailable(
                f"{doing}: there is no Azure sign-in that works here; run az login, or give the job"
                f" an identity (docs/azure.md): {_first_line(error)}"
            ) from error
        if _code(error) in GONE:
            raise Gone(f"{doing}: {_said(error)}{_correlation(error)}") from error
        kind, advice = KINDS.get(error.status_code or 0, (Unavailable, "; try again"))
        raise kind(f"{doing}: {_said(error)}{advice}{_correlation(error)}") from error
    except ServiceRequestError as error:
        raise Unavailable(
            f"{doing}: Azure cannot be reached: {_first_line(error)}; see the network and its proxy"
        ) from error
    except ServiceResponseError as error:
        raise Unavailable(
            f"{doing}: Azure's answer did not arrive: {_first_line(error)}; run it again, which"
            " repeats nothing"
        ) from error
    except AzureError as error:
        raise Unavailable(f"{doing}: {_first_line(error)}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if not _within_a_client(error):
            raise
        raise Unavailable(
            f"{doing}: the answer is none of Azure Resource Manager's; see whether a proxy answers"
            " in its place"
        ) from error


def _within_a_client(error: BaseException) -> bool:
    """Whether Microsoft's code stumbled over an answer, and not ours over itself."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    name = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return name.split(".")[0] in ("azure", "json", "isodate", "requests")


def _by_resource_manager(error: HttpResponseError) -> bool:
    """Whether a request of ours was refused, rather than that no token could be had for it."""
    return CORRELATION in (getattr(error.response, "headers", None) or {})


def _code(error: HttpResponseError) -> str | None:
    return getattr(error.error, "code", None)


def _said(error: HttpResponseError) -> str:
    code = _code(error)
    message = getattr(error.error, "message", None)
    if not code and not message:
        return f"Azure answered {error.status_code} {line(error.reason or '')}".rstrip()
    said = line(" ".join(str(message or "").split()))[:LONGEST].rstrip(". ")
    return f"{said} ({line(str(code))})" if code else said


def _correlation(error: HttpResponseError) -> str:
    headers = getattr(error.response, "headers", None) or {}
    found = headers.get(CORRELATION)
    return f" [correlation id {line(found)}]" if found else ""


def _first_line(error: BaseException) -> str:
    return line(str(error).strip().partition("\n")[0])[:LONGEST].rstrip(". ")
