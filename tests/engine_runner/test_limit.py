"""The limit on withdrawals."""

import pytest

from dpor_provider.engine.designations import limit


@pytest.mark.parametrize(
    ("estate", "most"), [(0, 1), (1, 1), (19, 1), (20, 2), (99, 9), (100, 10), (10_000, 10)]
)
def test_ten_or_a_tenth_of_the_estate_but_always_one(estate: int, most: int) -> None:
    assert limit(estate) == most
