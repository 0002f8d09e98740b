"""What a job says of its privacy, and the noise that follows from it.

Rule: exact fractions; derived from the job and the facts alone, so every member derives the same
and each owner adds the noise that the recipient relies on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isqrt, sqrt
from typing import Annotated

from pydantic import Field

from cleanroom.budget.zcdp import UNITS, charged, epsilon, rho_within
from cleanroom.contract.fields import Strict
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts
from cleanroom.learning.step import Block
from protocols.dp.shares import SharedNoise, share_noise

_BITS = range(20, 7, -1)  # of the grid on which a clipped row lies, finest first
_SPARE = 1 + Fraction(1, 1 << 20)  # of variance, for what shares differ from one discrete Gaussian
_FAR = 64  # standard deviations
_EXACT = 1 << 52  # integers up to here are exact as float64 and in a sum's words


class DpSpec(Strict):
    """Differential privacy of a training, for every person, against whoever gets the model.

    Attributes:
        epsilon, delta: of the whole training: any data set and the same with one person more.
        clip: the Euclidean length to which one row's gradient is shortened.
        max_rows_per_person: owners use so many rows of a person and leave out the rest.
        owners_per_person: how many owners may have rows of the same person; at least as many as
            the contract says, which are all unless it says fewer.
        honest: owners whose noise alone suffices, whoever else drops out, or tells the recipient
            its own; at most the owners that have to stay, without the recipient.
    """

    epsilon: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)]
    delta: Annotated[float, Field(gt=0, lt=1e-4, allow_inf_nan=False)] = 1e-9
    clip: Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)] = 1.0
    max_rows_per_person: Annotated[int, Field(ge=1, le=1000)] = 1
    owners_per_person: Annotated[int, Field(ge=1, le=1000)] = 1
    honest: Annotated[int, Field(ge=1, le=1000)] = 2

    @property
    def rho(self) -> Fraction:
        """What the whole training costs at most: all that epsilon and delta allow."""
        return rho_within(self.epsilon, self.delta)


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of step: a sum over rows of vectors that are clipped, on a grid, and noisy.

    Attributes:
        clip: of one row's vector. The sum counts in clips, on a grid of 2^-bits.
        reach: how far one person moves the sum at most, on that grid.
        times: how often it is asked.
        rho: what it costs each time.
    """

    name: str
    clip: float
    bits: int
    reach: int
    noise: SharedNoise
    times: int
    rho: Fraction
    block: Block

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise that surely is in each entry, in the vectors' units."""
        return sqrt(self.noise.variance) * self.clip / (1 << self.bits)

    @property
    def multiplier(self) -> float:
        """The same over how far one person moves the sum at most."""
        return sqrt(self.noise.variance) / self.reach


def question(
    dp: DpSpec, facts: Facts, name: str, clip: float, rho: Fraction, dimension: int, times: int
) -> Question:
    """Return the step that costs rho over all its `times`, with as little noise as that takes.

    Raises:
        TrainingImpossible: if no noise can be drawn for it.
    """
    if dp.honest > facts.owners:
        raise TrainingImpossible(f"{dp.honest} honest owners among {facts.owners}")
    each = rho / times
    for bits in _BITS if each else ():
        reach = dp.max_rows_per_person * dp.owners_per_person << bits
        try:
            variance = reach**2 / (2 * each) * _SPARE
            noise = share_noise(variance, facts.owners, facts.owners - dp.honest, dimension)
        except ValueError:
            continue
        most = (facts.max_rows << bits) + _FAR * (isqrt(int(noise.share)) + 1)
        cost = noise.rho(reach**2)
        if cost <= each and most * facts.owners < _EXACT:
            block = Block("sum", (dimension,), most / (1 << bits))
            return Question(name, clip, bits, reach, noise, times, cost, block)
    raise TrainingImpossible(
        f"no noise for {times} steps under epsilon {dp.epsilon}, delta {dp.delta}",
        remedy="Allow a larger epsilon, or fewer rounds.",
    )


def total_rho(questions: Mapping[str, Question]) -> Fraction:
    """Return what all steps of a training cost together."""
    return sum((one.rho * one.times for one in questions.values()), Fraction(0))


def card(dp: DpSpec, facts: Facts, questions: Mapping[str, Question]) -> dict[str, object]:
    """Return what a model tells of its privacy, in words and numbers that JSON has."""
    rho = total_rho(questions)
    return {
        "epsilon": str(epsilon(rho, dp.delta)),
        "delta": dp.delta,
        "rho": f"{Decimal(charged(rho)) / UNITS:f}",
        "unit": f"one person with up to {dp.max_rows_per_person} rows at each of "
        f"{dp.owners_per_person} owners, added or removed",
        "sampling": "none: every step uses all rows, and no amplification is claimed",
        "noise": "discrete Gaussian, drawn in shares by the owners inside the secure sum",
        "owners": facts.owners,
        "honest": dp.honest,
        "steps": {
            one.name: {"times": one.times, "clip": one.clip, "multiplier": one.multiplier}
            for one in questions.values()
        },
    }
