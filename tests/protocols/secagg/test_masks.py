"""What a member sends looks uniform, and no two runs, rounds or questions share a mask."""

from itertools import product

import numpy as np
import pytest
from secure_sums import Sums, sums

from protocols.rounds import U64
from protocols.secagg.messages import HEAD_BYTES

N = 20_000


@pytest.mark.parametrize(("n", "threshold"), [(3, 3), (4, 3)])
def test_masked_zeros_pass_a_chi_square_over_all_bytes(n: int, threshold: int) -> None:
    session = _zeros(sums(n, threshold, N))
    for name, words in _masked(session, b"q").items():
        counts = np.bincount(words.view(np.uint8), minlength=256)
        expected = words.nbytes / 256
        chi_square = float(((counts - expected) ** 2).sum() / expected)
        assert 150 < chi_square < 380, name  # 255 degrees of freedom: 5 standard deviations


def test_a_chi_square_finds_words_that_are_not_masked() -> None:
    counts = np.bincount(np.zeros(N, dtype=np.uint64).view(np.uint8), minlength=256)
    assert ((counts - counts.mean()) ** 2).sum() / counts.mean() > 380


@pytest.mark.parametrize(("n", "threshold"), [(3, 3), (4, 3)])
def test_two_runs_never_share_a_mask(n: int, threshold: int) -> None:
    made: list[U64] = []
    for context, question in product(("session 1", "session 2"), (b"q", b"r")):
        session = _zeros(sums(n, threshold, 1000, context=context))
        for _ in range(3):
            made += _masked(session, question).values()
    drawn = np.concatenate(made)
    assert np.unique(drawn).size == drawn.size


def test_masks_of_the_same_question_to_others_do_not_cancel() -> None:
    """A member that is told of fewer participants draws other masks, even with those in common."""
    everyone, fewer = sums(4, 3, 1000), sums(4, 3, 1000)
    first = _masked(_zeros(everyone), b"q")
    second = _masked(_zeros(fewer), b"q", gone=["m003"])
    assert not (first["m000"] == second["m000"]).any()


def _masked(session: Sums, question: bytes, gone: list[str] | None = None) -> dict[str, U64]:
    """Run a round whose first trip, that of deals, some miss; return what members sent in it."""
    session.ask(question, {0: gone or []} if not session.roster.all_stay else {})
    n_words = next(iter(session.words.values())).size
    replies = session.trips[0][1] if session.roster.all_stay else session.trips[-2][1]
    end = HEAD_BYTES + 8 * n_words
    return {name: np.frombuffer(data[HEAD_BYTES:end], "<u8") for name, data in replies.items()}


def _zeros(session: Sums) -> Sums:
    session.words = {name: np.zeros_like(words) for name, words in session.words.items()}
    return session
