"""Results for the tests of the formats, and their reports as the golden files hold them.

Run it with `tests` on PYTHONPATH (`python -m checker.reporters.report_cases`) to write the golden
files anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path

from dpor_provider.checker.reporters import formats, render
from dpor_provider.checker.result import (
    Change,
    ChangeKind,
    Reported,
    Result,
    SuppressedBy,
    Suppression,
)
from dpor_provider.model import Finding, Level, Partner, Position

GOLDEN = Path(__file__).parent / "golden"

SHOP = "54188a0e-e38d-5703-9265-8e6ccc15a8f9"
STAGING = "a5978b22-4ac1-5dc2-af14-8bd974de2e86"
REPORTING = "7afacc23-b6e3-51b7-b579-c511f1b95e54"
ARCHIVE = "3cf79c13-a802-526d-b86c-70ae4570d443"

CONTOSO = Partner("4567890", "Contoso Consulting")
FABRIKAM = Partner("5127255", "Fabrikam Cloud Services")

FILE = "estate/partners.yaml"
EMPTY = Result(subscriptions=0, findings=(), not_run=("DPOR102", "DPOR303", "DPOR404"))

NORMAL = Result(
    subscriptions=7,
    findings=(
        Reported(
            Finding(
                "DPOR402",
                f"no partner of record is declared for {ARCHIVE}; declare one, or say why there is"
                " none",
                subscription_id=ARCHIVE,
                level=Level.ADVISORY,
            ),
            "5b1f6b3c0e0d4d0f8a1b2c3d4e5f6071:1",
        ),
        Reported(
            Finding(
                "DPOR101",
                "nobody knows the Partner ID 1111111; correct it, or add the partner",
                subscription_id=SHOP,
                property_name="partner_id",
                where=Position(FILE, 9, 46, 9, 55),
                partner_id="1111111",
            ),
            "0d9c1b2a3f4e5d6c7b8a99887766554f:1",
            '  - {id: 54188a0e-e38d-5703-9265-8e6c, partner: "1111111"}',
        ),
        Reported(
            Finding(
                "DPOR403",
                "Contoso Consulting is declared without a data-sharing agreement; add one",
                property_name="partner_id",
                where=Position(FILE, 4, 3, 6, 31),
                level=Level.ADVISORY,
                partner_id="4567890",
            ),
            "c3c3c3c3d4d4d4d4e5e5e5e5f6f6f6f6:1",
            "  contoso:",
        ),
        Reported(
            Finding(
                "DPOR103",
                "Contoso is called Contoso Consulting now; correct the name",
                subscription_id=STAGING,
                property_name="partner_name",
                where=Position(FILE, 12, 12, 12, 19),
                partner_id="4567890",
            ),
            "11223344556677889900aabbccddeeff:1",
            "    name: 'Contoso'",
            Suppression(SuppressedBy.EXCEPTION, "the contract names it so", date(2027, 3, 31)),
        ),
        Reported(
            Finding(
                "DPOR302",
                "a former partner still reaches the subscription; revoke its access",
                subscription_id=REPORTING,
                property_name="former_access",
                where=Position(FILE, 14, 5, 14, 8),
                partner_id="5127255",
            ),
            "ffeeddccbbaa00998877665544332211:1",
            "    id: 7afacc23-b6e3-51b7-b579-c511f1b95e54",
            Suppression(SuppressedBy.BASELINE),
        ),
        *(
            Reported(
                Finding(
                    "DPOR401",
                    f"{STAGING} is declared twice; remove one of the two",
                    subscription_id=STAGING,
                    property_name="subscription_id",
                    where=Position(FILE, line, 9, line, 45),
                    partner_id="4567890",
                    about="twice",
                ),
                f"40140140140140140140140140140140:{count}",
                f"  - id: {STAGING}",
            )
            for count, line in enumerate((20, 31), start=1)
        ),
    ),
    not_run=("DPOR404",),
    base="origin/main",
    changes=(
        Change(ChangeKind.DESIGNATED, SHOP, after=FABRIKAM),
        Change(ChangeKind.SWITCHED, STAGING, before=CONTOSO, after=FABRIKAM),
        Change(ChangeKind.WITHDRAWN, REPORTING, before=CONTOSO),
        Change(
            ChangeKind.EXCEPTION_REQUESTED,
            STAGING,
            detail="DPOR103 until 2027-03-31: the contract names it so",
        ),
    ),
)

HOSTILE_PIECES = (
    "::error::x",
    "::stop-commands::x",
    "##[error]x",
    "##vso[task.complete result=Failed]",
    "###vso[task.setvariable variable=PATH]x",
    "\x1b[31m",
    "\x1b]8;;https://example.com\x07",
    "]]>",
    "<script>alert('&amp;')</script>",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "\N{LINE SEPARATOR}",
    "\x00",
    "%0A",
    "%250A",
    "%AZP250A",
    "=;,]:",
    "\r",
    "\n",
    "\r\n::warning::y",
    "\ud800",
    "\udcff",
    "\t",
    "日本語",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{CLOUD}\N{VARIATION SELECTOR-16}",
)
HOSTILE_TEXT = " ".join(("a", *HOSTILE_PIECES, "z"))
HOSTILE_FILE = "::stop-commands::x;,]=%0A##vso[task.complete]<i>\x1b\n\r\x00\u202e\ud800\udcff.yaml"
HOSTILE_PARTNER = Partner("4567890", HOSTILE_TEXT)


def _hostile(
    rule: str,
    where: Position | None = None,
    excerpt: str | None = None,
    suppressed: Suppression | None = None,
    level: Level = Level.MANDATORY,
) -> Reported:
    return Reported(
        Finding(
            rule,
            HOSTILE_TEXT,
            subscription_id=SHOP,
            where=where,
            level=level,
            partner_id=HOSTILE_TEXT,
        ),
        f"{int(rule[-3:]):032}:1",
        excerpt,
        suppressed,
    )


WIDE = "日本語" * 40

HOSTILE = Result(
    subscriptions=1,
    findings=(
        _hostile("DPOR402", level=Level.ADVISORY),
        _hostile("DPOR101", Position(HOSTILE_FILE, 1, 3, 1, 9), HOSTILE_TEXT),
        _hostile("DPOR102", Position(HOSTILE_FILE, 2, 9, 2, 15), '\t日本: "東京都"\t# 京'),
        _hostile("DPOR103", Position(HOSTILE_FILE, 3, 95, 3, 99), WIDE),
        _hostile("DPOR201", Position(HOSTILE_FILE, 4, 95, 4, 99), "e\u0301" * 60),
        _hostile("DPOR202", Position(HOSTILE_FILE, 5, 2, 5, 3), "##vso[x]##[y]"),
        _hostile("DPOR301", Position(HOSTILE_FILE, 5, 5, 5, 6), "a\n::error::x\r\n::error::y"),
        _hostile("DPOR403", Position(f"/{HOSTILE_FILE}", 6, 1, 7, 1), "x", level=Level.ADVISORY),
        _hostile(
            "DPOR203",
            Position(HOSTILE_FILE, 8, 1, 8, 2),
            HOSTILE_TEXT,
            Suppression(SuppressedBy.EXCEPTION, HOSTILE_TEXT, date(2027, 3, 31)),
        ),
        _hostile(
            "DPOR204",
            Position(HOSTILE_FILE, 9, 1, 9, 2),
            HOSTILE_TEXT,
            Suppression(SuppressedBy.BASELINE),
        ),
        _hostile(
            "DPOR404",
            suppressed=Suppression(SuppressedBy.EXCEPTION, HOSTILE_TEXT, date(2027, 3, 31)),
            level=Level.ADVISORY,
        ),
    ),
    base=HOSTILE_TEXT,
    changes=(
        Change(ChangeKind.DESIGNATED, SHOP, after=HOSTILE_PARTNER),
        Change(ChangeKind.SWITCHED, SHOP, before=HOSTILE_PARTNER, after=HOSTILE_PARTNER),
        Change(ChangeKind.WITHDRAWN, SHOP, before=HOSTILE_PARTNER),
        Change(ChangeKind.EXCEPTION_REQUESTED, SHOP, detail=HOSTILE_TEXT),
    ),
)

CASES: Mapping[str, Result] = {"empty": EMPTY, "normal": NORMAL, "hostile": HOSTILE}

DRIVER = re.compile(
    r'("driver": \{.*?"version": )"[^"]*"(,\s*"rules": )\[\n.*?\n {10}\]', re.DOTALL
)


def golden(case: str, format_name: str) -> bytes:
    """A report; of SARIF's tool, without its version and what the rules say of themselves."""
    text = render(CASES[case], format_name)
    if format_name == "sarif":
        assert f'"version": "{version("dpor-provider")}"' in text
        text, replaced = DRIVER.subn(r'\1"VERSION"\2"RULES"', text)
        assert replaced == 1
    return text.encode()


if __name__ == "__main__":
    for case in CASES:
        for format_name in formats():
            (GOLDEN / f"{case}.{format_name}").write_bytes(golden(case, format_name))
