"""Rows that models scored, and gates asked: counted by day and recipient, on disk."""

import datetime as dt
from pathlib import Path

import kept

from cleanroom.budget.scored import Daily, count, counted

DAY = dt.date(2026, 5, 21)
NEXT = DAY + dt.timedelta(days=1)


def test_rows_add_up_by_model_recipient_and_day(tmp_path: Path) -> None:
    for before in (0, 40, 80):
        with kept.state(tmp_path) as state, state.writing() as batch:
            assert counted(batch, Daily("scored", "bank_b.risk", "bank_a"), DAY) == before
            count(batch, Daily("scored", "bank_b.risk", "bank_a"), DAY, 40)
    with kept.state(tmp_path) as state, state.reading() as view:
        assert counted(view, Daily("scored", "bank_b.risk", "bank_a"), DAY) == 120
        assert counted(view, Daily("scored", "bank_b.risk", "shop"), DAY) == 0
        assert counted(view, Daily("scored", "bank_b.other", "bank_a"), DAY) == 0
        assert counted(view, Daily("scored", "bank_b.risk", "bank_a"), NEXT) == 0


def test_a_clock_that_is_set_back_counts_the_later_day_too(tmp_path: Path) -> None:
    with kept.state(tmp_path) as state, state.writing() as batch:
        count(batch, Daily("scored", "bank_b.risk", "bank_a"), NEXT, 60)
        assert counted(batch, Daily("scored", "bank_b.risk", "bank_a"), DAY) == 60


def test_gates_and_models_of_one_name_are_counted_apart(tmp_path: Path) -> None:
    with kept.state(tmp_path) as state, state.writing() as batch:
        count(batch, Daily("gates", "risk", "bank_a"), DAY, 1)
        assert counted(batch, Daily("gates", "risk", "bank_a"), DAY) == 1
        assert counted(batch, Daily("scored", "risk", "bank_a"), DAY) == 0
