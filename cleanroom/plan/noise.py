"""What a noisy question promises and costs: who adds how much noise to each opened total.

Rule: public facts that every member derives alike and that the plan's hash covers; exact
fractions stand as two whole numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, sqrt

from protocols.dp.shares import SharedNoise

FAR = 64  # standard deviations, and as many units: no share of noise is larger


@dataclass(frozen=True, slots=True)
class NoisyTotal:
    """The noise of one total, the same in each of its cells.

    Attributes:
        sensitivity: the most, squared, by which one person changes the total in all cells
            together, as a Euclidean distance.
        share: the variance of one member's share, numerator and denominator.
        form: what it is a total of, whatever its name.
    """

    name: str
    form: str
    sensitivity: int
    share: tuple[int, int]


@dataclass(frozen=True, slots=True)
class QueryNoise:
    """What a question under differential privacy promises, and costs.

    Attributes:
        epsilon, delta: of the whole question: any rows, and the same with one person more.
        rows: of the question, all owners' together, that one person can have a part in.
        cells: in which each total is opened.
        sharers: members that add a share of noise each.
        counted: of them, those whose shares suffice for epsilon.
        units: that each owner's ledger is charged, of which `budget.zcdp.UNITS` are a rho of 1.
        keys: what each key of the cells is, whatever its name.
        rows_form: of which rows the totals are.
    """

    epsilon: float
    delta: float
    rows: int
    cells: int
    sharers: int
    counted: int
    units: int
    totals: tuple[NoisyTotal, ...]
    keys: tuple[str, ...] = ()
    rows_form: str = ""

    def shared(self) -> Iterator[tuple[str, SharedNoise]]:
        """Yield each total's name, and the noise that counts in it."""
        for total in self.totals:
            yield total.name, SharedNoise(Fraction(*total.share), self.counted, self.cells)

    def deviation(self, name: str) -> float:
        """Return the standard deviation of all members' noise in one total, in its last place."""
        return sqrt(self.sharers * self._share(name))

    def most(self, name: str) -> int:
        """Return what all members' noise in one total stays below."""
        return self.sharers * FAR * (isqrt(int(self._share(name))) + 1)

    def _share(self, name: str) -> Fraction:
        (share,) = (total.share for total in self.totals if total.name == name)
        return Fraction(*share)
