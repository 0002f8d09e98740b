"""INSECURE: who is one person, on plain rows; a linkage of a plan as its class says it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from cleanroom.plan.linking import ID, LEFT, RIGHT, RUNG, Likeness, Similar
from cleanroom.plan.nodes import Linkage
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
    scores = [[_score(asked.likenesses, one, other) for other in right] for one in left]
    best = [max(row, default=0) for row in scores]
    other_best = [max(column) for column in zip(*scores, strict=True)]
    for i, row in enumerate(scores):
        for j, score in enumerate(row):
            only = row.count(score) == 1 and [r[j] for r in scores].count(score) == 1
            if score == best[i] == other_best[j] and only and score >= asked.threshold:
                yield left[i], right[j]


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
