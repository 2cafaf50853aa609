"""What Linux lets root do, put aside for a while: then files' modes count for root, too.

Source: capabilities(7) and capget(2) of the Linux manual.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

VERSION_3 = 0x20080522
EVERY_FILE = sum(1 << number for number in (1, 2, 3))
"""CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable"))


@contextmanager
def without_capabilities() -> Iterator[None]:
    """Let this thread reach no file that its mode does not let it reach."""
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, data = _Header(VERSION_3, 0), (_Data * 2)()

    def call(name: str) -> None:
        if getattr(libc, name)(ctypes.byref(header), data):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    call("capget")
    effective = data[0].effective
    data[0].effective &= ~EVERY_FILE
    call("capset")
    try:
        yield
    finally:
        data[0].effective = effective
        call("capset")
