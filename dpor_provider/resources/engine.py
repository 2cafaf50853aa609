"""The engine that a provider process works for: once it is gone, nothing more is written.

An engine that is killed leaves its providers alive, with what was asked of them still to be done;
by then somebody may have lifted the stack's lock and deploy something else.
"""

from __future__ import annotations

import math
import os
import socket
import sys
import threading
import time
from dataclasses import dataclass, field

EVERY_S = 1
"""How often an idle provider looks whether its engine is there."""

FRESH_S = 0.05
"""How long an answer stands: less than any other run takes to begin."""


@dataclass(slots=True)
class Engine:
    """The engine, by the address at which it answers its providers."""

    host: str
    port: int
    _answered: float = field(default=-math.inf, init=False)
    """When it last did, on the monotonic clock."""

    def alive(self) -> bool:
        """Whether anybody answers there, or did a moment ago."""
        now = time.monotonic()
        if now - self._answered < FRESH_S:
            return True
        try:
            socket.create_connection((self.host, self.port), timeout=EVERY_S).close()
        except ConnectionRefusedError:
            return False
        except OSError:
            # A busy machine is no reason to give up.
            return True
        self._answered = now
        return True

    def require(self) -> None:
        """End this process if the engine is gone."""
        if not self.alive():
            # What other threads are about to write ends with the process, too.
            os._exit(1)

    def watch(self) -> None:
        """End this process soon after the engine, also when there is nothing to do."""

        def look() -> None:
            while True:
                time.sleep(EVERY_S)
                self.require()

        threading.Thread(target=look, daemon=True).start()


def engine() -> Engine | None:
    """The engine that started this process (it names its address last); None if none did."""
    host, _, port = sys.argv[-1].rpartition(":")
    return Engine(host, int(port)) if host and port.isdecimal() else None
