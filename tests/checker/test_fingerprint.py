"""Fingerprints and baselines: the same finding stays the same, and a second one is another."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import chdir
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpor_provider.checker import Result, baseline, check
from dpor_provider.checker.fingerprint import fingerprints
from dpor_provider.checker.result import SuppressedBy
from dpor_provider.declaration import load
from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.model import Finding, Level, Position
from dpor_provider.rules import Terms, all_rules

TODAY = date(2026, 11, 23)
ONE, TWO, THREE = (f"0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a0{digit}" for digit in "123")

HEAD = """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting, agreement: {reference: DSA-1}}
  prefixed: {id: MPN-5127255, name: Adatum, agreement: {reference: DSA-2}}
  bare: {id: "5127255", name: Fabrikam Cloud Services}
  gone: {id: "2345678", name: Litware, status: retired, agreement: {reference: DSA-6}}
subscriptions:
"""
ENTRIES = (
    "  - {id: ID, partner: contoso}\n",
    "  - {id: ID, partner: prefixed}\n",
    "  - {id: ID, partner: bare}\n",
    "  - {id: ID, partner: gone}\n",
    "  - {id: ID, partner: undecided}\n",
    "  - {id: ID, partner: contoso, surplus: 1}\n",
    "  - {id: ID, partnr: contoso}\n",
    "  - {id: x-ID, partner: contoso}\n",
    "  - {id: ID, partner: nobody}\n",
    "  - {id: ID, partner: none}\n",
    "  - {partner: contoso}\n",
    "  - id: ID\n    partner: contoso\n    partner: bare\n",
    """\
  - id: ID
    partner: bare
    exceptions:
      - {rule: DPOR403, reason: CHG-1, expires: 2026-12-01}
      - {rule: DPOR403, reason: CHG-2, expires: 2026-10-01}
""",
    """\
  - id: ID
    partner: gone
    exceptions:
      - {rule: DPOR301, reason: CHG-3, expires: 2027-12-01}
""",
)

quick = settings(max_examples=100, deadline=None)


@pytest.fixture(scope="module")
def file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        yield Path(folder, "partners.yaml")


def checked(*files: Path, known: Collection[str] = (), today: date = TODAY) -> Result:
    return check(load(files), Terms(today), None, all_rules(), known)


def checked_text(file: Path, text: str, known: Collection[str] = ()) -> Result:
    file.write_bytes(text.encode())
    return checked(file, known=known)


def marks(result: Result) -> list[str]:
    return [one.fingerprint for one in result.findings]


def new(result: Result) -> list[str]:
    """The rules of the findings that nothing suppresses."""
    return [one.finding.rule for one in result.findings if one.suppressed is None]


# --- Properties of real files ------------------------------------------------------------------


entries = st.lists(
    st.tuples(st.sampled_from(ENTRIES), st.sampled_from([ONE, TWO, THREE])).map(
        lambda drawn: drawn[0].replace("ID", drawn[1])
    ),
    min_size=1,
    max_size=7,
)
noise = st.sampled_from(["", "", "\n", "   \n", "# partner: none\n", "\n      # ü\n\n"])


def with_noise(text: str, between: Sequence[str]) -> str:
    """The text with further lines before its own."""
    lines = text.splitlines(keepends=True)
    return "".join(between[index % len(between)] + line for index, line in enumerate(lines))


@quick
@given(listed=entries)
def test_no_two_findings_of_a_result_have_one_fingerprint(file: Path, listed: list[str]) -> None:
    found = marks(checked_text(file, HEAD + "".join(listed)))
    assert len(set(found)) == len(found)


@quick
@given(listed=entries, between=st.lists(noise, min_size=1, max_size=30), data=st.data())
def test_lines_that_come_or_move_change_no_fingerprint(
    file: Path, listed: list[str], between: list[str], data: st.DataObject
) -> None:
    before = checked_text(file, HEAD + "".join(listed))
    moved = data.draw(st.permutations(listed))
    after = checked_text(file, with_noise(HEAD + "".join(moved), between))
    assert Counter(marks(after)) == Counter(marks(before))


@quick
@given(listed=entries, between=st.lists(noise, min_size=1, max_size=30), data=st.data())
def test_a_baseline_of_all_findings_hides_them_wherever_they_move(
    file: Path, listed: list[str], between: list[str], data: st.DataObject
) -> None:
    before = checked_text(file, HEAD + "".join(listed))
    listing = file.with_name("baseline.json")
    baseline.write(before, listing)
    moved = data.draw(st.permutations(listed))
    text = with_noise(HEAD + "".join(moved), between)
    after = checked_text(file, text, baseline.read_file(listing))
    assert new(after) == []
    assert not after.failed
    assert len(after.findings) == len(before.findings)


@quick
@given(listed=entries, data=st.data())
def test_a_baseline_hides_no_more_findings_than_it_holds(
    file: Path, listed: list[str], data: st.DataObject
) -> None:
    whole = checked_text(file, HEAD + "".join(listed))
    chosen = data.draw(st.sets(st.sampled_from([*marks(whole), "0:1"])))
    after = checked(file, known=chosen)
    hidden = {
        one.fingerprint
        for one in after.findings
        if one.suppressed and one.suppressed.kind is SuppressedBy.BASELINE
    }
    assert hidden <= chosen
    for one in after.findings:
        assert (one.suppressed is None) <= (one.fingerprint not in chosen)


@quick
@given(listed=entries, line_break=st.sampled_from(["\r\n", "\r"]))
def test_other_line_breaks_change_no_fingerprint(
    file: Path, listed: list[str], line_break: str
) -> None:
    text = HEAD + "".join(listed)
    before = marks(checked_text(file, text))
    assert marks(checked_text(file, text.replace("\n", line_break))) == before


# --- Properties of fingerprints ----------------------------------------------------------------


words = st.sampled_from([None, "a", "b", "a:1"])
findings = st.builds(
    Finding,
    rule=st.sampled_from(["DPOR301", "DPOR302", "DPOR402"]),
    message=st.sampled_from(["one", "another"]),
    subscription_id=words,
    partner_id=words,
    property_name=words,
    about=st.sampled_from(["", "a", "b"]),
    level=st.sampled_from(Level),
    where=st.none()
    | st.builds(
        Position,
        file=st.sampled_from(["x.yaml", "y.yaml"]),
        line=st.integers(1, 3),
        column=st.integers(1, 3),
        end_line=st.just(3),
        end_column=st.just(3),
    ),
)


def content(finding: Finding) -> object:
    return (
        finding.rule,
        finding.where.file if finding.where else None,
        finding.subscription_id,
        finding.partner_id,
        finding.property_name,
        finding.about,
    )


@given(some=st.lists(findings, max_size=8))
def test_findings_are_told_apart_by_their_content_and_counted_where_that_is_equal(
    some: list[Finding],
) -> None:
    found = list(fingerprints(some, lambda _: "a line"))
    assert len(set(found)) == len(some)
    by_content: dict[object, list[str]] = {}
    for finding, mark in zip(some, found, strict=True):
        by_content.setdefault(content(finding), []).append(mark)
    for same in by_content.values():
        digests, counts = zip(*(mark.split(":") for mark in same), strict=True)
        assert len(set(digests)) == 1
        assert counts == tuple(map(str, range(1, len(same) + 1)))
    assert len({mark.split(":")[0] for mark in found}) == len(by_content)


@given(some=st.lists(findings, max_size=8), lines=st.integers(1, 1000))
def test_neither_place_nor_line_nor_message_nor_level_counts(
    some: list[Finding], lines: int
) -> None:
    moved = [
        replace(
            finding,
            message="yet another",
            level=Level.ADVISORY,
            where=finding.where and replace(finding.where, line=finding.where.line + lines),
        )
        for finding in some
    ]
    assert list(fingerprints(moved, lambda _: None)) == list(fingerprints(some, lambda _: "a line"))


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    where = Position("estate/partners.yaml", 3, 4, 3, 9)
    finding = Finding("DPOR402", "anything", ONE, "partner_id", where, partner_id="4567890")
    # Baselines that people have committed hold it.
    assert list(fingerprints([finding], lambda _: None)) == ["282b10e1b9b6276b8c3cde06cbb4f89f:1"]


# --- What cannot be read -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nbogus: 1\n",
        "version: 1\nversion: 1\n",
        "version: 1\npartners: &a {}\nsubscriptions: *a\n",
        'version: 1\ndirectory: "no where.yaml"\n',
        "version: 1\nsubscriptions:\n  - {id: 6f9619ff, partner: none, reason: x}\n",
        "version: 2\n",
        "version: 1\nsubscriptions: !!seq []\n",
        "version: 1\n# \x07\n",
    ],
)
def test_what_cannot_be_read_is_the_same_after_lines_have_moved(file: Path, text: str) -> None:
    before = checked_text(file, text)
    after = checked_text(file, "# one\n\n# two\n" + text)
    assert marks(before) == marks(after)
    assert set(new(before)) == {"DPOR001"}
    assert [one.finding.where for one in before.findings] != [
        one.finding.where for one in after.findings
    ]


def test_bytes_that_are_no_text_are_the_same_after_lines_have_moved(file: Path) -> None:
    results = []
    for before in (b"", b"# one\n\n"):
        file.write_bytes(before + b"version: 1\nname: caf\xe9\n")
        results.append(checked(file))
    assert marks(results[0]) == marks(results[1])
    assert results[0].findings[0].finding.message != results[1].findings[0].finding.message


def test_indentation_changes_no_fingerprint(file: Path) -> None:
    line = f"- {{id: {ONE}, partner: contoso, surplus: 1}}\n"
    before, after = (marks(checked_text(file, HEAD + " " * width + line)) for width in (2, 6))
    assert before == after
    assert len(before) == 1


def test_another_problem_in_the_same_line_is_another_finding(file: Path) -> None:
    one = checked_text(file, f"{HEAD}  - {{id: {ONE}, partner: contoso, surplus: 1}}\n")
    two = checked_text(file, f"{HEAD}  - {{id: {ONE}, partner: contoso, remain: 1}}\n")
    assert len(marks(one)) == len(marks(two)) == 1
    assert not set(marks(one)) & set(marks(two))


def test_a_partner_that_is_declared_differently_is_the_same_after_lines_have_moved(
    file: Path,
) -> None:
    other = file.with_name("z.partners.yaml")
    other.write_text('version: 1\npartners:\n  contoso: {id: "4567890", name: Other}\n')
    file.write_text(HEAD.replace("subscriptions:\n", ""))
    before = checked(file, other)
    file.write_text("# moved\n" + file.read_text())
    after = checked(file, other)
    assert marks(before) == marks(after)
    assert before.findings[0].finding.message != after.findings[0].finding.message


# --- A second one ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "again"),
    [
        ("  - {id: ID, partner: undecided}\n", ["DPOR402", "DPOR401"]),
        ("  - {id: ID, partner: gone}\n", ["DPOR301", "DPOR401"]),
        ("  - {id: ID, partner: contoso, surplus: 1}\n", ["DPOR001"]),
        ("  - {id: x-ID, partner: contoso}\n", ["DPOR001"]),
    ],
)
@pytest.mark.parametrize("other_file", [False, True])
def test_a_second_identical_violation_is_new_in_the_same_file_and_in_another(
    file: Path, entry: str, again: list[str], other_file: bool
) -> None:
    line = entry.replace("ID", ONE)
    known = marks(checked_text(file, HEAD + line))
    assert len(known) == 1
    if other_file:
        other = file.with_name("other.partners.yaml")
        other.write_text("version: 1\nsubscriptions:\n" + line)
        result = checked(file, other, known=known)
    else:
        result = checked_text(file, HEAD + line + line, known)
    assert sorted(new(result)) == sorted(again)
    assert result.suppressed == 1


def test_the_second_of_two_that_remains_alone_is_the_known_one(file: Path) -> None:
    line = f"  - {{id: {ONE}, partner: contoso, surplus: 1}}\n"
    known = marks(checked_text(file, HEAD + line + line))
    assert len(known) == 2
    assert new(checked_text(file, HEAD + "\n" + line, known)) == []


def test_a_violation_on_another_subscription_is_new(file: Path) -> None:
    known = marks(checked_text(file, f"{HEAD}  - {{id: {ONE}, partner: gone}}\n"))
    result = checked_text(file, f"{HEAD}  - {{id: {TWO}, partner: gone}}\n", known)
    assert new(result) == ["DPOR301"]


def test_a_violation_by_another_partner_on_the_same_subscription_is_new(file: Path) -> None:
    head = HEAD.replace("name: Adatum", "name: Adatum, status: retired")
    known = marks(checked_text(file, f"{head}  - {{id: {ONE}, partner: gone}}\n"))
    result = checked_text(file, f"{head}  - {{id: {ONE}, partner: prefixed}}\n", known)
    assert sorted(new(result)) == ["DPOR101", "DPOR301"]


def test_a_subscription_that_is_declared_twice_is_known_in_either_order(file: Path) -> None:
    lines = [
        f"  - {{id: {ONE}, partner: contoso}}\n",
        f"  - {{id: {ONE}, partner: none, reason: x}}\n",
    ]
    known = marks(checked_text(file, HEAD + "".join(lines)))
    result = checked_text(file, HEAD + "".join(reversed(lines)), known)
    assert new(result) == []
    assert len(known) == 1


# --- Baseline files ----------------------------------------------------------------------------


COVERED = f"""\
  - id: {ONE}
    partner: gone
    exceptions:
      - {{rule: DPOR301, reason: CHG-3, expires: 2027-12-01}}
  - {{id: {TWO}, partner: gone}}
"""


def test_a_baseline_holds_every_finding_that_no_exception_covers(
    tmp_path: Path, file: Path
) -> None:
    result = checked_text(file, HEAD + COVERED)
    listing = tmp_path / "baseline.json"
    assert baseline.write(result, listing) == 1
    written = json.loads(listing.read_text())
    assert written == {
        "version": 1,
        "findings": [
            {
                "fingerprint": result.findings[1].fingerprint,
                "rule": "DPOR301",
                "file": str(file),
                "message": "partner Litware (2345678) is retired; declare another partner",
            }
        ],
    }
    assert baseline.read_file(listing) == (result.findings[1].fingerprint,)


def test_what_an_exception_covered_is_found_when_it_is_over(tmp_path: Path, file: Path) -> None:
    listing = tmp_path / "baseline.json"
    baseline.write(checked_text(file, HEAD + COVERED), listing)
    later = checked(file, known=baseline.read_file(listing), today=date(2027, 12, 2))
    assert new(later) == ["DPOR301", "DPOR002"]
    assert later.failed


def test_a_baseline_of_what_the_baseline_hides_is_the_same_again(
    tmp_path: Path, file: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    baseline.write(checked_text(file, HEAD + COVERED), first)
    baseline.write(checked(file, known=baseline.read_file(first)), second)
    assert first.read_bytes() == second.read_bytes()


def test_an_exception_says_more_than_a_baseline(file: Path) -> None:
    before = checked_text(file, HEAD + COVERED)
    after = checked(file, known=marks(before))
    kinds = [one.suppressed.kind for one in after.findings if one.suppressed]
    assert kinds == [SuppressedBy.EXCEPTION, SuppressedBy.BASELINE]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"\xff", "it is not UTF-8"),
        (b"[]", "is no baseline of version 1"),
        (b"null", "is no baseline of version 1"),
        (b"{}", "is no baseline of version 1"),
        (b'{"version": 2, "findings": []}', "is no baseline of version 1"),
        (b'{"version": 1, "findings": {}}', "is no baseline of version 1"),
        (b'{"version": 1, "findings": [{}]}', "is no baseline of version 1"),
        (b'{"version": 1, "findings": [{"fingerprint": 1}]}', "is no baseline of version 1"),
    ],
)
def test_what_is_no_baseline_is_refused_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    listing = tmp_path / "baseline.json"
    listing.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        baseline.read_file(listing)
    assert said in str(refused.value)
    assert str(listing) in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_baseline_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(Invalid, match="cannot be read"):
            baseline.read_file(path)


def test_what_else_an_entry_says_is_for_people(tmp_path: Path, file: Path) -> None:
    mark = marks(checked_text(file, HEAD + COVERED))[1]
    entry = {"fingerprint": mark, "why": "CHG-9", "rule": "DPOR999"}
    text = json.dumps({"version": 1, "owner": "us", "findings": [entry]})
    assert baseline.read(text, "baseline.json") == (mark,)


def test_a_baseline_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, file: Path) -> None:
    result = checked_text(file, HEAD + COVERED)
    with pytest.raises(Unavailable, match="cannot be written"):
        baseline.write(result, tmp_path / "nowhere" / "baseline.json")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(Unavailable, match="cannot be written"):
        baseline.write(result, folder)
    assert list(tmp_path.iterdir()) == [folder]
    assert list(folder.iterdir()) == []
