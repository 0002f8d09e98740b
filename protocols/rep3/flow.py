"""Scores and marks that go along the edges of a secret graph: a sparse matrix times a vector.

A round moves rows by permutations that the graph keeps, and multiplies; it compares nothing.
"""

from fractions import Fraction

import numpy as np

from protocols.context import Context
from protocols.rep3.convert import bits_to_arith, is_zero
from protocols.rep3.fixed import cross, rescale, reshare
from protocols.rep3.graph import WEIGHT_BITS, Graph
from protocols.rep3.multiply import multiply
from protocols.rep3.place import place_again, unplace
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.share import Arith, Bits, stack
from protocols.rounds import Steps, parallel

SCORE_BITS = 40  # scale of scores
_SHORT = 20  # scale of what a product's second factor is rounded to
_DAMPING_BITS = 20


def propagate(
    ctx: Context, graph: Graph, score: Arith, damping: Fraction, rounds: int
) -> Steps[Arith]:
    """Let scores flow: s_j <- (1 - d) s_j + d sum of w_ij s_i over edges i -> j, some rounds.

    Args:
        score: (V,), in the order of the vertices given, at scale SCORE_BITS, each from 0 to 1.
        damping: d, from 0 to 1; taken to the nearest multiple of 2^-20.

    Returns:
        (V,), in the same order and scale. Vertices that aren't there have any value.

    Raises:
        ValueError: if damping or the number of rounds is out of range, or the shape differs.

    Cost: 6 rounds and 64 (V + E) bytes by P0, half by the others; then for each round of scores 13:
        a `spread` of two columns and a `gather` of one, 8 E bytes, and 64 V by P0.
    Security: semi-honest, honest majority; no leakage.

    Exact to a few times 2^-40 a round, if no vertex's weights times scores sum up to 4: relative
    10^-4 down to scores of 10^-7, if d is 0.005 at least.
    """
    part = _checked_damping(damping, rounds)
    v = graph.n
    if score.shape != (v,):
        raise ValueError(f"{v} vertices have no scores of shape {score.shape}")
    rows = yield from place_again(
        ctx.at("ascending"), Rows(v, no_bits(v), score.reshape(1, v)), graph.placement
    )
    damped = graph.weight.own * np.uint64(part)
    coarse, fine, short = yield from parallel(
        rescale(ctx.at("coarse"), damped, _DAMPING_BITS + _SHORT),
        rescale(ctx.at("fine"), damped, _DAMPING_BITS),
        rescale(ctx.at("short"), rows.sums.own[0], _SHORT),
    )
    weights = stack([coarse, fine - coarse.scale(1 << _SHORT)])
    scores = stack([rows.sums[0], short])
    for i in range(rounds):
        scores = yield from _round(ctx.at(f"round{i}"), graph, scores, weights, part)
    last = Rows(v, no_bits(v), scores[:1])
    back = yield from unplace(ctx.at("back"), last, graph.placement)
    return back.sums[0]


def reach(ctx: Context, graph: Graph, marked: Bits, hops: int) -> Steps[Bits]:
    """Mark the vertices that edges of weight above 0 lead to from marked ones, within some hops.

    Args:
        marked: one plane, (1, V / 64), in the order of the vertices given.

    Returns:
        one plane in the same order; marked vertices stay marked. Vertices that aren't there have
        any value.

    Raises:
        ValueError: if the number of hops is below 0, or the shape differs.

    Cost: 11 rounds, and about 19 for each hop: a `spread` and a `gather` of a column, 8 E bytes
        and about 14 V.
    Security: semi-honest, honest majority; no leakage.
    """
    v, e = graph.n, graph.weight.shape[0]
    if hops < 0 or marked.shape != (1, v // 64):
        raise ValueError(f"{hops} hops from marks {marked} of {v} vertices")
    rows, light = yield from parallel(
        place_again(ctx.at("ascending"), Rows(v, marked, no_sums(v)), graph.placement),
        is_zero(ctx.at("light"), graph.weight, WEIGHT_BITS + 1),
    )
    counts = yield from bits_to_arith(ctx.at("counts"), light.flip(ctx.me), e)
    found = rows.bits
    for i in range(hops):
        found = yield from _hop(ctx.at(f"hop{i}"), graph, found, counts)
    back = yield from unplace(ctx.at("back"), Rows(v, found, no_sums(v)), graph.placement)
    return back.bits


def _checked_damping(damping: Fraction, rounds: int) -> int:
    if rounds < 0 or not 0 <= damping <= 1:
        raise ValueError(f"{rounds} rounds damped by {damping}")
    return round(damping * (1 << _DAMPING_BITS))


def _round(ctx: Context, graph: Graph, scores: Arith, weights: Arith, part: int) -> Steps[Arith]:
    """Let scores flow once.

    A score is given with 40 bits, and rounded to 20; a weight as its first 20 bits and the 20 that
    follow. The exact score times the first and the rounded one times the rest have the same scale.
    """
    at_edges = yield from graph.spread(ctx.at("spread"), scores)
    products = cross(np.multiply, at_edges, weights).sum(axis=0, dtype=np.uint64)
    flows = yield from reshare(ctx.at("flows"), products)
    sums = yield from graph.gather(ctx.at("gather"), flows.reshape(1, -1))
    total = sums[0] + scores[0].scale((1 << _DAMPING_BITS) - part)
    exact, short = yield from parallel(
        rescale(ctx.at("exact"), total.own, _SHORT),
        rescale(ctx.at("short"), total.own, 2 * _SHORT),
    )
    return stack([exact, short])


def _hop(ctx: Context, graph: Graph, marked: Bits, counts: Arith) -> Steps[Bits]:
    """Mark the targets of edges that count and leave marked vertices."""
    v, e = graph.n, graph.weight.shape[0]
    marks = yield from bits_to_arith(ctx.at("marks"), marked, v)
    at_edges = yield from graph.spread(ctx.at("spread"), marks)
    met = yield from multiply(ctx.at("met"), at_edges, counts)
    sums = yield from graph.gather(ctx.at("gather"), met)
    none = yield from is_zero(ctx.at("none"), (sums + marks)[0], (e + 1).bit_length())
    return none.flip(ctx.me)
