"""How many rows a member's models scored on a day, for each member that asked.

Rule: counted on disk before the first row is answered, in the state that keeps the budgets too.
What was counted for a later day counts as well: a clock that is set back renews nothing.
"""

import datetime as dt
import json

from cleanroom.errors import StateRestored
from cleanroom.storage.view import Batch, View

_ROWS = "scored"


def scored(view: View, model: str, recipient: str, day: dt.date) -> int:
    """Return how many rows were counted that day (UTC)."""
    return sum(_days(view, _row(model, recipient), day).values())


def count(batch: Batch, model: str, recipient: str, day: dt.date, rows: int) -> None:
    """Count rows of one day.

    Raises:
        StateRestored: if the state came out of a backup, which may not know of all rows.
    """
    if batch.restored:
        raise StateRestored(batch.restored)
    row = _row(model, recipient)
    days, today = _days(batch, row, day), day.isoformat()
    days[today] = days.get(today, 0) + rows
    batch.put(_ROWS, row, json.dumps(days).encode())


def _row(model: str, recipient: str) -> str:
    return json.dumps([model, recipient])


def _days(view: View, row: str, day: dt.date) -> dict[str, int]:
    found: dict[str, int] = json.loads(view.get(_ROWS, row) or b"{}")
    return {one: n for one, n in found.items() if one >= day.isoformat()}
