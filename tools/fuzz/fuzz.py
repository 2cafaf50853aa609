"""Feed what reads untrusted bytes with inputs that coverage guides: make fuzz.

An input that breaks a promise ends the run with a traceback, and is kept in .fuzz/crash-TARGET-…;
give it as a further argument to see it again. Source: atheris's README; LLVM's "libFuzzer".
"""

from __future__ import annotations

import base64
import json
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec

with atheris.instrument_imports(include=["dpor_provider", "jwt"], enable_loader_override=False):
    import jwt

    from dpor_provider.checker import baseline as baselines
    from dpor_provider.declaration import load
    from dpor_provider.errors import DporError
    from dpor_provider.model import Directory, Partner, Role, subscription_uuid
    from dpor_provider.platforms import portal_csv
    from dpor_provider.policies.options import SCHEMA, Options
    from dpor_provider.provenance import Trust
    from dpor_provider.provenance.keys import Keys
    from dpor_provider.provenance.token import verify as verify_token
    from dpor_provider.settings import Settings
    from dpor_provider.state import OURS
    from dpor_provider.state import verify as verify_state

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".fuzz"
DECLARATION = FOLDER / "partners.yaml"
BASELINE = FOLDER / "baseline.json"
LARGEST = 4096
"""Bytes of an input."""

URN = "urn:pulumi:dev::estate::pulumi-python:dynamic/dpor:PartnerOfRecord::payments"
ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
DIRECTORY = Directory.of([Partner("4567890", "Contoso Consulting", former_ids=("3456789",))])
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TRUST = Trust(issuer="https://issuer.example", audience="dpor-registry", repository_id="74")
CLAIMS = {
    "iss": TRUST.issuer,
    "aud": TRUST.audience,
    "iat": int(NOW.timestamp()),
    "nbf": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 300,
    "jti": "b7c1e1a2",
    "repository_id": "74",
    "repository": "contoso/estate",
}
CONFIGURATIONS = (
    {"dpor:registry": "sqlite:///registry.db", "dpor:platform": "azure", "dpor:credit": True},
    dict.fromkeys(SCHEMA, "2026-12-31"),
    {"allowed_roles": [*Role], "digits": [5, 8], "today": "2026-12-31", "exceptions": "x.yaml"},
)


class Broken(AssertionError):
    """A promise that an input broke."""


def require(holds: bool, promise: str) -> None:
    """End the run where a promise does not hold."""
    if not holds:
        raise Broken(promise)


def printable(error: DporError) -> None:
    """Require that each line of an error can be printed."""
    require(all(line.isprintable() for line in str(error).split("\n")), "errors can be printed")


def declaration(data: bytes) -> None:
    """Any bytes are a declaration, or findings with places inside of the file."""
    DECLARATION.write_bytes(data)
    loaded = load([DECLARATION])
    lines = len(data) + 1
    for finding in loaded.findings:
        require(finding.message.isprintable(), "messages can be printed")
        place = finding.where
        require(place is not None and 1 <= place.line <= place.end_line <= lines, "places exist")
    for declared in loaded.estate.subscriptions:
        canonical = subscription_uuid(declared.subscription_id)
        require(canonical == declared.subscription_id, "subscriptions are UUIDs")


def state(data: bytes) -> None:
    """No pickle but the reference to our own class passes."""
    shown = base64.b64encode(data).decode()
    resource = {"urn": URN, "inputs": {"__provider": shown}}
    wrapped = json.dumps({"version": 3, "deployment": {"resources": [resource]}}).encode()
    (provider,) = verify_state(wrapped, OURS)
    require(provider.problem is not None or data in REFERENCES, "other pickles are refused")
    try:
        verify_state(data, OURS)
    except DporError as error:
        printable(error)


def table(data: bytes) -> None:
    """Any bytes are rows with real ids, or lines that say what is wrong."""
    for text in (data, b"Subscription ID,Partner ID,Partner name\n" + data):
        try:
            rows = portal_csv.read(text, "portal.csv", DIRECTORY)
        except DporError as error:
            printable(error)
            continue
        for row in rows:
            require(subscription_uuid(row.subscription_id) is not None, "subscriptions are UUIDs")
            require((row.partner_name or "").isprintable(), "names can be printed")


def token(data: bytes) -> None:
    """Nothing that the issuer did not sign is a token."""
    for text in (data.decode("latin-1"), ".".join(map(encoded, data.split(b"\0")))):
        try:
            verify_token(text, TRUST, now=NOW, keys=KEYS)
        except DporError as error:
            printable(error)
        else:
            raise Broken("a token that was not signed was accepted")


def claims(data: bytes) -> None:
    """What the issuer signed counts only where it says all that is demanded."""
    header, _, payload = data.partition(b"\0")
    unsigned = f"{encoded(header or HEADER)}.{encoded(payload)}"
    text = f"{unsigned}.{encoded(SIGNER.sign(unsigned.encode(), KEY))}"
    try:
        verified = verify_token(text, TRUST, now=NOW, keys=KEYS)
    except DporError as error:
        printable(error)
    else:
        said = json.loads(payload)
        demanded = (TRUST.issuer, TRUST.audience, TRUST.repository_id)
        found = (said["iss"], said["aud"], said["repository_id"])
        require(found in (demanded, (demanded[0], [demanded[1]], demanded[2])), "all is demanded")
        require(said["iat"] <= NOW.timestamp() + 60 < said["exp"] + 120, "tokens count in time")
        require(verified.provenance.repository_id == TRUST.repository_id, "what is said is kept")


def config(data: bytes) -> None:
    """Any JSON is the configuration of a stack and of the pack, or is refused in one line."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict):
        return
    try:
        read = Settings.read(found.get)
    except DporError as error:
        printable(error)
    else:
        texts = (read.registry, read.platform, read.deployer)
        require(all(text is None or isinstance(text, str) for text in texts), "settings are texts")
        require(not read.credit or found["dpor:credit"] in (True, "true"), "credit is asked for")
    try:
        options = Options.read(found)
    except DporError as error:
        printable(error)
    else:
        require(bool(options.roles) and set(options.roles) <= set(Role), "roles are known")
        require(1 <= options.digits.fewest <= options.digits.most <= 20, "digits are in order")


def baseline(data: bytes) -> None:
    """Any bytes are the fingerprints of a baseline, or are refused in one line."""
    BASELINE.write_bytes(data)
    try:
        known = baselines.read_file(BASELINE)
    except DporError as error:
        printable(error)
    else:
        require(all(isinstance(one, str) for one in known), "fingerprints are texts")


class OneKey(Keys):
    """An issuer that publishes one key under every name, and needs no network."""

    def find(self, issuer: str, key_id: str) -> jwt.PyJWK:
        """The key."""
        del issuer, key_id
        return PUBLIC


def encoded(data: bytes) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def references() -> frozenset[bytes]:
    """The pickles that may stand in a state."""
    from dpor_provider.state import PROTOCOLS, _reference

    return frozenset(_reference(*one, protocol) for one in OURS for protocol in PROTOCOLS)


def seeds(name: str) -> list[bytes]:
    """Inputs to begin with."""
    examples = (ROOT / "tests" / "declaration" / "examples").rglob("*.yaml")
    payload = json.dumps(CLAIMS).encode()
    return {
        "declaration": [file.read_bytes() for file in examples],
        "state": [*REFERENCES, b'{"version": 3, "deployment": {"resources": []}}'],
        "table": [f"{ONE},4567890,Contoso Consulting\n".encode(), b'"a;b"\t\n'],
        "token": [HEADER + b"\0" + payload + b"\0" + bytes(64)],
        "claims": [HEADER + b"\0" + payload],
        "config": [json.dumps(each).encode() for each in CONFIGURATIONS],
        "baseline": [b'{"version": 1, "findings": [{"fingerprint": "x"}]}'],
    }[name]


def main(name: str, seconds: str, *more: str) -> None:
    """Fuzz one target for some seconds."""
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    arguments = [
        f"-max_total_time={seconds}",
        f"-max_len={LARGEST}",
        f"-artifact_prefix={FOLDER}/crash-{name}-",
        "-timeout=120",
        "-report_slow_units=120",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *arguments, *(more or [str(corpus)])], TARGETS[name])
    atheris.Fuzz()


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (declaration, state, table, token, claims, config, baseline)
}
REFERENCES = references()
SIGNER: Any = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = jwt.PyJWK(
    {**SIGNER.to_jwk(KEY.public_key(), as_dict=True), "alg": "ES256", "kid": "one", "use": "sig"}
)
KEYS = OneKey()
HEADER = b'{"alg":"ES256","kid":"one","typ":"JWT"}'

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
