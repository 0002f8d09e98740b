"""What relational operators send: a change that takes more bytes or rounds fails here.

Rows, keys and masks are the same in each run, so the figures are exact. Lower them with the code.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from relations import run, share, table

from protocols.context import Context
from protocols.rep3 import outer
from protocols.rep3.dominance import Limits
from protocols.rep3.expand import join_bounded
from protocols.rep3.group import Extreme, Grouping, group
from protocols.rep3.join import join_unique
from protocols.rep3.order import merge_all, order
from protocols.rep3.relation import Relation
from protocols.rep3.support import Largest, Wanted, supports
from protocols.rounds import Party, Steps
from protocols.simulate import Transcript

LEFT = table(1, 500)
RIGHT = table(2, 300).rename(columns={"k": "j", "p": "h", "x": "y"}).drop(columns="v")
RIGHT["h"] %= 8
UNIQUE = RIGHT.drop_duplicates("j")
A, B, C = share(LEFT, ["x"], ("k",)), share(RIGHT, ["y"], ("j",)), share(UNIQUE, ["y"], ("j",))
ON = ("k",), ("j",)
FILL = {"h": None, "y": 7}
EXTREMES = (Extreme("low", "min", "v"), Extreme("high", "max", "v"))

SUPPORTED = Wanted(("x",), ("v",))
LARGEST = replace(SUPPORTED, largest=Largest(("x",), ("x",), Limits(90, 10), 64))


def matched(ctx: Context) -> Steps[tuple[Relation, Relation]]:
    return outer.matched(ctx, A[ctx.me], C[ctx.me], *ON)


def left_join(ctx: Context) -> Steps[Relation]:
    left, found = yield from matched(ctx.at("match"))
    return (yield from outer.keep_left(ctx.at("fill"), left, found, FILL))


def not_in(ctx: Context) -> Steps[Relation]:
    left, found = yield from matched(ctx.at("match"))
    return (yield from outer.not_in(ctx.at("nulls"), left, found, "k", C[ctx.me], "j"))


def full_join(ctx: Context) -> Steps[Relation]:
    joined = yield from left_join(ctx.at("left"))
    sides = C[ctx.me], A[ctx.me]
    return (yield from outer.add_unmatched(ctx.at("rest"), joined, *sides, {"k": None}, ON))


OPERATORS: dict[str, tuple[Callable[[Context], Steps], int, int]] = {
    "order": (lambda c: order(c, A[c.me], ("p",)), 134, 75_072),
    "merge": (lambda c: merge_all(c, [A[c.me], A[c.me]], ("k",)), 45, 99_424),
    "group": (lambda c: group(c, A[c.me], Grouping(("k",), (), ("x",), ())), 10, 85_216),
    "persons": (lambda c: group(c, A[c.me], Grouping(("k",), (("p",),), ("x",), ())), 133, 211_824),
    "extremes": (lambda c: group(c, A[c.me], Grouping(("k",), (), (), EXTREMES)), 144, 225_520),
    "supports": (lambda c: supports(c, A[c.me], ("k",), (("p",),), SUPPORTED), 149, 452_736),
    "largest": (lambda c: supports(c, A[c.me], ("k",), (("p",),), LARGEST), 201, 692_168),
    "unique join": (lambda c: join_unique(c, A[c.me], C[c.me], *ON), 53, 104_016),
    "bounded join": (lambda c: join_bounded(c, A[c.me], B[c.me], *ON, 40_000), 476, 36_408_944),
    "match": (matched, 53, 104_016),
    "left join": (left_join, 55, 116_304),
    "not in": (not_in, 66, 112_984),
    "full join": (full_join, 106, 152_688),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_costs_no_more_than_this(name: str) -> None:
    step, rounds, n_bytes = OPERATORS[name]
    transcript = Transcript()
    run(step, transcript)
    sent = sum(transcript.bytes_sent(party) for party in Party)
    assert len(transcript.rounds) <= rounds
    assert sent <= n_bytes
