"""Shards: each subscription in exactly one, the same one for ever."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpor_provider.errors import Invalid
from dpor_provider.resources.shard import WHOLE, Shard, shard_of


@settings(deadline=None)  # a busy machine is no fault of what is tested
@given(st.uuids(), st.integers(1, 9999))
def test_a_subscription_is_in_exactly_one_shard(subscription: uuid.UUID, count: int) -> None:
    shards = (Shard(number, count) for number in range(1, count + 1))
    assert sum(shard.holds(str(subscription)) for shard in shards) == 1


def test_where_a_subscription_is_never_changes() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(12)]
    numbers = [next(k for k in range(1, 6) if Shard(k, 5).holds(one)) for one in ids]
    assert numbers == [4, 4, 1, 1, 5, 5, 1, 5, 2, 1, 4, 4]


def test_shards_are_of_like_size() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(10_000)]
    sizes = [sum(map(Shard(number, 8).holds, ids)) for number in range(1, 9)]
    assert all(1100 < size < 1400 for size in sizes)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "1/2/3", "-1/2", "١/2", "1/99999"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no shard; write K/N, say 1/4"):
        Shard.parse(text)


def test_a_program_takes_the_shard_that_is_configured() -> None:
    assert shard_of("prod", None) == WHOLE
    assert shard_of("prod", "2/3") == Shard(2, 3)
    assert shard_of("prod-2-of-3", "2/3") == Shard(2, 3)
    assert shard_of("team-1-of-2", "1/1") == WHOLE


@pytest.mark.parametrize("text", [None, "", "1/3", "2/4"])
def test_a_stack_with_a_shards_name_is_deployed_as_no_other(text: str | None) -> None:
    with pytest.raises(Invalid, match="prod-2-of-3"):
        shard_of("prod-2-of-3", text)
