"""Whether a graph has twins: one bit, whatever stands in rows that aren't there."""

import numpy as np
import pytest

from protocols.rep3.graph import arrange
from protocols.rep3.share import split_arith, split_bits
from protocols.rep3.slices import to_planes
from protocols.rep3.twins import has_twins
from protocols.rounds import Steps
from protocols.simulate import Transcript, contexts, simulate


def told(ids: np.ndarray, there: np.ndarray, transcript: Transcript | None = None) -> bool:
    parts = split_bits(to_planes(ids.astype(np.uint64).reshape(-1, 1), 20))
    marks = split_bits(to_planes(there.astype(np.uint64).reshape(-1, 1), 1))
    none, edges = split_arith(np.zeros(0, np.uint64)), split_bits(np.zeros((20, 0), np.uint64))

    def steps(ctx) -> Steps[bool]:  # type: ignore[no-untyped-def]
        me = ctx.me
        given = parts[me], marks[me], edges[me], edges[me], none[me]
        graph = yield from arrange(ctx.at("graph"), *given)
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
