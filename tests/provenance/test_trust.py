"""What may be trusted and demanded: nothing that lets in more than it says."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from dpor_provider.errors import Invalid
from dpor_provider.provenance import Demand, Trust

GITHUB = "https://token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    "issuer",
    [
        GITHUB,
        f"{GITHUB}/estate",
        "https://gitlab.example.com",
        "https://gitlab.example.com:8443/gitlab/",
        "http://127.0.0.1:8080",
        "http://localhost:8080",
    ],
)
def test_an_issuer_is_an_https_url(issuer: str) -> None:
    assert Trust(issuer=issuer, audience="dpor").issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "token.actions.githubusercontent.com",
        "http://gitlab.example.com",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "https://user:secret@gitlab.example.com",
        "https://gitlab.example.com?x=1",
        "https://gitlab.example.com#x",
        "https://gitlab.example.com/../other\n",
        "https://gitlab.example.com\\@evil.example",
        "https://GitLab.example.com",
        "https://g\N{CYRILLIC SMALL LETTER I}tlab.example.com",
        "file:///etc/passwd",
        " https://gitlab.example.com",
    ],
)
def test_anything_else_is_no_issuer(issuer: str) -> None:
    with pytest.raises(Invalid, match="a trusted issuer is an https URL") as refused:
        Trust(issuer=issuer, audience="dpor")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("algorithms", [(), ("none",), ("HS256",), ("RS256", "HS256"), ("rs256",)])
def test_only_algorithms_with_a_public_key_are_trusted(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match="among RS256, ES256"):
        Trust(issuer=GITHUB, audience="dpor", algorithms=algorithms)


@pytest.mark.parametrize(
    "demands",
    [
        {"audience": ""},
        {"repository_id": ""},
        {"repository_id": " 74"},
        {"environment": "production "},
        {"environment": "production\n"},
        {"ref": "refs/heads/\x1b[31mmain"},
        {"workflow": "w" * 1001},
    ],
    ids=str,
)
def test_what_no_token_could_meet_is_not_demanded(demands: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="must be 1 to 1000 printable characters"):
        Trust(**{"issuer": GITHUB, "audience": "dpor", **demands})


@pytest.mark.parametrize("name", ["repository_id", "owner_id", "repository"])
def test_a_demand_names_a_repository_or_its_owner(name: str) -> None:
    whose: dict[str, Any] = {name: "74"}
    assert Demand("/", Trust(issuer=GITHUB, audience="dpor", **whose)).scope == "/"


@pytest.mark.parametrize("more", [{}, {"environment": "production"}, {"ref": "refs/heads/main"}])
def test_a_demand_that_any_repository_meets_is_none(more: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=r"anybody can have a token .*--repository-id"):
        Demand("/", Trust(issuer=GITHUB, audience="dpor", **more))


def test_without_the_extra_one_line_says_what_to_install() -> None:
    program = (
        "import sys\n"
        "sys.modules['jwt'] = None\n"
        "from dpor_provider.provenance import Trust, claimed\n"
        "claimed({'GITHUB_ACTIONS': 'true'}).to_json()\n"
        "from dpor_provider.errors import Unavailable\n"
        "try:\n"
        "    import dpor_provider.provenance.token\n"
        "except Unavailable as error:\n"
        "    print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == (
        "to check an OIDC token takes PyJWT, which is not installed; run: pip install"
        " 'dpor-provider[oidc]'\n"
    )
