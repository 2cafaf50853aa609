"""Where tokens come from: managed identities, Entra ID's token endpoint, and ARM's metadata.

Source: How to use managed identities on a virtual machine and on App Service; OAuth 2.0 client
credentials flow on the Microsoft identity platform.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .arm import Service
from .estate import ManagedIdentity, ServicePrincipal
from .tokens import LIFETIME

IDENTITY_HEADER = "stand-in"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(slots=True)
class Hosts:
    """What hands out tokens.

    Attributes:
        identity: The object id of the host's own identity; by default the first there is.
        lifetime: Seconds for which the tokens hold.
    """

    identity: str | None = None
    lifetime: float = LIFETIME


def identity_routes(service: Service, hosts: Hosts) -> list[Route]:
    """The routes, which need no token."""

    def managed_identity(request: Request) -> Response:
        headers = request.headers
        trusted = (
            headers.get("metadata") == "true"
            if is_imds(request)
            else (headers.get("x-identity-header") == IDENTITY_HEADER)
        )
        if not trusted:
            return _refused(400, "invalid_request", "Required metadata header not specified")
        wanted = {
            key: request.query_params[key]
            for key in ("client_id", "object_id", "principal_id", "mi_res_id")
            if key in request.query_params
        }
        found = _identity(service, hosts, wanted)
        if found is None:
            return _refused(400, "invalid_request", "Identity not found")
        resource = request.query_params.get("resource", "")
        token = service.tokens.issue(found, audience=resource, lifetime=hosts.lifetime)
        service.journal.answers["GET managed identity token", 200] += 1
        return JSONResponse(
            {
                "access_token": token,
                "client_id": found.application_id,
                "expires_in": str(int(hosts.lifetime)),
                "expires_on": str(int(time.time() + hosts.lifetime)),
                "not_before": str(int(time.time())),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    async def sign_in(request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        found = next(
            (
                each
                for each in service.world.principals.values()
                if isinstance(each, ServicePrincipal)
                and each.application_id == form.get("client_id")
                and each.tenant_id == request.path_params["tenant"]
            ),
            None,
        )
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "AADSTS70003: unsupported grant type.")
        if found is None:
            return _refused(
                400, "unauthorized_client", "AADSTS700016: the application was not found."
            )
        if not _is_proved(found, form):
            return _refused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        audience = form.get("scope", "").removesuffix("/.default")
        token = service.tokens.issue(found, audience=audience, lifetime=hosts.lifetime)
        service.journal.answers["POST token", 200] += 1
        return JSONResponse(
            {
                "access_token": token,
                "expires_in": int(hosts.lifetime),
                "ext_expires_in": int(hosts.lifetime),
                "token_type": "Bearer",
            }
        )

    return [
        Route("/metadata/identity/oauth2/token", managed_identity),
        Route("/msi/token", managed_identity),
        Route("/{tenant}/oauth2/v2.0/token", sign_in, methods=["POST"]),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", _openid_configuration),
        Route("/metadata/endpoints", _endpoints),
    ]


def is_imds(request: Request) -> bool:
    """Whether a virtual machine's endpoint is asked, rather than App Service's."""
    return request.url.path.startswith("/metadata/")


def _identity(service: Service, hosts: Hosts, wanted: dict[str, str]) -> ManagedIdentity | None:
    by: dict[str, Callable[[ManagedIdentity], str | None]] = {
        "client_id": lambda each: each.application_id,
        "object_id": lambda each: each.id,
        "principal_id": lambda each: each.id,
        "mi_res_id": lambda each: each.resource_id,
    }
    for each in service.world.principals.values():
        if not isinstance(each, ManagedIdentity):
            continue
        if wanted and all(by[key](each) == value for key, value in wanted.items()):
            return each
        if not wanted and hosts.identity in (None, each.id):
            return each
    return None


def _is_proved(principal: ServicePrincipal, form: dict[str, str]) -> bool:
    """Whether the secret is right, or the other issuer's token is for the trusted subject.

    That token's signature is not checked: its issuer's keys are not here.
    """
    if principal.secret is not None and form.get("client_secret") == principal.secret:
        return True
    if principal.federated_subject is None or form.get("client_assertion_type") != ASSERTION_TYPE:
        return False
    try:
        claims = jwt.decode(form.get("client_assertion", ""), options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return False
    return claims.get("sub") == principal.federated_subject


def _openid_configuration(request: Request) -> Response:
    base = f"{request.base_url}{request.path_params['tenant']}"
    return JSONResponse(
        {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        }
    )


def _endpoints(request: Request) -> Response:
    """What `az cloud register` asks for."""
    base = str(request.base_url).rstrip("/")
    body: dict[str, Any] = {
        "name": "StandIn",
        "portal": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graphAudience": base,
        "graph": base,
        "microsoftGraphResourceId": base,
        "resourceManager": base,
        "gallery": base,
        "batch": base,
        "media": base,
        "sqlManagement": base,
        "vmImageAliasDoc": base,
        "activeDirectoryDataLake": base,
        "suffixes": {
            "acrLoginServer": "azurecr.standin",
            "keyVaultDns": "vault.standin",
            "storage": "core.standin",
            "sqlServerHostname": "database.standin",
        },
    }
    return JSONResponse(body)


def _refused(status: int, code: str, description: str) -> Response:
    return JSONResponse({"error": code, "error_description": description}, status)
