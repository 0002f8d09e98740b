"""Rows that models scored: counted by day and recipient, on disk, never beyond the limit."""

import datetime as dt
from pathlib import Path

import pytest

from cleanroom.budget.scored import Scored
from cleanroom.errors import LedgerUnavailable

DAY = dt.date(2026, 5, 21)
NEXT = DAY + dt.timedelta(days=1)


def test_rows_add_up_by_model_recipient_and_day(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for before in (0, 40, 80):  # the last is beyond the limit, and isn't counted
        with Scored(path) as scored:
            assert scored.count("bank_b.risk", "bank_a", DAY, 40, 100) == before
    with Scored(path) as scored:
        assert scored.count("bank_b.risk", "bank_a", DAY, 20, 100) == 80
        assert scored.count("bank_b.risk", "shop", DAY, 40, 100) == 0
        assert scored.count("bank_b.other", "bank_a", DAY, 40, 100) == 0
        assert scored.count("bank_b.risk", "bank_a", NEXT, 1, 100) == 0


def test_a_clock_that_is_set_back_counts_the_later_day_too(tmp_path: Path) -> None:
    with Scored(tmp_path / "ledger.db") as scored:
        scored.count("bank_b.risk", "bank_a", NEXT, 60, 100)
        assert scored.count("bank_b.risk", "bank_a", DAY, 60, 100) == 60


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Scored(path)._store.close()
    path.chmod(0o644)
    with pytest.raises(LedgerUnavailable, match="by others"):
        Scored(path)
