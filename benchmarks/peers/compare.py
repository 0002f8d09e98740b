"""The same operations by this project and by peers, side by side in one run."""

import json
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Asked, Line
from benchmarks.peers.install import VERSIONS, interpreter
from benchmarks.run import run

OURS = "pets-cleanroom"
_GATES, _ROUNDS = ("multiply", "less_than", "equality"), ("secagg", "train_round")
OPERATIONS = (*_GATES, "sort", "group_by", *_ROUNDS)
_SIZES = dict.fromkeys(OPERATIONS, (1 << 10, 1 << 12, 1 << 14, 1 << 16))
_SIZES |= dict.fromkeys(_ROUNDS, (71_000,))
_HAS = {
    "spu": (*_GATES, "sort", "group_by"),
    "mpyc": (*_GATES, "sort"),
    "flower": _ROUNDS,
}
_ROOT = Path(__file__).parents[2]
_LIMIT_S = 120.0  # for one benchmark on one size, its start included
_ENOUGH_S = 10.0  # a peer that took so long isn't asked for more rows


def compare(operations: Sequence[str], sizes: Sequence[int], runs: int) -> Iterator[Line]:
    """Yield a line for each system, operation and size; no sizes are the usual ones.

    Raises:
        PeerNotInstalled: if a peer that has one of the operations can't be installed.
    """
    pythons = {peer: interpreter(peer) for peer in _HAS if {*_HAS[peer]} & {*operations}}
    for operation in operations:
        slow: set[str] = set()
        for rows in sorted(sizes or _SIZES[operation]):
            ours = {"system": OURS, **run(Asked(operation, rows, "grpc", runs))}
            yield ours
            for peer in (p for p in pythons if operation in _HAS[p] and p not in slow):
                line = _peer(peer, pythons[peer], ours, runs)
                yield line
                if line["seconds"] is None or line["seconds"] > _ENOUGH_S:
                    slow.add(peer)


def _peer(peer: str, python: Path, ours: Line, runs: int) -> Line:
    name, rows = ours["benchmark"], ours["rows"]
    command = [str(python), "-m", f"benchmarks.peers.{peer}_run", name, str(rows), str(runs)]
    found: dict[str, Any] = {}
    try:
        done = subprocess.run(  # noqa: S603 -- our own words
            command,
            cwd=_ROOT,
            env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=True,
        )
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        pass
    return _line(peer, ours, found, runs)


def _line(peer: str, ours: Line, found: dict[str, Any], runs: int) -> Line:
    """Return the figures under our keys; what a peer doesn't tell is null."""
    seconds = statistics.median(found["seconds"]) if found else None
    peaks = found.get("peaks", [])
    return {
        "system": f"{peer} {VERSIONS[peer]}",
        "benchmark": ours["benchmark"],
        "rows": ours["rows"],
        "transport": found.get("transport", "tcp"),
        "seconds": seconds,
        "runs": runs,
        "plaintext_seconds": ours["plaintext_seconds"],
        "ratio_to_plaintext": seconds and seconds / ours["plaintext_seconds"],
        "bytes_sent_per_party": found.get("bytes_sent_per_party"),
        "rounds": None,
        "limit_seconds": None,
        "ratio_to_limit": None,
        "cpu_seconds": found.get("cpu_seconds"),
        "peak_rss_bytes": max(peaks, default=None),
        "correct": found.get("correct"),
        "peak_rss_bytes_together": sum(peaks) or None,
        "latency_ms": 0.0,
    }
