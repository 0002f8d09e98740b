"""`python -m benchmarks NAME --rows N`: one benchmark, one line."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import in_memory, over_grpc
from benchmarks.case import Case
from benchmarks.machine import machine
from benchmarks.measure import Measured
from benchmarks.names import CASES, make
from benchmarks.rooms import ROOMS


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for and print it."""
    asked = _parser().parse_args(arguments)
    if asked.name in ROOMS:
        line = ROOMS[asked.name](asked.rows, asked.runs)
    else:
        line = measure(asked.name, asked.rows, asked.transport, asked.runs)
    if asked.json:
        print(json.dumps(line))
    else:
        Console().print(_table(line))


def measure(name: str, rows: int, transport: str, runs: int) -> dict[str, Any]:
    """Return one benchmark's figures."""
    case = make(name, rows)
    plaintext_s, expected = _timed(case.plaintext, runs)
    limits = machine()
    measured = _measured(case, name, transport, runs)
    seconds = statistics.median(measured.seconds)
    limit_s = limits.limit_seconds(measured, over_network=transport == "grpc")
    return {
        "benchmark": name,
        "rows": rows,
        "transport": transport,
        "seconds": seconds,
        "runs": runs,
        "plaintext_seconds": plaintext_s,
        "ratio_to_plaintext": seconds / plaintext_s,
        "bytes_sent_per_party": list(measured.bytes_sent),
        "rounds": measured.rounds,
        "limit_seconds": limit_s,
        "ratio_to_limit": seconds / limit_s,
        "cpu_seconds": measured.cpu_seconds,
        "peak_rss_bytes": measured.peak_rss_bytes,
        "correct": case.correct(measured.results, expected),
    }


def _measured(case: Case, name: str, transport: str, runs: int) -> Measured:
    if transport == "memory":
        return in_memory.measure(case, runs)
    return over_grpc.measure(case, name, runs)


def _timed(run: Callable[[], Any], runs: int) -> tuple[float, Any]:
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=(*CASES, *ROOMS))
    parser.add_argument("--rows", type=int, default=1 << 16, help="rows; of each side of a join")
    parser.add_argument("--transport", choices=("memory", "grpc"), default="grpc")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


def _table(line: dict[str, Any]) -> Table:
    table = Table(title=f"{line['benchmark']}, {line['rows']:,} rows, {line['transport']}")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for key, value in list(line.items())[3:]:
        table.add_row(key.replace("_", " "), _readable(key, value))
    return table


def _readable(key: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{one / 1e6:,.2f} MB" for one in value)
    if key.endswith("_bytes"):
        return f"{value / 1e6:,.0f} MB"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
