"""Who holds another secret, or was asked something else, than those it shares masks with."""

from collections.abc import Mapping, Sequence

import numpy as np

from protocols.rounds import U64


def disagreeing(participants: Sequence[str], checks: Mapping[str, U64]) -> frozenset[str]:
    """Return who told of pairs what others of these pairs didn't.

    Args:
        checks: survivor -> a word for each participant, in their order; 0 for itself.

    Returns:
        One member if it is in all pairs that disagree, and no other is; both or all members of
        such pairs if that leaves it open; empty if no pair disagrees.
    """
    if not checks:
        return frozenset()
    places = [i for i, name in enumerate(participants) if name in checks]
    names = [participants[i] for i in places]
    told = np.stack([checks[name] for name in names])[:, places]
    apart = told != told.T
    wrong = apart.sum(axis=1)
    in_all = wrong == apart.sum() // 2
    if in_all.sum() == 1:
        return frozenset({names[int(in_all.argmax())]})
    return frozenset(name for name, count in zip(names, wrong, strict=True) if count)
