"""GROUP BY under encryption as SQL in a room of real processes that is ready, pandas beside it."""

from typing import Any

import pandas as pd

from benchmarks import tables
from benchmarks.encrypted import by_hand
from benchmarks.encrypted.rows import LARGEST, Owner, in_the_clear, owners, pooled
from benchmarks.measure import Asked, Line, Measured, line, timed
from benchmarks.rooms import cpu_seconds, status
from cleanroom import LocalRoom

SQL = "SELECT g, COUNT(*) AS n, SUM(pence) AS total FROM payments GROUP BY g ORDER BY g"


def query(asked: Asked) -> Line:
    """Ask for totals and counts of three owners' rows by 1000 groups."""
    return _query(asked, owners(3, asked.rows, 1000), 1000)


def query_wide(asked: Asked) -> Line:
    """The same by 10 000 groups."""
    return _query(asked, owners(3, asked.rows, 10_000), 10_000)


def query_of_many(asked: Asked) -> Line:
    """Totals and counts of twelve owners' rows by 1000 groups."""
    return _query(asked, owners(12, asked.rows, 1000), 1000)


def _query(asked: Asked, all_owners: list[Owner], n_groups: int) -> Line:
    frame = pooled(all_owners)
    plaintext_s, wanted = timed(lambda: in_the_clear(frame), asked.runs)
    by_hand_s, _ = timed(lambda: by_hand.sums_by_hand(all_owners, n_groups, "room"), asked.runs)
    with LocalRoom(_contract(all_owners, n_groups), {"payments": _rows(all_owners)}) as room:
        room.sql(SQL, protocol="he")
        before = cpu_seconds(room)
        results = [room.sql(SQL, protocol="he") for _ in range(asked.runs)]
        cpu_s = (cpu_seconds(room) - before) / asked.runs
        peaks = [status(worker.pid, "VmHWM") for worker in room.workers.values()]
        coordinator = status(room.workers["coordinator"].pid, "VmHWM")
    sent = results[0].stats.bytes_sent // len(all_owners)
    measured = Measured(
        tuple(result.stats.seconds for result in results),
        cpu_s,
        (sent, sent, sent),
        results[0].stats.rounds,
        max(peaks),
        sum(peaks),
        results,
    )
    expected = wanted.reset_index()
    correct = all(tables.equal(result.to_pandas(), expected) for result in results)
    figures = line(asked, measured, plaintext_s, by_hand_s, correct=correct)
    more = {"owners": len(all_owners), "groups": n_groups, "coordinator_rss_bytes": coordinator}
    return {**figures, **more}


def _rows(all_owners: list[Owner]) -> dict[str, pd.DataFrame]:
    return {
        owner.name: pd.DataFrame({"person": 0, "g": owner.groups, "pence": owner.pence})
        for owner in all_owners
    }


def _contract(all_owners: list[Owner], n_groups: int) -> dict[str, Any]:
    def column(rights: list[str], high: int) -> dict[str, Any]:
        return {"type": "INTEGER", "bounds": [0, high], "rights": {"analyst": rights}}

    names = [owner.name for owner in all_owners]
    columns = {
        "person": column([], 0),
        "g": column(["group"], n_groups - 1),
        "pence": column(["sum", "count"], LARGEST),
    }
    rows = max(owner.groups.size for owner in all_owners)
    payments = {"members": names, "person": "person", "max_rows": rows, "columns": columns}
    return {
        **tables.contract(rows),
        "members": {
            **{name: {"roles": ["input"]} for name in names},
            "analyst": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 1, "min_contributors": min(3, len(names))},
        "tables": {"payments": payments},
    }
