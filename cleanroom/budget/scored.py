"""How many rows a member's models scored on a day, for each member that asked.

Rule: counted on disk before the first row is answered, in the state that keeps the budgets too.
"""

import datetime as dt
import json

from cleanroom.errors import StateRestored
from cleanroom.storage.state import State

_ROWS = "scored"


class Scored:
    """Rows by model, recipient and day (UTC). Many processes may use the state at once."""

    def __init__(self, state: State) -> None:
        self._state = state

    def count(self, model: str, recipient: str, day: dt.date, rows: int, most: int) -> int:
        """Count rows, unless they would be more than `most` that day; return those before.

        What was counted for a later day counts too: a clock that is set back renews nothing.

        Raises:
            StateRestored: if the state came out of a backup, which may not know of all rows.
            StateUnavailable: if they can't be counted durably.
        """
        row, today = json.dumps([model, recipient]), day.isoformat()
        with self._state.writing() as batch:
            if batch.restored:
                raise StateRestored(batch.restored)
            found: dict[str, int] = json.loads(batch.get(_ROWS, row) or b"{}")
            days = {one: n for one, n in found.items() if one >= today}
            before = sum(days.values())
            if before + rows <= most:
                days[today] = days.get(today, 0) + rows
                batch.put(_ROWS, row, json.dumps(days).encode())
        return before
