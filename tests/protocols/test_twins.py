"""Whether a graph has twins: one bit, whatever stands in rows that aren't there."""

import numpy as np
import pytest

from protocols.rep3.adjacency import Edges, Part
from protocols.rep3.graph import arrange
from protocols.rep3.share import split_arith, split_bits
from protocols.rep3.slices import to_planes
from protocols.rep3.twins import has_twins
from protocols.rounds import Steps
from protocols.simulate import Transcript, contexts, simulate


def told(ids: np.ndarray, there: np.ndarray, transcript: Transcript | None = None) -> bool:
    order, n = np.lexsort((ids, ~there)), ids.size
    rows = there[order].astype(np.uint64), ids[order].astype(np.uint64)
    planes = split_bits(np.concatenate([to_planes(rows[0], 1), to_planes(rows[1], 20)]))
    places = split_arith(np.arange(n, dtype=np.uint64) * rows[0])
    none, edges = split_arith(np.zeros(64, np.uint64)), split_bits(np.zeros((21, 1), np.uint64))

    def steps(ctx) -> Steps[bool]:  # type: ignore[no-untyped-def]
        me = ctx.me
        held = Edges(edges[me][:1], edges[me][1:], none[me], none[me])
        graph = yield from arrange(ctx.at("graph"), [Part(planes[me], places[me], held)])
        return (yield from has_twins(ctx.at("twins"), graph))

    found = set(simulate([steps(ctx) for ctx in contexts(b"s")], transcript=transcript))
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("n", [64, 192])
def test_two_that_are_there_and_no_others(n: int) -> None:
    draw = np.random.default_rng(n)
    ids, there = draw.permutation(1 << 20)[:n], np.ones(n, dtype=bool)
    assert not told(ids, there)
    for one, other in ((0, n - 1), (17, 18)):
        twice = ids.copy()
        twice[one] = twice[other]
        assert told(twice, there)
        away = there.copy()
        away[one] = False
        assert not told(twice, away)
    assert not told(np.zeros(n), np.zeros(n, dtype=bool))


def test_how_many_isn_t_told() -> None:
    ids, there = np.arange(64), np.ones(64, dtype=bool)
    sent = []
    for twice in (ids, ids // 2, ids * 0):
        told(twice, there, transcript := Transcript())
        sent.append([r for r in transcript.rounds if any("/twins/" in s[2] for s in r)])
    assert sent[0] == sent[1] == sent[2]
