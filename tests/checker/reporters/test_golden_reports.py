"""The reports are, byte for byte, what the golden files hold."""

from __future__ import annotations

import pytest
from checker.reporters.report_cases import CASES, GOLDEN, HOSTILE, golden
from rich.cells import cell_len

from dpor_provider.checker.reporters import formats, render


@pytest.mark.parametrize("format_name", formats())
@pytest.mark.parametrize("case", CASES)
def test_a_report_is_its_golden_file_byte_for_byte(case: str, format_name: str) -> None:
    assert golden(case, format_name) == (GOLDEN / f"{case}.{format_name}").read_bytes()


def test_there_is_a_golden_file_of_each_case_in_each_format_and_no_other() -> None:
    wanted = {f"{case}.{format_name}" for case in CASES for format_name in formats()}
    assert {path.name for path in GOLDEN.iterdir()} == wanted


def test_a_quoted_line_and_its_caret_take_no_more_than_a_hundred_columns() -> None:
    quoted = [
        text.partition(" | ")[2]
        for text in render(HOSTILE, "text").splitlines()
        if text.lstrip(" 0123456789").startswith("| ")
    ]
    assert len(quoted) == 14
    assert max(cell_len(text) for text in quoted) == 100
    for line, carets in zip(quoted[::2], quoted[1::2], strict=True):
        assert set(carets) <= {" ", "^"}
        assert carets.endswith("^")
        assert len(carets) <= cell_len(line)
