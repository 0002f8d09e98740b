"""What a member counts by day for each member that asks: rows scored, gates, propagations.

Rule: counted on disk before anything is answered, in the state that keeps the budgets too. What was
counted for a later day counts as well: a clock that is set back renews nothing.
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Literal

from cleanroom.errors import StateRestored
from cleanroom.storage.view import Batch, View


@dataclass(frozen=True, slots=True)
class Daily:
    """What is counted: rows of a model, or askings of a gate or propagation, for one recipient."""

    what: Literal["scored", "gates", "propagations"]
    name: str
    recipient: str


def counted(view: View, daily: Daily, day: dt.date) -> int:
    """Return how much was counted that day (UTC)."""
    return sum(_days(view, daily, day).values())


def count(batch: Batch, daily: Daily, day: dt.date, more: int) -> None:
    """Count more on one day.

    Raises:
        StateRestored: if the state came out of a backup, which may not know of all that was.
    """
    if batch.restored:
        raise StateRestored(batch.restored)
    days, today = _days(batch, daily, day), day.isoformat()
    days[today] = days.get(today, 0) + more
    batch.put(daily.what, _row(daily), json.dumps(days).encode())


def _row(daily: Daily) -> str:
    return json.dumps([daily.name, daily.recipient])


def _days(view: View, daily: Daily, day: dt.date) -> dict[str, int]:
    found: dict[str, int] = json.loads(view.get(daily.what, _row(daily)) or b"{}")
    return {one: n for one, n in found.items() if one >= day.isoformat()}
