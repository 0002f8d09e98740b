"""An answer as one vector of words, in the order of its step's blocks, and a sum back as blocks.

Rule: an owner's own answer is checked here before any of it is masked, as nobody can check it
afterwards; and a sum before the training goes on with it. A message names step and block, never a
number.
"""

import numpy as np

from cleanroom.errors import PeerMisbehaved
from cleanroom.learning.facts import Floats
from cleanroom.learning.step import Block, Step, Sums
from protocols.rounds import U64
from protocols.secagg.errors import UpdateRefused
from protocols.secagg.fixed_point import FixedPoint

SLACK = 1 + 2**-40  # of a sum's bound: summands are rounded to the last place of a word


class AnswerRefused(ValueError):
    """An owner's own answer isn't what the step asks for."""


def n_words(step: Step) -> int:
    """Return how many words an answer has."""
    return sum(block.size for block in step.answer)


def words_of(step: Step, answer: Sums, owners: int) -> U64:
    """Return an answer in fixed point, shape (n_words,).

    Args:
        owners: as many summands never wrap.

    Raises:
        AnswerRefused: if a block is missing, of another shape, NaN, infinite or beyond its bound;
            or there is one that wasn't asked for.
    """
    if set(answer) != {block.name for block in step.answer}:
        raise AnswerRefused(f"step {step.name}: other blocks than it asks for")
    return np.concatenate([_words(step.name, b, answer[b.name], owners) for b in step.answer])


def _words(step: str, block: Block, values: Floats, owners: int) -> U64:
    values = np.asarray(values, dtype=np.float64)
    if values.shape != block.shape:
        raise AnswerRefused(f"step {step}: {block.name} of another shape")
    try:
        return FixedPoint(block.bound, owners).encode(values.reshape(-1))
    except UpdateRefused as error:
        raise AnswerRefused(f"step {step}, {block.name}: {error}") from None


def sums_of(step: Step, words: U64, owners: int, survivors: tuple[str, ...]) -> Sums:
    """Return a sum's blocks in their shapes.

    Args:
        owners: as in `words_of`.
        survivors: whose summands are in it.

    Raises:
        PeerMisbehaved: if so many can't add up to it.
    """
    found, start = {}, 0
    for block in step.answer:
        part = FixedPoint(block.bound, owners).decode(words[start : start + block.size])
        start += block.size
        if part.size and np.abs(part).max() > len(survivors) * block.bound * SLACK:
            what = f"the sum of {block.name} in step {step.name} is beyond its bound"
            raise PeerMisbehaved(what, party=" or ".join(survivors))
        found[block.name] = part.reshape(block.shape)
    return found
