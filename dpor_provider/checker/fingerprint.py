"""What makes a finding the same finding after lines have moved."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath

from dpor_provider.model import Finding

POSITION = re.compile(r":\d+:\d+|(?<=in line )\d+|(?<=at offset )\d+")
"""What names a place in a message of DPOR001."""


def fingerprints(
    findings: Iterable[Finding], line: Callable[[Finding], str | None]
) -> Iterator[str]:
    """A fingerprint for each finding, in order: of what it is about, not of where that stands.

    The second identical finding of a file has another one than the first, so that a baseline that
    holds one of them does not hide the other.

    Args:
        findings: In the order in which equal ones are counted: that of the files' lines.
        line: Gives a finding's line of its file.
    """
    seen: Counter[str] = Counter()
    for finding in findings:
        digest = _digest(_content(finding, line(finding)))
        seen[digest] += 1
        yield f"{digest}:{seen[digest]}"


def _digest(content: object) -> str:
    # OpenSSL's start takes longer than the rules do on a file in which nothing is found.
    import hashlib

    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _content(finding: Finding, line: str | None) -> list[str | None]:
    file = _file(finding.where.file) if finding.where else None
    about, partner_id = finding.about, finding.partner_id
    if finding.rule == "DPOR001":
        # Its message names what was read; a line or column in it is a place.
        about = f"{POSITION.sub('', finding.message)}\n{(line or '').strip()}"
    if finding.rule == "DPOR401":
        # Which of two declarations is the second one, and so whose partner, is a matter of order.
        partner_id = None
    return [
        finding.rule,
        file,
        finding.subscription_id,
        partner_id,
        finding.property_name,
        about,
    ]


def _file(name: str) -> str:
    """The file as it is named from the working folder, if it is below that."""
    path, here = PurePath(name), Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
