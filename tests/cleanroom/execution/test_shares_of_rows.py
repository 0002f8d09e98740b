"""Contributions and outcomes: what is written is what is read, and sizes are checked."""

from dataclasses import replace

import numpy as np
import pytest

from cleanroom.errors import DataMismatch, MessageInvalid, PeerMisbehaved
from cleanroom.execution.contribute import contribute, padded_rows, receive
from cleanroom.execution.outcome import Outcome, pack, reconstruct
from cleanroom.plan.leaf import BitsColumn, Leaf, SumColumn
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.plan import Plan
from cleanroom.plan.release import Release
from protocols.rep3.rows import Rows
from protocols.rep3.share import (
    concat_planes,
    join_arith,
    join_bits,
    split_arith,
    split_bits,
)
from protocols.rep3.slices import rows_from_planes, to_planes
from protocols.rounds import Party

WIDE = BitsColumn("wide", 70)
SMALL = BitsColumn("small", 3, nullable=True)
LEAF = Leaf("a", "SELECT", (WIDE, SMALL), (SumColumn("x", 9),), 100, ("small", "wide"))
PLAN = Plan(
    contract_hash="c",
    recipient="analyst",
    sql="SELECT",
    uses=(),
    root=Release(
        Aggregate(LEAF, ("wide", "small"), (), ("x",), ()), 1, None, ("wide", "small", "x")
    ),
    opened=(),
    final_sql="SELECT",
)
ROWS = {
    "wide_0": np.array([1, 63, 0], dtype=np.uint64),
    "wide_1": np.array([5, 2**64 - 1, 7], dtype=np.uint64),
    "small_0": np.array([3, 0, 2], dtype=np.uint64),
    "small_null": np.array([False, True, False]),
    "x": np.array([-1, 2, 3], dtype=np.int64),
}


class Rowset:
    """A source whose every query returns the same columns."""

    def __init__(self, columns: dict[str, np.ndarray]) -> None:
        self.columns = columns

    def run(self, sql: str, text_key: bytes) -> dict[str, np.ndarray]:
        return self.columns

    def rows(self, table: str) -> int:
        return 100

    def interrupt(self) -> None:
        pass


def shares() -> list:
    (triple,) = contribute(PLAN, "a", Rowset(ROWS), b"k" * 16)
    return [receive(p, LEAF, triple[p]) for p in Party]


def test_a_leaf_arrives_sorted_padded_and_whole() -> None:
    relations = shares()
    assert {r.n for r in relations} == {64}
    there = join_bits([r.valid for r in relations])
    assert there[0, 0] == 0b111
    wide = rows_from_planes(join_bits([r.columns["wide"].planes for r in relations]), 3)
    assert wide.tolist() == [[0, 7], [1, 5], [63, 2**64 - 1]]  # small: 2, 3, NULL
    small = rows_from_planes(join_bits([r.columns["small"].planes for r in relations]), 3)
    assert small[:, 0].tolist() == [2, 3, 8]
    x = join_arith([r.sums["x"] for r in relations]).view(np.int64)
    assert x[:4].tolist() == [3, -1, 2, 0]


def test_one_computing_member_sees_uniform_words() -> None:
    """No word of a share equals the secret's; two splits of one secret share nothing."""
    first, second = (contribute(PLAN, "a", Rowset(ROWS), b"k" * 16)[0] for _ in range(2))
    for p in Party:
        assert not np.isin(first[p].words, second[p].words).any()


def test_the_size_of_a_share_follows_from_the_table_and_not_from_the_filter() -> None:
    leaf = replace(LEAF, tables=("a.t",))
    plan = replace(PLAN, root=replace(PLAN.root, input=replace(PLAN.root.input, input=leaf)))
    (triple,) = contribute(plan, "a", Rowset(ROWS), b"k" * 16)
    assert {part.n for part in triple} == {128}  # three rows of a table of 100
    assert all(receive(p, leaf, triple[p]).n == 128 for p in Party)


@pytest.mark.parametrize(("n", "padded"), [(0, 64), (1, 64), (64, 64), (65, 128), (1000, 1024)])
def test_padding_goes_to_powers_of_two(n: int, padded: int) -> None:
    assert padded_rows(n) == padded


@pytest.mark.parametrize(("n", "cut"), [(64, 1), (63, 0), (0, 0), (1 << 40, 0), (256, 0)])
def test_a_contribution_of_another_size_is_refused(n: int, cut: int) -> None:
    (triple,) = contribute(PLAN, "a", Rowset(ROWS), b"k" * 16)
    for p in Party:
        words = triple[p].words
        bad = replace(triple[p], n=n, words=words[: len(words) - cut])
        with pytest.raises(MessageInvalid) as caught:
            receive(p, LEAF, bad)
        assert caught.value.party == "a"


def test_more_rows_than_the_plan_allows_are_refused() -> None:
    aggregate = replace(PLAN.root.input, input=replace(LEAF, max_rows=2))
    plan = replace(PLAN, root=replace(PLAN.root, input=aggregate))
    with pytest.raises(DataMismatch):
        contribute(plan, "a", Rowset(ROWS), b"k" * 16)


def outcomes() -> list[Outcome]:
    bits = to_planes(np.array([[1, 5], [0, 0], [63, 7]], dtype=np.uint64), 70)
    small = to_planes(np.array([3, 0, 8], dtype=np.uint64), 4)
    bit_shares = split_bits(np.concatenate([bits, small]))
    sums = split_arith(np.array([[1, 2, -3]], dtype=np.int64).view(np.uint64))
    suppressed = split_arith(np.array([4], dtype=np.uint64))
    opened = np.array([[0b101]], dtype=np.uint64)
    return [
        pack(Rows(3, concat_planes([bit_shares[p]]), sums[p]), opened, suppressed[p]) for p in Party
    ]


def test_the_recipient_reads_what_was_opened() -> None:
    opened = reconstruct(PLAN, outcomes())
    assert (opened.n, opened.suppressed) == (2, 4)
    assert opened.columns["wide_0"].tolist() == [1, 63]
    assert opened.columns["wide_1"].tolist() == [5, 7]
    assert opened.columns["small_0"].tolist() == [3, 0]
    assert opened.columns["small_null"].tolist() == [False, True]
    assert opened.columns["x"].tolist() == [1, -3]


@pytest.mark.parametrize("rank", range(3))
def test_any_changed_word_of_an_outcome_is_found(rank: int) -> None:
    good = outcomes()
    for i in range(len(good[rank].words)):
        words = good[rank].words.copy()
        words[i] ^= np.uint64(1)
        bad = [replace(o, words=words) if r == rank else o for r, o in enumerate(good)]
        with pytest.raises(PeerMisbehaved) as caught:
            reconstruct(PLAN, bad)
        assert f"P{rank}" in caught.value.party


def test_an_outcome_of_another_size_is_refused() -> None:
    good = outcomes()
    for bad in (replace(good[1], n=1 << 40), replace(good[1], words=good[1].words[:-1])):
        with pytest.raises(MessageInvalid):
            reconstruct(PLAN, [good[0], bad, good[2]])
