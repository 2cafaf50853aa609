"""Names of companies, compared as people write them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpor_provider.names import same_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Contoso Ltd", "Contoso Limited"),
        ("Contoso Ltd.", "contoso, LTD"),
        ("Contoso,Inc.", "Contoso Incorporated"),
        ("Contoso & Sons", "Contoso and Sons"),
        ("Contoso&Sons", "Contoso and Sons"),
        ("Müller GmbH", "Mu\u0308ller  GMBH"),
        ("Ｃontoso\u00a0Consulting", "contoso consulting"),
        ("STRASSE IT", "Straße IT"),
        ("Contoso S.A.", "Contoso SA"),
        ("O’Brien IT", "O'Brien IT"),
    ],
)
def test_spellings_of_one_name_are_the_same(one: str, other: str) -> None:
    assert same_name(one, other)
    assert same_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Contoso Ltd", "Contoso GmbH"),
        ("Contoso", "Contoso Ltd"),
        ("Contoso Consulting", "ContosoConsulting"),
        ("Ltd Contoso Cod", "Ltd Contoso Companyd"),
        ("Contoso 1", "Contoso 2"),
        ("", "Contoso"),
    ],
)
def test_different_names_are_different(one: str, other: str) -> None:
    assert not same_name(one, other)


@given(st.text())
def test_unicode_form_and_blanks_make_no_other_name(name: str) -> None:
    assert same_name(name, f"  {unicodedata.normalize('NFD', name)}\t")
