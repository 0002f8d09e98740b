"""What a gate costs in a room of real processes: every person tested in secret, few opened.

`plaintext` is DuckDB on the pooled rows.
"""

from typing import Any

import pandas as pd

from benchmarks import tables
from benchmarks.machine import machine
from benchmarks.measure import Asked, Line, Measured, line, timed
from benchmarks.rooms import cpu_seconds, status
from cleanroom import LocalRoom

MAX_ROWS = 1000
SQL = """
    SELECT person, SUM(amount) AS total FROM payments GROUP BY person
    HAVING COUNT(DISTINCT member) >= 2 AND SUM(amount) > 20000 ORDER BY total DESC, person"""
SIZES = {"query_gated": (100_000,)}


def query_gated(asked: Asked) -> Line:
    """Ask one gate; the table has `rows` rows, of all its owners."""
    data = tables.make(asked.rows)
    marked = {member: part.assign(member=member) for member, part in data["payments"].items()}
    with tables.pooled({"payments": marked}) as pooled:
        plaintext_s, expected = timed(lambda: pooled.sql(SQL).df(), asked.runs)
    with LocalRoom(_contract(asked.rows), data) as room:
        room.gate("twice")
        before = cpu_seconds(room)
        results = [room.gate("twice") for _ in range(asked.runs)]
        cpu_s = (cpu_seconds(room) - before) / asked.runs
        peaks = [status(worker.pid, "VmHWM") for worker in room.workers.values()]
    sent = results[0].stats.bytes_sent // 3
    seconds = tuple(result.stats.seconds for result in results)
    rounds = results[0].stats.rounds
    measured = Measured(seconds, cpu_s, (sent, sent, sent), rounds, max(peaks), sum(peaks), results)
    limit_s = machine().limit_seconds(measured, over_network=True)
    correct = all(_is_right(result, expected) for result in results)
    return line(asked, measured, plaintext_s, limit_s, correct=correct)


def _contract(rows: int) -> dict[str, Any]:
    """Return the contract with the gate, whose columns may be shown."""
    contract = tables.contract(rows)
    columns = contract["tables"]["payments"]["columns"]
    for name in ("person", "amount"):
        columns[name] = {**columns[name], "rights": {"analyst": ["reveal"]}}
    gate = {"sql": SQL, "to": ["analyst"], "max_rows": MAX_ROWS, "per_day": 1000}
    return {**contract, "privacy": {"release": "gated"}, "gates": {"twice": gate}}


def _is_right(result: Any, expected: pd.DataFrame) -> bool:
    return tables.equal(result.to_pandas(), expected.head(MAX_ROWS)) and result.more == (
        len(expected) > MAX_ROWS
    )


GATED = {"query_gated": query_gated}
