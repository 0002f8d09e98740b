"""Epsilon of repeated Gaussian noise, by dp-accounting.

Rule: the only place that imports it, and only when asked: it takes seconds to load. What is
charged is rho, from `zcdp`; these figures are for people who read a report.
"""

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


def gaussian(multiplier: float, times: int, delta: float, sampled: float = 1.0) -> Epsilons:
    """Account for Gaussian noise added to each of several sums.

    Args:
        multiplier: the noise's sigma over the largest Euclidean distance between sums of two
            data sets, of which one has one person more.
        sampled: the probability with which each person, alone and secretly, is part of a sum.

    Raises:
        ValueError: if an argument is out of its range.
    """
    if not (multiplier > 0 and times >= 1 and 0 < delta < 1 and 0 < sampled <= 1):
        raise ValueError("noise, times, delta or sampling out of range")
    import dp_accounting
    from dp_accounting import pld, rdp

    event: dp_accounting.DpEvent = dp_accounting.GaussianDpEvent(multiplier)
    if sampled < 1:
        event = dp_accounting.PoissonSampledDpEvent(sampled, event)
    renyi, loss = rdp.RdpAccountant(), pld.PLDAccountant()
    for accountant in (renyi, loss):
        accountant.compose(event, times)
    return Epsilons(*(Decimal(repr(float(one.get_epsilon(delta)))) for one in (renyi, loss)))
