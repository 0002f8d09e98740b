"""Rows held to the contract's bounds where answers are noisy: no error tells of one person."""

from pathlib import Path

import noisy
import numpy as np
import pandas as pd
import pytest

from cleanroom.contract.terms import Terms
from cleanroom.errors import DataMismatch
from cleanroom.local.given import as_file
from cleanroom.sources.database import Database

TERMS = noisy.terms({"max_rows_per_person": 3})
READ = (
    "SELECT pid, CAST(amount AS DOUBLE) AS amount, coalesce(level, -1) AS level FROM claims "
    "ORDER BY 1, 2, 3"
)
COLUMNS = tuple(TERMS.tables["claims"].columns)


def rows(seed: int = 1) -> pd.DataFrame:
    """Return rows of which some are beyond the bounds, and persons with up to ten rows."""
    dice = np.random.default_rng(seed)
    n = 200
    found = pd.DataFrame(
        {
            "pid": dice.integers(0, 50, n),
            "kind": "car",
            "paid": True,
            "amount": dice.integers(-5000, 20_000, n) / 100,
            "level": pd.array(dice.integers(-5, 15, n), dtype="Int64"),
            "note": "x",
        }
    )
    found.loc[dice.random(n) < 0.2, "level"] = pd.NA
    return found


def loaded(folder: Path, table: pd.DataFrame, terms: Terms = TERMS) -> pd.DataFrame:
    path = as_file(table, folder / f"{len(list(folder.iterdir()))}.parquet", "claims", COLUMNS)
    people = {"beta.people": folder / "people.csv"}
    people["beta.people"].write_text("pid,smokes\n", encoding="utf-8")
    database = Database(terms, "beta", {"claims": path, **people})
    found = database.run(READ, b"")
    assert database.rows("claims") == len(found["pid"])
    return pd.DataFrame(found)


def test_values_are_moved_to_the_nearest_bound_and_persons_keep_so_many_rows(
    tmp_path: Path,
) -> None:
    """F64: whatever one person's values are, nothing fails."""
    table = rows()
    found = loaded(tmp_path, table)
    assert found.groupby("pid").size().max() == 3
    clipped = table.assign(amount=table.amount.clip(0, 100), level=table.level.clip(0, 9))
    sizes = clipped.groupby("pid").size().clip(upper=3)
    assert (found.groupby("pid").size() == sizes).all()
    whole = {(p, a) for p, a in zip(clipped.pid, clipped.amount, strict=True)}
    assert {(p, a) for p, a in zip(found.pid, found.amount, strict=True)} <= whole


def test_which_rows_stay_depends_on_neither_their_order_nor_other_persons(tmp_path: Path) -> None:
    table = rows()
    shuffled = loaded(tmp_path, table.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(loaded(tmp_path, table), shuffled)
    without = loaded(tmp_path, table[table.pid != 7])
    kept = shuffled[shuffled.pid != 7].reset_index(drop=True)
    pd.testing.assert_frame_equal(without, kept)


def test_persons_outside_of_the_bounds_are_left_out_and_never_become_one(tmp_path: Path) -> None:
    """Moved to the bound, a second one would push rows of the first one out."""
    table = rows()
    nobody = table.head(12).assign(pid=[-1, -1, -2, 10**6, 10**6 + 1, 10**9, *[None] * 6])
    nobody["pid"] = nobody["pid"].astype("Int64")
    found = loaded(tmp_path, pd.concat([table, nobody]))
    pd.testing.assert_frame_equal(found, loaded(tmp_path, table))
    edge = table.head(3).assign(pid=999_999, amount=[1.0, 2.0, 3.0])
    kept = loaded(tmp_path, pd.concat([edge, nobody]))
    pd.testing.assert_frame_equal(kept, loaded(tmp_path, edge))
    assert len(kept) == 3


def test_too_many_rows_are_an_error_of_the_owner(tmp_path: Path) -> None:
    """Which of them stay would depend on all persons, and so would what one more changes."""
    many = pd.concat([rows(seed) for seed in range(6)])
    with pytest.raises(DataMismatch, match="more than max_rows = 1024 rows"):
        loaded(tmp_path, many)


def test_exact_answers_need_rows_within_the_bounds(tmp_path: Path) -> None:
    exact = noisy.terms({"max_rows_per_person": 3}, release="sdc")
    with pytest.raises(DataMismatch, match="outside of the declared bounds"):
        loaded(tmp_path, rows(), exact)
