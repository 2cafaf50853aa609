"""Where the keys come from: only from the issuer itself, kept for a while, and rotated."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st
from provenance.issuer import (
    AUDIENCE,
    DISCOVERY,
    JWKS,
    NOW,
    Issuer,
    encode,
    public_jwk,
    rsa_key,
    token,
)

from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.provenance import Trust
from dpor_provider.provenance.keys import Keys
from dpor_provider.provenance.token import verify

SHORT = 0.5
"""Seconds; how long a test waits for a server that never answers."""


def published(issuer: Issuer) -> bytes:
    return json.dumps({"keys": [public_jwk(issuer.keys["rsa-1"], "rsa-1")]}).encode()


Trick = Callable[[Issuer, Issuer], None]

TRICKS: dict[str, tuple[str, Trick]] = {
    "keys-that-are-no-json": ("could not be had", lambda i, a: i.serve(JWKS, b"<html>503</html>")),
    "keys-truncated": ("could not be had", lambda i, a: i.serve(JWKS, published(i)[:-9])),
    "keys-cut-off-by-the-connection": (
        "could not be had",
        lambda i, a: i.answers.update(
            {JWKS: lambda request: (200, {"Content-Length": "5000"}, published(i)[:200])}
        ),
    ),
    "keys-too-large": (
        "larger than 256 KiB",
        lambda i, a: i.serve(JWKS, published(i) + b" " * 300_000),
    ),
    "keys-a-list": ("could not be had", lambda i, a: i.serve(JWKS, b"[]")),
    "keys-under-no-name": ("publishes no key", lambda i, a: i.serve(JWKS, b"{}")),
    "keys-a-text": ("publishes no key", lambda i, a: i.serve(JWKS, b'{"keys": "rsa-1"}')),
    "keys-empty": ("publishes no key", lambda i, a: i.publish()),
    "keys-that-are-secrets": (
        "publishes no key",
        lambda i, a: i.publish({"kty": "oct", "kid": "rsa-1", "k": encode(b"s" * 32)}),
    ),
    "keys-of-junk": (
        "publishes no key",
        lambda i, a: i.serve(
            JWKS,
            b'{"keys": [1, null, [], {}, {"kty": "RSA"}, {"kty": [], "alg": []},'
            b' {"kty": "RSA", "n": 1, "e": {}}, {"kty": "EC", "crv": [], "x": "", "y": ""}]}',
        ),
    ),
    "keys-with-a-name-twice": (
        "could not be had",
        lambda i, a: i.serve(JWKS, b'{"keys": [], ' + published(i)[1:]),
    ),
    "keys-not-found": ("HTTP status 404", lambda i, a: i.serve(JWKS, b"", 404)),
    "keys-with-a-server-error": ("HTTP status 503", lambda i, a: i.serve(JWKS, b"", 503)),
    "keys-that-never-come": ("could not be had", lambda i, a: i.hang(JWKS)),
    "keys-that-drip": (
        "takes longer than",
        lambda i, a: i.serve(JWKS, b" " * 300, 200, Slow="yes"),
    ),
    "keys-redirected-to-another-host": (
        "HTTP status 302",
        lambda i, a: i.serve(JWKS, b"", 302, Location=a.url + JWKS),
    ),
    "discovery-redirected-to-another-host": (
        "HTTP status 307",
        lambda i, a: i.serve(DISCOVERY, b"", 307, Location=a.url + DISCOVERY),
    ),
    "discovery-of-another-issuer": ("another issuer", lambda i, a: i.describe(issuer=a.url)),
    "discovery-of-no-issuer": ("another issuer", lambda i, a: i.describe(issuer=None)),
    "keys-at-another-host": ("another place", lambda i, a: i.describe(jwks_uri=a.url + JWKS)),
    "keys-at-a-host-that-looks-alike": (
        "another place",
        lambda i, a: i.describe(jwks_uri=f"{i.url}@{a.url.removeprefix('http://')}{JWKS}"),
    ),
    "keys-in-a-file": ("another place", lambda i, a: i.describe(jwks_uri="file:///etc/passwd")),
    "keys-at-no-url": ("another place", lambda i, a: i.describe(jwks_uri=[a.url])),
    "keys-at-a-url-with-a-line-end": (
        "over https alone",
        lambda i, a: i.describe(jwks_uri=f"{i.url}/keys\r\nHost: evil"),
    ),
    "discovery-that-is-no-json": ("could not be had", lambda i, a: i.serve(DISCOVERY, b"\xff\0")),
    "discovery-nested-deeply": ("could not be had", lambda i, a: i.serve(DISCOVERY, b"[" * 99_999)),
}


@pytest.mark.parametrize(("said", "trick"), TRICKS.values(), ids=TRICKS)
def test_keys_that_are_not_the_issuers_own_count_for_nothing(
    issuer: Issuer, attacker: Issuer, trust: Trust, said: str, trick: Trick
) -> None:
    attacker.publish(public_jwk(rsa_key("attacker"), "rsa-1"))
    attacker.describe(issuer=issuer.url)
    trick(issuer, attacker)
    for key in (rsa_key("attacker"), issuer.keys["rsa-1"]):
        forged = token(issuer.header(), issuer.claims(), key)
        with pytest.raises(Unavailable) as refused:
            verify(forged, trust, now=NOW, keys=Keys(timeout=SHORT))
        assert said in str(refused.value)
        assert str(refused.value).isprintable()
    assert attacker.requests == []


def test_an_issuer_that_is_not_there_is_unavailable(issuer: Issuer, trust: Trust) -> None:
    text = issuer.issue()
    issuer.close()
    with pytest.raises(Unavailable, match="could not be had from 127"):
        verify(text, trust, now=NOW, keys=Keys())


def test_a_new_key_counts_without_a_restart(issuer: Issuer, trust: Trust) -> None:
    keys = Keys()
    assert verify(issuer.issue(), trust, now=NOW, keys=keys)
    issuer.keys["rsa-2"] = rsa_key("next")
    issuer.publish(*(public_jwk(issuer.keys[name], name) for name in ("rsa-1", "rsa-2")))
    assert verify(issuer.issue("rsa-2"), trust, now=NOW, keys=keys)
    assert verify(issuer.issue("rsa-1"), trust, now=NOW, keys=keys)


def test_a_withdrawn_key_counts_no_longer_than_keys_are_kept(issuer: Issuer, trust: Trust) -> None:
    kept, not_kept = Keys(), Keys(lifespan=1e-9)
    for keys in (kept, not_kept):
        assert verify(issuer.issue(), trust, now=NOW, keys=keys)
    issuer.keys["rsa-2"] = rsa_key("next")
    issuer.publish(public_jwk(issuer.keys["rsa-2"], "rsa-2"))
    with pytest.raises(Invalid, match="does not publish, or no longer"):
        verify(issuer.issue(), trust, now=NOW, keys=not_kept)
    assert verify(issuer.issue(), trust, now=NOW, keys=kept)
    assert verify(issuer.issue("rsa-2"), trust, now=NOW, keys=kept)
    with pytest.raises(Invalid, match="does not publish, or no longer"):
        verify(issuer.issue(), trust, now=NOW, keys=kept)


def test_keys_are_fetched_once_however_many_tokens_come(issuer: Issuer, trust: Trust) -> None:
    keys = Keys()
    for _ in range(5):
        assert verify(issuer.issue(), trust, now=NOW, keys=keys)
    assert issuer.key_requests() == 1


def test_unknown_keys_make_one_further_request_and_no_flood(issuer: Issuer, trust: Trust) -> None:
    keys = Keys(cooldown=3600)
    for number in range(20):
        forged = token(issuer.header(kid=f"unknown-{number}"), issuer.claims(), rsa_key("attacker"))
        with pytest.raises(Invalid, match="does not publish"):
            verify(forged, trust, now=NOW, keys=keys)
    assert issuer.key_requests() == 2


def test_known_keys_go_on_counting_while_the_issuer_is_down(issuer: Issuer, trust: Trust) -> None:
    keys = Keys()
    assert verify(issuer.issue(), trust, now=NOW, keys=keys)
    issuer.serve(JWKS, b"", 503)
    with pytest.raises(Unavailable, match="HTTP status 503"):
        verify(
            token(issuer.header(kid="rsa-9"), issuer.claims(), rsa_key("next")),
            trust,
            now=NOW,
            keys=keys,
        )
    assert verify(issuer.issue(), trust, now=NOW, keys=keys)


def test_the_keys_of_one_issuer_are_not_anothers(
    issuer: Issuer, attacker: Issuer, trust: Trust
) -> None:
    """Both are asked with the same `Keys`; a key counts for its own issuer alone."""
    keys = Keys()
    theirs = rsa_key("attacker")
    attacker.keys["theirs"] = theirs
    attacker.publish(public_jwk(theirs, "theirs"))
    other = Trust(issuer=attacker.url, audience=trust.audience)
    assert verify(attacker.issue("theirs"), other, now=NOW, keys=keys)
    forged = token(issuer.header(kid="theirs"), issuer.claims(), theirs)
    with pytest.raises(Invalid, match="does not publish"):
        verify(forged, trust, now=NOW, keys=keys)


def test_a_private_key_that_its_issuer_published_signs_nothing(
    issuer: Issuer, trust: Trust
) -> None:
    secret = rsa_key("ours").private_numbers().d
    issuer.publish(
        public_jwk(issuer.keys["rsa-1"], "rsa-1", d=encode(secret.to_bytes(256, "big"))),
        public_jwk(issuer.keys["ec-1"], "ec-1"),
    )
    with pytest.raises(Invalid, match="does not publish"):
        verify(issuer.issue(), trust, now=NOW, keys=Keys())
    assert verify(issuer.issue("ec-1"), trust, now=NOW, keys=Keys())


@pytest.fixture(scope="module")
def hostile() -> Iterator[Issuer]:
    """An issuer that publishes anything."""
    yield (made := Issuer())
    made.close()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just("AQAB"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)
KEY = st.fixed_dictionaries(
    {"kty": st.sampled_from(["RSA", "EC"]) | JUNK, "kid": st.just("rsa-1") | JUNK},
    optional=dict.fromkeys(("alg", "use", "crv", "n", "e", "x", "y", "p", "key_ops", "x5c"), JUNK),
)


@settings(max_examples=150, deadline=None)
@given(keys=st.lists(KEY, min_size=1, max_size=3))
def test_whatever_is_published_a_token_is_refused_in_one_line(
    hostile: Issuer, keys: list[dict[str, Any]]
) -> None:
    hostile.publish(*keys)
    trust = Trust(issuer=hostile.url, audience=AUDIENCE)
    with pytest.raises((Invalid, Unavailable)):
        verify(hostile.issue(), trust, now=NOW, keys=Keys())


def test_an_issuers_certificate_must_be_vouched_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    issuer = Issuer(context)
    try:
        trust = Trust(issuer=issuer.url, audience=AUDIENCE, repository_id="74")
        with pytest.raises(Unavailable, match="could not be had from localhost"):
            verify(issuer.issue(), trust, now=NOW, keys=Keys())
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        assert verify(issuer.issue(), trust, now=NOW, keys=Keys()).provenance.verified
    finally:
        issuer.close()
