"""Outer, semi and anti joins against pandas: awkward sizes, duplicates, NULL keys, empty sides."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relations import opened, run, share, table

from protocols.context import Context
from protocols.rep3 import outer
from protocols.rep3.cross import with_row
from protocols.rep3.expand import join_bounded
from protocols.rep3.join import matched
from protocols.rep3.relation import Relation
from protocols.rounds import Steps
from protocols.simulate import Transcript

FEW = settings(max_examples=6, deadline=None)
SIZES = st.sampled_from([0, 1, 2, 63, 64, 65, 130])
SEEDS = st.integers(0, 2**32)
ON = ("k",), ("j",)
FILL = {"v": None, "g": 2, "y": 7}


def left_side(seed: int, n: int) -> pd.DataFrame:
    return table(seed, n).drop(columns="v")


def right_side(seed: int, n: int, *, unique: bool = False) -> pd.DataFrame:
    frame = table(seed, n).rename(columns={"k": "j", "x": "y", "p": "g"})
    frame["g"] %= 4
    frame["j"] += 2
    return frame.drop_duplicates("j") if unique else frame


def nullable(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Let every third value be NULL."""
    values = frame[name].astype("Int64")
    values[values % 3 == 0] = pd.NA
    return frame.assign(**{name: values})


def left_join(left: pd.DataFrame, right: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Join as SQL does: NULL keys match nothing, and fill what is missing."""
    keyed = right[right[b].notna()].assign(there=True)
    keyed[b] = keyed[b].astype("Int64")
    joined = left.assign(**{a: left[a].astype("Int64")}).merge(
        keyed, left_on=a, right_on=b, how="left"
    )
    missing = joined["there"].isna()
    for name, value in FILL.items():
        if value is not None:
            joined[name] = joined[name].astype("Int64").mask(missing, value)
    return joined.drop(columns=["there", b])


def same_rows(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    columns = list(expected.columns)
    expected = expected.astype("Int64").sort_values(columns).reset_index(drop=True)
    got = got[columns].astype("Int64").sort_values(columns).reset_index(drop=True)
    pd.testing.assert_frame_equal(got, expected, check_dtype=False)


def unique_left(ctx: Context, left: Relation, right: Relation) -> Steps[Relation]:
    ordered, found = yield from matched(ctx.at("match"), left, right, *ON)
    joined = yield from outer.keep_left(ctx.at("fill"), ordered, found, FILL)
    return joined


def checked(ctx: Context, left: Relation, right: Relation, kind: str) -> Steps[Relation]:
    ordered, found = yield from matched(ctx.at("match"), left, right, *ON)
    if kind == "not in":
        kept = yield from outer.not_in(ctx.at("nulls"), ordered, found, "k", right, "j")
        return kept
    return outer.semi(ordered, found) if kind == "semi" else outer.anti(ordered, found)


@FEW
@given(SEEDS, SIZES, SIZES, st.booleans())
def test_left_join_of_unique_keys(seed: int, n: int, m: int, nulls: bool) -> None:
    left, right = left_side(seed, n), right_side(seed + 1, m, unique=True)
    left = nullable(left, "k") if nulls else left
    a, b = share(left, ["x"]), share(right, ["y"])
    got = opened(run(lambda ctx: unique_left(ctx, a[ctx.me], b[ctx.me])))
    same_rows(got, left_join(left, right, "k", "j"))


@FEW
@given(SEEDS, st.sampled_from([0, 1, 65]), st.sampled_from([0, 1, 30]), st.booleans())
def test_left_join_of_many_to_many(seed: int, n: int, m: int, nulls: bool) -> None:
    left, right = left_side(seed, n), right_side(seed + 1, m)
    if nulls:
        left, right = nullable(left, "k"), nullable(right, "j")
    a, b = share(left, ["x"]), share(right, ["y"])
    expected = left_join(left, right, "k", "j")
    bound = max(len(expected), 1)
    joined = run(lambda ctx: join_bounded(ctx, a[ctx.me], b[ctx.me], *ON, bound, FILL))
    same_rows(opened(joined), expected)


def full(ctx: Context, left: Relation, right: Relation, bound: int) -> Steps[Relation]:
    fill = {**FILL, "k": 1, "p": 3, "x": 5}
    joined = yield from join_bounded(ctx.at("left"), left, right, *ON, bound, fill)
    both = yield from outer.add_unmatched(ctx.at("alone"), joined, right, left, fill, ON)
    return both


@FEW
@given(SEEDS, st.sampled_from([0, 1, 40]), st.sampled_from([0, 1, 65]), st.booleans())
def test_full_join(seed: int, n: int, m: int, nulls: bool) -> None:
    left, right = left_side(seed, n), right_side(seed + 1, m)
    left["k"] += 1
    if nulls:
        right = nullable(right, "j")
    a, b = share(left, ["x"]), share(right, ["y"])
    expected = left_join(left, right, "k", "j")
    alone = right[~right["j"].isin(left["k"])].drop(columns="j")
    alone = alone.assign(k=1, p=3, x=5)
    got = opened(run(lambda ctx: full(ctx, a[ctx.me], b[ctx.me], max(len(expected), 1))))
    same_rows(got, pd.concat([expected, alone[expected.columns]]))


@FEW
@given(SEEDS, SIZES, SIZES, st.booleans())
def test_semi_and_anti_joins_of_duplicates(seed: int, n: int, m: int, nulls: bool) -> None:
    left, right = left_side(seed, n), right_side(seed + 1, m)
    if nulls:
        left, right = nullable(left, "k"), nullable(right, "j")
    a, b = share(left, ["x"]), share(right[["j"]], [])
    matching = left["k"].isin(right["j"].dropna()) & left["k"].notna()
    for kind, kept in (("semi", left[matching]), ("anti", left[~matching])):
        got = opened(run(lambda ctx, kind=kind: checked(ctx, a[ctx.me], b[ctx.me], kind)))
        same_rows(got, kept)


@FEW
@given(SEEDS, SIZES, st.sampled_from([0, 1, 3]), st.booleans())
def test_not_in_heeds_nulls(seed: int, n: int, m: int, nulls: bool) -> None:
    left, right = nullable(left_side(seed, n), "k"), right_side(seed + 1, m)
    right = nullable(right, "j") if nulls else right
    a, b = share(left, ["x"]), share(right[["j"]], [])
    kept = left[left["k"].notna() & ~left["k"].isin(right["j"].dropna())]
    if right["j"].isna().any():
        kept = left[:0]
    got = opened(run(lambda ctx: checked(ctx, a[ctx.me], b[ctx.me], "not in")))
    same_rows(got, left if len(right) == 0 else kept)


def test_a_semi_join_takes_the_last_match() -> None:
    left = pd.DataFrame({"k": [1, 2], "x": [1, 2]})
    right = pd.DataFrame({"j": [1, 1, 1, 3], "h": [4, 7, 2, 1]})
    a, b = share(left, ["x"]), share(right, [], ("j", "h"))
    got = opened(run(lambda ctx: checked(ctx, a[ctx.me], b[ctx.me], "semi")))
    same_rows(got, pd.DataFrame({"k": [1], "h": [7], "x": [1]}))


@pytest.mark.parametrize("kind", ["left", "full", "semi", "not in"])
def test_the_wires_look_the_same_for_other_rows(kind: str) -> None:
    """Gates and sizes depend on row counts alone: not on matches, NULLs or empty sides."""
    transcripts = []
    for seed, n, m in ((1, 50, 20), (2, 3, 64)):
        left = nullable(left_side(seed, n), "k")
        right = nullable(right_side(seed, m), "j")
        a, b = share(left, ["x"], ("k",)), share(right, ["y"], ("j",))
        transcripts.append(Transcript())

        def step(ctx: Context, a: list = a, b: list = b) -> Steps[Relation]:
            if kind == "left":
                return unique_left(ctx, a[ctx.me], b[ctx.me])
            if kind == "full":
                joined = replace(a[ctx.me], columns={**a[ctx.me].columns, **b[ctx.me].columns})
                return outer.add_unmatched(ctx, joined, b[ctx.me], a[ctx.me], {"x": 5}, ON)
            return checked(ctx, a[ctx.me], b[ctx.me], kind)

        run(step, transcripts[-1])
    assert transcripts[0] == transcripts[1]


@FEW
@given(SEEDS, SIZES, st.sampled_from([0, 1]))
def test_every_row_gets_the_only_one(seed: int, n: int, m: int) -> None:
    left, right = left_side(seed, n), nullable(right_side(seed, m), "g")
    mine, theirs = share(left, ["x"]), share(right, ["y"])

    def steps(ctx: Context) -> Steps[Relation]:
        return with_row(ctx, mine[ctx.me], theirs[ctx.me])

    same_rows(opened(run(steps)), left.merge(right, how="cross"))
