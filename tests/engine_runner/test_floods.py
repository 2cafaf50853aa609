"""What a run says of thousands of subscriptions alike."""

from __future__ import annotations

import uuid

from dpor_provider.cli.outcome import ALIKE, SHOWN, without_floods
from dpor_provider.engine.events import Diagnostic


def left(name: str, subscription: str, why: str = "is another project's") -> Diagnostic:
    urn = f"urn:pulumi:dev::estate::pulumi-python:dynamic/dpor:PartnerOfRecord::{name}"
    return Diagnostic("warning", urn, f"left {subscription}, which {why}")


def test_of_many_that_have_the_same_to_say_a_few_are_shown() -> None:
    ids = [str(uuid.uuid4()) for _ in range(1000)]
    flood = [left(f"payments-{number}", one) for number, one in enumerate(ids)]
    other = left("last", ids[0], "has no partner")
    lines = list(without_floods([*flood, other]))
    assert len(lines) == SHOWN + 2
    assert ids[0] in lines[0]
    assert lines[SHOWN] == f"warning: the same of {1000 - SHOWN} more; --format json has them all"
    assert lines[-1] == str(other)


def test_a_few_are_all_shown() -> None:
    few = [left(str(number), str(uuid.uuid4())) for number in range(ALIKE)]
    assert list(without_floods(few)) == list(map(str, few))
