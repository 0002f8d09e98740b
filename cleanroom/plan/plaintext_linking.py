"""INSECURE: who is one person, on plain rows; a linkage of a plan as its class says it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

from cleanroom.plan.linking import (
    BLOCK,
    BLOCK_ORDER,
    ID,
    LEFT,
    RIGHT,
    RUNG,
    Likeness,
    Linkage,
    Similar,
)
from cleanroom.plan.plaintext_rows import Row, number, promise


def linked_rows(node: Linkage, left: Sequence[Row], right: Sequence[Row]) -> list[Row]:
    """Link the rows of two sides."""
    mine, theirs = list(left), list(right)
    found: list[Row] = []
    for rung, key in enumerate(node.keys, start=1):
        pairs = list(_alone(key, mine, theirs))
        found += [_row(rung, *pair) for pair in pairs]
        linked = {row[key] for row, _ in pairs}
        mine = [row for row in mine if row[key] not in linked]
        theirs = [row for row in theirs if row[key] not in linked]
    if node.similar is not None:
        most = max(len(mine), len(theirs))
        promise(most <= node.similar.max_left, f"{most} rows of a side are left")
        found += [_row(node.rungs, *pair) for pair in _alike(node.similar, mine, theirs)]
    return found


def _alone(key: str, left: list[Row], right: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield the pairs of rows that have a key that occurs once on either side."""
    counts = [Counter(row[key] for row in side) for side in (left, right)]
    partners = {row[key]: row for row in right}
    for row in left:
        value = row[key]
        if value is not None and counts[0][value] == counts[1][value] == 1:
            yield row, partners[value]


def _row(rung: int, left: Row, right: Row) -> Row:
    return {LEFT: left[ID], RIGHT: right[ID], RUNG: rung}


def _alike(asked: Similar, left: list[Row], right: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield the pairs that reach the threshold and are each other's only best partner."""
    scores = {
        (i, j): _score(asked.likenesses, left[i], right[j])
        for i, j in _compared(asked.window, left, right)
    }
    best: Counter[tuple[str, int]] = Counter()
    for pair, score in scores.items():
        for row in _ends(pair):
            best[row] = max(best[row], score)
    found = [
        pair
        for pair, score in scores.items()
        if score >= asked.threshold and all(best[row] == score for row in _ends(pair))
    ]
    times = Counter(row for pair in found for row in _ends(pair))
    for i, j in found:
        if all(times[row] == 1 for row in _ends((i, j))):
            yield left[i], right[j]


def _ends(pair: tuple[int, int]) -> tuple[tuple[str, int], tuple[str, int]]:
    return (LEFT, pair[0]), (RIGHT, pair[1])


def _compared(window: int | None, left: list[Row], right: list[Row]) -> Iterator[tuple[int, int]]:
    """Yield the pairs that are scored, by their places."""
    if window is None:
        yield from product(range(len(left)), range(len(right)))
        return
    rows = sorted(
        (number(row[BLOCK]), number(row[BLOCK_ORDER] or 0), side, i)
        for side, all_of in enumerate((left, right))
        for i, row in enumerate(all_of)
        if row[BLOCK] is not None
    )
    for at, (block, _, side, i) in enumerate(rows):
        for other, _, other_side, j in rows[at + 1 : at + 1 + window]:
            if other == block and other_side != side:
                yield (i, j) if side == 0 else (j, i)


def _score(likenesses: Sequence[Likeness], left: Row, right: Row) -> int:
    return sum(_weight(one, left[one.column], right[one.column]) for one in likenesses)


def _weight(one: Likeness, a: int | None, b: int | None) -> int:
    if a is None or b is None:
        return 0
    a, b = number(a), number(b)
    both, all_of = (a & b).bit_count(), a.bit_count() + b.bit_count()
    for level, weight in zip(one.dice, one.weights[:-1], strict=True):
        if 2 * both >= level * all_of:
            return weight
    return one.weights[-1]
