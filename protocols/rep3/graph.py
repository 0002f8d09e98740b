"""A secret graph: vertices, and which edges leave and enter them, found out once.

Vertices and edges are brought into two orders, by the vertex that each edge leaves and by the one
it enters. Both are kept as secret permutations, so what later goes along the edges compares
nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.adjacency import Edges, Part, entering, leaving, merged_vertices
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.incidence import Incidence
from protocols.rep3.multiply import multiply
from protocols.rep3.place import Placement, place_again
from protocols.rep3.rows import Rows, no_bits
from protocols.rep3.share import Arith, Bits, end_to_end
from protocols.rounds import Steps, parallel

WEIGHT_BITS = 40  # scale of weights


@dataclass(frozen=True, slots=True)
class Graph:
    """A secret graph, ready for any number of rounds.

    Attributes:
        ids: (1 + k, V / 64): whether there is a vertex, and its id, ascending; others come last.
        placement: moves vertices as they were given, part after part, into that order.
        sources: for each part with edges, which vertices these leave, of all in ascending order.
        targets: for each part, which of its vertices, as given, its edges enter; or how many
            vertices it has, if it has no edges.
        weight: (E,), part after part, in the order given; 0 for edges that count for nothing.
    """

    ids: Bits
    placement: Placement
    sources: tuple[Incidence, ...]
    targets: tuple[Incidence | int, ...]
    weight: Arith

    @property
    def n(self) -> int:
        """How many vertices there may be."""
        return 64 * self.ids.shape[1]

    def spread(self, ctx: Context, values: Arith) -> Steps[Arith]:
        """Give each edge the values of the vertex that it leaves: ascending (m, V) to (m, E).

        Cost: of all parts V + E_i, two shuffles of m columns; 4 rounds.
        Security: semi-honest, honest majority; no leakage.
        """
        steps = (side.spread(ctx.at(f"{i}"), values) for i, side in enumerate(self.sources))
        return end_to_end((yield from parallel(*steps)))

    def gather(self, ctx: Context, values: Arith) -> Steps[Arith]:
        """Add up the values of edges that enter a vertex: (m, E) to ascending (m, V).

        Cost: of all parts V_i + E_i, two shuffles of m columns, then one of V; 6 rounds.
        Security: semi-honest, honest majority; no leakage.
        """
        sums = yield from parallel(*self._gathered(ctx, values))
        rows = Rows(self.n, no_bits(self.n), end_to_end(sums))
        placed = yield from place_again(ctx.at("ascending"), rows, self.placement)
        return placed.sums

    def _gathered(self, ctx: Context, values: Arith) -> Iterator[Steps[Arith]]:
        at = 0
        for i, side in enumerate(self.targets):
            if isinstance(side, int):
                yield _zeros(values.shape[0], side)
            else:
                yield side.gather(ctx.at(f"{i}"), values[:, at : at + side.edges])
                at += side.edges


def arrange(ctx: Context, parts: Sequence[Part]) -> Steps[Graph]:
    """Find out which edges leave and enter which vertices.

    An edge whose source is no vertex's id counts for nothing, nor does a vertex that isn't there.

    Args:
        parts: of owners, at least one, and edges in one of them at least. Vertices that are there
            differ in their ids; of several with one id, one takes part. That ids and sources ascend
            isn't checked: unsorted sources spoil the edges of their part, unsorted ids all.

    Raises:
        ValueError: if the shapes don't fit.
        PeerMisbehaved: as `reveal_bits`.
        NotAPermutation: as `entering`.

    Cost: a `merge_many` of the vertices; then, in the same rounds, for each part of the edges one
        of their sources with all V vertices, and 60 (V + E_i) bytes by P0 and half by the others.
    Security: semi-honest, honest majority; no leakage: what is opened are permutations of rows in
        a uniformly random order.
    """
    _check(parts)
    ids, placement = yield from merged_vertices(ctx.at("vertices"), parts)
    held = [part.edges for part in parts if part.edges is not None]
    found, entered = yield from parallel(
        parallel(*(leaving(ctx.at(f"sources{i}"), ids, edges) for i, edges in enumerate(held))),
        parallel(*(_entering(ctx.at(f"targets{i}"), part) for i, part in enumerate(parts))),
    )
    known = end_to_end([one for _, one in found])
    weight = end_to_end([edges.weight for edges in held])
    counts = yield from bits_to_arith(ctx.at("counts"), known, weight.shape[0])
    kept = yield from multiply(ctx.at("weight"), weight, counts[0])
    return Graph(ids, placement, tuple(side for side, _ in found), entered, kept)


def _entering(ctx: Context, part: Part) -> Steps[Incidence | int]:
    if part.edges is None:
        return part.n
    return (yield from entering(ctx, part, part.edges))


def _zeros(m: int, n: int) -> Steps[Arith]:
    zeros = np.zeros((m, n), dtype=np.uint64)
    return Arith(zeros, zeros)
    yield


def _check(parts: Sequence[Part]) -> None:
    held = [part.edges for part in parts if part.edges is not None]
    if not held:
        raise ValueError("a graph has edges in one part at least")
    if any(part.n == 0 or part.place.shape != (part.n,) for part in parts):
        raise ValueError("a part has vertices, and a place for each")
    for edges in held:
        if edges.n % 64 or not edges.n or not _fits(edges):
            raise ValueError(f"{edges} has columns of several sizes")
    planes = {part.ids.shape[0] for part in parts} | {1 + e.source.shape[0] for e in held}
    if len(planes) > 1 or min(planes) < 2:
        raise ValueError(f"ids of several widths: {sorted(planes)} planes")


def _fits(edges: Edges) -> bool:
    words = (edges.n // 64,)
    same = edges.there.shape == (1, *words) and edges.source.shape[1:] == words
    return same and edges.place.shape == edges.weight.shape
