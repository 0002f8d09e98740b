"""What rules on releases add to a query in a room of real processes: disclosure rules, or noise.

`plaintext` is DuckDB, as for every query; `limit` is the same query in a room whose contract has
min_group alone, or for noise no rule at all, asked in turn with it, so that both see the same
machine.
"""

import copy
import statistics
from collections.abc import Callable
from typing import Any

import pandas as pd

from benchmarks import tables
from benchmarks.measure import Asked, Line, Measured, line, timed
from benchmarks.rooms import QUERIES, cpu_seconds, status
from cleanroom import LocalRoom

REDACT, BASE = 7, 5
RULES = {"redact": REDACT, "round_to": BASE, "top_two": 90, "p_percent": 10, "complementary": "on"}
PER_PERSON = 16  # rows of a person in any table; fewer have more than 8 of the made-up ones
ERRORS = 6.0  # standard ones, beyond which no total lies
SIZES = {"query_released": (100_000,), "query_noisy": (100_000,)}
SQL = QUERIES["query"]


def query_released(asked: Asked) -> Line:
    """Ask one query under all rules, and under none but min_group."""
    plain = tables.contract(asked.rows)
    plain["privacy"]["complementary"] = "off"
    ruled = copy.deepcopy(plain)
    ruled["privacy"].update(RULES)
    plain["privacy"]["complementary"] = "off"
    return _compared(
        asked,
        (ruled, plain),
        lambda result, exact: tables.equal(result.to_pandas(), rounded(exact)),
    )


def query_noisy(asked: Asked) -> Line:
    """Ask one query under differential privacy, every time anew, and with exact answers."""
    plain = tables.contract(asked.rows)
    for table in plain["tables"].values():
        table.setdefault("max_rows_per_person", PER_PERSON)
    plain["privacy"]["min_group"] = 1
    noisy = copy.deepcopy(plain)
    noisy["privacy"] = {"release": "dp", "epsilon": 20.0, "query_epsilon": 1.0}
    return _compared(asked, (noisy, plain), near)


def near(result: Any, exact: pd.DataFrame) -> bool:
    """Whether every total lies within its standard errors; also of segments without rows."""
    found = result.to_pandas().set_index("segment")
    exact = exact.set_index("segment").reindex(found.index, fill_value=0)
    errors = result.standard_errors.items()
    off = [(found[name] - exact[name].astype(float)).abs().max() / error for name, error in errors]
    return len(off) == 2 and max(off) < ERRORS


def _compared(
    asked: Asked, contracts: tuple[Any, Any], right: Callable[[Any, pd.DataFrame], bool]
) -> Line:
    data = tables.make(asked.rows)
    with tables.pooled(data) as pooled:
        plaintext_s, expected = timed(lambda: pooled.sql(SQL).df(), asked.runs)
    with LocalRoom(contracts[0], data) as room, LocalRoom(contracts[1], data) as other:
        for one in (room, other):
            _ask(one)
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
    correct = all(right(result, expected) for result in results)
    return line(asked, measured, plaintext_s, limit_s, correct=correct)


def rounded(expected: pd.DataFrame) -> pd.DataFrame:
    """Return the pooled answer with its counts as the rules tell them: halves go up."""
    return expected.assign(n=(expected["n"] + BASE // 2) // BASE * BASE)


def _ask(room: LocalRoom) -> Any:
    return room.sql(SQL, protocol="mpc", fresh=True)


RELEASED = {"query_released": query_released, "query_noisy": query_noisy}
