"""What makes a finding the same finding after lines have moved."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from dpor_provider.model import Finding

POSITION = re.compile(r":\d+:\d+")


def fingerprints(
    findings: Iterable[Finding], line: Callable[[Finding], str | None]
) -> Iterator[str]:
    """A fingerprint for each finding, in order: of what it is about, not of where that stands.

    The second identical finding of a file has another one than the first, so that a baseline that
    holds one of them does not hide the other.

    Args:
        findings: In the order of the files' lines.
        line: Gives a finding's line of its file.
    """
    seen: Counter[str] = Counter()
    for finding in findings:
        digest = hashlib.sha256(json.dumps(_content(finding, line(finding))).encode()).hexdigest()
        seen[digest[:32]] += 1
        yield f"{digest[:32]}:{seen[digest[:32]]}"


def _content(finding: Finding, line: str | None) -> list[str | None]:
    file = PurePath(finding.where.file).as_posix() if finding.where else None
    about = finding.about
    if finding.rule == "DPOR001":
        # Its message names what was read; a line or column in it is a place.
        about = f"{POSITION.sub('', finding.message)}\n{(line or '').strip()}"
    return [
        finding.rule,
        file,
        finding.subscription_id,
        finding.partner_id,
        finding.property_name,
        about,
    ]
