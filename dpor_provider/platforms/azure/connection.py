"""The connection to Azure Resource Manager: endpoint, sign-in, retries, and a name for the run.

`DPOR_AZURE_ENDPOINT` and `DPOR_AZURE_TOKEN` let a test server stand in, on loopback. All else are
azure-core's and azure-identity's own settings: `AZURE_SDK_CLOUD_CONF` chooses a sovereign cloud,
`AZURE_AUTHORITY_HOST`, `AZURE_TENANT_ID`, … how to sign in, `HTTPS_PROXY` a proxy.
"""

from __future__ import annotations

import ipaddress
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import urlsplit

from azure.core import AzureClouds
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    HeadersPolicy,
    RetryPolicy,
    SansIOHTTPPolicy,
)
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.core.settings import settings
from azure.mgmt.core.tools import get_arm_endpoints

from dpor_provider.errors import Invalid
from dpor_provider.platforms.azure import extra
from dpor_provider.platforms.azure.errors import CORRELATION, azure_errors
from dpor_provider.platforms.azure.identity import Identity, read_identity

Client = TypeVar("Client")

ENDPOINT, TOKEN = "DPOR_AZURE_ENDPOINT", "DPOR_AZURE_TOKEN"

CONNECT_S, READ_S = 10, 60
"""How long Azure may take to take a request, and to go on with its answer."""

EXPIRING_S = 300
"""How long before its end a token is replaced, as azure-core does."""

ATTEMPTS = 10
LONGEST_WAIT_S = 120
CALL_S = 600
"""How long one call may go on being repeated."""

METHODS = frozenset({"GET", "PUT", "PATCH", "DELETE", "POST"})
"""What may be repeated: every write of ours is the same when it is made twice (labels are merged,
assignments have names of their own), and Resource Graph's POST is a query. azure-core alone repeats
no PATCH that is answered 429 without Retry-After."""

AUTHORITIES = {
    AzureClouds.AZURE_CHINA_CLOUD: "login.chinacloudapi.cn",
    AzureClouds.AZURE_US_GOVERNMENT: "login.microsoftonline.us",
}
"""Where to sign in to a sovereign cloud (azure-identity's `AzureAuthorityHosts`)."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One principal's way to Azure Resource Manager; safe for several threads."""

    endpoint: str
    audience: str
    """The scope of the token (OAuth 2.0): whom it is for."""
    credential: TokenCredential = field(repr=False)
    transport: HttpTransport[Any, Any] = field(repr=False)
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Sent with every request, so that Azure's activity log tells one run from another."""

    def client(self, kind: Callable[..., Client], *arguments: str, **options: str) -> Client:
        """An official client on this connection.

        Args:
            kind: Its class.
            arguments: What it takes after the credential: a subscription's id, or nothing.
            options: What it takes by name, as `api_version`.
        """
        return kind(
            self.credential,
            *arguments,
            base_url=self.endpoint,
            credential_scopes=[self.audience],
            transport=_Shared(self.transport),
            retry_policy=_Retries(
                retry_total=ATTEMPTS,
                retry_status=ATTEMPTS,
                retry_connect=3,
                retry_read=3,
                timeout=CALL_S,
            ),
            headers_policy=HeadersPolicy({CORRELATION: self.correlation_id}),
            per_call_policies=[_Options(self.endpoint.startswith("http:"))],
            user_agent=f"dpor-provider/{version('dpor-provider')}",
            **options,
        )

    def identity(self) -> Identity:
        """Who Azure takes this process for.

        Raises:
            Unavailable: there is no sign-in that works.
        """
        with azure_errors("signing in to Azure"):
            token = self.credential.get_token(self.audience).token
        return read_identity(token)


def connect(environ: Mapping[str, str]) -> Connection:
    """A connection by what the environment says; nothing is sent yet.

    Raises:
        Invalid: the environment names an endpoint that no token may be sent to.
        Unavailable: the extra `azure` is not installed.
    """
    endpoint, token = environ.get(ENDPOINT), environ.get(TOKEN)
    loopback = endpoint is not None and _on_loopback(endpoint)
    if token and not loopback:
        raise Invalid(
            f"{TOKEN} is for a test server on this machine alone; take it away, or let {ENDPOINT}"
            " name one, such as http://127.0.0.1:8080"
        )
    try:
        cloud = settings.azure_cloud()
    except ValueError:
        raise Invalid(
            "AZURE_SDK_CLOUD_CONF names no cloud; it is one of"
            f" {', '.join(known.name for known in AzureClouds)}"
        ) from None
    arm = get_arm_endpoints(cloud)
    credential: TokenCredential
    if token:
        credential = _Given(token)
    else:
        if endpoint and not endpoint.startswith("https:"):
            raise Invalid(f"{ENDPOINT} over plain http takes a {TOKEN}: a real one is not sent so")
        authority = environ.get("AZURE_AUTHORITY_HOST") or AUTHORITIES.get(cloud)
        more = {"authority": authority} if authority else {}
        # What it says of each way to sign in is for who turns logging on; the error is one line.
        logging.getLogger("azure.identity").addHandler(logging.NullHandler())
        credential = _Kept(extra.identity.DefaultAzureCredential(**more))
    return Connection(
        endpoint=(endpoint or str(arm["resource_manager"])).rstrip("/"),
        audience=str(arm["credential_scopes"][0]),
        credential=credential,
        # Nothing on this machine is behind a proxy.
        transport=RequestsTransport(
            connection_timeout=CONNECT_S, read_timeout=READ_S, use_env_settings=not loopback
        ),
    )


def _on_loopback(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    del port
    if parts.scheme not in ("http", "https") or not host or parts.query or "@" in parts.netloc:
        raise Invalid(
            f"{ENDPOINT} is no URL of Azure Resource Manager, such as https://management.azure.com"
        )
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if parts.scheme == "http" and not loopback:
        raise Invalid(f"{ENDPOINT} must be an https URL: a token is not sent over plain http")
    return loopback


class _Given:
    """The token that a test server gave."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)


class _Kept:
    """One sign-in for all clients and threads: the Azure CLI takes a second for each."""

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential
        self._lock = threading.Lock()
        self._token: AccessToken | None = None

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        with self._lock:
            # A challenge for more (claims) is one that the token at hand does not meet.
            if (
                options.get("claims")
                or self._token is None
                or self._token.expires_on - time.time() < EXPIRING_S
            ):
                self._token = self._credential.get_token(*scopes, **options)
            return self._token


class _Options(SansIOHTTPPolicy[Any, Any]):
    """What azure-core takes with each call only."""

    def __init__(self, plain_http: bool) -> None:
        super().__init__()
        self._plain_http = plain_http

    def on_request(self, request: PipelineRequest[Any]) -> None:
        options = request.context.options
        options.setdefault("retry_on_methods", METHODS)
        if self._plain_http:
            options["enforce_https"] = False


class _Retries(RetryPolicy[Any, Any]):
    """azure-core's, with jitter: those who were told to wait as long do not come back at once."""

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        waited = max(super().get_backoff_time(settings), float(self.backoff_factor))
        return min(waited, LONGEST_WAIT_S) * random.uniform(0.5, 1.0)  # noqa: S311  no secret

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        try:
            wanted = super().get_retry_after(response)
        except (TypeError, ValueError):
            return None
        if not wanted:
            return None
        return min(wanted, LONGEST_WAIT_S) + random.uniform(0, 1)  # noqa: S311  no secret


class _Shared(HttpTransport[Any, Any]):
    """A transport that one of its clients does not close for the others."""

    def __init__(self, transport: HttpTransport[Any, Any]) -> None:
        self._transport = transport

    def send(self, request: Any, **options: Any) -> Any:
        return self._transport.send(request, **options)

    def open(self) -> None:
        self._transport.open()

    def close(self) -> None:
        pass

    def __enter__(self) -> _Shared:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
