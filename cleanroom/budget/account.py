"""Epsilon of repeated Gaussian noise, by dp-accounting.

Rule: the only place that imports it, and only when asked: it takes seconds to load. What is
charged is rho, from `zcdp`; these figures are for people who read a report.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Epsilons:
    """What one accountant and the other say of the same noise and delta.

    Attributes:
        renyi: by Renyi divergence.
        loss_distribution: by the privacy loss distribution, for continuous Gaussian noise; the
            discrete one differs from it by less than is shown from a sigma of 10 on.
    """

    renyi: Decimal
    loss_distribution: Decimal


def gaussian(sums: Iterable[tuple[float, int]], delta: float) -> Epsilons:
    """Account for Gaussian noise added to each of several sums of all persons.

    Args:
        sums: for each kind how much noise, and how often: its sigma over the largest Euclidean
            distance between sums of two data sets, of which one has one person more.

    Raises:
        ValueError: if an argument is out of its range.
    """
    asked = list(sums)
    if not (all(noise > 0 and times >= 1 for noise, times in asked) and 0 < delta < 1):
        raise ValueError("noise, times or delta out of range")
    import dp_accounting
    from dp_accounting import pld, rdp

    renyi, loss = rdp.RdpAccountant(), pld.PLDAccountant()
    for accountant in (renyi, loss):
        for noise, times in asked:
            accountant.compose(dp_accounting.GaussianDpEvent(noise), times)
    return Epsilons(*(Decimal(repr(float(one.get_epsilon(delta)))) for one in (renyi, loss)))
