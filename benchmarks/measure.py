"""What a run of the three parties is measured by, and the memory reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """Runs of one case over one transport.

    Attributes:
        seconds: from the first party's start to the last one's end, for each run.
        cpu_seconds: of all three parties together, a run on average.
        bytes_sent: by party, of one run.
        peak_rss_bytes: of the largest process that computes.
        results: what each party held after the last run.
    """

    seconds: tuple[float, ...]
    cpu_seconds: float
    bytes_sent: tuple[int, int, int]
    rounds: int
    peak_rss_bytes: int
    results: Sequence[Any]


def reset_peak_memory() -> None:
    """Forget the peak so far, so that the making of inputs doesn't count."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_bytes() -> int:
    """Return the most memory that this process held since the last reset."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise OSError("the kernel doesn't report peak memory")
