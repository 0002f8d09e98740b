"""A regression's table: each coefficient with its error, test and interval.

Rule: statistics of a normal or Student's distribution; nothing about where they come from.
"""

import math
from dataclasses import dataclass

from scipy import special

_SIDE = 0.975  # of the distribution lies below the upper end of an interval of 95 %


@dataclass(frozen=True)
class Coefficient:
    """One line of a model's table, in the feature's own unit.

    Attributes:
        z: over its standard error; of a linear model Student's t.
        p: two-sided, of the hypothesis that the coefficient is 0.
        low, high: the confidence interval of 95 %.
    """

    name: str
    value: float
    standard_error: float
    z: float
    p: float
    low: float
    high: float


def line(name: str, value: float, error: float, freedom: int | None = None) -> Coefficient:
    """Return a coefficient's line; NaN where there is no error to judge it by.

    Args:
        freedom: degrees of freedom of Student's distribution; None is the normal one.
    """
    if math.isnan(error) or (freedom is not None and freedom < 1):
        return Coefficient(name, value, *[math.nan] * 5)
    z = value / error if error else math.copysign(math.inf, value)
    if freedom is None:
        p, far = 2 * special.ndtr(-abs(z)), special.ndtri(_SIDE)
    else:
        p, far = 2 * special.stdtr(freedom, -abs(z)), special.stdtrit(freedom, _SIDE)
    reach = float(far) * error
    return Coefficient(name, value, error, z, float(p), value - reach, value + reach)
