"""An owner's rows as its SQL gave them: checked for persons, divided into training and test rows.

Rule: what an owner does by itself before its first step. A message tells no number of its rows.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import PolicyDenied
from cleanroom.learning.facts import Facts, Floats, Rows

if TYPE_CHECKING:
    from cleanroom.plan.training import TrainPlan

Found = Mapping[str, NDArray[Any]]


def own_rows(plan: "TrainPlan", me: str, found: Found) -> tuple[Rows, Rows | None]:
    """Return the rows that train, and those that test, if the plan holds some out.

    Args:
        found: the columns that the plan's `read_sql` names.

    Raises:
        PolicyDenied: if fewer persons stand behind the rows than the contract asks for.
    """
    out = _held_out(plan, found)
    for name, part in (("", ~out), (" among those held out", out if plan.held_out else ~out)):
        if _persons(found, part) < plan.min_group:
            what = f"has fewer than {plan.min_group} persons in this training{name}"
            larger = "Ask with a larger holdout, or leave it out" if name else "Leave it out"
            remedy = f"{larger}: without = {[me]!r}."
            raise PolicyDenied(what, party=me, remedy=remedy)
    place = plan.owners.index(me)
    test = _rows(plan.facts, found, out, place) if plan.held_out else None
    return _rows(plan.facts, found, ~out, place), test


def _held_out(plan: "TrainPlan", found: Found) -> NDArray[np.bool_]:
    if not plan.held_out:
        return np.zeros(len(found["feature_0"]), bool)
    return found["person"].astype(np.uint64) >> np.uint64(32) < np.uint64(plan.held_out)


def _persons(found: Found, part: NDArray[np.bool_]) -> int:
    if "person" not in found:
        return int(np.count_nonzero(part))  # each has one row
    return len(np.unique(found["person"][part]))


def _rows(facts: Facts, found: Found, part: NDArray[np.bool_], place: int) -> Rows:
    def column(name: str) -> Floats:
        values = np.asarray(found[name], dtype=np.float64)
        return values if part.all() else values[part]

    features = {c.name: column(f"feature_{i}") for i, c in enumerate(facts.features)}
    target = None if facts.target is None else column("target")
    time = None if facts.time is None else column("time")
    persons = found["person"][part] if "person" in found else None
    return Rows(features, target, time, persons, place)
