"""A secret graph: vertices, and which edges leave and enter them, found out once.

Vertices and edges are brought into two orders, by the vertex that each edge leaves and by the one
it enters. Both are kept as secret permutations, so what later goes along the edges compares
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.adjacency import (
    Edges,
    Found,
    ascending,
    merged_sources,
    merged_targets,
    merged_vertices,
    sorted_sides,
)
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.incidence import Incidence
from protocols.rep3.multiply import multiply
from protocols.rep3.place import Placement
from protocols.rep3.share import Arith, Bits, concat_planes, end_to_end
from protocols.rounds import Steps, parallel

WEIGHT_BITS = 40  # scale of weights


@dataclass(frozen=True, slots=True)
class Graph:
    """A secret graph, ready for any number of rounds.

    Attributes:
        ids: (1 + k, V / 64): whether there is a vertex, and its id, ascending; others come last.
        placement: moves vertices as they were given into that order.
        sources, targets: for each part of the edges, which of them leave and enter a vertex.
        weight: (E,), part after part, in the order given; 0 for edges that count for nothing.
    """

    ids: Bits
    placement: Placement
    sources: tuple[Incidence, ...]
    targets: tuple[Incidence, ...]
    weight: Arith

    @property
    def n(self) -> int:
        """How many vertices there may be."""
        return 64 * self.ids.shape[1]


def arrange(
    ctx: Context, vertices: Bits, there: Bits, source: Bits, target: Bits, weight: Arith
) -> Steps[Graph]:
    """Find out which edges leave and enter which vertices.

    An edge whose source or target is no vertex's id counts for nothing, nor does a vertex that
    isn't there: its place among the ids is behind all others, so its id may be any. Edges that
    aren't there have weight 0.

    Args:
        vertices: ids, (k, V / 64) planes with V a multiple of 64 above 0; those that are there
            differ from each other. Of several with one id, one takes part.
        there: one plane, (1, V / 64).
        source, target: ids, (k, E / 64) with E a multiple of 64 or 0.
        weight: (E,), at scale WEIGHT_BITS, each from 0 to 1.

    Raises:
        ValueError: if the shapes don't fit.
        PeerMisbehaved: as `reveal_bits`.

    Cost: a `sort` of V ids, and then, in the same rounds, two of V + E; 36 (V + E) bytes by P0
        for each of these, and half by the others. For k = 64 and n = 2^18 about 600 rounds and
        210 MB by each party.
    Security: semi-honest, honest majority; no leakage: what is opened are comparisons and
        permutations of rows in a uniformly random order.
    """
    source, target, weight = _at_least_one_word(source, target, weight)
    _check(vertices, there, source, target, weight)
    given = concat_planes([there, vertices])
    ordered, placement = yield from ascending(ctx.at("vertices"), given)
    leaving, entering = yield from sorted_sides(ctx.at("sides"), ordered, (source, target))
    kept = yield from _counting(ctx, leaving[1], entering[1], weight)
    return Graph(ordered, placement, (leaving[0],), (entering[0],), kept)


def arrange_sorted(ctx: Context, vertices: Sequence[Bits], edges: Sequence[Edges]) -> Steps[Graph]:
    """Do as `arrange` for parts that their owners have sorted.

    Args:
        vertices: parts, at least one, of (1 + k, V_i / 64): whether they are there, and their
            ids, ascending; others come last.
        edges: parts, at least one. What an owner says that isn't so concerns its edges alone.

    Raises:
        ValueError: if the shapes don't fit.
        PeerMisbehaved: as `reveal_bits`.
        NotAPermutation: as `merged_targets`.

    Cost: a `merge_many` of the vertices; then, in the same rounds, for each part of the edges two
        merges of its ids with those of all V vertices, and 80 (V + E_i) bytes by P0 and half by
        the others. About a third of the work of `arrange`, as long as there are fewer vertices
        than edges in a part.
    Security: semi-honest, honest majority; no leakage.
    """
    _check_parts(vertices, edges)
    ordered, placement = yield from merged_vertices(ctx.at("vertices"), vertices)
    sides: list[Steps[Found]] = []
    for i, part in enumerate(edges):
        sides.append(merged_sources(ctx.at(f"sources{i}"), ordered, part))
        sides.append(merged_targets(ctx.at(f"targets{i}"), ordered, part))
    found = yield from parallel(*sides)
    (sources, leaving), (targets, entering) = (_apart(found[i::2]) for i in range(2))
    weight = end_to_end([part.weight for part in edges])
    kept = yield from _counting(ctx, leaving, entering, weight)
    return Graph(ordered, placement, sources, targets, kept)


def _at_least_one_word(source: Bits, target: Bits, weight: Arith) -> tuple[Bits, Bits, Arith]:
    """Put 64 edges of weight 0 in the place of none."""
    if weight.shape != (0,) or source.shape[1] or target.shape[1]:
        return source, target, weight
    none = np.zeros((source.shape[0], 1), dtype=np.uint64)
    return Bits(none, none), Bits(none, none), weight.padded(64)


def _check(vertices: Bits, there: Bits, source: Bits, target: Bits, weight: Arith) -> None:
    k, words = vertices.shape
    if k == 0 or words == 0 or there.shape != (1, words):
        raise ValueError(f"ids {vertices} and {there} are not those of vertices")
    edges = weight.shape[0] // 64
    if source.shape != (k, edges) or target.shape != source.shape or weight.shape[0] % 64:
        raise ValueError(f"{source}, {target} and {weight} are not edges between ids of {k} bits")


def _check_parts(vertices: Sequence[Bits], edges: Sequence[Edges]) -> None:
    if not vertices or not edges:
        raise ValueError("a graph has one part of vertices and of edges at least")
    planes = {part.shape[0] for part in vertices}
    for part in edges:
        words = part.n // 64
        alike = {part.weight.shape, part.by_target.shape} == {(64 * words,)}
        if part.there.shape != (1, words) or not alike or part.source.shape != part.target.shape:
            raise ValueError(f"{part} has columns of several sizes")
        planes.add(1 + part.source.shape[0])
    if len(planes) > 1 or min(planes) < 2:
        raise ValueError(f"ids of several widths: {sorted(planes)} planes")


def _apart(found: Sequence[Found]) -> tuple[tuple[Incidence, ...], Bits]:
    return tuple(side for side, _ in found), end_to_end([known for _, known in found])


def _counting(ctx: Context, leaving: Bits, entering: Bits, weight: Arith) -> Steps[Arith]:
    """Take the weight from edges that don't lead from a vertex to a vertex."""
    both = yield from and_bits(ctx.at("both"), leaving, entering)
    counts = yield from bits_to_arith(ctx.at("counts"), both, weight.shape[0])
    return (yield from multiply(ctx.at("weight"), weight, counts[0]))
