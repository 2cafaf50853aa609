"""What a valid token proves, and that each usual forgery is refused by the check it is aimed at."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA512
from hypothesis import example, given
from hypothesis import strategies as st
from provenance.issuer import (
    AUDIENCE,
    NOW,
    Issuer,
    decode,
    ec_key,
    encode,
    hmac_token,
    public_jwk,
    public_pem,
    rsa_key,
    sign,
    token,
)
from support.thorough import InputSurvived, Survived, fuzz

from dpor_provider.errors import DporError, Invalid, Refused
from dpor_provider.provenance import Trust
from dpor_provider.provenance.keys import Keys
from dpor_provider.provenance.provenance import LONGEST
from dpor_provider.provenance.token import verify

AT = int(NOW.timestamp())
WEAK = 1024

Forge = Callable[[Issuer], str]


def altered(issuer: Issuer, change: Callable[[str, str, str], str]) -> str:
    return change(*issuer.issue().split("."))


def headed(issuer: Issuer, **changes: object) -> str:
    return token(issuer.header(**changes), issuer.claims(), issuer.keys["rsa-1"])


def claiming(name: str, value: object) -> Forge:
    return lambda issuer: issuer.issue(**{name: value})


def carrying(issuer: Issuer, payload: bytes) -> str:
    return token(issuer.header(), payload, issuer.keys["rsa-1"])


def twice(issuer: Issuer, name: str, first: str, second: str) -> bytes:
    body = encode_claims(issuer, **{name: ...})
    return body[:-1] + f', "{name}": "{first}", "{name}": "{second}"}}'.encode()


def encode_claims(issuer: Issuer, **changes: object) -> bytes:
    return decode(encode(issuer.claims(**changes)))


SIGNED_WITH = "not signed with RS256 or ES256"
SHAPE = "not three parts of base64url"
SIGNATURE = "signature is not of"
UNPUBLISHED = "a key that .* does not publish"
ISSUER = "of another issuer"
FOR = "not for the audience"
NO_TIME = "no time {} in whole seconds"
NOT_TEXT = "claim {} is not text"
OBJECT = "no JSON object with each name once"
HEADER = "header has {}"

FORGERIES: dict[str, tuple[str, Forge]] = {
    # the algorithm
    "alg-none-unsigned": (
        SHAPE,
        lambda i: f"{encode(i.header(alg='none'))}.{encode(i.claims())}.",
    ),
    "alg-none-with-a-signature": (SIGNED_WITH, lambda i: headed(i, alg="none")),
    "alg-none-in-odd-case": (SIGNED_WITH, lambda i: headed(i, alg="nOnE")),
    "alg-missing": (SIGNED_WITH, lambda i: headed(i, alg=...)),
    "alg-a-list": (SIGNED_WITH, lambda i: headed(i, alg=["RS256"])),
    "hs256-with-the-public-key-as-secret": (
        SIGNED_WITH,
        lambda i: hmac_token(i.header(alg="HS256"), i.claims(), public_pem(i.keys["rsa-1"])),
    ),
    "rs256-that-is-an-hmac-of-the-public-key": (
        SIGNATURE,
        lambda i: hmac_token(i.header(), i.claims(), public_pem(i.keys["rsa-1"])),
    ),
    "rs512-of-the-right-key": (
        SIGNED_WITH,
        lambda i: token(i.header(alg="RS512"), i.claims(), i.keys["rsa-1"], SHA512),
    ),
    "es256-named-for-an-rsa-key": (SIGNATURE, lambda i: headed(i, alg="ES256")),
    "es256-signature-under-an-rsa-key": (
        SIGNATURE,
        lambda i: token(i.header(alg="ES256"), i.claims(), i.keys["ec-1"]),
    ),
    "rs256-named-for-an-ec-key": (
        SIGNATURE,
        lambda i: token(i.header("ec-1", alg="RS256"), i.claims(), i.keys["ec-1"]),
    ),
    "rsa-signature-under-an-ec-key": (
        SIGNATURE,
        lambda i: token(i.header("ec-1"), i.claims(), i.keys["rsa-1"]),
    ),
    # the header
    "kid-unknown": (UNPUBLISHED, lambda i: headed(i, kid="rsa-2")),
    "kid-missing": ("does not name the key", lambda i: headed(i, kid=...)),
    "kid-a-number": ("does not name the key", lambda i: headed(i, kid=1)),
    "kid-null": ("does not name the key", lambda i: headed(i, kid=None)),
    "kid-a-path": (UNPUBLISHED, lambda i: headed(i, kid="../../../../dev/null")),
    "kid-a-url": (UNPUBLISHED, lambda i: headed(i, kid=f"{i.url}/keys#rsa-1")),
    "kid-sql": (UNPUBLISHED, lambda i: headed(i, kid="x' UNION SELECT 'rsa-1")),
    "kid-with-a-nul": (UNPUBLISHED, lambda i: headed(i, kid="rsa-1\0")),
    "kid-in-other-case": (UNPUBLISHED, lambda i: headed(i, kid="RSA-1")),
    "crit": (HEADER.format("crit"), lambda i: headed(i, crit=["exp"])),
    "crit-b64": (HEADER.format("crit"), lambda i: headed(i, crit=["b64"], b64=True)),
    "crit-empty": (HEADER.format("crit"), lambda i: headed(i, crit=[])),
    "b64-false": (SIGNATURE, lambda i: headed(i, b64=False)),
    "type-of-an-access-token": ("another type", lambda i: headed(i, typ="at+jwt")),
    "type-missing": ("another type", lambda i: headed(i, typ=...)),
    "header-with-a-name-twice": (
        OBJECT,
        lambda i: token(
            b'{"alg":"none","typ":"JWT","kid":"rsa-1","alg":"RS256"}', i.claims(), i.keys["rsa-1"]
        ),
    ),
    "header-a-list": (OBJECT, lambda i: token(b"[]", i.claims(), i.keys["rsa-1"])),
    "header-nested-deeply": (OBJECT, lambda i: token(b"[" * 9000, b"{}", i.keys["rsa-1"])),
    "header-not-utf-8": (OBJECT, lambda i: token(b'{"alg":"\xff"}', b"{}", i.keys["rsa-1"])),
    # the signature and the shape
    "key-of-another-issuer": (
        SIGNATURE,
        lambda i: token(i.header(), i.claims(), rsa_key("attacker")),
    ),
    "ec-key-of-another-issuer": (
        SIGNATURE,
        lambda i: token(i.header("ec-1"), i.claims(), ec_key("attacker")),
    ),
    "payload-swapped": (
        SIGNATURE,
        lambda i: altered(i, lambda h, p, s: f"{h}.{encode(i.claims(actor='mallory'))}.{s}"),
    ),
    "header-swapped": (
        SIGNATURE,
        lambda i: altered(i, lambda h, p, s: f"{encode(i.header(x5t='other'))}.{p}.{s}"),
    ),
    "signature-truncated": (SIGNATURE, lambda i: altered(i, lambda h, p, s: f"{h}.{p}.{s[:-4]}")),
    "signature-empty": (SHAPE, lambda i: altered(i, lambda h, p, s: f"{h}.{p}.")),
    "signature-missing": (SHAPE, lambda i: altered(i, lambda h, p, s: f"{h}.{p}")),
    "signature-of-another-token": (
        SIGNATURE,
        lambda i: altered(i, lambda h, p, s: f"{h}.{p}.{i.issue(actor='bob').split('.')[2]}"),
    ),
    "signature-with-padding": (SHAPE, lambda i: i.issue() + "=="),
    "ecdsa-signature-of-zeros": (
        SIGNATURE,
        lambda i: f"{encode(i.header('ec-1'))}.{encode(i.claims())}.{encode(bytes(64))}",
    ),
    "payload-empty": (SHAPE, lambda i: altered(i, lambda h, p, s: f"{h}..{s}")),
    "four-parts": (SHAPE, lambda i: altered(i, lambda h, p, s: f"{h}.{p}.{p}.{s}")),
    "five-parts-like-an-encrypted-one": (SHAPE, lambda i: f"{i.issue()}.AAAA.AAAA"),
    "dots-alone": (SHAPE, lambda i: ".."),
    "empty": (SHAPE, lambda i: ""),
    "not-base64": (SHAPE, lambda i: altered(i, lambda h, p, s: f"{h}.{p}.{s[:-1]}!")),
    "base64-of-the-other-alphabet": (SHAPE, lambda i: altered(i, lambda h, p, s: f"{h}.+/{p}.{s}")),
    "blanks-around": (SHAPE, lambda i: f" {i.issue()}"),
    "line-end-behind": (SHAPE, lambda i: f"{i.issue()}\n"),
    "digits-of-another-script": (SHAPE, lambda i: i.issue() + "\N{ARABIC-INDIC DIGIT ONE}"),
    "huge": ("longer than 16 KiB", lambda i: i.issue(filler="x" * 20_000)),
    "nested-token": (OBJECT, lambda i: carrying(i, i.issue().encode())),
    "nested-token-so-named": (
        OBJECT,
        lambda i: token(i.header(cty="JWT"), i.issue().encode(), i.keys["rsa-1"]),
    ),
    "payload-a-list": (OBJECT, lambda i: carrying(i, b"[" + encode_claims(i) + b"]")),
    "payload-not-json": (OBJECT, lambda i: carrying(i, b"repository_id=74")),
    "payload-not-utf-8": (OBJECT, lambda i: carrying(i, b'{"iss":"\xff"}')),
    "payload-nested-deeply": (OBJECT, lambda i: carrying(i, b"[" * 9000)),
    "payload-with-not-a-number": (
        OBJECT,
        lambda i: carrying(i, encode_claims(i, exp=...)[:-1] + b', "exp": NaN}'),
    ),
    "payload-with-an-endless-number": (
        OBJECT,
        lambda i: carrying(i, encode_claims(i, exp=...)[:-1] + b', "exp": ' + b"9" * 5000 + b"}"),
    ),
    "repository-id-twice": (OBJECT, lambda i: carrying(i, twice(i, "repository_id", "1", "74"))),
    "issuer-twice": (OBJECT, lambda i: carrying(i, twice(i, "iss", "https://evil.example", i.url))),
    # the issuer and the audience
    "issuer-wrong": (ISSUER, lambda i: i.issue(iss="https://token.actions.githubusercontent.com")),
    "issuer-missing": (ISSUER, lambda i: i.issue(iss=...)),
    "issuer-with-a-slash": (ISSUER, lambda i: i.issue(iss=i.url + "/")),
    "issuer-with-a-path": (ISSUER, lambda i: i.issue(iss=i.url + "/estate")),
    "issuer-in-capitals": (ISSUER, lambda i: i.issue(iss=i.url.upper())),
    "issuer-as-a-prefix": (ISSUER, lambda i: i.issue(iss=i.url + ".evil.example")),
    "issuer-that-looks-alike": (
        ISSUER,
        lambda i: i.issue(iss=i.url.replace("1", "\N{FULLWIDTH DIGIT ONE}")),
    ),
    "issuer-a-list": (ISSUER, lambda i: i.issue(iss=[i.url])),
    "audience-wrong": (FOR, lambda i: i.issue(aud="sts.amazonaws.com")),
    "audience-missing": (FOR, lambda i: i.issue(aud=...)),
    "audience-null": (FOR, lambda i: i.issue(aud=None)),
    "audience-list-with-others": (FOR, lambda i: i.issue(aud=[AUDIENCE, "vault"])),
    "audience-list-of-one": (FOR, lambda i: i.issue(aud=[AUDIENCE])),
    "audience-longer": (FOR, lambda i: i.issue(aud=AUDIENCE + "-test")),
    "audience-with-a-blank": (FOR, lambda i: i.issue(aud=AUDIENCE + " ")),
    "audience-in-capitals": (FOR, lambda i: i.issue(aud=AUDIENCE.upper())),
    "audience-that-looks-alike": (
        FOR,
        lambda i: i.issue(aud=AUDIENCE.replace("o", "\N{CYRILLIC SMALL LETTER O}")),
    ),
    # the times
    "expired": ("has expired", lambda i: i.issue(exp=AT - 60)),
    "expired-long-ago": ("has expired", lambda i: i.issue(iat=0, nbf=0, exp=300)),
    "not-valid-yet": ("not valid yet", lambda i: i.issue(nbf=AT + 61)),
    "issued-in-the-future": ("not valid yet", lambda i: i.issue(iat=AT + 61)),
    "lives-too-long": ("lives longer", lambda i: i.issue(exp=AT + 3601)),
    "lives-for-ever": ("lives longer", lambda i: i.issue(exp=10**300)),
    "backdated-to-live-long": ("lives longer", lambda i: i.issue(iat=AT - 3601)),
    **{
        f"{name}-{kind}": (NO_TIME.format(name), claiming(name, value))
        for name in ("exp", "iat", "nbf")
        for kind, value in {
            "missing": ...,
            "null": None,
            "text": str(AT),
            "true": True,
            "fraction": AT + 0.5,
            "list": [AT],
        }.items()
    },
    # the claims that are demanded or recorded
    "token-id-missing": ("no claim jti", lambda i: i.issue(jti=...)),
    "token-id-a-number": (NOT_TEXT.format("jti"), lambda i: i.issue(jti=1)),
    "repository-id-a-number": (
        NOT_TEXT.format("repository_id"),
        lambda i: i.issue(repository_id=74),
    ),
    "repository-id-true": (NOT_TEXT.format("repository_id"), lambda i: i.issue(repository_id=True)),
    "repository-id-null": (NOT_TEXT.format("repository_id"), lambda i: i.issue(repository_id=None)),
    "repository-id-a-list": (
        NOT_TEXT.format("repository_id"),
        lambda i: i.issue(repository_id=["74"]),
    ),
    "repository-id-empty": (NOT_TEXT.format("repository_id"), lambda i: i.issue(repository_id="")),
    "environment-null": (NOT_TEXT.format("environment"), lambda i: i.issue(environment=None)),
    "environment-true": (NOT_TEXT.format("environment"), lambda i: i.issue(environment=True)),
    "environment-with-a-line-end": (
        NOT_TEXT.format("environment"),
        lambda i: i.issue(environment="production\n"),
    ),
    "environment-with-a-nul": (
        NOT_TEXT.format("environment"),
        lambda i: i.issue(environment="production\0"),
    ),
    "environment-with-a-zero-width-space": (
        NOT_TEXT.format("environment"),
        lambda i: i.issue(environment="pro\u200bduction"),
    ),
    "actor-with-a-terminal-escape": (
        NOT_TEXT.format("actor"),
        lambda i: i.issue(actor="\x1b[2Jalice"),
    ),
    "commit-too-long": (NOT_TEXT.format("sha"), lambda i: i.issue(sha="c" * (LONGEST + 1))),
    "commit-missing": ("no claim sha", lambda i: i.issue(sha=...)),
    "of-no-pipeline": ("no claim project_path", lambda i: i.issue(repository_id=...)),
}

ELSEWHERE: dict[str, dict[str, object]] = {
    "wrong-repository-id": {"repository_id": "75"},
    "right-sub-and-name-but-wrong-repository-id": {
        "sub": "repo:estate/partners:environment:production",
        "repository": "estate/partners",
        "repository_id": "999",
    },
    "repository-id-with-a-zero-before-it": {"repository_id": "074"},
    "repository-id-in-other-digits": {"repository_id": "\N{FULLWIDTH DIGIT SEVEN}4"},
    "wrong-environment": {"environment": "staging"},
    "right-sub-but-no-environment": {
        "sub": "repo:estate/partners:environment:production",
        "environment": ...,
    },
    "environment-in-other-case": {"environment": "Production"},
    "environment-with-a-blank": {"environment": "production "},
    "environment-that-looks-alike": {"environment": "pr\N{CYRILLIC SMALL LETTER O}duction"},
    "environment-that-folds-to-it": {"environment": "\N{FULLWIDTH LATIN SMALL LETTER P}roduction"},
    "environment-longer": {"environment": "production-2"},
}


def check(text: str, trust: Trust, kind: type[DporError] = Invalid, now: datetime = NOW) -> str:
    """The one line that says why a token is refused, without any of the token in it."""
    with pytest.raises(DporError) as refused:
        verify(text, trust, now=now, keys=Keys())
    said = str(refused.value)
    assert type(refused.value) is kind, said
    assert said.isprintable()
    shown = "".join(traceback.format_exception(refused.value))
    assert not any(part in shown for part in text.split(".") if len(part) > 12)
    return said


@pytest.mark.parametrize("key_id", ["rsa-1", "ec-1"])
def test_a_valid_token_proves_where_the_deployment_comes_from(
    issuer: Issuer, trust: Trust, key_id: str
) -> None:
    found = verify(issuer.issue(key_id), trust, now=NOW, keys=Keys())
    assert found.token_id == "b7c1e1a2-0c3d"
    assert found.expires_at == datetime.fromtimestamp(AT + 300 + 60, UTC)
    assert found.provenance.verified
    assert found.provenance.provider == "github"
    assert found.provenance.issuer == issuer.url
    assert found.provenance.repository_id == "74"
    assert found.provenance.owner_id == "65"
    assert found.provenance.environment == "production"
    assert found.provenance.workflow == ("estate/partners/.github/workflows/up.yml@refs/heads/main")


@pytest.mark.parametrize(("said", "forge"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(
    issuer: Issuer, trust: Trust, said: str, forge: Forge, survived: Survived
) -> None:
    assert re.search(said, check(forge(issuer), trust))
    survived("forged tokens", 1)


@pytest.mark.parametrize("changes", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_valid_token_from_elsewhere_is_refused(
    issuer: Issuer, trust: Trust, changes: dict[str, object], survived: Survived
) -> None:
    assert "is demanded" in check(issuer.issue(**changes), trust, Refused)
    survived("tokens from elsewhere", 1)


@pytest.mark.parametrize(
    ("name", "claim", "demanded"),
    [
        ("repository_id", "repository_id", "74"),
        ("owner_id", "repository_owner_id", "65"),
        ("repository", "repository", "estate/partners"),
        (
            "workflow",
            "job_workflow_ref",
            "estate/partners/.github/workflows/up.yml@refs/heads/main",
        ),
        ("ref", "ref", "refs/heads/main"),
        ("ref_protected", "ref_protected", "true"),
        ("environment", "environment", "production"),
    ],
)
def test_each_claim_can_be_demanded(issuer: Issuer, name: str, claim: str, demanded: str) -> None:
    demands: dict[str, Any] = {name: demanded}
    trust = Trust(issuer=issuer.url, audience=AUDIENCE, **demands)
    assert verify(issuer.issue(), trust, now=NOW, keys=Keys()).provenance.verified
    assert f"{demanded} is demanded" in check(issuer.issue(**{claim: "other"}), trust, Refused)


@pytest.mark.parametrize("header", ["jku", "x5u", "jwk", "x5c"])
def test_a_header_that_brings_a_key_is_refused_and_its_url_never_called(
    issuer: Issuer, attacker: Issuer, trust: Trust, header: str
) -> None:
    jwk = public_jwk(rsa_key("attacker"), "rsa-1")
    attacker.publish(jwk)
    brought = {
        "jku": f"{attacker.url}/keys",
        "x5u": f"{attacker.url}/keys",
        "jwk": jwk,
        "x5c": ["MIIB"],
    }[header]
    for key in (rsa_key("attacker"), issuer.keys["rsa-1"]):
        forged = token(issuer.header(**{header: brought}), issuer.claims(), key)
        assert f"header has {header}" in check(forged, trust)
    assert attacker.requests == []


def test_the_clocks_may_be_a_minute_apart_and_no_more(issuer: Issuer, trust: Trust) -> None:
    minute = timedelta(seconds=60)
    life = {"iat": AT, "nbf": AT, "exp": AT + 300}
    early, late = NOW - minute, NOW + timedelta(seconds=300) + minute
    second = timedelta(seconds=1)
    assert verify(issuer.issue(**life), trust, now=early, keys=Keys())
    assert verify(issuer.issue(**life), trust, now=late - second, keys=Keys())
    assert "not valid yet" in check(issuer.issue(**life), trust, now=early - second)
    assert "has expired" in check(issuer.issue(**life), trust, now=late)


def test_an_algorithm_that_is_not_trusted_is_refused(issuer: Issuer) -> None:
    trust = Trust(issuer=issuer.url, audience=AUDIENCE, algorithms=("ES256",))
    assert verify(issuer.issue("ec-1"), trust, now=NOW, keys=Keys())
    assert "not signed with ES256" in check(issuer.issue("rsa-1"), trust)


def test_a_weak_key_proves_nothing_even_where_its_issuer_publishes_it(
    issuer: Issuer, trust: Trust
) -> None:
    weak = rsa_key("weak", WEAK)
    issuer.publish(public_jwk(weak, "rsa-1"))
    assert "size or kind" in check(token(issuer.header(), issuer.claims(), weak), trust)


def test_a_symmetric_key_is_none_of_an_issuers(issuer: Issuer, trust: Trust) -> None:
    secret = b"a secret that the issuer should not have published"
    for alg in ("HS256", "RS256"):
        shared = {"kty": "oct", "kid": "shared", "alg": alg, "k": encode(secret)}
        issuer.publish(shared, public_jwk(issuer.keys["rsa-1"], "rsa-1"))
        forged = hmac_token(issuer.header(kid="shared", alg=alg), issuer.claims(), secret)
        assert check(forged, trust)


def test_a_key_on_another_curve_or_for_encryption_signs_nothing(
    issuer: Issuer, trust: Trust
) -> None:
    p384 = ec_key("p384", ec.SECP384R1)
    issuer.publish(
        public_jwk(p384, "p384"),
        public_jwk(p384, "p384-by-another-name", alg="ES256"),
        public_jwk(issuer.keys["rsa-1"], "encrypts", use="enc"),
        public_jwk(issuer.keys["rsa-1"], "rsa-1"),
    )
    for key_id, said in {"p384": UNPUBLISHED, "p384-by-another-name": "size or kind"}.items():
        forged = token(issuer.header("ec-1", kid=key_id), issuer.claims(), p384)
        assert re.search(said, check(forged, trust))
    assert "does not publish" in check(headed(issuer, kid="encrypts"), trust)
    assert verify(issuer.issue(), trust, now=NOW, keys=Keys())


@pytest.fixture(scope="module")
def steady() -> Iterator[tuple[Issuer, Keys]]:
    """An issuer that does not change, and its keys, fetched once."""
    yield (issuer := Issuer()), Keys(cooldown=3600)
    issuer.close()


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[str], str]:
    """A change of a token: of a bit under the encoding, or of the characters."""
    part, place = draw(st.integers(0, 2)), draw(st.floats(0, 1, exclude_max=True))
    if draw(st.booleans()):
        bit = draw(st.integers(0, 7))

        def flipped(text: str) -> str:
            parts = text.split(".")
            data = bytearray(decode(parts[part]))
            data[int(place * len(data))] ^= 1 << bit
            parts[part] = encode(bytes(data))
            return ".".join(parts)

        return flipped
    put = draw(st.text(st.sampled_from("AZaz09-_.=+/ \n\0é"), max_size=2))
    cut = draw(st.integers(0, 2))

    def spliced(text: str) -> str:
        at = int(place * len(text))
        return text[:at] + put + text[at + cut :]

    return spliced


@pytest.mark.parametrize("key_id", ["rsa-1", "ec-1"])
@fuzz(300)
@given(mutate=mutations())
@example(mutate=lambda text: text[:-1] + chr(ord(text[-1]) ^ 1))
def test_any_mutation_of_a_valid_token_is_refused(
    steady: tuple[Issuer, Keys],
    key_id: str,
    mutate: Callable[[str], str],
    input_survived: InputSurvived,
) -> None:
    issuer, keys = steady
    trust = Trust(issuer=issuer.url, audience=AUDIENCE, repository_id="74")
    valid = issuer.issue(key_id)
    mutated = mutate(valid)
    if mutated == valid:
        assert verify(valid, trust, now=NOW, keys=keys)
        return
    with pytest.raises(Invalid):
        verify(mutated, trust, now=NOW, keys=keys)
    input_survived("mutations of a token")


@pytest.mark.parametrize("key_id", ["rsa-1", "ec-1"])
def test_no_two_texts_are_one_token(steady: tuple[Issuer, Keys], key_id: str) -> None:
    issuer, keys = steady
    trust = Trust(issuer=issuer.url, audience=AUDIENCE, repository_id="74")
    valid = issuer.issue(key_id)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for char in alphabet.replace(valid[-1], ""):
        with pytest.raises(Invalid):
            verify(valid[:-1] + char, trust, now=NOW, keys=keys)


def test_a_token_of_gitlab_proves_the_same(issuer: Issuer) -> None:
    trust = Trust(
        issuer=issuer.url,
        audience=AUDIENCE,
        repository_id="46573356",
        owner_id="68413579",
        ref="refs/heads/main",
        ref_protected="true",
        environment="production",
        environment_protected="true",
    )
    claims = gitlab_claims(issuer)
    found = verify(
        token(issuer.header(), claims, issuer.keys["rsa-1"]), trust, now=NOW, keys=Keys()
    )
    assert found.provenance.provider == "gitlab"
    assert found.provenance.repository == "estate/partners"
    assert found.provenance.commit == "8fe1b322a576d59fe6257052a4107df7dc1b8c78"
    assert found.provenance.run_url == f"{issuer.url}/estate/partners/-/jobs/8222997048"
    assert found.provenance.actor == "alice"
    for changes in (
        {"project_id": "1"},
        {"namespace_id": "1"},
        {"ref_protected": "false"},
        {"environment_protected": "false"},
        # A tag, or a merge request's branch, that has the branch's name.
        {"ref_type": "tag", "ref_path": "refs/tags/main"},
        {"ref_path": "refs/merge-requests/7/head"},
    ):
        forged = token(issuer.header(), {**claims, **changes}, issuer.keys["rsa-1"])
        assert "is demanded" in check(forged, trust, Refused)


def test_the_login_token_of_a_gitlab_user_is_none_of_a_pipeline(issuer: Issuer) -> None:
    trust = Trust(issuer=issuer.url, audience=AUDIENCE)
    claims = {
        name: value
        for name, value in gitlab_claims(issuer).items()
        if name in ("iss", "aud", "exp", "iat", "nbf", "jti", "user_login")
    }
    assert "no claim project_path" in check(
        token(issuer.header(), claims, issuer.keys["rsa-1"]), trust
    )


def gitlab_claims(issuer: Issuer) -> dict[str, object]:
    return {
        "iss": issuer.url,
        "aud": AUDIENCE,
        "sub": "project_path:estate/partners:ref_type:branch:ref:main",
        "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b",
        "iat": AT,
        "nbf": AT - 5,
        "exp": AT + 3600,
        "project_id": "46573356",
        "project_path": "estate/partners",
        "namespace_id": "68413579",
        "namespace_path": "estate",
        "user_login": "alice",
        "pipeline_id": "1519139981",
        "pipeline_source": "push",
        "job_id": "8222997048",
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "environment": "production",
        "environment_protected": "true",
        "runner_id": 12270835,
        "groups_direct": ["estate", "estate/admins"],
        "sha": "8fe1b322a576d59fe6257052a4107df7dc1b8c78",
        "ci_config_ref_uri": "gitlab.com/estate/partners//.gitlab-ci.yml@refs/heads/main",
    }


def test_a_signature_is_checked_over_the_text_that_was_sent(issuer: Issuer, trust: Trust) -> None:
    """The same claims in another spelling carry no signature of the issuer."""
    claims = issuer.claims()
    spelled = f"{encode(issuer.header())}.{encode(claims)}"
    signature = encode(sign(issuer.keys["rsa-1"], spelled.encode()))
    other = encode(b" " + decode(encode(claims)))
    assert SIGNATURE in check(f"{encode(issuer.header())}.{other}.{signature}", trust)
