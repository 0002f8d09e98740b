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
from protocols.rep3.adjacency import Edges, Part
from protocols.rep3.place import NotAPermutation
from protocols.rep3.share import Arith, Bits, join_arith, join_bits, split_arith, split_bits
from protocols.rep3.slices import to_planes
from protocols.rounds import Party, Steps
from protocols.simulate import Transcript, contexts, simulate

FEW = settings(max_examples=6, deadline=None)
SEEDS = st.integers(0, 2**32)
HALF = Fraction(1, 2)
OWNERS = 3  # the last one's vertices are entered by no edge


@dataclass
class Whole:
    """A graph in the clear. Vertex i is the owner's i % OWNERS."""

    ids: np.ndarray
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray

    @property
    def n(self) -> int:
        return self.ids.size

    def plain(self) -> plain.PlainGraph:
        there = np.ones(self.n, dtype=bool)
        return plain.arrange(self.ids, there, self.source, self.target, self.weight)

    def matrix(self) -> scipy.sparse.csr_matrix:
        """Return M with M[j, i] the weight of all edges i -> j, found by a dictionary."""
        number = {int(x): i for i, x in enumerate(self.ids)}
        ends = zip(self.source.tolist(), self.target.tolist(), strict=True)
        known = [(number.get(s), number[t]) for s, t in ends]
        kept = [i for i, (s, _) in enumerate(known) if s is not None]
        rows, columns = [known[i][1] for i in kept], [known[i][0] for i in kept]
        return scipy.sparse.csr_matrix((self.weight[kept], (rows, columns)), (self.n, self.n))


def graph(seed: int, v: int, e: int, bits: int) -> Whole:
    """Make a graph with unknown sources, several edges between two, loops, and lone vertices."""
    rng, top = np.random.default_rng(seed), 2**bits
    few = bits < 20
    ids = rng.choice(top, v, replace=False) if few else rng.integers(0, top, v, np.uint64)
    ids = ids.astype(np.uint64)
    source = rng.choice(ids[: max(v // 3, 1)], e)
    target = rng.integers(0, v, e)
    target = ids[np.where(target % OWNERS == OWNERS - 1, 0, target)]
    unknown = rng.random(e) < 0.1
    source[unknown] = rng.integers(0, top, unknown.sum(), dtype=np.uint64)
    weight = rng.random(e) * (rng.random(e) < 0.9)
    _, at = np.unique(target, return_inverse=True)
    return Whole(ids, source, target, weight / np.maximum(np.bincount(at, weight), 1e-9)[at])


def padded(values: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([values, np.zeros(n - values.size, values.dtype)]).astype(np.uint64)


def in_parts(whole: Whole, bits: int) -> tuple[list[list[Part]], np.ndarray]:
    """Return each party's shares of what owners sorted, and which vertex is in each row, or -1."""
    parts, rows = [], []
    for owner in range(OWNERS):
        mine = np.arange(owner, whole.n, OWNERS)
        mine = mine[np.argsort(whole.ids[mine])]
        held = np.flatnonzero(np.isin(whole.target, whole.ids[mine]))
        held = held[np.argsort(whole.source[held], kind="stable")]
        rank = np.searchsorted(whole.ids[mine], whole.target[held])
        places = np.argsort(np.argsort(rank, kind="stable")) + rank + 1
        n = 64 * (mine.size // 64 + 1)
        there = to_planes((np.arange(n) < mine.size).astype(np.uint64), 1)
        ids = to_planes(padded(whole.ids[mine], n), bits)
        before = np.searchsorted(np.sort(rank), np.arange(mine.size))
        shares = zip(
            split_bits(np.concatenate([there, ids])),
            split_arith(padded(before + np.arange(mine.size), n)),
            sorted_edges(whole, held, places, bits) if owner < OWNERS - 1 else [None] * 3,
            strict=True,
        )
        parts.append([Part(*one) for one in shares])
        rows.append(np.concatenate([mine, np.full(n - mine.size, -1)]))
    return [list(party) for party in zip(*parts, strict=True)], np.concatenate(rows)


def sorted_edges(whole: Whole, held: np.ndarray, places: np.ndarray, bits: int) -> list[Edges]:
    n = 64 * (held.size // 64 + 1)
    weight = np.rint(whole.weight[held] * 2.0**secret.WEIGHT_BITS)
    columns = (
        split_bits(to_planes((np.arange(n) < held.size).astype(np.uint64), 1)),
        split_bits(to_planes(padded(whole.source[held], n), bits)),
        split_arith(padded(weight, n)),
        split_arith(padded(places, n)),
    )
    return [Edges(*one) for one in zip(*columns, strict=True)]


def arranged(parts: list[list[Part]], then, *shares, transcript: Transcript | None = None):
    """Arrange at all parties, and go on with `then`(ctx, graph, *that party's shares)."""

    def step(ctx) -> Steps:
        found = yield from secret.arrange(ctx.at("arrange"), parts[ctx.me])
        return (yield from then(ctx.at("then"), found, *(triple[ctx.me] for triple in shares)))

    return simulate([step(ctx) for ctx in contexts(b"graph")], transcript=transcript)


def propagated(whole: Whole, bits: int, score: np.ndarray, damping: Fraction, rounds: int):
    parts, rows = in_parts(whole, bits)
    start = np.where(rows >= 0, score[rows], 0)
    shares = split_arith(np.rint(start * 2.0**flow.SCORE_BITS).astype(np.uint64))
    found = arranged(parts, lambda c, g, s: flow.propagate(c, g, s, damping, rounds), shares)
    result = np.zeros(whole.n)
    result[rows[rows >= 0]] = join_arith(found).view(np.int64)[rows >= 0] / 2.0**flow.SCORE_BITS
    return result


def reached(whole: Whole, bits: int, marked: np.ndarray, hops: int) -> np.ndarray:
    parts, rows = in_parts(whole, bits)
    shares = split_bits(to_planes(((rows >= 0) & marked[rows]).astype(np.uint64), 1))
    found = arranged(parts, lambda c, g, m: flow.reach(c, g, m, hops), shares)
    result = np.zeros(whole.n, dtype=bool)
    flags = np.unpackbits(join_bits(found).view(np.uint8), bitorder="little").astype(bool)
    result[rows[rows >= 0]] = flags[rows >= 0]
    return result


@FEW
@given(SEEDS, st.sampled_from([(3, 0), (64, 64), (200, 400)]), st.sampled_from([8, 64]))
def test_scores_and_marks_are_those_of_a_sparse_matrix(
    seed: int, size: tuple[int, int], bits: int
) -> None:
    whole, rng = graph(seed, *size, bits), np.random.default_rng(seed)
    matrix = whole.matrix()
    score, damping = rng.random(size[0]) * (rng.random(size[0]) < 0.3), Fraction(3, 10)
    expected = score
    for _ in range(3):
        expected = 0.7 * expected + 0.3 * (matrix @ expected)
    np.testing.assert_allclose(plain.propagate(whole.plain(), score, 0.3, 3), expected)
    found = propagated(whole, bits, score, damping, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-10)

    marked = score > 0
    near = marked.astype(float)
    for _ in range(2):
        near = near + (matrix > 0) @ near
    assert plain.reach(whole.plain(), marked, 2).tolist() == (near > 0).tolist()
    assert reached(whole, bits, marked, 2).tolist() == (near > 0).tolist()


def test_the_twin_leaves_out_what_isnt_there_or_unknown() -> None:
    ids, ends = np.array([5, 7, 7, 9], dtype=np.uint64), np.array([5, 7, 9, 4], dtype=np.uint64)
    there = np.array([True, True, False, False])
    found = plain.arrange(ids, there, ends, ends[[1, 0, 0, 1]], np.ones(4))
    assert (found.source.tolist(), found.target.tolist()) == ([0, 1], [1, 0])


def test_small_scores_are_as_exact_as_large_ones() -> None:
    """A ring: each score is a share of the one before, down to a millionth, and 0.4 of it stays."""
    n, rounds = 64, 4
    ids = np.arange(n, dtype=np.uint64)
    target = (ids + 1) % n
    kept = target % OWNERS != OWNERS - 1
    weight = np.geomspace(1, 1e-6, n)
    whole = Whole(ids, ids[kept], target[kept], weight[kept])
    score = np.geomspace(1e-6, 1, n)[::-1].copy()
    found = propagated(whole, 6, score, Fraction(6, 10), rounds)
    expected = plain.propagate(whole.plain(), score, 0.6, rounds)
    assert expected.min() < 1e-7
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_hub_of_many_edges_is_exact() -> None:
    """One vertex takes from all others; running sums wrap on the way and the total doesn't."""
    v, e = 64, 4096
    ids = np.arange(v, dtype=np.uint64)
    source, target = np.arange(e, dtype=np.uint64) % v, np.zeros(e, dtype=np.uint64)
    whole = Whole(ids, source, target, np.full(e, 1 / e))
    found = propagated(whole, 6, np.ones(v), Fraction(1), 1)
    np.testing.assert_allclose(found, np.eye(1, v)[0], atol=1e-9)


def nothing(ctx, found: secret.Graph) -> Steps[secret.Graph]:
    return found
    yield


def scores(ctx, found: secret.Graph) -> Steps:
    zeros = np.zeros(found.n, dtype=np.uint64)
    return (yield from flow.propagate(ctx, found, Arith(zeros, zeros), HALF, 1))


def marks(ctx, found: secret.Graph) -> Steps:
    zeros = np.zeros((1, found.n // 64), dtype=np.uint64)
    return (yield from flow.reach(ctx, found, Bits(zeros, zeros), 1))


@pytest.mark.parametrize("then", [scores, marks])
def test_the_transcript_says_nothing_of_the_graph(then) -> None:
    seen = []
    for seed, e in ((1, 60), (2, 70)):
        transcript = Transcript()
        arranged(in_parts(graph(seed, 64, e, 20), 20)[0], then, transcript=transcript)
        seen.append(transcript.rounds)
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("then", "part", "rounds", "n_bytes"),
    [
        (nothing, "/arrange/", 212, 163_776),
        (scores, "/then/", 19, 120_832),
        (marks, "/then/", 29, 56_776),
    ],
)
def test_it_costs_no_more_than_this(then, part: str, rounds: int, n_bytes: int) -> None:
    """Messages of P0, which sends most."""
    transcript = Transcript()
    arranged(in_parts(graph(3, 128, 320, 64), 64)[0], then, transcript=transcript)
    mine = [[s for s in sends if part in s[2]] for sends in transcript.rounds]
    assert sum(map(bool, mine)) <= rounds
    assert sum(8 * s[3] for sends in mine for s in sends if s[0] == Party.P0) <= n_bytes


def test_places_of_no_permutation_end_it() -> None:
    """An owner that gives its edges the same place."""
    parts, _ = in_parts(graph(3, 64, 64, 8), 8)
    twice = split_arith(np.zeros(parts[0][0].edges.n, dtype=np.uint64))
    wrong = [
        [replace(first, edges=replace(first.edges, place=twice[p])), *rest]
        for p, (first, *rest) in enumerate(parts)
    ]
    with pytest.raises(NotAPermutation):
        arranged(wrong, nothing)


def test_a_tampered_opening_names_the_cheat(room) -> None:
    """Of an order found by merging, and of one that an owner says."""
    parts, _ = in_parts(graph(4, 64, 64, 8), 8)
    assert room.catch(secret.arrange, parts, gates="sources0/merge/numbers/open") == 6
    assert room.catch(secret.arrange, parts, gates="targets1/place/open") == 6


def test_what_doesnt_fit_is_refused() -> None:
    parts, _ = in_parts(graph(5, 64, 64, 8), 8)
    part, ctx = parts[0][0], contexts(b"refused")[0]
    wrong = {
        "edges in one part": [replace(part, edges=None)],
        "a place for each": [replace(part, place=part.place[1:])],
        "several sizes": [replace(part, edges=replace(part.edges, weight=part.place[:0]))],
        "several widths": [replace(part, ids=part.ids[1:])],
    }
    for what, given_ in wrong.items():
        with pytest.raises(ValueError, match=what):
            next(secret.arrange(ctx, given_))
    found = arranged(parts, nothing)[0]
    score, marked = found.weight[: found.n], part.ids[:1]
    for damping, rounds in ((Fraction(3, 2), 1), (Fraction(-1, 2), 1), (HALF, -1)):
        with pytest.raises(ValueError, match="rounds damped by"):
            next(flow.propagate(ctx, found, score, damping, rounds))
    with pytest.raises(ValueError, match="192 vertices"):
        next(flow.propagate(ctx, found, score[1:], HALF, 1))
    with pytest.raises(ValueError, match="1 hops from marks"):
        next(flow.reach(ctx, found, marked, 1))
