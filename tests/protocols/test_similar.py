"""Linkage by similarity, against sums of weights written down pair by pair."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from records import ID_BITS, Side, misspelt, opened, persons, rows_there, share

from protocols.plaintext import linkage as plain
from protocols.rep3 import best_match
from protocols.rep3.best_match import best_matches
from protocols.rep3.bound import BoundExceeded
from protocols.rep3.linkage import link
from protocols.rep3.scoring import Field, Level, Scoring
from protocols.rep3.share import join_bits, split_bits
from protocols.rep3.similar import link_similar
from protocols.rep3.slices import to_planes

HALF, MOST, ALL = Fraction(1, 2), Fraction(4, 5), Fraction(1)
FIELDS = (
    Field("name", (Level(HALF, 3), Level(MOST, 8)), -2, 16),
    Field("street", (Level(MOST, 6),), -3, 32),
    Field("born", (Level(ALL, 9),), -4, 24),
)
SHORT = Scoring(FIELDS, 5, 192)
FINE = Scoring(
    (
        Field("name", (Level(Fraction(93, 100), 81), Level(Fraction(67, 100), 25)), -17, 20),
        Field("born", (Level(ALL, 92),), -41, 64),
    ),
    53,
    192,
)


def score(left: Side, right: Side, i: int, j: int, scoring: Scoring) -> int:
    """Score one pair by the definition."""
    total = 0
    for field in scoring.fields:
        mine, theirs = left[2][field.column], right[2][field.column]
        if not (mine.there[i] and theirs.there[j]):
            continue
        a, b = set(np.flatnonzero(mine.bits[i])), set(np.flatnonzero(theirs.bits[j]))
        dice = Fraction(2 * len(a & b), len(a) + len(b))
        reached = [level for level in field.levels if dice >= level.dice]
        best = max(reached, key=lambda level: level.dice, default=None)
        total += field.unlike if best is None else best.weight
    return total


def linked(left: Side, right: Side, scoring: Scoring) -> dict[int, int]:
    """Link pairs by the definition."""
    rows, columns = np.flatnonzero(left[1]), np.flatnonzero(right[1])
    scores = {(i, j): score(left, right, i, j, scoring) for i in rows for j in columns}
    of_row, of_column = Counter[int](), Counter[int]()
    for (i, j), one in scores.items():
        of_row[i], of_column[j] = max(of_row[i], one), max(of_column[j], one)
    best = [
        (i, j)
        for (i, j), one in scores.items()
        if one >= scoring.threshold and one == of_row[i] == of_column[j]
    ]
    in_row, in_column = Counter(i for i, _ in best), Counter(j for _, j in best)
    return {i: j for i, j in best if in_row[i] == in_column[j] == 1}


def check(room, left: Side, right: Side, scoring: Scoring) -> dict[int, int]:
    """Link on shares, and compare with the definition."""
    step = lambda ctx, a, b: link_similar(ctx, a, b, scoring, 5)  # noqa: E731
    found = room.run(step, share(left), share(right))
    there, ids, partners, rung = opened([one.pairs for one in found])
    expected = linked(left, right, scoring)
    rows, columns = list(expected), list(expected.values())
    pairs = zip(ids[there], partners[there], strict=True)
    assert sorted(pairs) == sorted(zip(left[0][rows], right[0][columns], strict=True))
    np.testing.assert_array_equal(rung, 5 * there)
    assert not ids[~there].any()
    assert not partners[~there].any()
    sides = (
        (left, [one.left for one in found], rows),
        (right, [one.right for one in found], columns),
    )
    for side, rest, taken in sides:
        left_over = side[1].copy()
        left_over[taken] = False
        np.testing.assert_array_equal(rows_there(rest), left_over)
    return expected


@pytest.mark.parametrize("scoring", [SHORT, FINE], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize(("m", "n"), [(64, 64), (128, 192), (192, 64)])
def test_links_are_those_of_the_definition(room, rng, scoring: Scoring, m: int, n: int) -> None:
    left = persons(m, 0.6, scoring, rng)
    assert check(room, left, misspelt(left, n, rng), scoring)


def test_the_twin_links_as_the_definition_does(rng) -> None:
    left = persons(64, 1, SHORT, rng)
    right = misspelt(left, 128, rng)
    right[1][:] = True
    scores = plain.pair_scores(left[2], right[2], SHORT)
    assert scores[7, 9] == score(left, right, 7, 9, SHORT)
    best = plain.best_matches(scores, SHORT.threshold)
    assert dict(np.argwhere(best).tolist()) == linked(left, right, SHORT)


@pytest.mark.parametrize("there", [(0, 0), (0, 1), (1, 0)])
def test_nobody_is_linked_where_a_side_is_empty(room, rng, there: tuple[int, int]) -> None:
    left = persons(64, 1, SHORT, rng)
    right = misspelt(left, 64, rng)
    left[1][:], right[1][:] = there
    assert not check(room, left, right, SHORT)


def test_two_that_are_equally_good_are_both_left(room, rng) -> None:
    left = persons(64, 1, SHORT, rng)
    twice = np.concatenate([np.arange(60), [0, 1, 2, 3]])  # the first four have a double
    fields = {name: plain.Sets(s.bits[twice], s.there[twice]) for name, s in left[2].items()}
    right = left[0] + np.uint64(1), np.ones(64, dtype=bool), fields
    found = check(room, left, right, SHORT)
    assert not {0, 1, 2, 3} & found.keys()
    assert not check(room, right, right, SHORT).keys() & {0, 1, 2, 3, 60, 61, 62, 63}


def test_a_pair_at_the_threshold_is_linked_and_one_below_it_is_not(room, rng) -> None:
    left = persons(64, 1, SHORT, rng)
    right = misspelt(left, 64, rng)
    top = max(
        score(left, right, i, i2, SHORT) for i in range(64) for i2 in np.flatnonzero(right[1])
    )
    assert check(room, left, right, replace(SHORT, threshold=top))
    assert not check(room, left, right, replace(SHORT, threshold=top + 1))


@pytest.mark.parametrize("side", [0, 1])
def test_more_records_than_the_bound_stop_it(room, rng, side: int) -> None:
    sides = [persons(128, 1, SHORT, rng) for _ in range(2)]
    sides[1 - side][1][64:] = False
    step = lambda ctx, a, b: link_similar(ctx, a, b, replace(SHORT, max_left=most), 1)  # noqa: E731
    most = 127
    with pytest.raises(BoundExceeded, match="more records left over than the bound"):
        room.run(step, *(share(one) for one in sides))
    most = 128
    room.run(step, *(share(one) for one in sides))


def test_what_is_sent_depends_on_sizes_alone(room, rng) -> None:
    step = lambda ctx, a, b: link_similar(ctx, a, b, SHORT, 1)  # noqa: E731
    transcripts = []
    for there in (0.1, 0.9):
        left = persons(128, there, SHORT, rng)
        room.run(step, share(left), share(misspelt(left, 64, rng)))
        transcripts.append(room.transcript.rounds)
    assert transcripts[0] == transcripts[1]


def test_a_pair_costs_no_more_than_this(room, rng) -> None:
    step = lambda ctx, a, b: link_similar(ctx, a, b, replace(SHORT, max_left=256), 1)  # noqa: E731
    sent = []
    for n in (128, 256):
        left = persons(n, 1, SHORT, rng)
        room.run(step, share(left), share(misspelt(left, n, rng)))
        sent.append(room.cost())
    assert sent[1][0] <= 86
    pairs = 256**2 - 128**2
    a_pair = [(b - a) / pairs for a, b in zip(sent[0][1], sent[1][1], strict=True)]
    assert max(a_pair) <= 36
    assert sum(a_pair) <= 90


def test_columns_of_different_widths_are_refused(room, rng) -> None:
    left, right = share(persons(64, 1, SHORT, rng)), share(persons(64, 1, SHORT, rng))
    for one in right:
        columns = one.columns["born"]
        one.columns["born"] = replace(columns, planes=columns.planes[:-1])  # type: ignore[index]
    with pytest.raises(ValueError, match="column born has 48 bits left, 47 right"):
        room.run(lambda ctx, a, b: link_similar(ctx, a, b, SHORT, 1), left, right)
    assert left[0].columns["id"].planes.shape[0] == ID_BITS


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: Scoring((), 5, 64), "needs fields"),
        (lambda: Scoring((FIELDS[0], FIELDS[0]), 5, 64), "column of its own"),
        (lambda: Scoring(FIELDS, 0, 64), "above 0"),
        (lambda: Scoring(FIELDS, 5, 0), "above 0"),
        (lambda: Field("x", (), 0, 8), "needs levels"),
        (lambda: Field("x", (Level(Fraction(3, 2), 1),), 0, 8), "needs levels"),
        (lambda: Field("x", (Level(HALF, 1), Level(HALF, 2)), 0, 8), "all different"),
        (lambda: Field("x", (Level(HALF, 1),), 0, 0), "a bit at least"),
        (lambda: Scoring((Field("x", (Level(ALL, 70_001),), 0, 8),), 5, 64), "for scores"),
        (lambda: Scoring((Field("x", (Level(ALL, 5),), 0, 40_000),), 5, 64), "for similarities"),
    ],
)
def test_a_scoring_that_cannot_be_computed_is_refused(wrong, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        wrong()


def test_weights_are_taken_in_the_largest_unit_that_they_share() -> None:
    field = Field("x", (Level(ALL, 7000), Level(HALF, 2500)), -1500, 8)
    scoring = Scoring((field,), 4000, 64)
    assert (scoring.unit, scoring.least, scoring.over) == (500, 8, (-10, 7))
    assert (scoring.score_width, scoring.score_bits) == (8, 3)


def test_what_a_key_leaves_is_linked_by_similarity(room, rng) -> None:
    left = persons(128, 0.9, SHORT, rng)
    right = misspelt(left, 64, rng)
    step = lambda ctx, a, b: link(ctx, a, b, ["born"], SHORT)  # noqa: E731
    found = room.run(step, share(left), share(right))
    there, ids, partners, rung = opened([one.pairs for one in found])
    by_key = linked_by_key(left, right, "born")
    left[1][list(by_key)] = right[1][list(by_key.values())] = False
    rest = linked(left, right, SHORT)
    expected = [
        (left[0][i], right[0][j], number)
        for number, pairs in ((1, by_key), (2, rest))
        for i, j in pairs.items()
    ]
    assert by_key
    assert rest
    got = zip(ids[there], partners[there], rung[there], strict=True)
    assert sorted(got) == sorted(expected)


def linked_by_key(left: Side, right: Side, column: str) -> dict[int, int]:
    """Link rows whose value occurs once on either side."""
    once = []
    for _, there, fields in (left, right):
        sets = fields[column]
        rows = np.flatnonzero(there & sets.there)
        times = Counter(sets.bits[i].tobytes() for i in rows)
        values = {sets.bits[i].tobytes(): i for i in rows}
        once.append({value: i for value, i in values.items() if times[value] == 1})
    return {i: once[1][value] for value, i in once[0].items() if value in once[1]}


def test_a_matrix_is_searched_in_parts(room, rng, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best_match, "SPAN", 50 * 128)
    scores = rng.integers(-900, 100, (192, 128))
    scores[rng.random(192) < 0.2] = 0  # rows without any
    found = room.run(lambda c, x: best_matches(c, x, 192), split_bits(planes(scores)))
    octets = join_bits(found).view(np.uint8).reshape(192, -1)
    got = np.unpackbits(octets, axis=1, bitorder="little").astype(bool)
    np.testing.assert_array_equal(got, plain.best_matches(scores, 1))
    assert got.any()


def planes(scores: np.ndarray) -> np.ndarray:
    return to_planes(np.maximum(scores, 0).astype(np.uint64).ravel(), 7)
