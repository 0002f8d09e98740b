"""Linkage by similarity inside blocks, against pairs written down one by one."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from records import Side, misspelt, opened, persons, rows_there, share

from protocols.plaintext import linkage as plain
from protocols.rep3 import near_scores
from protocols.rep3.bound import BoundExceeded
from protocols.rep3.linkage import link
from protocols.rep3.relation import Column, Relation
from protocols.rep3.scoring import Blocks, Field, Level, Scoring
from protocols.rep3.share import split_bits
from protocols.rep3.similar_in_blocks import link_in_blocks
from protocols.rep3.slices import to_planes

FIELDS = (
    Field("name", (Level(Fraction(1, 2), 3), Level(Fraction(4, 5), 8)), -2, 16),
    Field("born", (Level(Fraction(1), 9),), -4, 24),
)
SCORING = Scoring(FIELDS, 5, 192)
BLOCK_BITS, ORDER_BITS = 6, 4
Keys = NDArray[np.int64]  # of each row whether it has a block, the block, and the order in it


def keys(n: int, blocks: int, rng: np.random.Generator) -> Keys:
    known = rng.random(n) < 0.9
    return np.column_stack([known, rng.integers(0, blocks, n), rng.integers(0, 16, n)])


def with_keys(side: Side, found: Keys) -> list[Relation]:
    """Share one side with its blocks; those that are NULL have zero bits."""
    known, block, order = found.T.astype(np.uint64)
    first = (1 - known) << np.uint64(BLOCK_BITS) | block * known
    block_planes = split_bits(to_planes(first, BLOCK_BITS + 1))
    order_planes = split_bits(to_planes(order, ORDER_BITS))
    return [
        replace(
            one,
            columns={
                **one.columns,
                "block": Column(block_planes[p], True),
                "order": Column(order_planes[p], False),
            },
        )
        for p, one in enumerate(share(side))
    ]


def scored(left: tuple[Side, Keys], right: tuple[Side, Keys], window: int) -> dict[tuple, int]:
    """Score the pairs that count, by the definition."""
    weights = plain.pair_scores(left[0][2], right[0][2], SCORING)
    rows = [
        (*found[i, 1:], side, i)
        for side, (one, found) in enumerate((left, right))
        for i in np.flatnonzero(one[1] & (found[:, 0] == 1))
    ]
    places = {row: place for place, row in enumerate(sorted(rows))}
    return {
        (a[3], b[3]): int(weights[a[3], b[3]])
        for a, b in combinations(sorted(rows, key=lambda row: row[2]), 2)
        if a[2] < b[2] and a[0] == b[0] and abs(places[a] - places[b]) <= window
    }


def linked(scores: dict[tuple, int]) -> dict[int, int]:
    """Link pairs by the definition."""
    rows = Counter[tuple[int, int]]()
    for pair, one in scores.items():
        for row in enumerate(pair):
            rows[row] = max(rows[row], one)
    best = [
        pair
        for pair, one in scores.items()
        if one >= SCORING.threshold and all(one == rows[row] for row in enumerate(pair))
    ]
    times = Counter(row for pair in best for row in enumerate(pair))
    return {i: j for i, j in best if times[0, i] == times[1, j] == 1}


def step_of(window: int, **changes: int):
    blocks, scoring = Blocks("block", "order", window), replace(SCORING, **changes)
    return lambda ctx, a, b: link_in_blocks(ctx, a, b, scoring, blocks, 5)


def made(m: int, n: int, blocks: int, rng: np.random.Generator) -> list[tuple[Side, Keys]]:
    left = persons(m, 0.8, SCORING, rng)
    return [(left, keys(m, blocks, rng)), (misspelt(left, n, rng), keys(n, blocks, rng))]


@pytest.mark.parametrize(
    ("m", "n", "blocks", "window"),
    [(64, 64, 1, 32), (128, 192, 2, 16), (192, 64, 6, 7), (128, 128, 64, 1), (64, 128, 3, 5)],
)
def test_links_are_those_of_the_definition(
    room, rng, monkeypatch: pytest.MonkeyPatch, m: int, n: int, blocks: int, window: int
) -> None:
    monkeypatch.setattr(near_scores, "TILE", 2 * 64 * window)
    left, right = made(m, n, blocks, rng)
    found = room.run(step_of(window), with_keys(*left), with_keys(*right))
    there, ids, partners, rung = opened([one.pairs for one in found])
    expected = linked(scored(left, right, window))
    assert expected or blocks == 64
    rows, columns = list(expected), list(expected.values())
    pairs = zip(ids[there], partners[there], strict=True)
    assert sorted(pairs) == sorted(zip(left[0][0][rows], right[0][0][columns], strict=True))
    np.testing.assert_array_equal(rung, 5 * there)
    assert not ids[~there].any()
    assert not partners[~there].any()
    for (side, _), rest, taken in (
        (left, [one.left for one in found], rows),
        (right, [one.right for one in found], columns),
    ):
        left_over = side[1].copy()
        left_over[taken] = False
        np.testing.assert_array_equal(rows_there(rest), left_over)


def test_the_twin_compares_the_pairs_of_the_definition(rng) -> None:
    sides = made(64, 128, 3, rng)
    listed = [
        [
            tuple(key[1:]) if key[0] and there else None
            for key, there in zip(found, one[1], strict=True)
        ]
        for one, found in sides
    ]
    near = plain.near_pairs(*listed, 9)
    assert set(map(tuple, np.argwhere(near))) == scored(*sides, 9).keys()


def test_a_block_that_fits_the_window_is_compared_wholly(room, rng) -> None:
    left = persons(64, 1, SCORING, rng)
    right = misspelt(left, 64, rng)
    right[1][:] = True
    block = np.repeat(np.arange(8), 8)
    found = [np.column_stack([np.ones(64, int), block, rng.integers(0, 16, 64)]) for _ in "ab"]
    scores = plain.pair_scores(left[2], right[2], SCORING)
    scores[block[:, None] != block] = 0
    best = plain.best_matches(scores, SCORING.threshold)
    run = room.run(step_of(15), with_keys(left, found[0]), with_keys(right, found[1]))
    there, ids, partners, _ = opened([one.pairs for one in run])
    rows, columns = np.nonzero(best)
    pairs = zip(ids[there], partners[there], strict=True)
    assert sorted(pairs) == sorted(zip(left[0][rows], right[0][columns], strict=True))


def test_more_records_than_the_bound_stop_it(room, rng) -> None:
    left, right = made(128, 64, 4, rng)
    left[0][1][:] = True
    with pytest.raises(BoundExceeded, match="more records left over than the bound"):
        room.run(step_of(4, max_left=127), with_keys(*left), with_keys(*right))


def test_fewer_records_than_rows_are_moved_to_the_front(room, rng) -> None:
    left, right = made(192, 192, 3, rng)
    left[0][1][:130] = right[0][1][62:] = False
    found = room.run(step_of(16, max_left=64), with_keys(*left), with_keys(*right))
    there, *_ = opened([one.pairs for one in found])
    assert there.sum() == len(linked(scored(left, right, 16)))


def test_what_is_sent_depends_on_sizes_alone(room, rng) -> None:
    sent = []
    for blocks, there in ((1, 0.1), (60, 0.9)):
        left, right = made(128, 64, blocks, rng)
        left[0][1][:] = rng.random(128) < there
        room.run(step_of(8), with_keys(*left), with_keys(*right))
        rounds = ([one for one in r if "quicksort" not in one[2]] for r in room.transcript.rounds)
        sent.append([r for r in rounds if r])  # levels depend on the shuffle, not on rows
    assert sent[0] == sent[1]


def test_a_pair_costs_no_more_than_this(room, rng) -> None:
    left, right = made(192, 192, 4, rng)
    sent = []
    for window in (8, 16):
        room.run(step_of(window), with_keys(*left), with_keys(*right))
        rounds = [r for r in room.transcript.rounds if not any("quicksort" in s[2] for s in r)]
        sent.append((len(rounds), room.cost()[1]))
    assert sent[1][0] <= 96
    a_pair = [(b - a) / (384 * 8) for a, b in zip(sent[0][1], sent[1][1], strict=True)]
    assert max(a_pair) <= 19
    assert sum(a_pair) <= 48


def test_what_a_key_leaves_is_linked_inside_blocks(room, rng) -> None:
    left, right = made(128, 64, 2, rng)
    blocks = replace(SCORING, blocks=Blocks("block", "order", 16))
    step = lambda ctx, a, b: link(ctx, a, b, ["born"], blocks)  # noqa: E731
    there, _, _, rung = opened(
        [one.pairs for one in room.run(step, with_keys(*left), with_keys(*right))]
    )
    assert set(rung[there]) == {1, 2}


def test_blocks_that_do_not_fit_are_refused(room, rng) -> None:
    left, right = (with_keys(*one) for one in made(64, 64, 2, rng))
    for one in right:
        one.columns["block"] = replace(one.columns["block"], nullable=False)  # type: ignore[index]
    with pytest.raises(ValueError, match="column block isn't the same kind"):
        room.run(step_of(8), left, right)
    with pytest.raises(ValueError, match="from 1 to 32 rows"):
        Blocks("block", "order", 33)
