"""What a result leaves out, and by which rules.

Rule: how many groups are withheld is told as one number. How many for which reason isn't: each of
these numbers would be an answer of its own about groups that nobody may be told of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.plan.plan import Plan

TOO_FEW = "too few persons"


@dataclass(frozen=True, slots=True)
class Withheld:
    """An account of what isn't in a result.

    Attributes:
        groups: how many groups that there are aren't shown.
        counts: how many numbers of shown groups read NULL because they are small.
        reasons: why groups may be withheld under this query's rules; each for one of these.
    """

    groups: int = 0
    counts: int = 0
    reasons: tuple[str, ...] = (TOO_FEW,)

    def __bool__(self) -> bool:
        return self.groups > 0 or self.counts > 0

    def __str__(self) -> str:
        *first, last = self.reasons or (TOO_FEW,)
        why = f"{', '.join(first)} or {last}" if first else last
        parts = [f"{self.groups} groups withheld: {why}"] if self.groups else []
        parts += [f"small counts withheld: {self.counts}"] if self.counts else []
        return "; ".join(parts) or "nothing withheld"


def withheld_of(plan: Plan, groups: int, opened: Mapping[str, NDArray[Any]]) -> Withheld:
    """Return what a plan's result leaves out.

    Args:
        groups: as opened; opened: its columns.
    """
    counts = sum(int((opened[name].astype(np.int64) < 0).sum()) for name in redacted(plan))
    return Withheld(groups, counts, _reasons(plan))


def redacted(plan: Plan) -> tuple[str, ...]:
    """Return the opened counts of which -1 says that nothing is told."""
    rounding = plan.root.rounding
    counts = rounding.counts if rounding is not None and rounding.redact else ()
    return tuple(name for name in plan.root.opened if name in counts)


def _reasons(plan: Plan) -> tuple[str, ...]:
    """Return why a plan's groups may be withheld."""
    root = plan.root
    found = [TOO_FEW] if root.min_group > 1 else []
    found += ["rows of too few members"] if root.held else []
    found += ["dominated by few"] if root.input.dominance is not None else []
    found += ["to protect others"] if root.complement is not None else []
    return tuple(found)


NOTHING = Withheld()
