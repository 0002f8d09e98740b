"""GROUP BY under encryption as SQL in a room of real processes that is ready, pandas beside it."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from benchmarks import tables
from benchmarks.encrypted import by_hand
from benchmarks.encrypted.measured import ROUNDS
from benchmarks.encrypted.rows import LARGEST, Owner, in_the_clear, owners, pooled
from benchmarks.measure import Asked, Line, Measured, line, timed
from benchmarks.rooms import cpu_seconds, status
from cleanroom import LocalRoom
from cleanroom.recipient.result import Result

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
    terms = contract(all_owners, n_groups - 1, {"g": ["group"]})
    with LocalRoom(terms, {"payments": rows_of(all_owners)}) as room:
        measured = ask(room, lambda: room.sql(SQL, protocol="he"), asked.runs, len(all_owners))
        coordinator = status(room.workers["coordinator"].pid, "VmHWM")
    expected = wanted.reset_index()
    correct = all(tables.equal(result.to_pandas(), expected) for result in measured.results)
    figures = line(asked, measured, plaintext_s, by_hand_s, correct=correct)
    more = {"owners": len(all_owners), "groups": n_groups, "coordinator_rss_bytes": coordinator}
    return {**figures, **more}


def ask(room: LocalRoom, once: Callable[[], Result], runs: int, senders: int) -> Measured:
    """Ask several times, after one time that isn't counted; CPU is of all members but who asks.

    Args:
        senders: among whom the bytes are divided.
    """
    once()
    before = cpu_seconds(room)
    results = [once() for _ in range(runs)]
    cpu_s = (cpu_seconds(room) - before) / runs
    peaks = [status(worker.pid, "VmHWM") for worker in room.workers.values()]
    sent, seconds = results[0].stats.bytes_sent // senders, [r.stats.seconds for r in results]
    each = (sent, sent, sent)
    return Measured(tuple(seconds), cpu_s, each, ROUNDS, max(peaks), sum(peaks), results)


def rows_of(all_owners: list[Owner]) -> dict[str, pd.DataFrame]:
    """Return each owner's rows as a table; all are of one person."""
    return {
        owner.name: pd.DataFrame({"person": 0, "g": owner.groups, "pence": owner.pence})
        for owner in all_owners
    }


def contract(all_owners: list[Owner], highest: int, rights: dict[str, list[str]]) -> dict[str, Any]:
    """Return a contract without computing members.

    Args:
        highest: the largest value of the column g.
    """

    def column(high: int, given: list[str]) -> dict[str, Any]:
        return {"type": "INTEGER", "bounds": [0, high], "rights": {"analyst": given}}

    names = [owner.name for owner in all_owners]
    columns = {
        "person": column(0, []),
        "g": column(highest, rights["g"]),
        "pence": column(LARGEST, ["sum", "count"]),
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
