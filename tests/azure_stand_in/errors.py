"""ARM's errors, with its codes and texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ArmError(Exception):
    """An answer with an error body.

    Args:
        status: The HTTP status.
        code: The error's code, which clients compare.
        message: What people read.
        details: Errors within the error.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: tuple[Mapping[str, Any], ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def bad_request(code: str, message: str) -> ArmError:
    """The request cannot be carried out as it is."""
    return ArmError(400, code, message)


def authorization_failed(name: str, object_id: str, action: str, scope: str) -> ArmError:
    """The caller holds no role with this action at this scope."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{name}' with object id '{object_id}' does not have authorization to perform "
        f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
    )


def unauthorized(code: str, message: str) -> ArmError:
    """There is no token, or none that is accepted."""
    challenge = (
        'Bearer authorization_uri="https://login.windows.net/", '
        f'error="invalid_token", error_description="{message}"'
    )
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def subscription_not_found(subscription_id: str) -> ArmError:
    """There is no such subscription, or no longer."""
    return ArmError(
        404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found."
    )


def too_many_requests(code: str, message: str, retry_after: int) -> ArmError:
    """A bucket is empty, for so many seconds."""
    return ArmError(429, code, message, headers={"Retry-After": str(retry_after)})
