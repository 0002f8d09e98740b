"""Rows that models scored: counted by day and recipient, on disk, never beyond the limit."""

import datetime as dt
from pathlib import Path

import kept

from cleanroom.budget.scored import Scored

DAY = dt.date(2026, 5, 21)
NEXT = DAY + dt.timedelta(days=1)


def test_rows_add_up_by_model_recipient_and_day(tmp_path: Path) -> None:
    for before in (0, 40, 80):  # the last is beyond the limit, and isn't counted
        with kept.state(tmp_path) as state:
            assert Scored(state).count("bank_b.risk", "bank_a", DAY, 40, 100) == before
    with kept.state(tmp_path) as state:
        scored = Scored(state)
        assert scored.count("bank_b.risk", "bank_a", DAY, 20, 100) == 80
        assert scored.count("bank_b.risk", "shop", DAY, 40, 100) == 0
        assert scored.count("bank_b.other", "bank_a", DAY, 40, 100) == 0
        assert scored.count("bank_b.risk", "bank_a", NEXT, 1, 100) == 0


def test_a_clock_that_is_set_back_counts_the_later_day_too(tmp_path: Path) -> None:
    with kept.state(tmp_path) as state:
        scored = Scored(state)
        scored.count("bank_b.risk", "bank_a", NEXT, 60, 100)
        assert scored.count("bank_b.risk", "bank_a", DAY, 60, 100) == 60
