"""What each party adds by itself, against plain addition, and a party that tampers with it."""

import numpy as np
import pytest

from protocols.rep3.own import add_own
from protocols.rep3.reveal import reveal
from protocols.rep3.share import join_arith, split_arith
from protocols.rounds import Party, PeerMisbehaved
from protocols.simulate import Transcript, contexts, simulate

WORDS = np.arange(12, dtype=np.uint64).reshape(3, 4) << np.uint64(61)


def test_the_sum_has_what_all_three_add() -> None:
    own = [np.full((3, 4), 2**62 + party, dtype=np.uint64) for party in Party]
    shares, transcript = split_arith(WORDS), Transcript()
    parties = [add_own(c, s, o) for c, s, o in zip(contexts(b"own"), shares, own, strict=True)]
    found = simulate(parties, transcript=transcript)
    assert np.array_equal(join_arith(found), WORDS + sum(own[1:], own[0]))
    assert np.array_equal(found[0].next, found[1].own)
    assert len(transcript.rounds) == 1
    assert [transcript.bytes_sent(party) for party in Party] == [96] * 3


def test_what_travels_tells_nothing_of_what_is_added() -> None:
    """The words sent are those of a one-time mask: another number gives the same, but for it."""
    sent = []
    for mine in (0, 5):
        own = [np.array([mine], dtype=np.uint64)] * 3
        zero = split_arith(np.zeros(1, dtype=np.uint64))
        parties = [add_own(c, s, o) for c, s, o in zip(contexts(b"own"), zero, own, strict=True)]
        seen: list[int] = []
        simulate(parties, lambda _from, _to, _gate, v, seen=seen: (seen.append(int(v[0])), v)[1])
        sent.append(seen)
    assert {(b - a) % 2**64 for a, b in zip(*sent, strict=True)} == {5}
    assert all(word > 2**32 for word in (*sent[0], *sent[1]))


def test_other_shapes_are_refused() -> None:
    (ctx, *_), (share, *_) = contexts(b"own"), split_arith(WORDS)
    with pytest.raises(ValueError, match="shapes"):
        next(add_own(ctx, share, np.zeros(3, dtype=np.uint64)))
    with pytest.raises(PeerMisbehaved):
        simulate(
            [_revealed(c, s) for c, s in zip(contexts(b"own"), split_arith(WORDS), strict=True)],
            lambda sender, _to, _gate, v: v + np.uint64(1) if sender is Party.P1 else v,
        )


def _revealed(ctx, share):  # type: ignore[no-untyped-def]
    noisy = yield from add_own(ctx.at("own"), share, np.zeros((3, 4), dtype=np.uint64))
    return (yield from reveal(ctx.at("open"), noisy))
