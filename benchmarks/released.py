"""What disclosure rules add to a query in a room of real processes.

`plaintext` is DuckDB, as for every query; `limit` is the same query in a room whose contract has
min_group alone, asked in turn with it, so that both see the same machine.
"""

import copy
import statistics
from typing import Any

import pandas as pd

from benchmarks import tables
from benchmarks.measure import Asked, Line, Measured, line, timed
from benchmarks.rooms import QUERIES, cpu_seconds, status
from cleanroom import LocalRoom

REDACT, BASE = 7, 5
RULES = {"redact": REDACT, "round_to": BASE, "top_two": 90, "p_percent": 10}
SIZES = {"query_released": (100_000,)}
SQL = QUERIES["query"]


def query_released(asked: Asked) -> Line:
    """Ask one query under all rules, and under none but min_group."""
    data, plain = tables.make(asked.rows), tables.contract(asked.rows)
    ruled = copy.deepcopy(plain)
    ruled["privacy"].update(RULES)
    with tables.pooled(data) as pooled:
        plaintext_s, expected = timed(lambda: pooled.sql(SQL).df(), asked.runs)
    with LocalRoom(ruled, data) as room, LocalRoom(plain, data) as other:
        for one in (room, other):
            one.sql(SQL, protocol="mpc")
        before = cpu_seconds(room)
        pairs = [(_ask(room), _ask(other)) for _ in range(asked.runs)]
        cpu_s = (cpu_seconds(room) - before) / asked.runs
        peaks = [status(worker.pid, "VmHWM") for worker in room.workers.values()]
    results, others = zip(*pairs, strict=True)
    sent = results[0].stats.bytes_sent // 3
    seconds = tuple(result.stats.seconds for result in results)
    rounds = results[0].stats.rounds
    measured = Measured(seconds, cpu_s, (sent, sent, sent), rounds, max(peaks), sum(peaks), results)
    limit_s = statistics.median(result.stats.seconds for result in others)
    correct = all(tables.equal(result.to_pandas(), rounded(expected)) for result in results)
    return line(asked, measured, plaintext_s, limit_s, correct=correct)


def rounded(expected: pd.DataFrame) -> pd.DataFrame:
    """Return the pooled answer with its counts as the rules tell them: halves go up."""
    return expected.assign(n=(expected["n"] + BASE // 2) // BASE * BASE)


def _ask(room: LocalRoom) -> Any:
    return room.sql(SQL, protocol="mpc")


RELEASED = {"query_released": query_released}
