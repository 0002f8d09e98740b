"""Three processes of a peer, and what each of them is measured by. Needs no package but NumPy."""

import json
import multiprocessing
import os
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.measure import peak_memory_bytes, reset_peak_memory

KEY_BITS = 62  # peers compare by the sign of a difference
_ACKED = 120  # offset of tcpi_bytes_acked in the kernel's tcp_info


def data(benchmark: str, rows: int) -> tuple[np.ndarray, ...]:
    """Return one or two columns for a benchmark, the same each time."""
    rng = np.random.default_rng(20240229)
    x = rng.integers(0, 1 << KEY_BITS, rows)
    if benchmark == "multiply":
        return rng.integers(0, 1 << 31, rows), rng.integers(0, 1 << 31, rows)
    if benchmark == "equality":
        return x, x ^ rng.integers(0, 2, rows)
    if benchmark == "less_than":
        return x, rng.integers(0, 1 << KEY_BITS, rows)
    if benchmark == "group_by":
        return rng.choice(x[: max(rows // 4, 1)], rows), rng.integers(0, 1 << 10, rows)
    return (x,)


def play(
    party: Callable[..., None], rows: int, rest: Sequence[Sequence[Any]], check: Callable[..., bool]
) -> None:
    """Run a party function three times, each with its part of `rest`; print one line of JSON."""
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    ports = free_ports()
    for rank in range(3):
        here, there = spawn.Pipe()
        processes.append(spawn.Process(target=party, args=(rank, ports, *rest[rank], there)))
        processes[-1].start()
        pipes.append(here)
    ended = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join()
    spans = zip(*(end["spans"] for end in ended), strict=True)
    line = {
        "rows": rows,
        "seconds": [max(b for _, b in run) - min(a for a, _ in run) for run in spans],
        "bytes_sent_per_party": [end["bytes_sent"] for end in ended],
        "cpu_seconds": sum(end["cpu_seconds"] for end in ended),
        "peaks": [end["peak_rss_bytes"] for end in ended],
        "correct": check([end["result"] for end in ended]),
    }
    print(json.dumps(line))


def free_ports(n: int = 3) -> list[int]:
    """Return ports of this machine that nobody listens on now."""
    sockets = [socket.socket() for _ in range(n)]
    for free in sockets:
        free.bind(("127.0.0.1", 0))
    ports = [free.getsockname()[1] for free in sockets]
    for free in sockets:
        free.close()
    return ports


class Meter:
    """Counts runs after the first."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []
        self._cpu = self._sent = 0.0

    def begin(self) -> None:
        """Start a run."""
        if len(self.spans) == 1:
            reset_peak_memory()
            self._cpu, self._sent = time.process_time(), bytes_sent()
        self.spans.append((time.perf_counter(), 0.0))

    def end(self) -> None:
        """End the run."""
        self.spans[-1] = (self.spans[-1][0], time.perf_counter())

    def report(self, result: Any) -> dict[str, Any]:
        """Return what the parent puts together."""
        runs = len(self.spans) - 1
        return {
            "spans": self.spans[1:],
            "cpu_seconds": (time.process_time() - self._cpu) / runs,
            "bytes_sent": round((bytes_sent() - self._sent) / runs),
            "peak_rss_bytes": peak_memory_bytes(),
            "result": result,
        }


def bytes_sent() -> int:
    """Return what the kernel says that this process's TCP connections have delivered so far."""
    total = 0
    for entry in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(entry))) as end:
                info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        except OSError:
            continue
        if len(info) >= _ACKED + 8:
            total += struct.unpack_from("<Q", info, _ACKED)[0]
    return total
