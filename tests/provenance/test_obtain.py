"""Where a pipeline's token comes from, and where its secrets never go."""

from __future__ import annotations

import logging
import traceback

import pytest
from provenance.issuer import Answer, Issuer

from dpor_provider.errors import Unavailable
from dpor_provider.provenance.obtain import obtain

BEARER = "s3cret-bearer"


def github(server: Issuer, url: str | None = None) -> dict[str, str]:
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": url or f"{server.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
    }


def test_github_is_asked_for_the_audience_with_the_jobs_own_secret(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = []

    def answer(headers: dict[str, str]) -> Answer:
        seen.append(headers["Authorization"])
        return 200, {}, b'{"value": "a.b.c"}'

    issuer.answers["/token"] = answer
    assert obtain(github(issuer), "dpor registry/&x=1") == "a.b.c"
    assert issuer.requests == ["/token?api-version=2.0&audience=dpor%20registry%2F%26x%3D1"]
    assert seen == [f"bearer {BEARER}"]
    assert obtain(github(issuer, f"{issuer.url}/token"), "dpor") == "a.b.c"
    assert issuer.requests[1:] == ["/token?audience=dpor"]
    assert BEARER not in caplog.text
    assert "a.b.c" not in caplog.text


def test_a_token_in_the_environment_is_taken_as_it_is(issuer: Issuer) -> None:
    assert obtain({"DPOR_OIDC_TOKEN": "a.b.c", **github(issuer)}, "dpor") == "a.b.c"
    assert issuer.requests == []


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"DPOR_OIDC_TOKEN": ""},
        {"GITHUB_ACTIONS": "true"},
        {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com"},
        {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER},
    ],
    ids=str,
)
def test_elsewhere_there_is_none(environ: dict[str, str]) -> None:
    assert obtain(environ, "dpor") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/token",
        "http://127.0.0.1.evil.example/token",
        "http://127.0.0.1@evil.example/token",
        "https://user:pass@evil.example/token",
        "file:///etc/passwd",
        "ftp://127.0.0.1/token",
        "//evil.example",
        "https://evil.example/\r\nX: y",
        "nonsense",
    ],
)
def test_the_secret_goes_over_https_alone(url: str, issuer: Issuer) -> None:
    with pytest.raises(Unavailable, match="over https alone") as refused:
        obtain(github(issuer, url), "dpor")
    assert BEARER not in "".join(traceback.format_exception(refused.value))


def test_the_secret_is_not_sent_on_to_where_a_redirect_points(
    issuer: Issuer, attacker: Issuer
) -> None:
    issuer.serve("/token", b"", 302, Location=f"{attacker.url}/token")
    with pytest.raises(Unavailable, match="HTTP status 302"):
        obtain(github(issuer), "dpor")
    assert attacker.requests == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, BEARER.encode()),
        (403, b'{"message": "no"}'),
        (200, b"<html>"),
        (200, b"{}"),
        (200, b'{"value": null}'),
        (200, b'{"value": ["a.b.c"]}'),
        (200, b'{"value": ""}'),
    ],
)
def test_an_answer_without_a_token_is_told_in_one_line(
    issuer: Issuer, status: int, body: bytes
) -> None:
    issuer.serve("/token", body, status)
    with pytest.raises(Unavailable) as refused:
        obtain(github(issuer), "dpor")
    assert str(refused.value).isprintable()
    assert BEARER not in "".join(traceback.format_exception(refused.value))
