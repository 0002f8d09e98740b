"""Scores and marks that flow along secret edges, against their twins and scipy's matrices."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.plaintext import graph as plain
from protocols.rep3 import flow
from protocols.rep3 import graph as secret
from protocols.rep3.adjacency import Edges
from protocols.rep3.share import (
    Arith,
    Bits,
    concat_planes,
    join_arith,
    join_bits,
    split_arith,
    split_bits,
)
from protocols.rep3.slices import to_planes
from protocols.rounds import Party, ProtocolError, Steps
from protocols.simulate import Transcript, contexts, simulate

FEW = settings(max_examples=6, deadline=None)
SEEDS = st.integers(0, 2**32)
HALF = Fraction(1, 2)


@dataclass
class Whole:
    """A graph in the clear; sizes are multiples of 64."""

    ids: np.ndarray
    there: np.ndarray
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray

    def shares(self, bits: int):
        planes = [split_bits(to_planes(x, bits)) for x in (self.ids, self.source, self.target)]
        there = split_bits(to_planes(self.there.astype(np.uint64), 1))
        weight = split_arith(np.rint(self.weight * 2.0**secret.WEIGHT_BITS).astype(np.uint64))
        return [(planes[0][p], there[p], planes[1][p], planes[2][p], weight[p]) for p in Party]

    def plain(self) -> plain.PlainGraph:
        return plain.arrange(self.ids, self.there, self.source, self.target, self.weight)

    def matrix(self) -> scipy.sparse.csr_matrix:
        """Return M with M[j, i] the weight of all edges i -> j, found by a dictionary."""
        number = {int(x): i for i, x in enumerate(self.ids) if self.there[i]}
        ends = zip(self.source.tolist(), self.target.tolist(), strict=True)
        known = [(number.get(s), number.get(t)) for s, t in ends]
        kept = [i for i, (s, t) in enumerate(known) if s is not None and t is not None]
        rows, columns = [known[i][1] for i in kept], [known[i][0] for i in kept]
        n = self.ids.size
        return scipy.sparse.csr_matrix((self.weight[kept], (rows, columns)), shape=(n, n))


def edges(seed: int, v: int, e: int, bits: int) -> Whole:
    """Make a graph with unknown ids, missing rows, several edges between two, and loops."""
    rng = np.random.default_rng(seed)
    top = 2**bits
    ids = rng.choice(top, v, replace=False) if bits < 20 else rng.integers(0, top, v, np.uint64)
    ids = ids.astype(np.uint64)
    there = rng.random(v) < 0.8
    ids[~there] = rng.choice(ids, (~there).sum())  # ids of missing rows may be those of others
    source = rng.choice(ids[: max(v // 3, 1)], e)
    target = rng.choice(ids, e)
    unknown = rng.random(e) < 0.1
    source[unknown] = rng.integers(0, top, unknown.sum(), dtype=np.uint64)
    unknown = rng.random(e) < 0.1
    target[unknown] = rng.integers(0, top, unknown.sum(), dtype=np.uint64)
    weight = rng.random(e) * (rng.random(e) < 0.9)
    total = np.bincount(np.unique(target, return_inverse=True)[1], weight)
    weight = weight / np.maximum(total, 1e-9)[np.unique(target, return_inverse=True)[1]]
    return Whole(ids, there, source, target, weight)


def padded(values: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([values, np.zeros(n - values.size, values.dtype)])


def planes(values: np.ndarray, bits: int):
    return split_bits(to_planes(values.astype(np.uint64), bits))


def in_parts(given: Whole, bits: int):
    """Return each party's shares of what two owners sorted, and which vertex stands in each row."""
    vertices, parts, rows = [], [], []
    for owner in range(2):
        mine = np.flatnonzero(given.there & (np.arange(given.ids.size) % 2 == owner))
        mine = mine[np.argsort(given.ids[mine])]
        n = 64 * (mine.size // 64 + 1)
        marks = split_bits(to_planes((np.arange(n) < mine.size).astype(np.uint64), 1))
        ids = planes(padded(given.ids[mine], n), bits)
        vertices.append([concat_planes([marks[p], ids[p]]) for p in Party])
        rows.append(np.concatenate([mine, np.full(n - mine.size, -1)]))
        parts.append(sorted_edges(given, np.arange(owner, given.source.size, 2), bits))
    shares = [([v[p] for v in vertices], [e[p] for e in parts]) for p in Party]
    return shares, np.concatenate(rows)


def sorted_edges(given: Whole, mine: np.ndarray, bits: int) -> list[Edges]:
    mine = mine[np.argsort(given.source[mine], kind="stable")]
    n = 64 * (mine.size // 64 + 1)
    place = np.argsort(np.argsort(given.target[mine], kind="stable")).astype(np.uint64)
    weight = np.rint(given.weight[mine] * 2.0**secret.WEIGHT_BITS).astype(np.uint64)
    columns = (
        planes(np.arange(n) < mine.size, 1),
        planes(padded(given.source[mine], n), bits),
        planes(padded(given.target[mine], n), bits),
        split_arith(padded(weight, n)),
        split_arith(padded(place, n)),
    )
    return [Edges(*(column[p] for column in columns)) for p in Party]


def arranged(given: Whole, bits: int, then, *shares, transcript: Transcript | None = None):
    """Arrange at all parties, and go on with `then`(ctx, graph, *that party's shares)."""

    def step(ctx) -> Steps:
        graph = yield from secret.arrange(ctx.at("arrange"), *inputs[ctx.me])
        return (yield from then(ctx.at("then"), graph, *(triple[ctx.me] for triple in shares)))

    inputs = given.shares(bits)
    return simulate([step(ctx) for ctx in contexts(b"graph")], transcript=transcript)


def propagated(given: Whole, bits: int, score: np.ndarray, damping: Fraction, rounds: int):
    shares = split_arith(np.rint(score * 2.0**flow.SCORE_BITS).astype(np.uint64))
    found = arranged(given, bits, lambda c, g, s: flow.propagate(c, g, s, damping, rounds), shares)
    return join_arith(found).astype(np.int64) / 2.0**flow.SCORE_BITS


def reached(given: Whole, bits: int, marked: np.ndarray, hops: int) -> np.ndarray:
    shares = split_bits(to_planes(marked.astype(np.uint64), 1))
    found = arranged(given, bits, lambda c, g, m: flow.reach(c, g, m, hops), shares)
    return np.unpackbits(join_bits(found).view(np.uint8), bitorder="little").astype(bool)


@FEW
@given(SEEDS, st.sampled_from([(64, 0), (64, 64), (128, 320)]), st.sampled_from([8, 64]))
def test_scores_and_marks_are_those_of_a_sparse_matrix(
    seed: int, size: tuple[int, int], bits: int
) -> None:
    given_, rng = edges(seed, *size, bits), np.random.default_rng(seed)
    there, matrix = given_.there, given_.matrix()
    score, damping = rng.random(size[0]) * (rng.random(size[0]) < 0.3), Fraction(3, 10)
    expected = score
    for _ in range(3):
        expected = 0.7 * expected + 0.3 * (matrix @ expected)
    twin = plain.propagate(given_.plain(), score, 0.3, 3)
    np.testing.assert_allclose(twin[there], expected[there])
    found = propagated(given_, bits, score, damping, 3)
    np.testing.assert_allclose(found[there], expected[there], rtol=1e-4, atol=1e-10)

    marked = score > 0
    near = marked.astype(float)
    for _ in range(2):
        near = near + (matrix > 0) @ near
    assert plain.reach(given_.plain(), marked, 2)[there].tolist() == (near > 0)[there].tolist()
    got = reached(given_, bits, marked, 2)
    assert got[there].tolist() == (near > 0)[there].tolist()


@FEW
@given(SEEDS, st.sampled_from([(64, 0), (128, 320)]), st.sampled_from([8, 64]))
def test_parts_that_owners_sorted_make_the_same_graph(
    seed: int, size: tuple[int, int], bits: int
) -> None:
    given_, score = edges(seed, *size, bits), np.random.default_rng(seed).random(size[0])
    inputs, rows = in_parts(given_, bits)
    there = rows >= 0
    start = np.where(there, score[rows], 0)
    scores = split_arith(np.rint(start * 2.0**flow.SCORE_BITS).astype(np.uint64))
    marked = planes(start > 0.9, 1)

    def step(ctx) -> Steps:
        graph = yield from secret.arrange_sorted(ctx.at("arrange"), *inputs[ctx.me])
        found = yield from flow.propagate(ctx.at("flow"), graph, scores[ctx.me], HALF, 2)
        return found, (yield from flow.reach(ctx.at("reach"), graph, marked[ctx.me], 2))

    found, near = zip(*simulate([step(ctx) for ctx in contexts(b"parts")]), strict=True)
    whole = given_.plain()
    expected = plain.propagate(whole, score, 0.5, 2)[rows[there]]
    got = join_arith(found).view(np.int64)[there] / 2.0**flow.SCORE_BITS
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-10)
    reached = np.unpackbits(join_bits(near).view(np.uint8), bitorder="little")[there]
    assert reached.tolist() == plain.reach(whole, score > 0.9, 2)[rows[there]].tolist()


def test_small_scores_are_as_exact_as_large_ones() -> None:
    """A chain: each score is a small share of the one before, and 0.4 of that stays."""
    n, rounds = 64, 4
    ids = np.arange(n, dtype=np.uint64)
    weight = np.geomspace(1, 1e-6, n)
    given_ = Whole(ids, ids >= 0, ids, (ids + 1) % n, weight)
    score = np.geomspace(1e-6, 1, n)[::-1].copy()
    found = propagated(given_, 6, score, Fraction(6, 10), rounds)
    expected = plain.propagate(given_.plain(), score, 0.6, rounds)
    assert expected.min() < 1e-7
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_hub_of_many_edges_is_exact() -> None:
    """One vertex takes from all others; a million words wrap on the way and the total doesn't."""
    v, e = 64, 4096
    ids = np.arange(v, dtype=np.uint64)
    source, target = np.arange(e, dtype=np.uint64) % v, np.zeros(e, dtype=np.uint64)
    given_ = Whole(ids, ids >= 0, source, target, np.full(e, 1 / e))
    found = propagated(given_, 6, np.ones(v), Fraction(1), 1)
    np.testing.assert_allclose(found, np.eye(1, v)[0], atol=1e-9)


def nothing(ctx, graph: secret.Graph) -> Steps[secret.Graph]:
    return graph
    yield


def scores(ctx, graph: secret.Graph) -> Steps:
    zeros = np.zeros(graph.n, dtype=np.uint64)
    return (yield from flow.propagate(ctx, graph, Arith(zeros, zeros), HALF, 1))


def marks(ctx, graph: secret.Graph) -> Steps:
    zeros = np.zeros((1, graph.n // 64), dtype=np.uint64)
    return (yield from flow.reach(ctx, graph, Bits(zeros, zeros), 1))


@pytest.mark.parametrize("then", [scores, marks])
def test_the_transcript_says_nothing_of_the_graph(then) -> None:
    """Messages and sizes are the same. Of a sort's comparisons only the mean number is."""
    seen = []
    for seed in (1, 2):
        transcript = Transcript()
        arranged(edges(seed, 64, 192, 20), 20, then, transcript=transcript)
        sends = [send for sends in transcript.rounds for send in sends]
        seen.append(sorted(send for send in sends if "quicksort" not in send[2]))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("then", "part", "rounds", "n_bytes"),
    [
        (nothing, "/arrange/", 259, 193_544),
        (scores, "/then/", 17, 82_432),
        (marks, "/then/", 27, 38_840),
    ],
)
def test_it_costs_no_more_than_this(then, part: str, rounds: int, n_bytes: int) -> None:
    """Messages of P0, which sends most."""
    transcript = Transcript()
    arranged(edges(3, 128, 320, 64), 64, then, transcript=transcript)
    mine = [[s for s in sends if part in s[2]] for sends in transcript.rounds]
    assert sum(map(bool, mine)) <= rounds
    assert sum(8 * s[3] for sends in mine for s in sends if s[0] == Party.P0) <= n_bytes


def test_sorted_parts_cost_no_more_than_this() -> None:
    """With fewer rounds than where all is sorted."""
    transcript, (inputs, _) = Transcript(), in_parts(edges(3, 128, 320, 64), 64)
    steps = [secret.arrange_sorted(c, *inputs[c.me]) for c in contexts(b"cost")]
    simulate(steps, transcript=transcript)
    assert len(transcript.rounds) <= 165
    assert transcript.bytes_sent(Party.P0) <= 251_784


def test_places_of_no_permutation_end_it() -> None:
    """An owner that gives two of its edges the same place."""
    inputs, _ = in_parts(edges(3, 64, 64, 8), 8)
    parts = [party[1][0] for party in inputs]
    twice = split_arith(np.zeros(parts[0].n, dtype=np.uint64))
    wrong = [replace(part, by_target=twice[p]) for p, part in enumerate(parts)]
    steps = [secret.arrange_sorted(c, inputs[c.me][0], [wrong[c.me]]) for c in contexts(b"wrong")]
    with pytest.raises(ProtocolError, match="not a permutation"):
        simulate(steps)


def test_a_tampered_opening_names_the_cheat(room) -> None:
    """Of vertices sorted, and of edges whose owner says their order."""
    triples = list(zip(*edges(4, 64, 64, 8).shares(8), strict=True))
    assert room.catch(secret.arrange, *triples, gates="vertices/quicksort/level0/open") == 6
    inputs, _ = in_parts(edges(4, 64, 64, 8), 8)
    parts = list(zip(*inputs, strict=True))
    assert room.catch(secret.arrange_sorted, *parts, gates="targets1/within/open") == 6


def test_what_doesnt_fit_is_refused() -> None:
    given_ = edges(5, 64, 64, 8)
    vertices, there, source, target, weight = given_.shares(8)[0]
    ctx = contexts(b"refused")[0]
    with pytest.raises(ValueError, match="not those of vertices"):
        next(secret.arrange(ctx, vertices, there[:, :0], source, target, weight))
    with pytest.raises(ValueError, match="not edges between ids of 8 bits"):
        next(secret.arrange(ctx, vertices, there, source[:7], target, weight))
    with pytest.raises(ValueError, match="not edges"):
        next(secret.arrange(ctx, vertices, there, source, target, weight[:63]))
    part = Edges(there[:, :1], source, target, weight, weight)
    with pytest.raises(ValueError, match="several widths"):
        next(secret.arrange_sorted(ctx, [vertices], [part]))
    with pytest.raises(ValueError, match="several sizes"):
        next(secret.arrange_sorted(ctx, [vertices], [replace(part, target=target[:7])]))
    with pytest.raises(ValueError, match="one part"):
        next(secret.arrange_sorted(ctx, [vertices], []))
    graph = arranged(given_, 8, nothing)[0]
    for damping, rounds in ((Fraction(3, 2), 1), (Fraction(-1, 2), 1), (HALF, -1)):
        with pytest.raises(ValueError, match="rounds damped by"):
            next(flow.propagate(ctx, graph, weight, damping, rounds))
    with pytest.raises(ValueError, match="64 vertices"):
        next(flow.propagate(ctx, graph, weight[:63], HALF, 1))
    with pytest.raises(ValueError, match="-1 hops"):
        next(flow.reach(ctx, graph, there, -1))
