"""Whole rooms of real processes: SQL queries beside DuckDB, and the time until a room is ready."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks import tables
from benchmarks.machine import machine
from benchmarks.measure import Asked, Line, Measured, line, timed
from cleanroom import LocalRoom

QUERIES = {
    "query": """
        SELECT a.segment, COUNT(*) AS n, SUM(t.amount) AS total
        FROM bank_a.accounts AS a JOIN bank_b.transfers AS t ON a.person = t.person
        GROUP BY a.segment ORDER BY a.segment""",
    "query_federated": """
        SELECT channel, COUNT(*) AS n, SUM(amount) AS total, AVG(amount) AS mean
        FROM payments GROUP BY channel ORDER BY channel""",
    "query_left_join": """
        SELECT a.segment, COUNT(*) AS n, SUM(t.amount) AS total
        FROM bank_a.accounts AS a LEFT JOIN bank_b.transfers AS t ON a.person = t.person
        GROUP BY a.segment ORDER BY a.segment""",
    "query_exists": """
        SELECT a.segment, COUNT(*) AS n FROM bank_a.accounts AS a
        WHERE EXISTS (SELECT 1 FROM bank_b.transfers AS t WHERE t.person = a.person)
        GROUP BY a.segment ORDER BY a.segment""",
    "query_nested": """
        SELECT n, COUNT(*) AS persons
        FROM (SELECT person, COUNT(*) AS n FROM payments GROUP BY person) AS p
        WHERE n <= 2 GROUP BY n ORDER BY n""",
    "query_median": """
        SELECT channel, MEDIAN(amount) AS middle, COUNT(DISTINCT person) AS persons
        FROM payments GROUP BY channel ORDER BY channel""",
}
IDLE_S = 3.0
_TICK = os.sysconf("SC_CLK_TCK")


def query(asked: Asked) -> Line:
    """Ask one query in a room that is ready; a table has `rows` rows, of all its owners."""
    sql, data = QUERIES[asked.benchmark], tables.make(asked.rows)
    with tables.pooled(data) as pooled:
        plaintext_s, expected = timed(lambda: pooled.sql(sql).df(), asked.runs)
    with LocalRoom(tables.contract(asked.rows), data) as room:
        room.sql(sql, protocol="mpc")
        before = cpu_seconds(room)
        results = [room.sql(sql, protocol="mpc") for _ in range(asked.runs)]
        cpu_s = (cpu_seconds(room) - before) / asked.runs
        peaks = [status(worker.pid, "VmHWM") for worker in room.workers.values()]
    sent = results[0].stats.bytes_sent // 3
    seconds = tuple(result.stats.seconds for result in results)
    rounds = results[0].stats.rounds
    measured = Measured(
        seconds, cpu_s, (sent, sent, sent), rounds, max(peaks), sum(peaks), results
    )
    limit_s = machine().limit_seconds(measured, over_network=True)
    correct = all(tables.equal(result.to_pandas(), expected) for result in results)
    return line(asked, measured, plaintext_s, limit_s, correct=correct)


def start(asked: Asked) -> Line:
    """Open a room of three banks and an analyst; then watch it idle.

    Plaintext is one Python process that imports what a member's process imports; the limit is
    that time for all processes, divided by the cores.
    """
    rows = 1000
    plaintext_s, _ = timed(_one_process, asked.runs)
    seconds, cpu_s, idle_cpu, idle_rss = [], [], [], []
    for _ in range(asked.runs):
        started = time.perf_counter()
        with LocalRoom(tables.contract(rows), tables.make(rows)) as room:
            seconds.append(time.perf_counter() - started)
            cpu_s.append(cpu_seconds(room))
            time.sleep(IDLE_S)
            idle_cpu.append((cpu_seconds(room) - cpu_s[-1]) / IDLE_S)
            idle_rss.append([status(w.pid, "VmRSS") for w in room.workers.values()])
    peak = round(statistics.median(map(max, idle_rss)))
    together = round(statistics.median(map(sum, idle_rss)))
    cpu = statistics.median(cpu_s)
    measured = Measured(tuple(seconds), cpu, (0, 0, 0), 0, peak, together, ())
    limit_s = plaintext_s * len(idle_rss[0]) / len(os.sched_getaffinity(0))
    figures = line(replace(asked, rows=rows), measured, plaintext_s, limit_s, correct=True)
    return {**figures, "idle_cpu_share": statistics.median(idle_cpu), "idle_rss_bytes": peak}


ROOMS: dict[str, Callable[[Asked], Line]] = {**dict.fromkeys(QUERIES, query), "start": start}


def _one_process() -> None:
    program = "import duckdb, numpy, sqlglot, grpc, pydantic, cryptography.x509"
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 -- our own words


def status(pid: int, key: str) -> int:
    for entry in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if entry.startswith(f"{key}:"):
            return 1024 * int(entry.split()[1])
    raise OSError("the kernel doesn't report memory")


def cpu_seconds(room: LocalRoom) -> float:
    total = 0
    for worker in room.workers.values():
        stat = Path(f"/proc/{worker.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICK
