"""What a run of the parties is measured by: the clock, the memory reading, a line of figures."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Line: TypeAlias = dict[str, Any]  # one benchmark's figures, as JSON has them


@dataclass(frozen=True)
class Measured:
    """Runs of one case over one transport.

    Attributes:
        seconds: from the first party's start to the last one's end, for each run.
        cpu_seconds: of all three parties together, a run on average.
        bytes_sent: by party, of one run.
        peak_rss_bytes: of the largest process that computes.
        peak_rss_bytes_together: of all processes that compute, each at its own peak.
        results: what each party held after the last run.
    """

    seconds: tuple[float, ...]
    cpu_seconds: float
    bytes_sent: tuple[int, int, int]
    rounds: int
    peak_rss_bytes: int
    peak_rss_bytes_together: int
    results: Sequence[Any]


@dataclass(frozen=True)
class Asked:
    """Which benchmark on how many rows, over what.

    Attributes:
        latency_ms: added to every byte on its way from party to party.
    """

    benchmark: str
    rows: int
    transport: str = "grpc"
    runs: int = 5
    latency_ms: float = 0.0


def line(
    asked: Asked, run: Measured, plaintext_s: float, limit_s: float, *, correct: bool
) -> Line:
    """Return the figures of a benchmark under the keys that every benchmark has."""
    seconds = statistics.median(run.seconds)
    return {
        "benchmark": asked.benchmark,
        "rows": asked.rows,
        "transport": asked.transport,
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
        "peak_rss_bytes_together": run.peak_rss_bytes_together,
        "latency_ms": asked.latency_ms,
    }


def timed(run: Callable[[], T], runs: int) -> tuple[float, T]:
    """Return the median of the seconds that a call takes, and what the last one returned."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), result


def reset_peak_memory() -> None:
    """Forget the peak so far, so that the making of inputs doesn't count."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_bytes() -> int:
    """Return the most memory that this process held since the last reset."""
    return _status("VmHWM")


def memory_bytes() -> int:
    """Return the memory that this process holds."""
    return _status("VmRSS")


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{key}:"):
            return 1024 * int(line.split()[1])
    raise OSError("the kernel doesn't report memory")
