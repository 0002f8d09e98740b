"""Where figures come from: the machine, the versions, the commit and the day."""

import datetime as dt
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("numpy", "numba", "grpcio", "cryptography", "duckdb", "pandas")


def about() -> dict[str, str]:
    """Return what a reader needs to compare figures with their own."""
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "commit": _commit(),
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    folder = Path(__file__).parent
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 -- our own words
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
