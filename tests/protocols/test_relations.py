"""Secret group-by and joins against pandas, at awkward sizes, with duplicates and NULLs."""


from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relations import opened, run, share, table

from protocols.context import Context
from protocols.rep3.bound import BoundExceeded
from protocols.rep3.expand import join_bounded
from protocols.rep3.group import Extreme, Grouping, group
from protocols.rep3.inputs import InputInconsistent, check_copies
from protocols.rep3.join import join_unique
from protocols.rep3.order import merge_all
from protocols.rep3.relation import Relation
from protocols.rep3.support import Wanted, supports
from protocols.rounds import Party, Steps
from protocols.simulate import Transcript

FEW = settings(max_examples=15, deadline=None)
SIZES = st.sampled_from([0, 1, 2, 63, 64, 65, 127, 130])


@FEW
@given(st.integers(0, 2**32), SIZES)
def test_group_agrees_with_pandas(seed: int, n: int) -> None:
    frame = table(seed, n)
    shares = share(frame, ["x"])
    what = Grouping(
        ("k",), (("p",),), ("x",), (Extreme("lo", "min", "v"), Extreme("hi", "max", "v"))
    )
    got = opened(run(lambda ctx: group(ctx, shares[ctx.me], what)))
    groups = frame.groupby("k")
    expected = pd.DataFrame(
        {
            "lo": groups["v"].min(),
            "hi": groups["v"].max(),
            "x": groups["x"].sum(),
            "person_0": groups["p"].nunique(),
        }
    ).reset_index()
    pd.testing.assert_frame_equal(got, expected.astype("Int64"), check_dtype=False)


@FEW
@given(st.integers(0, 2**32), SIZES)
def test_group_by_a_nullable_key_has_a_group_of_nulls(seed: int, n: int) -> None:
    frame = table(seed, n)
    shares = share(frame, ["x"])
    what = Grouping(("v",), (), ("x",), ())
    got = opened(run(lambda ctx: group(ctx, shares[ctx.me], what)))
    expected = frame.groupby("v", dropna=False)["x"].sum().reset_index()
    pd.testing.assert_frame_equal(got, expected.astype("Int64"), check_dtype=False)


@FEW
@given(st.integers(0, 2**32), SIZES)
def test_a_group_carries_columns_that_its_key_decides(seed: int, n: int) -> None:
    frame = table(seed, n)
    frame["v"] = (frame["k"] % 3).astype("Int64")
    frame.loc[frame["v"] == 0, "v"] = pd.NA
    shares = share(frame, ["x"])
    what = Grouping(("k",), (("p",),), ("x",), (), carried=("v",))
    got = opened(run(lambda ctx: group(ctx, shares[ctx.me], what)))
    groups = frame.groupby("k")
    persons = groups["p"].nunique().rename("person_0")
    expected = pd.concat([groups["v"].first(), groups["x"].sum(), persons], axis=1).reset_index()
    pd.testing.assert_frame_equal(got, expected.astype("Int64"), check_dtype=False)


@pytest.mark.parametrize("n", [0, 1, 100])
@pytest.mark.parametrize("extremes", [(), (Extreme("lo", "min", "v"),)])
def test_without_keys_there_is_exactly_one_group(n: int, extremes: tuple[Extreme, ...]) -> None:
    frame = table(n, n)
    shares = share(frame, ["x"])
    persons = (("p",), ("k",)) if extremes else ()
    what = Grouping((), persons, ("x",), extremes)
    got = opened(run(lambda ctx: group(ctx, shares[ctx.me], what)))
    assert len(got) == 1
    assert got["x"][0] == frame["x"].sum()
    if extremes:
        assert got["person_0"][0] == frame["p"].nunique()
        assert got["person_1"][0] == frame["k"].nunique()
        assert got["lo"].isna()[0] == (n == 0 or frame["v"].isna().all())


@FEW
@given(st.integers(0, 2**32), SIZES, st.booleans())
def test_supports_count_the_persons_behind_each_value(seed: int, n: int, keyed: bool) -> None:
    frame = table(seed, n)
    frame["p"] %= 10
    frame.loc[frame["p"] < 4, "x"] = 0
    frame.loc[frame["p"] == 9, "v"] = pd.NA
    shares = share(frame, ["x"])
    keys = ("k",) if keyed else ()

    def step(ctx: Context) -> Steps[Relation]:
        relation = shares[ctx.me]
        groups = yield from group(ctx.at("groups"), relation, Grouping(keys, (("p",),), (), ()))
        behind = yield from supports(
            ctx.at("of"), relation, keys, (("p",),), Wanted(("x",), ("v",))
        )
        return replace(groups, sums={**groups.sums, **behind})

    got = opened(run(step))
    grouped = list(frame.groupby("k")) if keyed else [((), frame)]
    expected = [
        (
            int((part.groupby("p")["x"].sum() != 0).sum()),
            part.loc[part["v"].notna(), "p"].nunique(),
        )
        for _, part in grouped
    ]
    found = got[["support_0_x", "support_0_v"]].itertuples(index=False, name=None)
    assert list(found) == expected


def unique_side(seed: int, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    keys = rng.permutation(32)[: min(n, 32)]
    value = rng.integers(0, 4, len(keys))
    return pd.DataFrame({"j": keys, "g": value, "y": rng.integers(-9, 9, len(keys))})


@FEW
@given(st.integers(0, 2**32), SIZES, st.sampled_from([0, 1, 5, 32]), st.booleans())
def test_unique_join_agrees_with_pandas(seed: int, n: int, m: int, presorted: bool) -> None:
    left, right = table(seed, n), unique_side(seed + 1, m)
    order = (("k",), ("j",)) if presorted else (None, None)
    a, b = share(left, ["x"], order[0]), share(right, ["y"], order[1])
    got = opened(run(lambda ctx: join_unique(ctx, a[ctx.me], b[ctx.me], ("k",), ("j",))))
    expected = left.merge(right, left_on="k", right_on="j")[["k", "p", "v", "g", "x", "y"]]
    assert_same_rows(got, expected)


@FEW
@given(st.integers(0, 2**32), st.sampled_from([0, 1, 40]), st.sampled_from([0, 1, 30]))
def test_bounded_join_agrees_with_pandas(seed: int, n: int, m: int) -> None:
    left, right = table(seed, n), table(seed + 1, m)
    right = right.rename(columns={"k": "j", "x": "y", "p": "h"}).drop(columns="v")
    right["h"] %= 8
    a, b = share(left, ["x"]), share(right, ["y"])
    expected = left.merge(right, left_on="k", right_on="j")[["k", "p", "v", "h", "x", "y"]]
    bound = max(len(expected), 1)
    joined = run(lambda ctx: join_bounded(ctx, a[ctx.me], b[ctx.me], ("k",), ("j",), bound))
    assert_same_rows(opened(joined), expected)


def test_a_join_over_its_bound_opens_nothing_else() -> None:
    left = pd.DataFrame({"k": [1, 1, 1], "x": [1, 2, 3]})
    right = pd.DataFrame({"j": [1, 1], "y": [1, 2]})
    a, b = share(left, ["x"]), share(right, ["y"])
    with pytest.raises(BoundExceeded):
        run(lambda ctx: join_bounded(ctx, a[ctx.me], b[ctx.me], ("k",), ("j",), 5))


def test_sorted_parts_merge_into_their_union() -> None:
    frames = [table(i, n) for i, n in enumerate((5, 64, 70))]
    parts = [share(frame, ["x"], ("k", "p")) for frame in frames]
    got = opened(run(lambda ctx: merge_all(ctx, [p[ctx.me] for p in parts], ("k", "p"))))
    expected = pd.concat(frames)
    assert got[["k", "p"]].apply(tuple, axis=1).is_monotonic_increasing
    assert_same_rows(got, expected)


def test_an_owner_that_shares_inconsistently_is_found() -> None:
    shares = share(table(0, 10), ["x"])
    bad = share(table(1, 10), ["x"])
    mixed = [[shares[p], bad[0] if p == 0 else shares[p]] for p in Party]
    with pytest.raises(InputInconsistent) as caught:
        run(lambda ctx: check_copies(ctx, mixed[ctx.me]))
    assert caught.value.inputs == (1,)


def test_the_wires_look_the_same_for_other_rows() -> None:
    """Gates and sizes of a join depend on row counts alone, never on the rows."""
    transcripts = []
    for seed in (1, 2):
        left, right = table(seed, 50), unique_side(seed, 20)
        a, b = share(left, ["x"], ("k",)), share(right, ["y"], ("j",))
        transcripts.append(Transcript())
        run(
            lambda ctx, a=a, b=b: join_unique(ctx, a[ctx.me], b[ctx.me], ("k",), ("j",)),
            transcripts[-1],
        )
    assert transcripts[0] == transcripts[1]


def assert_same_rows(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    columns = list(expected.columns)
    expected = expected.astype("Int64").sort_values(columns).reset_index(drop=True)
    got = got[columns].sort_values(columns).reset_index(drop=True)
    pd.testing.assert_frame_equal(got, expected, check_dtype=False)
