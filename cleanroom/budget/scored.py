"""How many rows a member's models scored on a day, for each member that asked.

Rule: counted on disk before the first row is answered, in the file that keeps the budgets too.
"""

import datetime as dt
from pathlib import Path
from types import TracebackType
from typing import Self

from cleanroom.budget.store import MAX_BYTES, Store


class Scored:
    """Rows by model, recipient and day (UTC). Many processes may use the file at once.

    Raises:
        LedgerUnavailable: if the file can't be used, or others may read it.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._store = Store.open(path, max_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()

    def count(self, model: str, recipient: str, day: dt.date, rows: int, most: int) -> int:
        """Count rows, unless they would be more than `most` that day; return those before."""
        with self._store.writing() as db:
            db.execute("DELETE FROM scored WHERE day < ?", (day.isoformat(),))
            (before,) = db.execute(
                "SELECT coalesce(sum(rows), 0) FROM scored WHERE model = ? AND recipient = ?",
                (model, recipient),
            ).fetchone()
            if before + rows <= most:
                db.execute(
                    "INSERT INTO scored VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET rows = rows + excluded.rows",
                    (model, recipient, day.isoformat(), rows),
                )
        return int(before)
