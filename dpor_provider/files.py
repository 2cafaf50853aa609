"""Writing a file whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from dpor_provider.errors import Unavailable


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole, or as it was before; a pipe or a device is written to.

    Raises:
        Unavailable: it cannot be written.
    """
    new = None
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_text(text, "utf-8")
            return
        descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(new).chmod(0o666 & ~mask)
        Path(new).replace(path)
    except OSError as error:
        if new is not None:
            Path(new).unlink(missing_ok=True)
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None
