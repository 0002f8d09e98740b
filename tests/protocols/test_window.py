"""Windows against their plain twins and pandas: sizes, directions, NULLs, ties, missing rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relations import opened, run, share, table

from protocols.context import Context
from protocols.plaintext import window as plain
from protocols.plaintext.words import bits_to_arith as plain_flags
from protocols.rep3.directed import By, order_directed
from protocols.rep3.relation import Relation
from protocols.rep3.share import join_arith, split_arith, split_bits
from protocols.rep3.window import (
    Neighbour,
    Numbering,
    PartitionTotal,
    Window,
    before_segment,
    over_segment,
    windowed,
)
from protocols.rounds import Party, PeerMisbehaved, Steps
from protocols.simulate import Transcript, contexts, simulate

FEW = settings(max_examples=8, deadline=None)
SIZES = st.sampled_from([0, 1, 2, 63, 64, 65, 130])
SEEDS = st.integers(0, 2**32)
ALL = (Numbering("rn", "row_number"), Numbering("ra", "rank"), Numbering("de", "dense_rank"))


def segments(seed: int, n: int) -> np.ndarray:
    """Return one plane of random marks, the first not set."""
    rng = np.random.default_rng(seed)
    marks = rng.random(n) < rng.choice([0.0, 0.5, 0.9, 1.0])
    marks[0] = False
    return np.packbits(marks, bitorder="little").view(np.uint64)[None]


@FEW
@given(SEEDS, st.sampled_from([64, 128, 192, 1024]))
def test_segments_agree_with_their_twins(seed: int, n: int) -> None:
    same = segments(seed, n)
    columns = np.random.default_rng(seed).integers(0, 2**64, (2, n), dtype=np.uint64)
    bits, sums = split_bits(same), split_arith(columns)
    marks = plain_flags(same, n)[0].astype(bool)
    for step, twin in ((before_segment, plain.before_segment), (over_segment, plain.over_segment)):
        steps = [step(c, bits[c.me], sums[c.me]) for c in contexts(b"w")]
        np.testing.assert_array_equal(join_arith(simulate(steps)), twin(marks, columns))


def whole(ctx: Context, parts: list[Relation], by: tuple[By, ...], what: Window) -> Steps[Relation]:
    ordered = yield from order_directed(ctx.at("o"), parts, what.partition, by, by_place=True)
    return (yield from windowed(ctx.at("w"), ordered, what))


def frame_of(seed: int, n: int) -> pd.DataFrame:
    frame = table(seed, n)
    frame["g"] = np.random.default_rng(seed).integers(0, 3, n)
    return frame


@FEW
@given(SEEDS, SIZES, st.booleans(), st.booleans(), st.booleans())
def test_numbers_and_neighbours_in_any_direction(
    seed: int, n: int, down: bool, other_down: bool, nulls_first: bool
) -> None:
    """Partition k, order v (with NULLs) and then p; the order is total but for equal rows."""
    frame = frame_of(seed, n).drop(columns=["g"])
    by = (By("v", down, nulls_first), By("p", other_down))
    what = Window(
        ("k",),
        ("v", "p"),
        ALL,
        (Neighbour("a", "p", 1), Neighbour("b", "v", -1), Neighbour("c", "v", 3)),
        (PartitionTotal("n", "count", None), PartitionTotal("s", "sum", "v", 5)),
    )
    shares = share(frame, ["x"])
    got = opened(run(lambda ctx: whole(ctx, [shares[ctx.me]], by, what)))
    pd.testing.assert_frame_equal(
        got[list(got.columns)], expected(frame, down, other_down, nulls_first)[list(got.columns)],
        check_dtype=False,
    )


def expected(frame: pd.DataFrame, down: bool, other_down: bool, nulls_first: bool) -> pd.DataFrame:
    """Compute the same with pandas; equal rows keep their order, or lose it if p descends."""
    frame = frame[::-1] if other_down else frame
    first = frame.sort_values("p", ascending=not other_down, kind="stable")
    second = first.sort_values(
        "v", ascending=not down, na_position="first" if nulls_first else "last", kind="stable"
    )
    rows = second.sort_values("k", ascending=not other_down, kind="stable").reset_index(drop=True)
    groups = rows.groupby("k", sort=False)
    rows["v"] = rows["v"].astype("Int64")
    rows["rn"] = groups.cumcount() + 1
    peer = rows[["k", "v", "p"]].astype("Int64").fillna(-1)
    new = (peer != peer.shift(fill_value=-2)).any(axis=1)
    rows["ra"] = rows["rn"].where(new).ffill().astype("Int64")
    rows["de"] = new.groupby(rows["k"], sort=False).cumsum().astype("Int64")
    rows["a"] = groups["p"].shift(1)
    rows["b"] = groups["v"].shift(-1)
    rows["c"] = groups["v"].shift(3)
    rows["n"] = groups["k"].transform("size")
    rows["s"] = groups["v"].transform(lambda v: (v + 5).sum()).astype("Int64")
    return rows.astype("Int64")


@FEW
@given(SEEDS, st.sampled_from([1, 2, 64, 130]))
def test_the_twins_number_as_pandas_does(seed: int, n: int) -> None:
    rows = expected(frame_of(seed, n), False, False, False)
    same = (rows["k"] == rows["k"].shift(fill_value=-1)).to_numpy(dtype=bool)
    order = rows[["v", "p"]].fillna(-1)
    peers = same & (order == order.shift(fill_value=-2)).all(axis=1).to_numpy(dtype=bool)
    assert plain.row_number(same).tolist() == rows["rn"].tolist()
    assert plain.rank(same, peers).tolist() == rows["ra"].tolist()
    assert plain.dense_rank(same, peers).tolist() == rows["de"].tolist()
    found, there = plain.neighbour(same, rows["p"].to_numpy(dtype=np.uint64), 1)
    assert there.tolist() == rows["a"].notna().tolist()
    assert found[there].tolist() == rows["a"].dropna().tolist()


@pytest.mark.parametrize("down", [False, True])
def test_equal_rows_stand_in_the_order_of_their_owners(down: bool) -> None:
    """Merged presorted parts: ties by part, then by row; backwards if the order descends."""
    parts = [
        pd.DataFrame({"k": np.sort(np.random.default_rng(i).integers(0, 4, 50)), "j": i, "p": 0})
        for i in range(3)
    ]
    for frame in parts:
        frame["p"] = np.arange(50)
    shares = [share(frame, [], ("k",)) for frame in parts]
    what = Window(("k",), (), (Numbering("rn", "row_number"),))
    by = (By("k", down),)
    got = opened(run(lambda ctx: whole(ctx, [s[ctx.me] for s in shares], by, what)))
    rows = pd.concat(parts).sort_values(["k", "j", "p"], ascending=not down).reset_index(drop=True)
    rows["rn"] = rows.groupby("k").cumcount() + 1
    assert got[["k", "j", "p", "rn"]].to_numpy().tolist() == rows.to_numpy().tolist()


def test_missing_rows_count_nowhere() -> None:
    frame = frame_of(3, 100)
    shares = share(frame, ["x"])
    gone = split_bits(np.array([[0b1010, 1]], dtype=np.uint64))
    shares = [replace(s, valid=s.valid ^ gone[s_i], sorted_by=None) for s_i, s in enumerate(shares)]
    kept = frame.drop(index=[1, 3, 64])
    what = Window(("k",), (), (Numbering("rn", "row_number"),), (), (
        PartitionTotal("n", "count", "v"), PartitionTotal("s", "sum", "p")))
    for by in ((By("p"),), (By("p", True),)):
        got = opened(run(lambda ctx, by=by: whole(ctx, [shares[ctx.me]], by, what)))
        assert len(got) == len(kept)
        for key, group in got.groupby("k"):
            mine = kept[kept["k"] == key]
            assert sorted(group["rn"]) == list(range(1, len(mine) + 1))
            assert set(group["n"]) == {mine["v"].count()}
            assert set(group["s"]) == {mine["p"].sum()}


def wires(seed: int) -> list:
    frame = frame_of(seed, 200)
    parts = [share(frame[i::2], ["x"], ("k", "p")) for i in range(2)]
    what = Window(("k",), ("p",), ALL, (Neighbour("a", "v", 2),))
    transcript = Transcript()
    run(lambda ctx: whole(ctx, [s[ctx.me] for s in parts], (By("p"),), what), transcript)
    return transcript.rounds


def test_what_travels_depends_on_sizes_alone() -> None:
    """Presorted parts are merged, so not even a quicksort's levels vary."""
    assert wires(1) == wires(2)


def test_bytes_and_rounds_of_numbers_over_ordered_rows() -> None:
    n = 1 << 12
    shares = share(frame_of(1, n), ["x"], ("k", "p"))
    for what, rounds, most in (
        (Window(("k",), ("p",), ALL[:1]), 11, 81),
        (Window(("k",), ("p",), ALL[:2]), 12, 162),
        (Window(("k",), ("p",), ALL), 14, 210),
        (Window(("k",), ("p",), (), (Neighbour("a", "p", 1),)), 4, 2),
        (Window(("k",), (), (), (), (PartitionTotal("s", "sum", "p"),)), 16, 146),
    ):
        transcript = Transcript()
        run(lambda ctx, what=what: windowed(ctx, shares[ctx.me], what), transcript)
        assert len(transcript.rounds) == rounds
        assert max(transcript.bytes_sent(p) for p in Party) <= most * n


@pytest.mark.parametrize("cheat", list(Party))
def test_a_tampered_opening_ends_the_window(cheat: Party) -> None:
    shares = share(frame_of(1, 100), ["x"], ("k", "p"))
    what = Window(("k",), (), ALL[:1])

    def tamper(sender: Party, receiver: Party, gate: str, vector: np.ndarray) -> np.ndarray:
        return vector + np.uint64(1) if sender is cheat and "/open" in gate else vector

    with pytest.raises(PeerMisbehaved) as caught:
        simulate([windowed(c, shares[c.me], what) for c in contexts(b"t")], tamper)
    assert cheat in caught.value.suspects
