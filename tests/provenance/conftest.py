"""Issuers for the tests of tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from provenance.issuer import AUDIENCE, Issuer

from dpor_provider.provenance import Trust


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """The issuer that is trusted."""
    yield (made := Issuer())
    made.close()


@pytest.fixture
def attacker() -> Iterator[Issuer]:
    """An issuer with keys of its own, that nobody trusts."""
    yield (made := Issuer())
    made.close()


@pytest.fixture
def trust(issuer: Issuer) -> Trust:
    """Tokens of one repository's production environment."""
    return Trust(issuer=issuer.url, audience=AUDIENCE, repository_id="74", environment="production")
