"""An owner's side of a private training: clips each row, adds up, adds its share of noise.

Rule: nothing leaves but what `answer` returns, and that depends on rows through clipped integers
alone. No error depends on a row.
"""

import secrets
from collections.abc import Mapping
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.checks import Turns, check_answer
from cleanroom.learning.facts import Floats
from cleanroom.learning.private.clipping import clipped, kept_rows
from cleanroom.learning.private.spec import DpSpec, Question
from cleanroom.learning.step import Owner, Step, Sums
from protocols.dp.shares import noise_shares
from protocols.dp.words import Words

_AT_ONCE = 1 << 17  # numbers of rows' vectors: they stay in a core's cache, and sums exact
_KEY_BYTES = 32


class RowWise(Interface):
    """One owner's rows, each with its own vector for every step."""

    def __len__(self) -> int: ...

    def per_row(self, step: Step, at: NDArray[np.intp]) -> Floats:
        """Return the vectors (len(at), dimension) of these rows; each depends on its row alone.

        Raises:
            StepRefused: if the step's numbers aren't what it takes; whatever the rows are.
        """
        ...


class PrivateOwner:
    """What the recipient gets sums from. See `private`."""

    def __init__(
        self, inner: RowWise, questions: Mapping[str, Question], at: NDArray[np.intp], words: Words
    ) -> None:
        self._inner, self._questions, self._at, self._words = inner, questions, at, words
        self._turns = Turns({name: one.times for name, one in questions.items()})

    def answer(self, step: Step) -> Sums:
        """Return the noisy sum of clipped vectors, in clips: multiples of 2^-bits, exactly.

        Raises:
            StepRefused: if the step isn't one of this training's, or comes once too often: it
                was paid for only so many.
        """
        self._turns.take(step)
        asked = self._questions[step.name]
        check_answer(step, (asked.block,))
        total = noise_shares(self._words, asked.noise)
        rows = max(1, _AT_ONCE // asked.block.size)
        for first in range(0, max(1, len(self._at)), rows):
            vectors = self._inner.per_row(step, self._at[first : first + rows])
            total += clipped(vectors, asked.clip, asked.bits).sum(axis=0).astype(np.int64)
        return {asked.block.name: total / float(1 << asked.bits)}


def private(
    inner: RowWise,
    dp: DpSpec,
    questions: Mapping[str, Question],
    persons: NDArray[np.generic] | None = None,
    words: Words | None = None,
) -> Owner:
    """Return an owner whose every answer is differentially private, and who answers so often only.

    Args:
        questions: all steps of the training by name, in their order.
        persons: (n,) whose row each is; None where each row is another person's.
        words: what noise is drawn from; tests bring their own.
    """
    at = kept_rows(persons, len(inner), dp.max_rows_per_person)
    return PrivateOwner(inner, questions, at, words or Words(secrets.token_bytes(_KEY_BYTES)))
