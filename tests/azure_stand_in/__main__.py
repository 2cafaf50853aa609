"""Runs a stand-in for other processes: `python -m azure_stand_in azure_stand_in.example:estate`.

Its first line on standard output is JSON: the URL, and with --https the file of the certificate
authority to trust. It ends with SIGTERM, or Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
import threading
from pathlib import Path

import trustme

from .estate import Estate
from .server import running


def main() -> None:
    parser = argparse.ArgumentParser(prog="azure_stand_in", description=__doc__)
    parser.add_argument("estate", help="MODULE:FUNCTION that gives the estate")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--https", type=Path, metavar="FILE", help="where to write the CA to trust")
    given = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    certificate = None
    about: dict[str, str] = {}
    if given.https:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(given.https))
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        about["ca"] = str(given.https)
    with running(_load(given.estate), port=given.port, certificate=certificate) as stand_in:
        sys.stdout.write(json.dumps({"url": stand_in.url, **about}) + "\n")
        sys.stdout.flush()
        stopped.wait()


def _load(reference: str) -> Estate:
    module, _, function = reference.partition(":")
    estate: Estate = getattr(importlib.import_module(module), function)()
    return estate


if __name__ == "__main__":
    main()
