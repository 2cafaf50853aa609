"""`check`: real declaration files, and a real registry, to a result."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.backends import ADMIN, CONTOSO, FABRIKAM, NORTHWIND, Backend

from dpor_provider.checker import Reported, Result, check
from dpor_provider.checker.result import SuppressedBy
from dpor_provider.declaration import load
from dpor_provider.live import Live
from dpor_provider.model import Grant, Level, Role
from dpor_provider.platforms import read_live
from dpor_provider.platforms.portal import Portal
from dpor_provider.registry import Owner
from dpor_provider.rules import Terms, all_rules

TODAY = date(2026, 11, 23)
MANDATORY, ADVISORY = Level.MANDATORY, Level.ADVISORY

ONE, TWO, THREE = (f"0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a0{digit}" for digit in "123")

PARTNERS = """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting, agreement: {reference: DSA-1}}
  fabrikam: {id: "5127255", name: Fabrikam Cloud Services, agreement: {reference: DSA-2}}
  northwind: {id: "2345678", name: Northwind Traders IT, agreement: {reference: DSA-3}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the working folder, which is empty."""
    folder = tmp_path / "estate"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder / "partners.yaml"


def declare(file: Path, subscriptions: str, head: str = PARTNERS) -> Path:
    """Write a declaration of subscriptions, each a line of its own."""
    file.write_text(f"{head}subscriptions:\n{subscriptions}", "utf-8")
    return file


def checked(
    *files: Path,
    live: Live | None = None,
    today: date = TODAY,
    select: Collection[str] | None = None,
    terms: Terms | None = None,
    baseline: Collection[str] = (),
) -> Result:
    rules = {
        rule_id: rule
        for rule_id, rule in all_rules().items()
        if select is None or rule_id in select
    }
    return check(load(files), terms or Terms(today), live, rules, baseline)


def of(home: Backend, principal: str | None = None) -> Live:
    """What a registry and its platform hold."""
    return read_live(home.registry(), home.platform(), principal=principal)


def found(result: Result) -> list[tuple[str, Level, str | None]]:
    """The findings that no exception covers: rule, level, subscription."""
    return [
        (one.finding.rule, one.finding.level, one.finding.subscription_id)
        for one in result.findings
        if one.suppressed is None
    ]


def the(rule: str, result: Result) -> Reported:
    """The only finding of a rule."""
    (one,) = (one for one in result.findings if one.finding.rule == rule)
    return one


def assert_at(one: Reported, file: Path, snippet: str, within: str = "") -> None:
    """The finding stands where a snippet does, in a text that is in the file once."""
    text, around = file.read_text("utf-8"), within or snippet
    assert text.count(around) == 1, f"{around!r} is no place"
    before = text[: text.index(around) + around.index(snippet)].split("\n")
    line, column = len(before), len(before[-1]) + 1
    where = one.finding.where
    assert where is not None
    assert (where.file, where.line, where.column) == (str(file), line, column), one.finding.message
    assert (where.end_line, where.end_column) == (line, column + len(snippet))
    assert one.excerpt == text.split("\n")[line - 1]


# --- Declarations alone ------------------------------------------------------------------------


EVERYTHING = """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting, agreement: {reference: DSA-1}}
  prefixed: {id: MPN-5127255, name: Adatum, agreement: {reference: DSA-2}}
  bare: {id: "5127255", name: Fabrikam Cloud Services}
  ended: {id: "6127255", name: Tailspin, agreement: {reference: DSA-3, expires: 2026-11-22}}
  ending: {id: "7127255", name: Wingtip, agreement: {reference: DSA-4, expires: 2026-12-23}}
  held: {id: "8127255", name: Proseware, agreement: {reference: DSA-5, expires: 2026-12-24}}
  gone: {id: "2345678", name: Litware, status: retired, agreement: {reference: DSA-6}}
subscriptions:
  - {id: 00000000-0000-4000-8000-000000000001, partner: contoso, surplus: 1}
  - {id: 00000000-0000-4000-8000-000000000002, partner: prefixed}
  - {id: 00000000-0000-4000-8000-000000000003, partner: bare}
  - {id: 00000000-0000-4000-8000-000000000004, partner: ended}
  - {id: 00000000-0000-4000-8000-000000000005, partner: ending}
  - {id: 00000000-0000-4000-8000-000000000006, partner: held}
  - {id: 00000000-0000-4000-8000-000000000007, partner: gone}
  - {id: 00000000-0000-4000-8000-000000000008, partner: undecided}
  - {id: 00000000-0000-4000-8000-000000000009, partner: contoso}
  - {id: 00000000-0000-4000-8000-00000000000A, partner: contoso}
  - {id: 00000000-0000-4000-8000-00000000000a, partner: none, reason: Sandbox}
  - id: 00000000-0000-4000-8000-00000000000b
    partner: contoso
    exceptions:
      - {rule: DPOR33, reason: No such rule, expires: 2027-06-30}
      - {rule: DPOR201, reason: Knows none, expires: 2027-06-30}
      - {rule: DPOR302, reason: Over, expires: 2026-11-22}
      - {rule: DPOR303, reason: Ending, expires: 2026-12-23}
      - {rule: DPOR305, reason: Not approved, expires: 2027-06-30}
      - {rule: DPOR402, reason: Sound, expires: 2026-12-24}
"""
LAST = "00000000-0000-4000-8000-00000000000b"

EXPECTED = [
    ("DPOR101", MANDATORY, "MPN-5127255", "did you mean '5127255'?"),
    ("DPOR403", ADVISORY, "Fabrikam Cloud Services", "no data-sharing agreement"),
    ("DPOR403", ADVISORY, "Tailspin", "ended on 2026-11-22"),
    ("DPOR403", ADVISORY, "Wingtip", "ends on 2026-12-23"),
    ("DPOR001", MANDATORY, "surplus", "unknown key 'surplus'"),
    ("DPOR301", MANDATORY, "gone", "partner Litware (2345678) is retired"),
    ("DPOR402", ADVISORY, "undecided", "is undecided"),
    ("DPOR401", MANDATORY, "00000000-0000-4000-8000-00000000000a", "is declared twice"),
    ("DPOR002", MANDATORY, "{rule: DPOR33, reason: No such rule, expires: 2027-06-30}", "no such"),
    ("DPOR002", MANDATORY, "{rule: DPOR201, reason: Knows none, expires: 2027-06-30}", "knows no"),
    ("DPOR002", MANDATORY, "{rule: DPOR302, reason: Over, expires: 2026-11-22}", "was over on"),
    ("DPOR002", ADVISORY, "{rule: DPOR303, reason: Ending, expires: 2026-12-23}", "in 30 days"),
    ("DPOR002", ADVISORY, "{rule: DPOR305, reason: Not approved, expires: 2027-06-30}", "main has"),
]


@pytest.fixture
def everything(file: Path) -> Result:
    file.write_text(EVERYTHING, "utf-8")
    approved = {
        (LAST, "DPOR302"): date(2026, 11, 22),
        (LAST, "DPOR303"): date(2026, 12, 23),
        (LAST, "DPOR305"): date(2027, 6, 29),
        (LAST, "DPOR402"): date(2027, 1, 1),
    }
    return checked(file, terms=Terms(TODAY, approved=approved, approved_in="main"))


def test_a_file_with_one_of_everything_has_each_named_once_at_its_place(
    everything: Result, file: Path
) -> None:
    assert len(everything.findings) == len(EXPECTED)
    for one, (rule, level, snippet, said) in zip(everything.findings, EXPECTED, strict=True):
        assert (one.finding.rule, one.finding.level) == (rule, level)
        assert said in one.finding.message
        assert one.suppressed is None
        # The words that other lines hold too.
        within = "partner: gone" if snippet == "gone" else ""
        assert_at(one, file, snippet, within)


def test_every_rule_that_files_alone_can_break_is_in_that_file(everything: Result) -> None:
    offline = {rule.id for rule in all_rules().values() if not rule.needs_live}
    assert {rule for rule, *_ in EXPECTED} == offline
    assert everything.not_run == tuple(id_ for id_ in all_rules() if id_ not in offline)


def test_the_counts_are_those_of_what_is_listed(everything: Result) -> None:
    assert everything.subscriptions == 11
    assert everything.count(MANDATORY) == 7
    assert everything.count(ADVISORY) == 6
    assert everything.suppressed == 0
    assert everything.failed


def test_an_advisory_finding_alone_fails_nothing(file: Path) -> None:
    result = checked(declare(file, f"  - {{id: {ONE}, partner: undecided}}\n"))
    assert found(result) == [("DPOR402", ADVISORY, ONE)]
    assert not result.failed


def test_a_sound_file_has_no_finding(file: Path) -> None:
    result = checked(declare(file, f"  - {{id: {ONE}, partner: contoso}}\n"))
    assert (result.subscriptions, result.findings, result.failed) == (1, (), False)


def test_a_file_that_cannot_be_parsed_is_a_finding_and_the_others_are_checked(file: Path) -> None:
    broken, binary = file.with_name("a.partners.yaml"), file.with_name("b.partners.yaml")
    broken.write_text("version: 1\nsubscriptions: [\n")
    binary.write_bytes(b"version: 1\n# \xff\n")
    declare(file, f"  - {{id: {ONE}, partner: undecided}}\n")
    result = checked(file.parent)
    assert [(one.finding.rule, one.finding.level) for one in result.findings] == [
        ("DPOR001", MANDATORY),
        ("DPOR001", MANDATORY),
        ("DPOR402", ADVISORY),
    ]
    places = [one.finding.where for one in result.findings]
    assert [where.file for where in places if where] == [str(broken), str(binary), str(file)]
    assert [where.line for where in places if where] == [3, 2, 7]
    assert result.subscriptions == 1


def test_only_the_chosen_rules_run_but_what_cannot_be_read_is_always_told(file: Path) -> None:
    file.write_text(EVERYTHING)
    result = checked(file, select={"DPOR402", "DPOR302"})
    assert {one.finding.rule for one in result.findings} == {"DPOR001", "DPOR402"}
    assert result.not_run == ("DPOR302",)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_the_line_that_is_quoted_is_the_one_that_yaml_counts(file: Path, line_break: str) -> None:
    file.write_bytes(f"# one{line_break}# two{line_break}version: 1{line_break}bogus: 1\n".encode())
    one = the("DPOR001", checked(file))
    assert one.finding.where is not None
    assert (one.finding.where.line, one.excerpt) == (4, "bogus: 1")


def test_only_files_below_the_working_folder_are_quoted(file: Path, tmp_path: Path) -> None:
    outside, link = tmp_path / "partners.yaml", file.with_name("link.yaml")
    outside.write_text("version: 1\nsecret: 1\n")
    link.symlink_to(outside)
    for path in (outside, link, Path("../partners.yaml")):
        one = the("DPOR001", checked(path))
        assert (one.finding.where and one.finding.where.line, one.excerpt) == (2, None)
    file.write_text("version: 1\nsecret: 1\n")
    for path in (file, Path("partners.yaml"), Path("../estate/partners.yaml")):
        assert the("DPOR001", checked(path)).excerpt == "secret: 1"


def test_a_byte_order_mark_moves_neither_line_nor_column(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfbogus: 1\nversion: 1\n")
    one = the("DPOR001", checked(file))
    assert one.finding.where is not None
    assert (one.finding.where.line, one.finding.where.column) == (1, 1)
    assert one.excerpt == "bogus: 1"


def test_a_file_that_is_given_as_a_directory_too_is_checked_once(file: Path) -> None:
    shared = file.with_name("shared.yaml")
    shared.write_text(PARTNERS + f"subscriptions:\n  - {{id: {ONE}, partner: undecided}}\n")
    file.write_text(
        f"version: 1\ndirectory: shared.yaml\nsubscriptions:\n  - {{id: {TWO}, partner: contoso}}\n"
    )
    assert found(checked(file)) == []
    assert found(checked(file, shared)) == [("DPOR402", ADVISORY, ONE)]


# --- A partner's findings ----------------------------------------------------------------------


def test_what_is_wrong_with_a_partner_is_reported_once_for_many_subscriptions(
    home: Backend, file: Path
) -> None:
    head = """\
version: 1
partners:
  prefixed: {id: MPN-4567890, name: Contoso Consulting}
  unknown: {id: "4567891", name: Somebody}
  misnamed: {id: "5127255", name: Somebody else}
"""
    keys = ("prefixed", "unknown", "misnamed")
    lines = "".join(
        f"  - {{id: 00000000-0000-4000-8000-0000000000{number}, partner: {keys[number % 3]}}}\n"
        for number in range(10, 40)
    )
    result = checked(declare(file, lines, head), live=of(home))
    assert found(result) == [
        ("DPOR101", MANDATORY, None),
        ("DPOR403", ADVISORY, None),
        ("DPOR102", MANDATORY, None),
        ("DPOR403", ADVISORY, None),
        ("DPOR103", MANDATORY, None),
        ("DPOR403", ADVISORY, None),
    ]
    assert_at(the("DPOR101", result), file, "MPN-4567890")
    assert_at(the("DPOR102", result), file, '"4567891"')
    assert_at(the("DPOR103", result), file, "Somebody else")


def test_an_exception_of_one_subscription_is_none_for_others_of_the_same_partner(
    file: Path,
) -> None:
    head = 'version: 1\npartners:\n  bare: {id: "5127255", name: Fabrikam Cloud Services}\n'
    covered = (
        f"  - {{id: {ONE}, partner: bare,\n"
        "     exceptions: [{rule: DPOR403, reason: CHG-1, expires: 2027-06-30}]}\n"
    )
    alone = checked(declare(file, covered, head))
    assert found(alone) == []
    assert the("DPOR403", alone).suppressed is not None
    both = checked(declare(file, covered + f"  - {{id: {TWO}, partner: bare}}\n", head))
    assert found(both) == [("DPOR403", ADVISORY, None)]
    assert both.suppressed == 1


def test_an_exception_for_one_subscription_makes_no_known_finding_of_another_a_new_one(
    file: Path,
) -> None:
    head = "version: 1\npartners:\n  prefixed: {id: MPN-5127255, name: Fabrikam Cloud Services}\n"
    plain = f"  - {{id: {ONE}, partner: prefixed}}\n"
    covered = (
        f"  - {{id: {ONE}, partner: prefixed,\n"
        "     exceptions: [{rule: DPOR101, reason: CHG-1, expires: 2027-06-30}]}\n"
    )
    other = f"  - {{id: {TWO}, partner: prefixed}}\n"
    before = the("DPOR101", checked(declare(file, plain + other, head)))
    after = checked(declare(file, covered + other, head), baseline=[before.fingerprint])
    kinds = {
        one.suppressed.kind if one.suppressed else None
        for one in after.findings
        if one.finding.rule == "DPOR101"
    }
    assert kinds == {SuppressedBy.BASELINE, SuppressedBy.EXCEPTION}
    assert not after.failed


# --- Exceptions --------------------------------------------------------------------------------


def excepted(file: Path, last_day: str) -> Path:
    head = PARTNERS.replace("name: Northwind Traders IT", "name: N, status: retired")
    return declare(
        file,
        f"  - id: {ONE}\n    partner: northwind\n    exceptions:\n"
        f"      - {{rule: DPOR301, reason: Handover, expires: {last_day}}}\n"
        f"  - {{id: {TWO}, partner: northwind}}\n",
        head,
    )


def test_an_exception_takes_out_the_finding_of_its_own_subscription_alone(file: Path) -> None:
    result = checked(excepted(file, "2027-06-30"))
    assert found(result) == [("DPOR301", MANDATORY, TWO)]
    (covered,) = (one for one in result.findings if one.suppressed)
    assert covered.finding.subscription_id == ONE
    assert covered.suppressed is not None
    assert covered.suppressed.kind is SuppressedBy.EXCEPTION
    assert covered.suppressed.reason == "Handover"
    assert covered.suppressed.expires == date(2027, 6, 30)
    assert not covered.counts


def test_an_exception_holds_on_its_last_day_and_not_on_the_next(file: Path) -> None:
    last = date(2026, 11, 23)
    excepted(file, last.isoformat())
    before, on, after = (found(checked(file, today=last + timedelta(days))) for days in (-1, 0, 1))
    assert before == on == [("DPOR002", ADVISORY, ONE), ("DPOR301", MANDATORY, TWO)]
    assert after == [
        ("DPOR301", MANDATORY, ONE),
        ("DPOR002", MANDATORY, ONE),
        ("DPOR301", MANDATORY, TWO),
    ]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (31, None),
        (30, "ends in 30 days"),
        (29, "ends in 29 days"),
        (2, "ends in 2 days"),
        (1, "ends tomorrow"),
        (0, "ends today"),
        (-1, "was over on"),
    ],
)
def test_an_exceptions_end_is_announced_from_30_days_before(
    file: Path, days: int, said: str | None
) -> None:
    excepted(file, (TODAY + timedelta(days)).isoformat())
    messages = [one.finding.message for one in checked(file, select=["DPOR002"]).findings]
    assert len(messages) == (said is not None)
    assert all(said in message for message in messages if said)


def test_an_exception_that_is_approved_for_a_shorter_time_covers_nothing(file: Path) -> None:
    excepted(file, "2027-06-30")
    for day, covered in (("2027-06-29", False), ("2027-06-30", True), ("2027-07-01", True)):
        approved = {(ONE, "DPOR301"): date.fromisoformat(day)}
        terms = Terms(TODAY, approved=approved, approved_in="revision main")
        result = checked(file, terms=terms)
        assert (("DPOR301", MANDATORY, ONE) in found(result)) is not covered
        assert (("DPOR002", ADVISORY, ONE) in found(result)) is not covered
        if not covered:
            assert "revision main has it" in the("DPOR002", result).finding.message


def test_an_exception_for_a_rule_that_knows_none_covers_nothing(home: Backend, file: Path) -> None:
    declare(
        file,
        f"  - id: {ONE}\n    partner: contoso\n    exceptions:\n"
        "      - {rule: DPOR201, reason: Urgent, expires: 2027-06-30}\n",
    )
    result = checked(file, live=of(home, "nobody"))
    assert found(result) == [("DPOR201", MANDATORY, ONE), ("DPOR002", MANDATORY, ONE)]


def test_an_exception_without_a_reason_cannot_be_read(file: Path) -> None:
    excepted(file, "2027-06-30")
    for reason in ("", '" "', "null"):
        text = file.read_text().replace("reason: Handover", f"reason: {reason}")
        other = file.with_name("other.yaml")
        other.write_text(text)
        assert found(checked(other)) == [("DPOR001", MANDATORY, ONE), ("DPOR301", MANDATORY, TWO)]


def test_a_groups_exceptions_are_those_of_each_of_its_subscriptions(file: Path) -> None:
    file.write_text(
        PARTNERS.replace("name: Northwind Traders IT", "name: N, status: retired")
        + f"""\
groups:
  - name: Retail
    partner: northwind
    exceptions: [{{rule: DPOR301, reason: Handover, expires: 2027-06-30}}]
    subscriptions: [{{id: {ONE}}}, {{id: {TWO}}}]
subscriptions:
  - {{id: {THREE}, partner: northwind}}
"""
    )
    result = checked(file)
    assert found(result) == [("DPOR301", MANDATORY, THREE)]
    assert result.suppressed == 2


# --- With a registry ---------------------------------------------------------------------------


Arrange = Callable[[Backend], None]


def nothing(home: Backend) -> None:
    del home


def retired(home: Backend) -> None:
    home.registry().partners.retire(NORTHWIND.id, CONTOSO.id)


def renamed(home: Backend) -> None:
    home.registry().partners.rename(CONTOSO.id, "Contoso Group")


def switched(home: Backend) -> None:
    home.designate(ONE, FABRIKAM)
    home.designate(ONE, CONTOSO)
    home.registry(ADMIN).access.add("/", "sp-fabrikam", "Reader", FABRIKAM.id)


def drifted(home: Backend) -> None:
    deployed(home)
    home.designate(ONE, FABRIKAM)


def deployed(home: Backend) -> None:
    home.registry().designations.designate(
        ONE, CONTOSO.id, seen_version=0, owner=Owner("estate/prod/payments", "claim")
    )


def by_hand(home: Backend) -> None:
    home.designate(ONE, FABRIKAM)


def reading_data(home: Backend) -> None:
    home.registry(ADMIN).access.add("/", "sp-contoso", "Storage Blob Data Reader", CONTOSO.id)


def known(home: Backend) -> None:
    home.designate(ONE, CONTOSO)
    home.designate(TWO, CONTOSO)
    home.withdraw(TWO)


CASES: dict[str, tuple[Arrange, str, str, list[tuple[str, Level, str | None]], str]] = {
    "DPOR102": (
        nothing,
        "5678901",
        "Adatum",
        [("DPOR102", MANDATORY, None)],
        "is not in the directory",
    ),
    "DPOR102, renumbered": (
        nothing,
        "3456789",
        CONTOSO.name,
        [("DPOR102", MANDATORY, None)],
        "Contoso Consulting has 4567890 now",
    ),
    "DPOR103": (
        nothing,
        CONTOSO.id,
        FABRIKAM.name,
        [("DPOR103", MANDATORY, None)],
        "'Fabrikam Cloud Services' is 5127255",
    ),
    "DPOR103, renamed": (
        renamed,
        CONTOSO.id,
        CONTOSO.name,
        [("DPOR103", MANDATORY, None)],
        "it is called 'Contoso Group' now",
    ),
    "DPOR301": (
        retired,
        NORTHWIND.id,
        NORTHWIND.name,
        [("DPOR301", MANDATORY, ONE)],
        "declare its successor, 4567890 (Contoso Consulting)",
    ),
    "DPOR302": (
        switched,
        CONTOSO.id,
        CONTOSO.name,
        [("DPOR302", MANDATORY, ONE)],
        "Reader of sp-fabrikam at / belongs to 5127255",
    ),
    "DPOR303": (
        drifted,
        CONTOSO.id,
        CONTOSO.name,
        [("DPOR303", ADVISORY, ONE)],
        "live is 5127255 (Fabrikam Cloud Services), set by admin",
    ),
    "DPOR304": (
        by_hand,
        CONTOSO.id,
        CONTOSO.name,
        [("DPOR304", MANDATORY, ONE)],
        "replaces (replaces_partner_id) 5127255",
    ),
    "DPOR402, undeclared": (
        known,
        CONTOSO.id,
        CONTOSO.name,
        [("DPOR402", ADVISORY, TWO)],
        f"subscription {TWO} is known to the registry",
    ),
    "DPOR404": (
        reading_data,
        CONTOSO.id,
        CONTOSO.name,
        [("DPOR404", ADVISORY, ONE)],
        "sp-contoso of 4567890 (Contoso Consulting) holds Storage Blob Data Reader at /",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_registry_shows_what_a_file_cannot(home: Backend, file: Path, case: str) -> None:
    arrange, partner_id, name, expected, said = CASES[case]
    arrange(home)
    head = (
        f'version: 1\npartners:\n  it: {{id: "{partner_id}", name: {name},'
        " agreement: {reference: DSA-1}}\n"
    )
    result = checked(declare(file, f"  - {{id: {ONE}, partner: it}}\n", head), live=of(home))
    assert found(result) == expected
    assert said in result.findings[0].finding.message
    assert result.failed == (expected[0][1] is MANDATORY)
    assert result.not_run == ()


def test_what_stays_unconfirmed_for_more_than_14_days_is_found(home: Backend, file: Path) -> None:
    deployed(home)
    declare(file, f"  - {{id: {ONE}, partner: contoso}}\n")
    designated = of(home).record(ONE).changed_at
    assert designated is not None
    day = designated.date()
    assert found(checked(file, live=of(home), today=day + timedelta(14))) == []
    later = checked(file, live=of(home), today=day + timedelta(15))
    assert found(later) == [("DPOR305", ADVISORY, ONE)]
    assert "15 days ago" in later.findings[0].finding.message
    Portal(home.registry()).confirm(ONE, CONTOSO.name)
    assert found(checked(file, live=of(home), today=day + timedelta(15))) == []


def test_the_deployers_roles_are_asked_for_each_subscription(home: Backend, file: Path) -> None:
    scope = f"/subscriptions/{ONE}"
    home.registry().roles.grant(Grant("ci-deploy", Role.CONTRIBUTOR, scope))
    declare(file, f"  - {{id: {ONE}, partner: contoso}}\n  - {{id: {TWO}, partner: contoso}}\n")
    result = checked(file, live=of(home, "ci-deploy"))
    assert found(result) == [("DPOR201", MANDATORY, TWO)]
    message = result.findings[0].finding.message
    assert "ci-deploy may not designate" in message
    assert f"holds Contributor at {scope}" in message
    assert found(checked(file, live=of(home, ADMIN))) == []


def test_what_a_registry_holds_is_at_the_place_of_the_declaration(
    home: Backend, file: Path
) -> None:
    by_hand(home)
    declare(file, f"  - {{id: {TWO}, partner: northwind}}\n  - {{id: {ONE}, partner: contoso}}\n")
    one = the("DPOR304", checked(file, live=of(home)))
    assert_at(one, file, "contoso", f"{ONE}, partner: contoso")


def test_an_exception_covers_what_a_registry_shows(home: Backend, file: Path) -> None:
    switched(home)
    declare(
        file,
        f"  - id: {ONE}\n    partner: contoso\n    exceptions:\n"
        "      - {rule: DPOR302, reason: Handover, expires: 2027-06-30}\n",
    )
    result = checked(file, live=of(home))
    assert found(result) == []
    assert the("DPOR302", result).suppressed is not None
    assert not result.failed


def test_each_access_that_remains_is_a_finding_of_its_own(home: Backend, file: Path) -> None:
    switched(home)
    home.registry(ADMIN).access.add("/", "sp-fabrikam", "Owner", FABRIKAM.id)
    home.registry(ADMIN).access.add("/", "sp-fabrikam-2", "Reader", FABRIKAM.id)
    result = checked(declare(file, f"  - {{id: {ONE}, partner: contoso}}\n"), live=of(home))
    assert found(result) == [("DPOR302", MANDATORY, ONE)] * 3
    assert len({one.fingerprint for one in result.findings}) == 3


def test_silence_about_a_known_subscription_is_no_finding_where_a_file_cannot_be_read(
    home: Backend, file: Path
) -> None:
    known(home)
    declare(file, f"  - {{id: {ONE}, partner: contoso}}\n")
    assert found(checked(file, live=of(home))) == [("DPOR402", ADVISORY, TWO)]
    broken = file.with_name("x.partners.yaml")
    broken.write_text("version: 2\n")
    assert found(checked(file, broken, live=of(home))) == [("DPOR001", MANDATORY, None)]
    broken.write_text(f"version: 1\nsubscriptions: [{{id: {TWO}, partner: undecided}}]\n")
    assert found(checked(file, broken, live=of(home))) == [("DPOR402", ADVISORY, TWO)]


def test_a_known_subscription_that_has_a_partner_is_no_finding(home: Backend, file: Path) -> None:
    home.designate(TWO, FABRIKAM)
    declare(file, f"  - {{id: {ONE}, partner: contoso}}\n")
    assert found(checked(file, live=of(home))) == []


def test_what_cannot_be_read_on_the_platform_is_told_and_not_taken_for_absent(
    home: Backend, file: Path
) -> None:
    by_hand(home)
    live = replace(of(home), unreadable={ONE: "the right to read is lacking"})
    result = checked(declare(file, f"  - {{id: {ONE}, partner: contoso}}\n"), live=live)
    assert found(result) == [("DPOR204", MANDATORY, ONE)]
    assert "the right to read is lacking" in result.findings[0].finding.message


def test_an_unknown_deployer_is_told_once_and_before_all_that_has_a_place(
    home: Backend, file: Path
) -> None:
    live = of(home)
    live = replace(live, deployer=replace(live.deployer, unknown="the token has expired"))
    declare(file, f"  - {{id: {ONE}, partner: contoso}}\n  - {{id: {TWO}, partner: undecided}}\n")
    result = checked(file, live=live)
    assert found(result) == [("DPOR202", MANDATORY, None), ("DPOR402", ADVISORY, TWO)]
    assert result.findings[0].finding.where is None
    assert result.findings[0].excerpt is None


def test_the_day_is_that_of_the_terms_and_not_of_the_clock(home: Backend, file: Path) -> None:
    excepted(file, "2000-01-01")
    assert ("DPOR301", MANDATORY, ONE) in found(checked(file, today=datetime.now(UTC).date()))
    assert ("DPOR301", MANDATORY, ONE) not in found(checked(file, today=date(2000, 1, 1)))
