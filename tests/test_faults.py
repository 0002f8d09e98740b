"""The list of fault cases is whole, and every test that it names is there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LISTED = (TESTS / "FAULTS.md").read_text(encoding="utf-8")
CASES = {
    *("F53", "F54", "F56", "F57", "F58", "F59", "F60", "F62", "F63", "F64", "F66", "F67", "F69"),
    *("F77", "F78", "F79", "F80", "F81", "F82", "F84", "F85", "F86", "F88", "F89", "F90"),
}
NAMED = re.findall(r"`(\w+/test_\w+\.py)::(\w+)`", LISTED)


def test_every_case_has_a_line() -> None:
    assert set(re.findall(r"^\| (F\d+) ", LISTED, re.MULTILINE)) == CASES


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED)))
def test_a_named_test_is_there(file: str, test: str) -> None:
    folder = TESTS if file.startswith("protocols/") else TESTS / "cleanroom"
    code = (folder / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {test}\(", code, re.MULTILINE)
