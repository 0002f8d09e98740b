"""Bringing vertices and their edges into one order by id: by sorting, or by merging sorted lists.

Rule: here ids are compared, once for a graph; `incidence` then repeats the orders found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.compare import equal
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.incidence import Incidence
from protocols.rep3.merge import merge_many
from protocols.rep3.place import Placement, place, unplace
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.share import Arith, Bits, concat_planes, end_to_end, public_arith, same_bit
from protocols.rep3.sort import orders, sort_again
from protocols.rounds import Steps, parallel

Found = tuple[Incidence, Bits]


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges as an owner has sorted them: by source, those that are not there last.

    Attributes:
        there: one plane, (1, E / 64), with E a multiple of 64.
        source, target: ids, (k, E / 64).
        weight: (E,), at scale WEIGHT_BITS; 0 where there is none.
        by_target: (E,), which place each takes, from 0, if those that are there are sorted by
            target instead; 0 in others.
    """

    there: Bits
    source: Bits
    target: Bits
    weight: Arith
    by_target: Arith

    @property
    def n(self) -> int:
        return self.weight.shape[0]


def ascending(ctx: Context, vertices: Bits) -> Steps[tuple[Bits, Placement]]:
    """Sort vertices, (1 + k, V / 64): whether they are there, and their ids; others come last.

    Returns:
        the sorted planes, and what brings further columns into that order.

    Cost and security: as `sort`.
    """
    n = 64 * vertices.shape[1]
    key = concat_planes([vertices[:1].flip(ctx.me), vertices[1:]])
    _, key, placement = yield from sort_again(ctx, _nothing(n), key)
    return concat_planes([key[:1].flip(ctx.me), key[1:]]), placement


def merged_vertices(ctx: Context, parts: Sequence[Bits]) -> Steps[tuple[Bits, Placement]]:
    """Do as `ascending`, for parts that ascend already.

    Cost and security: as `merge_many`.
    """
    lists = [(_nothing(64 * x.shape[1]), concat_planes([x[:1].flip(ctx.me), x[1:]])) for x in parts]
    _, key, placement = yield from merge_many(ctx, lists)
    return concat_planes([key[:1].flip(ctx.me), key[1:]]), placement


def sorted_sides(ctx: Context, vertices: Bits, ends: Sequence[Bits]) -> Steps[tuple[Found, ...]]:
    """Find the orders in which edges follow the vertices that they have at each of their ends.

    Args:
        vertices: as `ascending` returns them.
        ends: the edges' ids there, (k, E / 64) each.

    Returns:
        each order, and in one plane, (1, E / 64), which edges have a vertex there.

    Cost: `orders` of the ids of vertices and edges, then two shuffles of ids and an `equal` each.
    Security: semi-honest, honest majority; no leakage.
    """
    v, e = 64 * vertices.shape[1], 64 * ends[0].shape[1]
    first = concat_planes([vertices[:1].flip(ctx.me), vertices[1:]])
    there = same_bit(ctx.me, 0, e)
    keys = [end_to_end([first, concat_planes([there, ids])]) for ids in ends]
    found = yield from orders(ctx.at("sort"), keys)
    steps = (
        _known(ctx.at(f"{i}"), Incidence(v, e, order), vertices, ids)
        for i, ((_, order), ids) in enumerate(zip(found, ends, strict=True))
    )
    return (yield from parallel(*steps))


def merged_sources(ctx: Context, vertices: Bits, edges: Edges) -> Steps[Found]:
    """Do as `sorted_sides` for the edges' sources, by which they are sorted.

    Cost: a `merge_many` of the ids of vertices and edges, then as `sorted_sides`.
    """
    order = yield from _merged(ctx.at("merge"), vertices, edges.there, edges.source)
    side = Incidence(64 * vertices.shape[1], edges.n, order)
    return (yield from _known(ctx, side, vertices, edges.source))


def merged_targets(ctx: Context, vertices: Bits, edges: Edges) -> Steps[Found]:
    """Do as `sorted_sides` for the edges' targets, with the order that their owner says.

    Raises:
        NotAPermutation: if the owner's places are not those of a permutation.

    Cost: as `merged_sources`, a `place` of the targets, another, and two shuffles of a column.
    """
    v, e = 64 * vertices.shape[1], edges.n
    flag = yield from bits_to_arith(ctx.at("flag"), edges.there, e)
    here = np.arange(e, dtype=np.uint64)
    behind = public_arith(ctx.me, here) - Arith(here * flag[0].own, here * flag[0].next)
    given = Rows(e, concat_planes([edges.there, edges.target]), no_sums(e))
    rows, within = yield from place(ctx.at("within"), given, edges.by_target + behind)
    order = yield from _merged(ctx.at("merge"), vertices, rows.bits[:1], rows.bits[1:])
    numbers = public_arith(ctx.me, np.arange(v + e, dtype=np.uint64).reshape(1, -1))
    at = yield from unplace(ctx.at("at"), Rows(v + e, no_bits(v + e), numbers), order)
    last = Rows(e, no_bits(e), at.sums[:, v:])
    back = yield from unplace(ctx.at("back"), last, within)
    both = end_to_end([at.sums[0, :v], back.sums[0]])
    _, placement = yield from place(ctx.at("place"), _nothing(v + e), both)
    return (yield from _known(ctx, Incidence(v, e, placement), vertices, edges.target))


def _merged(ctx: Context, vertices: Bits, there: Bits, ends: Bits) -> Steps[Placement]:
    """Merge sorted vertices and sorted edges; of one id the vertex comes first."""
    v, e = 64 * vertices.shape[1], 64 * ends.shape[1]
    first = [vertices[:1].flip(ctx.me), vertices[1:], same_bit(ctx.me, 0, v)]
    second = [there.flip(ctx.me), ends, same_bit(ctx.me, 1, e)]
    lists = [(_nothing(v), concat_planes(first)), (_nothing(e), concat_planes(second))]
    _, _, placement = yield from merge_many(ctx, lists)
    return placement


def _known(ctx: Context, side: Incidence, vertices: Bits, ends: Bits) -> Steps[Found]:
    """Tell which edges stand behind a vertex with their id."""
    met = yield from side.spread_bits(ctx.at("met"), vertices)
    wanted = concat_planes([same_bit(ctx.me, 1, side.edges), ends])
    return side, (yield from equal(ctx.at("known"), met, wanted))


def _nothing(n: int) -> Rows:
    """Return n rows without columns."""
    return Rows(n, no_bits(n), no_sums(n))
