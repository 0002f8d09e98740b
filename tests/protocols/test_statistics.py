"""Distinct values and quantiles of secret groups against pandas, weights and NULLs included."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relations import opened, run, share, table

from protocols.rep3.distinct import Distinct
from protocols.rep3.group import Extreme, Grouping, group
from protocols.rep3.quantile import Rank
from protocols.simulate import Transcript

FEW = settings(max_examples=12, deadline=None)
SIZES = st.sampled_from([0, 1, 2, 63, 64, 65, 130])
COUNTED = (
    Distinct("values", "count", ("v",)),
    Distinct("pairs", "count", ("p", "v")),
    Distinct("total", "sum", ("v",), low=-300),
    Distinct("keys", "count", ("k",)),
)


def weighted(seed: int, n: int) -> pd.DataFrame:
    """Return rows with a weight, 0 where `v` is NULL; every fourth group has only NULLs."""
    frame = table(seed, n)
    frame.loc[frame["k"] == 3, "v"] = pd.NA
    weight = np.random.default_rng(seed + 1).integers(1, 5, n)
    frame["w"] = np.where(frame["v"].isna(), 0, weight)
    return frame


def grouped(frame: pd.DataFrame, what: Grouping, transcript: Transcript | None = None) -> Any:
    shares = share(frame, ["x", "w"])
    return opened(run(lambda ctx: group(ctx, shares[ctx.me], what), transcript))


@FEW
@given(st.integers(0, 2**32), SIZES)
def test_distinct_values_agree_with_pandas(seed: int, n: int) -> None:
    frame = weighted(seed, n)
    what = Grouping(("k",), (("p",),), ("x",), (Extreme("lo", "min", "v"),), COUNTED)
    got = grouped(frame, what)
    pairs = frame.dropna().drop_duplicates(["k", "p", "v"])
    once = frame.dropna().drop_duplicates(["k", "v"])
    groups = frame.groupby("k")
    expected = pd.DataFrame(
        {
            "lo": groups["v"].min(),
            "x": groups["x"].sum(),
            "person_0": groups["p"].nunique(),
            "values": groups["v"].nunique(),
            "pairs": pairs.groupby("k").size(),
            "total": (once["v"] - 300).groupby(once["k"]).sum(),
        }
    )
    expected["keys"] = 1
    expected = expected.fillna({"pairs": 0, "total": 0}).reset_index()
    pd.testing.assert_frame_equal(got, expected.astype("Int64"), check_dtype=False)


def at(values: list[int], part: float, *, beyond: bool) -> Any:
    """Return the first value by which the part is reached, or exceeded."""
    if not values:
        return pd.NA
    rank = math.floor(len(values) * part) + 1 if beyond else math.ceil(len(values) * part)
    return sorted(values)[max(rank, 1) - 1]


RANKS = (
    Rank("low", "v", "w", 1, 2),
    Rank("high", "v", "w", 1, 2, beyond=True),
    Rank("tenth", "v", "w", 1, 10),
    Rank("most", "v", "w", 1, 1),
    Rank("person", "p", "w", 3, 4),
)


@FEW
@given(st.integers(0, 2**32), SIZES)
def test_ranks_agree_with_sorted_lists(seed: int, n: int) -> None:
    frame = weighted(seed, n)
    got = grouped(frame, Grouping(("k",), (), (), (), (), RANKS)).set_index("k")
    for key, part in frame.groupby("k"):
        values = part.loc[part.index.repeat(part["w"])]
        if values.empty:
            assert pd.isna(got.loc[key, ["low", "tenth", "most"]]).all()
            continue
        for rank in RANKS:
            found = at(
                list(values[rank.column]), rank.numerator / rank.denominator, beyond=rank.beyond
            )
            assert got.loc[key, rank.name] == found


@pytest.mark.parametrize("n", [0, 1, 100])
def test_without_keys_there_is_one_group(n: int) -> None:
    frame = weighted(n, n)
    what = Grouping((), (("p",),), ("x",), (), COUNTED[:3], RANKS[:2])
    got = grouped(frame, what)
    assert len(got) == 1
    assert got["values"][0] == frame["v"].nunique()
    assert got["total"][0] == sum(v - 300 for v in frame["v"].dropna().unique())
    values = list(frame.loc[frame.index.repeat(frame["w"]), "v"])
    assert got["low"].isna()[0] == (not values)
    if values:
        assert got["low"][0] == at(values, 0.5, beyond=False)
        assert got["high"][0] == at(values, 0.5, beyond=True)


def test_the_wires_look_the_same_for_other_rows() -> None:
    what = Grouping(("k",), (("p",),), ("x",), (), COUNTED, RANKS)
    transcripts = [Transcript(), Transcript()]
    for seed, transcript in enumerate(transcripts):
        grouped(weighted(seed, 50), what, transcript)
    assert unsorted(transcripts[0]) == unsorted(transcripts[1])


def unsorted(transcript: Transcript) -> list[Any]:
    """Leave out the levels of quicksorts: they depend on the shuffle's randomness, not on rows."""
    rounds = ([send for send in r if "quicksort" not in send[2]] for r in transcript.rounds)
    return [sends for sends in rounds if sends]
