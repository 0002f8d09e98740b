"""The keys of a ladder's rungs: the rows of both sides in the order of each, grouped by it."""

from collections.abc import Sequence

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.keyed import Keyed, keyed
from protocols.rep3.place import Placement
from protocols.rep3.ranked import Ranked, merged_orders
from protocols.rep3.relation import Column, Relation, append_rows, split_planes
from protocols.rep3.share import Bits, concat_planes, public_bits, same_bit
from protocols.rep3.slices import to_planes
from protocols.rep3.sort import orders
from protocols.rounds import Party, Steps, parallel

MOST = 1 << 21  # rows of several keys that are put in order at once: about 700 bytes each


def rungs_of(
    ctx: Context,
    left: Relation,
    right: Relation,
    keys: Sequence[str],
    ranks: Sequence[str],
) -> Steps[list[Keyed]]:
    """Bring the rows of both sides, left before right, into the order of each key.

    Args:
        keys, ranks: as `ladder` has them.

    Cost: as `merged_orders`, or `orders` without ranks, and a `keyed` for each key; more
        rounds where they are more than `MOST` rows together.
    Security: as these.
    """
    at_once = max(1, MOST // (left.n + right.n))
    found: list[Keyed] = []
    for start in range(0, len(keys), at_once):
        here, batch = ctx.at(f"from{start}"), slice(start, start + at_once)
        ordered = yield from _ordered(here, left, right, keys[batch], ranks[batch])
        steps = (keyed(here.at(f"group{i}"), *one) for i, one in enumerate(ordered))
        found += yield from parallel(*steps)
    return found


def _ordered(
    ctx: Context,
    left: Relation,
    right: Relation,
    keys: Sequence[str],
    ranks: Sequence[str],
) -> Steps[list[tuple[Bits, Placement]]]:
    planes = [
        [_known_planes(ctx.me, side.columns[name], side.n) for side in (left, right)]
        for name in keys
    ]
    if ranks:
        return (yield from _merged(ctx, left, right, planes, ranks))
    return (yield from orders(ctx.at("sort"), [append_rows(*both) for both in planes]))


def _merged(
    ctx: Context,
    left: Relation,
    right: Relation,
    planes: Sequence[Sequence[Bits]],
    ranks: Sequence[str],
) -> Steps[list[tuple[Bits, Placement]]]:
    """Merge both sides by each key; rows that aren't there come last.

    Among themselves these don't ascend: so neither do they afterwards, which changes no other row.
    """
    mine, theirs = yield from parallel(
        _ranks(ctx.at("left"), left, ranks), _ranks(ctx.at("right"), right, ranks)
    )
    gone = left.valid.flip(ctx.me), right.valid.flip(ctx.me)
    sides = [
        (
            Ranked(concat_planes([gone[0], first]), mine[i]),
            Ranked(concat_planes([gone[1], second]), theirs[i]),
        )
        for i, (first, second) in enumerate(planes)
    ]
    found = yield from merged_orders(ctx.at("merge"), sides)
    return [(key[1:], order) for key, order in found]


def _ranks(ctx: Context, side: Relation, names: Sequence[str]) -> Steps[list[Bits]]:
    """Return ranks of all rows of a side: those that aren't there have that of their place."""
    bits = (side.n - 1).bit_length()
    place = public_bits(ctx.me, to_planes(np.arange(side.n, dtype=np.uint64), bits))
    columns = [_as_wide(side.columns[name].planes, bits) ^ place for name in names]
    chosen = yield from and_bits(ctx, concat_planes(columns), side.valid)
    return [rank ^ place for rank in split_planes(chosen, [bits] * len(names))]


def _as_wide(planes: Bits, bits: int) -> Bits:
    """Put zeros above planes, or leave the highest away."""
    zeros = np.zeros((max(0, bits - planes.shape[0]), planes.shape[1]), dtype=np.uint64)
    return concat_planes([Bits(zeros, zeros), planes])[-bits:]


def _known_planes(me: Party, column: Column, n: int) -> Bits:
    if column.nullable:
        return column.planes
    return concat_planes([same_bit(me, 0, n), column.planes])
