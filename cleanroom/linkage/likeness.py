"""From the contract's comparisons to how similar two rows have to be, as plans write it down.

Rule: exact numbers. Weights are in tenths, so that every party adds up the same integers.
"""

from cleanroom.contract.linkages import LinkageTerms
from cleanroom.linkage.columns import compared_of
from cleanroom.plan.linking import Likeness, Similar

TENTHS = 10


def similar_of(linkage: LinkageTerms) -> Similar | None:
    """Return the probabilistic pass of a linkage, if it has one; field i is column `field_i`."""
    if (fuzzy := linkage.fuzzy) is None:
        return None
    found = []
    for i, (one, how) in enumerate(zip(fuzzy.compare, compared_of(linkage), strict=True)):
        levels = tuple((level.numerator, level.denominator) for level in one.dice) or ((1, 1),)
        weights = tuple(int(weight * TENTHS) for weight in one.weights)
        found.append(Likeness(f"field_{i}", how.most, levels, weights))
    return Similar(tuple(found), int(fuzzy.threshold * TENTHS), fuzzy.max_left, fuzzy.window)
