"""Whether a Pulumi state holds code, without running any of it.

Pulumi keeps the provider of each dynamic resource in the state, pickled, as `__provider`, and the
engine's host unpickles it: whoever can write a state can run code as whoever deploys. Our own
providers are kept as references to classes, which are pickles of one shape.

Sources: Python's "pickletools" and "pickle", which say what each operation does; Pulumi's
"Dynamic providers".
"""

from __future__ import annotations

import base64
import binascii
import json
import pickle
import pickletools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from dpor_provider.errors import Invalid

PROVIDER = "__provider"
OURS = frozenset(
    {
        ("dpor_provider.resources.dynamic", "PartnerOfRecordProvider"),
        ("dpor_provider.resources.dynamic_link", "PartnerAdminLinkProvider"),
    }
)
"""The classes of every release, by module and name."""

PROTOCOLS = (4, 5)
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the key by which Pulumi marks a secret
LARGEST_MIB = 512
FORMS = ("deployment", "checkpoint")
"""What an export and a file of a backend hold."""

Reference = tuple[str, str]
"""A class, by module and name."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A dynamic provider in a state."""

    urn: str
    """The resource; empty where it belongs to none."""
    problem: str | None
    """Why it is refused; None where it is a reference that is allowed."""


def verify(text: bytes, allowed: Collection[Reference]) -> tuple[Provider, ...]:
    """Judge every dynamic provider of a state, in the state's order.

    Args:
        text: An export (`pulumi stack export`) or a file of the file backend.
        allowed: The classes that may be referred to.

    Raises:
        Invalid: it is no state, or one that two readers could read in two ways.
    """
    if len(text) > LARGEST_MIB * 2**20:
        raise Invalid(f"it is larger than {LARGEST_MIB} MiB")
    try:
        state = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise Invalid("it is nested too deeply") from None
    except ValueError as error:
        raise Invalid(f"it is no JSON: {error}") from None
    if not isinstance(state, dict) or not any(isinstance(state.get(form), dict) for form in FORMS):
        raise Invalid("it is no state of Pulumi; make one with: pulumi stack export")
    return tuple(Provider(urn, _judge(value, allowed)) for urn, value in _providers(state, ""))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice, of which two readers take another one each")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _providers(root: object, urn: str) -> Iterator[tuple[str, object]]:
    # Wherever it stands: the engine has read other places before, and will again.
    waiting: list[tuple[object, str]] = [(root, urn)]
    while waiting:
        value, urn = waiting.pop()
        if isinstance(value, list):
            waiting.extend((item, urn) for item in reversed(value))
        elif isinstance(value, dict):
            urn = value["urn"] if isinstance(value.get("urn"), str) else urn
            provider = value.get(PROVIDER)
            # A list is what a property depends on, and cannot be unpickled.
            if provider is not None and not isinstance(provider, list):
                yield urn, provider
            waiting.extend((item, urn) for item in reversed(value.values()))


def _judge(value: object, allowed: Collection[Reference]) -> str | None:
    if isinstance(value, dict) and SECRET in value:
        try:
            value = json.loads(value["plaintext"])
        except (KeyError, TypeError, ValueError):
            return "it is encrypted; export the state with --show-secrets"
    if not isinstance(value, str):
        return "it is no text"
    try:
        # As the host decodes it, which skips what is not base64.
        pickled = base64.b64decode(value)
    except (binascii.Error, ValueError):
        return "it is not base64"
    if any(pickled == _reference(*one, protocol) for one in allowed for protocol in PROTOCOLS):
        return None
    return _describe(pickled)


def _reference(module: str, name: str, protocol: int) -> bytes:
    """The one pickle of an instance, without state, of a class that is known by name."""

    def text(value: str) -> bytes:
        data = value.encode()
        return pickle.SHORT_BINUNICODE + bytes([len(data)]) + data + pickle.MEMOIZE

    made = pickle.STACK_GLOBAL + pickle.MEMOIZE + pickle.EMPTY_TUPLE + pickle.NEWOBJ
    body = text(module) + text(name) + made + pickle.MEMOIZE + pickle.STOP
    return pickle.PROTO + bytes([protocol]) + pickle.FRAME + len(body).to_bytes(8, "little") + body


def _describe(pickled: bytes) -> str:
    """What a pickle would load, as far as that can be told by looking."""
    loads: list[str] = []
    texts: list[str] = []
    try:
        for operation, argument, _ in pickletools.genops(pickled):
            if operation.name in ("GLOBAL", "INST"):
                loads.append(str(argument).replace(" ", "."))
            elif operation.name == "STACK_GLOBAL":
                loads.append(".".join(texts[-2:]) or "?")
            elif isinstance(argument, str):
                texts.append(argument)
    except Exception:  # genops raises what it comes upon: ValueError, UnicodeDecodeError, …
        return "it is no pickle of a reference"
    if not loads:
        return "it is code or data, and no reference to a class"
    more = f" and {len(loads) - 1} more" if len(loads) > 1 else ""
    return f"it would load {loads[0]}{more} and may run anything"
