"""Bringing vertices and their edges into one order by id: by merging what owners have sorted.

Rule: here ids are compared, once for a graph; `incidence` then repeats the orders found. Only
where an edge leaves is looked up: it enters a vertex of its own owner, who says which.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.compare import equal
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.incidence import Incidence
from protocols.rep3.merge import merge_many
from protocols.rep3.multiply import multiply
from protocols.rep3.place import Placement, place
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.share import Arith, Bits, concat_planes, end_to_end, public_arith, same_bit
from protocols.rounds import Steps, parallel


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges that enter one owner's vertices, by source; those that are not there come last.

    Attributes:
        there: one plane, (1, E / 64), with E a multiple of 64 above 0.
        source: ids, (k, E / 64).
        weight: (E,), at scale WEIGHT_BITS, from 0 to 1; 0 where there is none.
        place: (E,), as of `Part`.
    """

    there: Bits
    source: Bits
    weight: Arith
    place: Arith

    @property
    def n(self) -> int:
        return self.weight.shape[0]


@dataclass(frozen=True, slots=True)
class Part:
    """One owner's vertices, and the edges that enter them.

    Attributes:
        ids: (1 + k, V / 64): whether there is a vertex, and its id; ascending, others come last.
        place: (V,), the place, from 0, that each takes among this part's vertices and edges if
            each vertex is followed by the edges that enter it; 0 where there is none.
        edges: None if no edge enters, and `place` has no meaning.
    """

    ids: Bits
    place: Arith
    edges: Edges | None

    @property
    def n(self) -> int:
        """How many vertices there may be."""
        return 64 * self.ids.shape[1]


def merged_vertices(ctx: Context, parts: Sequence[Part]) -> Steps[tuple[Bits, Placement]]:
    """Merge the vertices of all parts.

    Returns:
        their planes, ascending, and what brings further columns, part after part, into that order.

    Cost and security: as `merge_many`.
    """
    lists = [(_nothing(x.n), concat_planes([x.ids[:1].flip(ctx.me), x.ids[1:]])) for x in parts]
    _, key, placement = yield from merge_many(ctx, lists)
    return concat_planes([key[:1].flip(ctx.me), key[1:]]), placement


def leaving(ctx: Context, vertices: Bits, edges: Edges) -> Steps[tuple[Incidence, Bits]]:
    """Find which edges leave which vertices.

    Args:
        vertices: all of them, as `merged_vertices` returns them.

    Returns:
        the order, and in one plane, (1, E / 64), which edges leave a vertex.

    Cost: a `merge_many` of the ids of vertices and edges, two shuffles of ids, and an `equal`.
    Security: semi-honest, honest majority; no leakage.
    """
    v, e = 64 * vertices.shape[1], edges.n
    # Of one id the vertex comes first.
    first = [vertices[:1].flip(ctx.me), vertices[1:], same_bit(ctx.me, 0, v)]
    second = [edges.there.flip(ctx.me), edges.source, same_bit(ctx.me, 1, e)]
    lists = [(_nothing(v), concat_planes(first)), (_nothing(e), concat_planes(second))]
    _, _, placement = yield from merge_many(ctx.at("merge"), lists)
    side = Incidence(v, e, placement)
    met = yield from side.spread_bits(ctx.at("met"), vertices)
    wanted = concat_planes([same_bit(ctx.me, 1, e), edges.source])
    return side, (yield from equal(ctx.at("known"), met, wanted))


def entering(ctx: Context, part: Part, edges: Edges) -> Steps[Incidence]:
    """Bring a part's vertices and edges into the order that their owner says.

    Vertices and edges that are not there follow behind.

    Raises:
        NotAPermutation: if the owner's places are not those of a permutation.

    Cost: 6 rounds; 16 V + 8 E bytes by each party, and a `place` of V + E rows without columns.
    Security: semi-honest, honest majority; no leakage.
    """
    v, e = part.n, edges.n
    flags = yield from parallel(
        bits_to_arith(ctx.at("vertices"), part.ids[:1], v),
        bits_to_arith(ctx.at("edges"), edges.there, e),
    )
    vertex, edge = flags[0][0], flags[1][0]
    edges_there = Arith(np.repeat(edge.own.sum(), v), np.repeat(edge.next.sum(), v))
    taken = yield from multiply(ctx.at("taken"), vertex, edges_there)
    vertices_at = part.place + _where_absent(ctx, vertex, 0) + edges_there - taken
    edges_at = edges.place + _where_absent(ctx, edge, v)
    both = end_to_end([vertices_at, edges_at])
    _, placement = yield from place(ctx.at("place"), _nothing(v + e), both)
    return Incidence(v, e, placement)


def _where_absent(ctx: Context, there: Arith, first: int) -> Arith:
    """Return first, first + 1, ... where there is nothing, and 0 elsewhere."""
    here = np.arange(first, first + there.shape[0], dtype=np.uint64)
    return public_arith(ctx.me, here) - Arith(here * there.own, here * there.next)


def _nothing(n: int) -> Rows:
    """Return n rows without columns."""
    return Rows(n, no_bits(n), no_sums(n))
