"""Which edges a vertex has at one of their ends, as one secret order: each vertex, then its edges.

Rule: values go from vertices to edges and back by a repeated permutation and running sums. Nothing
is compared here; vertices keep the order that they have, and so do edges.
"""

from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.place import Placement, place_again, unplace
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.scan import running_sum, running_xor, undo_running_sum, undo_running_xor
from protocols.rep3.share import Arith, Bits, end_to_end
from protocols.rounds import U64, Steps


@dataclass(frozen=True, slots=True)
class Incidence:
    """Vertices, the edges that have one of them at one end, and their order.

    Attributes:
        vertices, edges: how many, multiples of 64.
        placement: moves all vertices and, behind them, all edges so that each vertex is followed
            by its edges. Edges that have none there follow any vertex, or stand before all.
    """

    vertices: int
    edges: int
    placement: Placement

    @property
    def n(self) -> int:
        return self.vertices + self.edges

    def spread(self, ctx: Context, values: Arith) -> Steps[Arith]:
        """Give each edge its vertex's values: (m, vertices) to (m, edges).

        Cost: two shuffles of m columns of all rows; 4 rounds.
        Security: semi-honest, honest majority; no leakage.
        """
        steps = undo_running_sum(values), _no_values(values.shape[0], self.edges)
        rows = Rows(self.n, no_bits(self.n), end_to_end(steps))
        placed = yield from place_again(ctx.at("there"), rows, self.placement)
        summed = Rows(self.n, no_bits(self.n), running_sum(placed.sums))
        back = yield from unplace(ctx.at("back"), summed, self.placement)
        return back.sums[:, self.vertices :]

    def spread_bits(self, ctx: Context, planes: Bits) -> Steps[Bits]:
        """Give each edge its vertex's planes, zeros if it stands before all vertices.

        Cost and security: as `spread`.
        """
        zeros = np.zeros((planes.shape[0], self.edges // 64), dtype=np.uint64)
        steps = undo_running_xor(planes), Bits(zeros, zeros)
        rows = Rows(self.n, end_to_end(steps), no_sums(self.n))
        placed = yield from place_again(ctx.at("there"), rows, self.placement)
        summed = Rows(self.n, running_xor(placed.bits), no_sums(self.n))
        back = yield from unplace(ctx.at("back"), summed, self.placement)
        return back.bits[:, self.vertices // 64 :]

    def gather(self, ctx: Context, values: Arith) -> Steps[Arith]:
        """Add up values of each vertex's edges: (m, edges) to (m, vertices).

        Args:
            values: zero for edges that have no vertex there.

        Cost and security: as `spread`.
        """
        wide = end_to_end([_no_values(values.shape[0], self.vertices), values])
        rows = Rows(self.n, no_bits(self.n), wide)
        placed = yield from place_again(ctx.at("there"), rows, self.placement)
        summed = Rows(self.n, no_bits(self.n), running_sum(placed.sums))
        back = yield from unplace(ctx.at("back"), summed, self.placement)
        before, total = back.sums[:, : self.vertices], summed.sums[:, -1:]
        return Arith(_to_next(before.own, total.own), _to_next(before.next, total.next))


def _no_values(m: int, n: int) -> Arith:
    zeros = np.zeros((m, n), dtype=np.uint64)
    return Arith(zeros, zeros)


def _to_next(before: U64, total: U64) -> U64:
    """Return how much each row is below the next one, the last below the total."""
    following: U64 = np.hstack([before[:, 1:], total])
    return following - before
