"""Noise that no party knows: each of several adds a discrete Gaussian share inside a secure sum.

Rule: what a share's variance must be, and what the sum of shares is worth, in exact fractions.
"""

from dataclasses import dataclass
from fractions import Fraction

from protocols.dp.gaussian import discrete_gaussian, samplable
from protocols.dp.laplace import I64
from protocols.dp.words import Words

_LEAST_VARIANCE = 1  # of one share: below it the bound on a sum of shares says little
_LARGEST_EXPONENT = 400  # what differs by a part in 2^400 counts in full


@dataclass(frozen=True, slots=True)
class SharedNoise:
    """Noise of n shares, of which some may not come, or be known to whoever reads the sum.

    Attributes:
        share: variance of each share.
        counted: shares that surely are in the sum and unknown to its reader.
        dimension: entries of the sum.
    """

    share: Fraction
    counted: int
    dimension: int

    @property
    def variance(self) -> Fraction:
        """Of the noise that counts; whatever else is in the sum comes on top."""
        return self.share * self.counted

    def rho(self, sensitivity_squared: Fraction | int) -> Fraction:
        """Return the zero-concentrated privacy that one noisy sum costs, rounded up.

        A sum of m discrete Gaussians of variance s each is as private as one discrete Gaussian
        of variance m s, up to tau = 10 * sum of exp(-2 pi^2 s k / (k + 1)), k from 1 to m - 1,
        in each of d entries: rho = sensitivity^2 / (2 m s) + tau d. As k/(k + 1) is at least
        1/2, tau is below 10 m 2^-(14 s).

        Args:
            sensitivity_squared: the largest squared Euclidean distance between the exact sums of
                two data sets that differ in one person, in the noise's units.

        Source: Kairouz, Liu, Steinke, ICML 2021, for s from 1/4 on; the bound in Renyi
            divergence of any order a, a sensitivity^2 / (2 m s) + tau d, implies rho.
        """
        exponent = min(int(14 * self.share), _LARGEST_EXPONENT)
        tau = Fraction(10 * self.counted, 1 << exponent) if self.counted > 1 else Fraction(0)
        return Fraction(sensitivity_squared) / (2 * self.variance) + tau * self.dimension


def share_noise(variance: Fraction, members: int, lost: int, dimension: int) -> SharedNoise:
    """Divide noise among members so that it suffices even without the shares of `lost` of them.

    Args:
        variance: that must remain.
        members: who add a share each.
        lost: of them, drop out or tell their share to whoever reads the sum, at most. A reader
            who is a member counts here, since it knows its own share.

    Raises:
        ValueError: if nobody remains, or shares would be too small to add up to a discrete
            Gaussian, or too large to be sampled.

    Security: the sum's variance is members / (members - lost) times what is needed if nobody is
        lost: noise can't be taken back without showing it.
    """
    counted = members - lost
    if lost < 0 or counted < 1 or dimension < 1:
        raise ValueError(f"noise of {members} members without {lost}, {dimension} entries")
    share = samplable(variance / counted)
    if share < _LEAST_VARIANCE:
        raise ValueError(f"shares of a variance below {_LEAST_VARIANCE}; use a finer grid")
    return SharedNoise(share, counted, dimension)


def noise_shares(words: Words, noise: SharedNoise) -> I64:
    """Return one member's share, int64 (dimension,), to be added inside a secure sum.

    Security: the variance is public, the share must leave the member only under a mask.
    """
    return discrete_gaussian(words, noise.share, noise.dimension)
