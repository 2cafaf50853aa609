"""An issuer of OIDC tokens: a server on loopback with discovery and keys, and what forgers do.

Tokens are put together here from bytes, without the library that the project verifies them with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AUDIENCE = "dpor-registry"
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/keys"
FOREVER = threading.Event()
"""Never set: what waits for it hangs, until the test's process ends."""

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of this name; made once."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """The key of this name on a curve; made once."""
    del name
    return ec.generate_private_key(curve())


def encode(data: bytes | dict[str, Any]) -> str:
    """A part of a token."""
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode(part: str) -> bytes:
    """What a part of a token says."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def sign(key: Key, text: bytes, digest: type[SHA256] | type[SHA512] = SHA256) -> bytes:
    """A signature as in RFC 7518: RSASSA-PKCS1-v1_5, or ECDSA as two numbers of equal length."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), digest())
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(digest())))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def token(
    header: bytes | dict[str, Any],
    payload: bytes | dict[str, Any],
    key: Key,
    digest: type[SHA256] | type[SHA512] = SHA256,
) -> str:
    """A signed token of any content whatever."""
    text = f"{encode(header)}.{encode(payload)}"
    return f"{text}.{encode(sign(key, text.encode(), digest))}"


def hmac_token(header: dict[str, Any], payload: dict[str, Any], secret: bytes) -> str:
    """A token that is signed with a secret."""
    text = f"{encode(header)}.{encode(payload)}"
    return f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def public_jwk(key: Key, key_id: str, **more: object) -> dict[str, Any]:
    """The public half of a key, as issuers publish it (RFC 7517)."""

    def number(value: int, size: int | None = None) -> str:
        return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))

    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_numbers()
        fields = {"kty": "RSA", "alg": "RS256", "n": number(public.n), "e": number(public.e)}
    else:
        point = key.public_key().public_numbers()
        size = (key.curve.key_size + 7) // 8
        crv, alg = {256: ("P-256", "ES256"), 384: ("P-384", "ES384")}[key.curve.key_size]
        fields = {"kty": "EC", "alg": alg, "crv": crv}
        fields |= {"x": number(point.x, size), "y": number(point.y, size)}
    return {**fields, "kid": key_id, "use": "sig", **more}


def public_pem(key: Key) -> bytes:
    """The public half of a key, as anybody can make it from what is published."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, str]], Answer]


class Server:
    """An HTTP server on loopback whose answers are scripted, and which remembers the requests."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.answers: dict[str, Handler] = {}
        outer = self

        class Answerer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                found = outer.answers.get(self.path.split("?")[0])
                status, headers, body = (
                    found(dict(self.headers)) if found else (404, {}, b"not here")
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(0, len(body), 4096) if "Slow" not in headers else ():
                    self.wfile.write(body[start : start + 4096])
                if "Slow" in headers:
                    self._drip(body)

            def _drip(self, body: bytes) -> None:
                for byte in body:
                    try:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                    except OSError:
                        return
                    time.sleep(0.01)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answerer)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        port = self._server.server_address[1]
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def serve(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer so from now on."""
        self.answers[path] = lambda request: (status, headers, body)

    def hang(self, path: str) -> None:
        """Take requests from now on, and never answer."""

        def wait(request: dict[str, str]) -> Answer:
            FOREVER.wait()
            raise AssertionError

        self.answers[path] = wait


class Issuer(Server):
    """An issuer that publishes an RSA and an EC key, and signs what it is told to."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.keys: dict[str, Key] = {"rsa-1": rsa_key("ours"), "ec-1": ec_key("ours")}
        self.describe()
        self.publish(*(public_jwk(key, name) for name, key in self.keys.items()))

    def describe(self, **changes: object) -> None:
        """Publish the discovery document."""
        about = {"issuer": self.url, "jwks_uri": self.url + JWKS, **changes}
        self.serve(DISCOVERY, json.dumps(about).encode())

    def publish(self, *keys: dict[str, Any]) -> None:
        """Publish these keys and no others."""
        self.serve(JWKS, json.dumps({"keys": keys}).encode())

    def key_requests(self) -> int:
        """How often the keys were asked for."""
        return self.requests.count(JWKS)

    def claims(self, **changes: object) -> dict[str, Any]:
        """The claims of a job of ours at GitHub; `...` leaves one out."""
        at = int(NOW.timestamp())
        claims = {
            "jti": "b7c1e1a2-0c3d",
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "repo:estate/partners:environment:production",
            "iat": at,
            "nbf": at - 600,
            "exp": at + 300,
            "repository": "estate/partners",
            "repository_id": "74",
            "repository_owner": "estate",
            "repository_owner_id": "65",
            "job_workflow_ref": "estate/partners/.github/workflows/up.yml@refs/heads/main",
            "environment": "production",
            "ref": "refs/heads/main",
            "ref_protected": "true",
            "event_name": "push",
            "run_id": "22259804324",
            "sha": "c040cae0f0dc81641728557b80f09cfa23b83fe5",
            "actor": "alice",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def header(self, key_id: str = "rsa-1", /, **changes: object) -> dict[str, Any]:
        """The header that goes with a key; `...` leaves a parameter out."""
        alg = "RS256" if isinstance(self.keys[key_id], rsa.RSAPrivateKey) else "ES256"
        header = {"typ": "JWT", "alg": alg, "kid": key_id, "x5t": "thumbprint", **changes}
        return {name: value for name, value in header.items() if value is not ...}

    def issue(self, key_id: str = "rsa-1", /, **changes: object) -> str:
        """A token with these claims changed."""
        return token(self.header(key_id), self.claims(**changes), self.keys[key_id])
