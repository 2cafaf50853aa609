"""Whatever a configuration holds, it is read, or refused in one line that can be printed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from support.thorough import InputSurvived, fuzz

from dpor_provider.errors import Invalid
from dpor_provider.model import Role
from dpor_provider.partner_id import Digits
from dpor_provider.policies.options import SCHEMA, Options
from dpor_provider.settings import Settings

SETTINGS = ("dpor:registry", "dpor:platform", "dpor:deployer", "dpor:credit")

LONGEST_LINE = 1000
"""Characters; what is shown of a value is cut, or a log would be flooded."""

TEXTS = st.text() | st.sampled_from(["\0", "\x1b[2J", "a\nb", "\ud800", "\u202e", "9" * 5000])
DAYS = ["2026-12-31", "20261231", "2026-W01-1", "2026-02-30", "0000-01-01", "today", "٢٠٢٦-١٢-٣١"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from(DAYS)
HUGE = {"integer": 10**4000, "text": "x" * 10**6, "list": ["x"] * 10**5}
"""By name, since hypothesis writes out what a strategy samples from, at each draw."""
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS | st.sampled_from(list(HUGE)).map(lambda name: HUGE[name]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
NEARLY = {
    "allowed_roles": st.lists(st.sampled_from([*map(str, Role), "owner", "Emperor"]), max_size=3),
    "digits": st.lists(st.integers(-1, 21) | st.sampled_from([1.5, "5", 8.0, True]), max_size=3),
    "today": st.sampled_from(DAYS),
}
OPTIONS = st.fixed_dictionaries(
    {}, optional={name: NEARLY.get(name, TEXTS) | JSON for name in SCHEMA}
) | st.dictionaries(st.sampled_from([*SCHEMA, "exeptions"]) | TEXTS, JSON, max_size=3)


def one_line(error: Invalid) -> None:
    assert str(error).isprintable()
    assert len(str(error)) < LONGEST_LINE


@fuzz(300)
@given(values=st.fixed_dictionaries({}, optional=dict.fromkeys(SETTINGS, JSON)))
def test_settings_are_texts_or_refused(
    values: dict[str, object], input_survived: InputSurvived
) -> None:
    try:
        read = Settings.read(values.get)
    except Invalid as error:
        one_line(error)
    else:
        for value in (read.registry, read.platform, read.deployer):
            assert value is None or isinstance(value, str)
        assert values.get("dpor:credit") is True or not read.credit
    input_survived("hostile configurations")


@fuzz(300)
@given(config=OPTIONS)
@example(config={"digits": ["a", "b"]})
@example(config={"digits": [5]})
@example(config={"allowed_roles": "Owner"})
@example(config={"today": 20261231})
@example(config={"exceptions": ["partners.yaml"]})
def test_options_of_the_pack_are_what_they_must_be_or_refused(
    config: dict[str, Any], input_survived: InputSurvived
) -> None:
    try:
        read = Options.read(config)
    except Invalid as error:
        one_line(error)
    else:
        for value in (read.registry, read.platform, read.deployer):
            assert value is None or isinstance(value, str)
        assert read.roles
        assert all(isinstance(role, Role) for role in read.roles)
        assert isinstance(read.digits, Digits)
        assert 1 <= read.digits.fewest <= read.digits.most <= 20
        assert read.exceptions is None or isinstance(read.exceptions, Path)
        assert read.today is None or isinstance(read.today, date)
    input_survived("hostile options of the pack")
