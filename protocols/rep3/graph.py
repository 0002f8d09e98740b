"""A secret sparse matrix times a secret vector, again and again: scores that flow along edges.

Vertices and edges are sorted once, by the vertex that each edge leaves and by the one it enters.
Both orders are kept as secret permutations, so a round moves rows and multiplies: it compares
nothing.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal, equal_zero
from protocols.rep3.convert import arith_to_bits, bits_to_arith, sign
from protocols.rep3.fixed import cross, rescale, reshare
from protocols.rep3.incidence import Incidence
from protocols.rep3.multiply import multiply
from protocols.rep3.place import Placement, place, place_again, unplace
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.scan import running_sum
from protocols.rep3.share import Arith, Bits, concat_planes, public_arith, same_bit, stack
from protocols.rep3.sort import sort_again
from protocols.rounds import Steps, parallel

SCORE_BITS = 40  # scale of scores
WEIGHT_BITS = 40  # scale of weights
_SHORT = 20  # scale of what a product's second factor is rounded to
_DAMPING_BITS = 20


@dataclass(frozen=True, slots=True)
class Graph:
    """A secret graph, ready for any number of rounds.

    Attributes:
        ascending: moves vertices as they were given into ascending order of their ids.
        sources, targets: which edges leave, and enter, the vertices in that order.
        weight: (E,), in the order given; 0 for edges that count for nothing.
    """

    ascending: Placement
    sources: Incidence
    targets: Incidence
    weight: Arith


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

    Cost: with n = V + E, two times, but in the same rounds: a `sort` by k + 1 planes,
        a `place`, and five shuffles of a column of all rows; for k = 64 and n = 2^18 about 350
        rounds and 210 MB by each party.
    Security: semi-honest, honest majority; no leakage: what is opened are comparisons and
        permutations of rows in a uniformly random order.
    """
    source, target, weight = _at_least_one_word(source, target, weight)
    _check(vertices, there, source, target, weight)
    keys = concat_planes([there.flip(ctx.me), vertices])
    orders = yield from parallel(
        *(_order(ctx.at(name), keys, ends) for name, ends in _ends(source, target))
    )
    (rank, from_source), (_, from_target) = orders
    v = rank.shape[0]
    moved, ascending = yield from place(
        ctx.at("ascending"),
        Rows(v, concat_planes([there, vertices]), stack([from_source[:v], from_target[:v]])),
        rank,
    )
    sides = yield from parallel(
        *(
            _side(ctx.at(name), moved, moved.sums[i], rest[v:], ends)
            for i, (rest, (name, ends)) in enumerate(
                zip((from_source, from_target), _ends(source, target), strict=True)
            )
        )
    )
    (sources, one), (targets, other) = sides
    both = yield from and_bits(ctx.at("both"), one, other)
    counts = yield from bits_to_arith(ctx.at("counts"), both, weight.shape[0])
    kept = yield from multiply(ctx.at("weight"), weight, counts[0])
    return Graph(ascending, sources, targets, kept)


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

    Cost: 6 rounds and P0 72 E + 48 V bytes, the others half; then for each round of scores 11:
        two shuffles of two columns and two of one of all V + E rows, 8 E bytes, and 64 V by P0.
    Security: semi-honest, honest majority; no leakage.

    Exact to a few times 2^-40 a round, if no vertex's weights times scores sum up to 4: relative
    10^-4 down to scores of 10^-7.
    """
    part = _checked_damping(damping, rounds)
    v = graph.sources.vertices
    if score.shape != (v,):
        raise ValueError(f"{v} vertices have no scores of shape {score.shape}")
    rows = yield from place_again(
        ctx.at("ascending"), Rows(v, no_bits(v), score.reshape(1, v)), graph.ascending
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
    back = yield from unplace(ctx.at("back"), last, graph.ascending)
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

    Cost: 11 rounds, and about 21 for each hop, which sends four shuffles of a column of all
        V + E rows, 8 E bytes and about 14 V.
    Security: semi-honest, honest majority; no leakage.
    """
    v, e = graph.sources.vertices, graph.sources.edges
    if hops < 0 or marked.shape != (1, v // 64):
        raise ValueError(f"{hops} hops from marks {marked} of {v} vertices")
    rows, heavy = yield from parallel(
        place_again(ctx.at("ascending"), Rows(v, marked, no_sums(v)), graph.ascending),
        sign(ctx.at("heavy"), graph.weight.reshape(1, e).scale(-1)),
    )
    counts = yield from bits_to_arith(ctx.at("counts"), heavy, e)
    found = rows.bits
    for i in range(hops):
        found = yield from _hop(ctx.at(f"hop{i}"), graph, found, counts)
    back = yield from unplace(ctx.at("back"), Rows(v, found, no_sums(v)), graph.ascending)
    return back.bits


def _ends(source: Bits, target: Bits) -> tuple[tuple[str, Bits], tuple[str, Bits]]:
    return ("sources", source), ("targets", target)


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


def _order(ctx: Context, vertices: Bits, ends: Bits) -> Steps[tuple[Arith, Arith]]:
    """Sort vertices and edges by id, vertices first; `vertices` has one more plane on top.

    Returns:
        how many vertices come before each vertex, (V,); where each row comes, (V + E,).
    """
    v, n = 64 * vertices.shape[1], 64 * (vertices.shape[1] + ends.shape[1])
    ends = concat_planes([same_bit(ctx.me, 0, n - v), ends])
    both = Bits(np.hstack([vertices.own, ends.own]), np.hstack([vertices.next, ends.next]))
    _, _, ordered = yield from sort_again(ctx.at("sort"), Rows(n, no_bits(n), no_sums(n)), both)
    here = np.arange(n, dtype=np.uint64)
    first = public_arith(ctx.me, (here < v).astype(np.uint64).reshape(1, n))
    marks = yield from place_again(ctx.at("marks"), Rows(n, no_bits(n), first), ordered)
    numbers = stack([running_sum(marks.sums) - marks.sums, public_arith(ctx.me, here)])
    back = yield from unplace(ctx.at("back"), Rows(n, no_bits(n), numbers), ordered)
    return back.sums[0, :v], back.sums[1]


def _side(
    ctx: Context, vertices: Rows, there: Arith, rest: Arith, ends: Bits
) -> Steps[tuple[Incidence, Bits]]:
    """Go over to ascending vertices, and tell which edges have a vertex there: (1, E / 64).

    Args:
        vertices: ascending: whether they are there, and their ids.
        there, rest: where vertices and edges come in the order by id.
    """
    v, e = there.shape[0], rest.shape[0]
    destination = Arith(np.hstack([there.own, rest.own]), np.hstack([there.next, rest.next]))
    nothing = Rows(v + e, no_bits(v + e), no_sums(v + e))
    _, placement = yield from place(ctx.at("place"), nothing, destination)
    side = Incidence(v, e, placement)
    met = yield from side.spread_bits(ctx.at("met"), vertices.bits)
    wanted = concat_planes([same_bit(ctx.me, 1, e), ends])
    return side, (yield from equal(ctx.at("known"), met, wanted))


def _checked_damping(damping: Fraction, rounds: int) -> int:
    if rounds < 0 or not 0 <= damping <= 1:
        raise ValueError(f"{rounds} rounds damped by {damping}")
    return round(damping * (1 << _DAMPING_BITS))


def _round(ctx: Context, graph: Graph, scores: Arith, weights: Arith, part: int) -> Steps[Arith]:
    """Let scores flow once.

    A score is given with 40 bits, and rounded to 20; a weight as its first 20 bits and the 20 that
    follow. The exact score times the first and the rounded one times the rest have the same scale.
    """
    at_edges = yield from graph.sources.spread(ctx.at("spread"), scores)
    products = cross(np.multiply, at_edges, weights).sum(axis=0, dtype=np.uint64)
    flows = yield from reshare(ctx.at("flows"), products)
    sums = yield from graph.targets.gather(ctx.at("gather"), flows.reshape(1, -1))
    total = sums[0] + scores[0].scale((1 << _DAMPING_BITS) - part)
    exact, short = yield from parallel(
        rescale(ctx.at("exact"), total.own, _SHORT),
        rescale(ctx.at("short"), total.own, 2 * _SHORT),
    )
    return stack([exact, short])


def _hop(ctx: Context, graph: Graph, marked: Bits, counts: Arith) -> Steps[Bits]:
    """Mark the targets of edges that count and leave marked vertices."""
    v, e = graph.sources.vertices, graph.sources.edges
    marks = yield from bits_to_arith(ctx.at("marks"), marked, v)
    at_edges = yield from graph.sources.spread(ctx.at("spread"), marks)
    met = yield from multiply(ctx.at("met"), at_edges, counts)
    sums = yield from graph.targets.gather(ctx.at("gather"), met)
    planes = yield from arith_to_bits(ctx.at("bits"), (sums + marks)[0], (e + 1).bit_length())
    none = yield from equal_zero(ctx.at("none"), planes)
    return none.flip(ctx.me)
