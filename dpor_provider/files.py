"""Writing a file whole, or not at all; reading no more of one than anybody has a use for."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dpor_provider.errors import Invalid, Unavailable

LARGEST_MIB = 64


def read_some(stream: BinaryIO, name: str) -> bytes:
    """All that a stream holds.

    Raises:
        Invalid: that is more than 64 MiB.
    """
    content = stream.read(LARGEST_MIB * 2**20 + 1)
    if len(content) > LARGEST_MIB * 2**20:
        raise Invalid(f"{name} holds more than {LARGEST_MIB} MiB, and was not read")
    return content


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole, or as it was before; a pipe or a device is written to.

    Raises:
        Unavailable: it cannot be written.
    """
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_text(text, "utf-8")
            return
        with _beside(path, text) as new:
            new.replace(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all.

    Raises:
        Invalid: there is something at that place already.
        Unavailable: it cannot be written.
    """
    try:
        with _beside(path, text) as new:
            os.link(new, path)
    except FileExistsError:
        raise Invalid(f"{path} exists already and was left as it is; name another file") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """A file in the same folder with this text, which is gone at the end."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        mask = os.umask(0)
        os.umask(mask)
        new.chmod(0o666 & ~mask)
        yield new
    finally:
        new.unlink(missing_ok=True)
