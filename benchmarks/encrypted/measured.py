"""Runs all sides of a homomorphic query one after another, on one core of this process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.measure import Measured, memory_bytes, peak_memory_bytes, reset_peak_memory

ROUNDS = 3  # key or question; answers to the coordinator; their sum to whoever asked


@dataclass
class Sides:
    """Seconds and bytes of one run, by side."""

    seconds: dict[str, float] = field(default_factory=dict)
    n_bytes: dict[str, int] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def end(self, side: str, n_bytes: int = 0) -> None:
        """Charge the time since the last call to a side."""
        now = time.perf_counter()
        self.seconds[side] = self.seconds.get(side, 0.0) + now - self._since
        self.n_bytes[side] = self.n_bytes.get(side, 0) + n_bytes
        self._since = now


@dataclass(frozen=True)
class Runs:
    """Several runs: what every benchmark has, and medians by side."""

    measured: Measured
    seconds: dict[str, float]
    n_bytes: dict[str, int]
    grown_bytes: int


def measure(run: Callable[[Sides], object], runs: int, sent: Sequence[str]) -> Runs:
    """Run after one run that isn't counted; `sent` are the sides whose bytes are reported."""
    run(Sides())
    reset_peak_memory()
    before, cpu_s = memory_bytes(), time.process_time()
    all_sides, seconds, result = [], [], None
    for _ in range(runs):
        sides, started = Sides(), time.perf_counter()
        result = run(sides)
        seconds.append(time.perf_counter() - started)
        all_sides.append(sides)
    cpu_s = (time.process_time() - cpu_s) / runs
    peak, last = peak_memory_bytes(), all_sides[-1]
    first, second, third = (last.n_bytes.get(side, 0) for side in sent)
    measured = Measured(
        tuple(seconds), cpu_s, (first, second, third), ROUNDS, peak, peak, (result,)
    )
    medians = {
        side: float(np.median([one.seconds[side] for one in all_sides])) for side in last.seconds
    }
    return Runs(measured, medians, last.n_bytes, peak - before)
