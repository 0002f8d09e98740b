"""INSECURE twins of scores and marks that flow along edges: floating point, no protection."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.packed import Order
from protocols.rounds import U64

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PlainGraph:
    """Edges in the clear: which of `n` vertices they leave and enter, by number, and how heavy."""

    n: int
    source: Order
    target: Order
    weight: Floats


def arrange(vertices: U64, there: Flags, source: U64, target: U64, weight: Floats) -> PlainGraph:
    """Keep the edges between vertices that are there. INSECURE."""
    order = np.argsort(vertices, kind="stable")
    order = order[there[order]]
    leaves, known = _looked_up(vertices[order], source)
    enters, also = _looked_up(vertices[order], target)
    kept = known & also
    return PlainGraph(vertices.size, order[leaves[kept]], order[enters[kept]], weight[kept])


def propagate(graph: PlainGraph, score: Floats, damping: float, rounds: int) -> Floats:
    """Let scores flow: s_j <- (1 - d) s_j + d sum of w_ij s_i, some rounds. INSECURE."""
    for _ in range(rounds):
        flows = graph.weight * score[graph.source]
        sums = np.bincount(graph.target, flows, graph.n)
        score = (1 - damping) * score + damping * sums
    return score


def reach(graph: PlainGraph, marked: Flags, hops: int) -> Flags:
    """Mark what edges of weight above 0 lead to from marked vertices, within hops. INSECURE."""
    heavy = graph.weight > 0
    for _ in range(hops):
        found = marked.copy()
        found[graph.target[heavy & marked[graph.source]]] = True
        marked = found
    return marked


def _looked_up(ascending: U64, ids: U64) -> tuple[Order, Flags]:
    """Return where each id stands, the last of equal ones, and whether it does."""
    at = np.searchsorted(ascending, ids, side="right") - 1
    known = at >= 0
    known[known] = ascending[at[known]] == ids[known]
    return at, known
