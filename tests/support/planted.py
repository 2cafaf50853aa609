"""A state with planted code, which Pulumi would run."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any


class Planted:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def plant(exported: str, marker: Path) -> str:
    """The same state, whose dynamic providers make a file when Pulumi reads them."""
    state = json.loads(exported)
    for resource in state["deployment"]["resources"]:
        for properties in (resource.get("inputs", {}), resource.get("outputs", {})):
            if "__provider" in properties:
                pickled = pickle.dumps(Planted(marker))
                properties["__provider"] = base64.b64encode(pickled).decode()
    return json.dumps(state)
