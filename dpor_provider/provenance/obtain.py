"""Where a pipeline gets an OIDC token of its own.

Sources: GitHub's "OpenID Connect reference" (methods for requesting the OIDC token); GitLab's
"OpenID Connect (OIDC) authentication using ID tokens", which hands tokens over in variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from dpor_provider.errors import Unavailable
from dpor_provider.provenance.fetch import fetch

VARIABLE = "DPOR_OIDC_TOKEN"
"""The environment variable that holds a token, where the pipeline hands tokens over that way."""


def obtain(environ: Mapping[str, str], audience: str) -> str | None:
    """A token for this audience, from the environment or from GitHub; None where neither has one.

    It is a secret until it expires: it is neither to be logged nor kept.

    Raises:
        Unavailable: GitHub offers one, and it could not be had.
    """
    if token := environ.get(VARIABLE):
        return token
    url = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    bearer = environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not bearer:
        return None
    answer = fetch(
        f"{url}{'&' if '?' in url else '?'}audience={quote(audience, safe='')}",
        "the job's OIDC token",
        {"Authorization": f"bearer {bearer}"},
    )
    token = answer.get("value")
    if not isinstance(token, str) or not token:
        raise Unavailable("GitHub's answer has no OIDC token in it; run the job again")
    return token
