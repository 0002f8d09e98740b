"""Whole rooms of real processes: one SQL query, and the time until a room is ready."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from benchmarks.machine import machine
from benchmarks.measure import Measured
from cleanroom import LocalRoom

QUERY = """SELECT a.segment, COUNT(*) AS n, SUM(t.amount) AS total
FROM bank_a.accounts AS a JOIN bank_b.transfers AS t ON a.person = t.person
GROUP BY a.segment ORDER BY a.segment"""
POOLED = QUERY.replace("bank_a.", "").replace("bank_b.", "")
IDLE_S = 3.0
_TICK = os.sysconf("SC_CLK_TCK")


def query(rows: int, runs: int) -> dict[str, Any]:
    """Join and group `rows` rows of each of two owners by SQL, after the room is ready."""
    accounts, transfers = _accounts(rows), _transfers(rows)
    plaintext_s, expected = _timed(lambda: _pooled(accounts, transfers), runs)
    data = {"bank_a.accounts": accounts, "bank_b.transfers": transfers}
    with LocalRoom(_contract(rows), data) as room:
        room.sql(QUERY)
        before = _cpu_seconds(room)
        results = [room.sql(QUERY) for _ in range(runs)]
        cpu_s = (_cpu_seconds(room) - before) / runs
        peak = max(_status(worker.pid, "VmHWM") for worker in room.workers.values())
    sent = results[0].stats.bytes_sent // 3
    seconds = tuple(result.stats.seconds for result in results)
    rounds = results[0].stats.rounds
    measured = Measured(seconds, cpu_s, (sent, sent, sent), rounds, peak, results)
    limit_s = machine().limit_seconds(measured, over_network=True)
    correct = all(_equal(result.to_pandas(), expected) for result in results)
    return _line("query", rows, measured, plaintext_s, limit_s, correct=correct)


def start(_rows: int, runs: int) -> dict[str, Any]:
    """Open a room of three banks and an analyst; then watch it idle.

    Plaintext is one Python process that imports what a member's process imports; the limit is
    that time for all processes, divided by the cores.
    """
    plaintext_s, _ = _timed(_one_process, runs)
    data = {"bank_a.accounts": _accounts(1000), "bank_b.transfers": _transfers(1000)}
    seconds, cpu_s, idle_cpu, idle_rss = [], [], [], []
    for _ in range(runs):
        started = time.perf_counter()
        with LocalRoom(_contract(1000), data) as room:
            seconds.append(time.perf_counter() - started)
            cpu_s.append(_cpu_seconds(room))
            time.sleep(IDLE_S)
            idle_cpu.append((_cpu_seconds(room) - cpu_s[-1]) / IDLE_S)
            idle_rss.append(max(_status(w.pid, "VmRSS") for w in room.workers.values()))
            processes = len(room.workers)
    peak = round(statistics.median(idle_rss))
    cpu = statistics.median(cpu_s)
    measured = Measured(tuple(seconds), cpu, (0, 0, 0), 0, peak, ())
    limit_s = plaintext_s * processes / len(os.sched_getaffinity(0))
    line = _line("start", 1000, measured, plaintext_s, limit_s, correct=True)
    return {**line, "idle_cpu_share": statistics.median(idle_cpu), "idle_rss_bytes": peak}


ROOMS: dict[str, Callable[[int, int], dict[str, Any]]] = {"query": query, "start": start}


def _line(
    name: str, rows: int, run: Measured, plaintext_s: float, limit_s: float, *, correct: bool
) -> dict[str, Any]:
    seconds = statistics.median(run.seconds)
    return {
        "benchmark": name,
        "rows": rows,
        "transport": "grpc",
        "seconds": seconds,
        "runs": len(run.seconds),
        "plaintext_seconds": plaintext_s,
        "ratio_to_plaintext": seconds / plaintext_s,
        "bytes_sent_per_party": list(run.bytes_sent),
        "rounds": run.rounds,
        "limit_seconds": limit_s,
        "ratio_to_limit": seconds / limit_s,
        "cpu_seconds": run.cpu_seconds,
        "peak_rss_bytes": run.peak_rss_bytes,
        "correct": correct,
    }


def _contract(rows: int) -> dict[str, Any]:
    banks = ("bank_a", "bank_b", "bank_c")
    person = {"type": "INTEGER", "bounds": [0, 2 * rows], "rights": {"analyst": ["join"]}}
    segment = {"type": "INTEGER", "bounds": [0, 99], "rights": {"analyst": ["group"]}}
    cents = {"type": "DECIMAL(9,2)", "bounds": [0, 10000], "rights": {"analyst": ["sum"]}}
    return {
        "room": {
            "name": "benchmark",
            "version": 1,
            "purpose": "Measurement",
            "lawful_basis": "Made-up rows",
            "retention_days": 1,
            "expires": "2099-12-31",
        },
        "coordinator": {"address": "localhost:7100"},
        "members": {
            **{
                bank: {"roles": ["input", "computing"], "address": f"localhost:{7101 + i}"}
                for i, bank in enumerate(banks)
            },
            "analyst": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 10, "round_to": 1},
        "tables": {
            "bank_a.accounts": {
                "person": "person",
                "max_rows_per_person": 1,
                "max_rows": rows,
                "columns": {"person": person, "segment": segment},
            },
            "bank_b.transfers": {
                "person": "person",
                "max_rows": rows,
                "columns": {"person": person, "amount": cents},
            },
        },
    }


def _accounts(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    person = rng.permutation(2 * rows)[:rows]
    return pd.DataFrame({"person": person, "segment": rng.integers(0, 100, rows)})


def _transfers(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    amount = rng.integers(0, 10**6, rows) / 100
    return pd.DataFrame({"person": rng.integers(0, 2 * rows, rows), "amount": amount})


def _pooled(accounts: pd.DataFrame, transfers: pd.DataFrame) -> pd.DataFrame:
    having = "GROUP BY a.segment HAVING COUNT(DISTINCT a.person) >= 10"
    answer: pd.DataFrame = duckdb.sql(POOLED.replace("GROUP BY a.segment", having)).df()
    return answer


def _equal(got: pd.DataFrame, expected: pd.DataFrame) -> bool:
    return len(got) == len(expected) and bool(
        np.allclose(got.to_numpy(), expected.to_numpy(), rtol=0, atol=0.005)  # half a cent
    )


def _one_process() -> None:
    program = "import duckdb, numpy, sqlglot, grpc, pydantic, cryptography.x509"
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 -- our own words


def _timed(run: Callable[[], Any], runs: int) -> tuple[float, Any]:
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), result


def _status(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{key}:"):
            return 1024 * int(line.split()[1])
    raise OSError("the kernel doesn't report memory")


def _cpu_seconds(room: LocalRoom) -> float:
    total = 0
    for worker in room.workers.values():
        stat = Path(f"/proc/{worker.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICK
