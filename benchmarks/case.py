"""What a benchmark is: shares for three parties, one protocol, its plaintext and its check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from protocols.context import Context
from protocols.rep3.share import Arith, Bits
from protocols.rounds import U64, Steps

Step = Callable[[Context, Any], Steps[Any]]


@dataclass(frozen=True)
class Case:
    """One benchmark on one size.

    Attributes:
        inputs: what each party brings, in party order.
        step: the protocol, given its context and what the party brings.
        plaintext: the same on the pooled data, by NumPy or pandas.
        correct: compares what three parties hold in the end with `plaintext`'s answer.
    """

    inputs: tuple[Any, Any, Any]
    step: Step
    plaintext: Callable[[], Any]
    correct: Callable[[Sequence[Any], Any], bool]


def random_words(rng: np.random.Generator, *shape: int) -> U64:
    """Return uniform words, the same for the same seed."""
    return rng.integers(0, 2**64, shape, dtype=np.uint64)


def split(kind: type[Arith] | type[Bits], secret: U64) -> tuple[Any, Any, Any]:
    """Split words into three parties' shares."""
    rng = np.random.default_rng(99)
    x0, x1 = random_words(rng, *secret.shape), random_words(rng, *secret.shape)
    x2 = secret ^ x0 ^ x1 if kind is Bits else secret - x0 - x1
    return kind(x0, x1), kind(x1, x2), kind(x2, x0)
