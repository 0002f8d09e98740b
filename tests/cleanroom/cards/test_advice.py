"""Advice names what fits, gives a reason against all else, and costs as the planner has them."""

import itertools
from typing import Any

import pytest
from typer.testing import CliRunner

from cleanroom.advice import Advice, Needs, Task, advise
from cleanroom.cards.shelf import CARDS
from cleanroom.cli import app


def needs(task: Task, **more: Any) -> Advice:
    return advise(Needs(task, **{"owners": 5, "rows": 10_000, **more}))


@pytest.mark.parametrize(
    ("found", "first"),
    [
        (needs(Task.TOTALS), "rep3"),
        (needs(Task.TOTALS, small_groups=True), "he"),
        (needs(Task.TOTALS, small_groups=True, hidden=True), "private"),
        (needs(Task.TOTALS, exact=False), "noisy"),
        (needs(Task.TOTALS, computing=False), None),
        (needs(Task.TOTALS, computing=False, small_groups=True, owners=2), None),
        (needs(Task.JOINS), "rep3"),
        (needs(Task.JOINS, hidden=True), None),
        (needs(Task.ROWS), "gates"),
        (needs(Task.MODEL), "logistic"),
        (needs(Task.MODEL, trusted=False), None),
        (needs(Task.MODEL, trusted=False, exact=False), "private_logistic"),
        (needs(Task.MODEL, owners=2), None),
        (needs(Task.JOINED_MODEL), "joined_logistic"),
        (needs(Task.SCORES), "scoring"),
    ],
)
def test_what_fits_comes_first(found: Advice, first: str | None) -> None:
    assert next(iter(found.fits), None) == first


def test_every_technique_fits_or_has_a_reason_whatever_is_needed() -> None:
    fitted = set()
    for task, *flags in itertools.product(Task, *[[False, True]] * 5):
        names = ("computing", "hidden", "small_groups", "exact", "trusted")
        found = advise(Needs(task, 5, 100, **dict(zip(names, flags, strict=True))))
        fitted |= set(found.fits)
        assert set(found.fits) | found.rejected.keys() <= CARDS.keys()
        assert not set(found.fits) & found.rejected.keys()
        assert all(found.rejected.values())
    assert fitted | {"tee", "zkp"} == set(found.fits) | found.rejected.keys()
    assert not fitted & {"tee", "zkp"}


def test_ciphertexts_cost_the_same_for_any_number_of_rows_and_shares_more() -> None:
    few, many = (needs(Task.TOTALS, small_groups=True, rows=n).costs for n in (100, 100_000))
    assert few["he"] == many["he"]
    assert few["rep3"].seconds < many["rep3"].seconds


def test_the_command_says_why_not() -> None:
    words = ["advise", "totals", "--owners", "5", "--rows", "1000"]
    said = CliRunner().invoke(app, words).output
    assert "fits: rep3" in said
    assert "not he: the recipient sees every cell" in said
    assert "not tee: not implemented" in said
    assert CliRunner().invoke(app, ["advise", "magic", *words[2:]]).exit_code == 2
