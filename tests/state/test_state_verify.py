"""A state is judged by looking; what is no reference to a known class is refused."""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import dill  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.thorough import InputSurvived, fuzz

from dpor_provider.errors import Invalid
from dpor_provider.resources.dynamic import PartnerOfRecordProvider
from dpor_provider.resources.dynamic_link import PartnerAdminLinkProvider
from dpor_provider.state import OURS, SECRET, verify

DPOR = Path(sys.executable).parent / "dpor"
URN = "urn:pulumi:dev::estate::pulumi-python:dynamic/dpor:PartnerOfRecord::payments"


class Planted:
    """What an attacker would put into a state."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/planted",)


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


GOOD = coded(dill.dumps(PartnerOfRecordProvider()))


def state(provider: object, form: str = "deployment") -> bytes:
    resources = [
        {
            "urn": URN,
            "inputs": {"__provider": provider, "partner_id": "4567890"},
            "outputs": {"__provider": provider},
            "propertyDependencies": {"__provider": [], "partner_id": None},
        }
    ]
    held = {"resources": resources}
    return json.dumps(
        {"version": 3, form: held if form == "deployment" else {"latest": held}}
    ).encode()


def problems(text: bytes) -> list[str | None]:
    return [provider.problem for provider in verify(text, OURS)]


@pytest.mark.parametrize("form", ["deployment", "checkpoint"])
def test_our_own_provider_as_pulumi_pickles_it_is_a_reference(form: str) -> None:
    for provider in (PartnerOfRecordProvider(), PartnerAdminLinkProvider()):
        assert problems(state(coded(dill.dumps(provider)), form)) == [None, None]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pickle.dumps(Planted()), "it would load posix.system and may run anything"),
        (pickle.dumps(Planted(), 0), "it would load posix.system and may run anything"),
        (pickle.dumps(os.getcwd), "it would load posix.getcwd"),
        (dill.dumps(eval("lambda: 1", {})), "and may run anything"),
        (base64.b64decode(GOOD) + b"x", "PartnerOfRecordProvider and may run anything"),
        (base64.b64decode(GOOD)[:-1], "it is no pickle of a reference"),
        (base64.b64decode(GOOD)[2:], "PartnerOfRecordProvider and may run anything"),
        (
            base64.b64decode(GOOD)[:-1] + pickle.dumps(Planted())[2:],
            "PartnerOfRecordProvider and 1 more",
        ),
        (base64.b64decode(GOOD)[:-1] + b"}b.", "PartnerOfRecordProvider and may run anything"),
        (
            base64.b64decode(GOOD).replace(b"dpor_provider.resources", b"dpor_provider_resources"),
            "dpor_provider_resources.dynamic.PartnerOfRecordProvider",
        ),
        (b"cposix\nsystem\n(S'true'\ntR.", "posix.system"),
        (b"(S'true'\niposix\nsystem\n.", "posix.system"),
        (pickle.dumps("text"), "it is code or data, and no reference to a class"),
        (b"", "it is no pickle of a reference"),
        (b"\x80\x04", "it is no pickle of a reference"),
        (b"\xff" * 100, "it is no pickle of a reference"),
    ],
)
def test_anything_but_the_one_shape_of_a_reference_is_refused(data: bytes, said: str) -> None:
    for problem in problems(state(coded(data))):
        assert problem is not None
        assert said in problem


def test_what_the_host_skips_in_base64_hides_nothing() -> None:
    noisy = "!".join(coded(pickle.dumps(Planted())))
    assert problems(state(noisy)) == ["it would load posix.system and may run anything"] * 2


def test_a_secret_is_judged_where_it_can_be_read() -> None:
    mark = {SECRET: "1b47061264138c4ac30d75fd1eb44270"}
    assert (
        problems(state({**mark, "ciphertext": "v1:…"}))
        == ["it is encrypted; export the state with --show-secrets"] * 2
    )
    assert problems(state({**mark, "plaintext": json.dumps(GOOD)})) == [None, None]
    planted = json.dumps(coded(pickle.dumps(Planted())))
    assert None not in problems(state({**mark, "plaintext": planted}))


@pytest.mark.parametrize("value", [1, 1.5, True, {}, {"a": GOOD}, ""])
def test_a_provider_that_is_no_text_is_refused(value: object) -> None:
    assert None not in problems(state(value))


def test_a_provider_is_found_wherever_it_stands() -> None:
    planted = {"__provider": coded(pickle.dumps(Planted()))}
    places = {
        "pending_operations": [{"resource": {"urn": URN, "inputs": planted}}],
        "resources": [{"urn": URN, "Inputs": {"deep": [[{"x": planted}]]}}],
        "anything": {"else": planted},
    }
    text = json.dumps({"version": 3, "deployment": places}).encode()
    assert len(problems(text)) == 3
    assert None not in problems(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "it is no JSON"),
        (b"resources: []", "it is no JSON"),
        (b"[]", "it is no state of Pulumi"),
        (b"{}", "it is no state of Pulumi"),
        (b'{"deployment": []}', "it is no state of Pulumi"),
        (b'{"deployment": {}, "deployment": {}}', "a key is there twice"),
        (b'{"deployment": {"a": NaN}}', "NaN is no JSON"),
        (b'{"deployment": ' + b"[" * 200_000, "it is nested too deeply"),
        (b"\xff\xfe\xff", "it is no JSON"),
        (b'{"deployment": {"a": ' + b"9" * 5000 + b"}}", "it is no JSON"),
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_no_state(text: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        verify(text, OURS)


@fuzz(100)
@given(data=st.binary(max_size=200))
def test_no_other_pickle_passes(data: bytes, input_survived: InputSurvived) -> None:
    input_survived("hostile states")
    found = problems(state(coded(data)))
    assert None not in found or data == base64.b64decode(GOOD)


@fuzz(100)
@given(place=st.integers(0, len(base64.b64decode(GOOD)) - 1), change=st.integers(1, 255))
def test_no_byte_of_a_reference_can_be_changed(
    place: int, change: int, input_survived: InputSurvived
) -> None:
    input_survived("hostile states")
    data = bytearray(base64.b64decode(GOOD))
    data[place] ^= change
    passed = None in problems(state(coded(bytes(data))))
    assert not passed or (place == 1 and data[1] in (4, 5))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("__provider"), inner),
    max_leaves=20,
)


@fuzz(100)
@given(held=JSON)
def test_any_json_is_judged_or_refused(held: object, input_survived: InputSurvived) -> None:
    input_survived("hostile states")
    for text in (json.dumps({"deployment": {"resources": held}}), json.dumps(held)):
        with suppress(Invalid):
            verify(text.encode(), OURS)


def run(text: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [DPOR, "state", "verify", *arguments], input=text, capture_output=True, check=False
    )


def test_the_command_says_what_is_refused_and_ends_with_1() -> None:
    done = run(state(coded(pickle.dumps(Planted()))))
    assert done.returncode == 1
    assert (
        done.stdout.decode().splitlines()
        == [f"{URN}: it would load posix.system and may run anything"] * 2
    )
    assert b"run no pulumi command on this state" in done.stderr
    result = json.loads(run(state(GOOD), "--format", "json").stdout)
    assert result == {"version": 1, "providers": 2, "refused": []}


def test_the_command_allows_what_it_is_told_to(tmp_path: Path) -> None:
    data = dill.dumps(PartnerOfRecordProvider()).replace(b"dpor_provider.res", b"dpor_prowider.res")
    file = tmp_path / "state.json"
    file.write_bytes(state(coded(data)))
    assert run(b"", str(file)).returncode == 1
    allow = "--allow=dpor_prowider.resources.dynamic:PartnerOfRecordProvider"
    assert run(b"", str(file), allow).returncode == 0
    assert run(b"", str(file), "--allow=os system").returncode == 2


@pytest.mark.parametrize("text", [b"", b"{}", b"\x00"])
def test_what_is_no_state_is_never_fine(text: bytes) -> None:
    done = run(text)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_name_with_terminal_escapes_is_shown_and_not_obeyed() -> None:
    text = state(coded(pickle.dumps(Planted()))).replace(b"payments", b"pay\\u001b[31mments\\n")
    assert b"\x1b" not in run(text).stdout
    assert len(run(text).stdout.splitlines()) == 2
