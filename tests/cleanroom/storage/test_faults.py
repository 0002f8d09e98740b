"""Disks that are full, and many at once: what was confirmed is there, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import kept
import numpy as np

FULL = """
import resource, signal, sys
from pathlib import Path
from cleanroom.errors import StateUnavailable
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
state = State.open(folder / "state.db", Keys(folder / "state.key"), "test-room")
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    for i in range(1000):
        with state.writing() as batch:
            batch.put("a", f"{i}", bytes(300))
        print(i, flush=True)
except StateUnavailable as error:
    print(error.code)
try:
    state.rekey()
except StateUnavailable as error:
    print(error.code)
"""
COUNTS = """
import sys
from pathlib import Path
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State
folder = Path(sys.argv[1])
state = State.open(folder / "state.db", Keys(folder / "state.key"), "test-room")
sys.stdin.readline()
for _ in range(25):
    with state.writing() as batch:
        batch.put("a", "n", b"%d" % (int(batch.get("a", "n") or 0) + 1))
        batch.put("b", f"{int(batch.get('a', 'n'))}", b"")
"""


def test_no_file_of_a_full_disk_is_left_wrong(tmp_path: Path) -> None:
    """F81: the system refuses to make any file longer, in the middle of whatever is written."""
    for limit in (24 << 10, 70_001, 200_000):
        folder = tmp_path / f"{limit}"
        folder.mkdir()
        command = [sys.executable, "-c", FULL, str(folder), str(limit)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        *confirmed, first, second = done.stdout.split()
        assert first == second == "state-unavailable"
        with kept.state(folder) as state, state.reading() as view:
            assert {row for row, _ in view.rows("a")} == set(confirmed)
        assert not (folder / "state.key.new").exists()


def test_four_processes_on_one_state_lose_nothing(tmp_path: Path) -> None:
    """F88: whoever they are, two coordinators or a process and its commands."""
    command = [sys.executable, "-c", COUNTS, str(tmp_path)]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(4)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert [racer.wait() for racer in racers] == [0] * 4
    with kept.state(tmp_path) as state, state.reading() as view:
        assert view.get("a", "n") == b"100"
        assert {int(row) for row, _ in view.rows("b")} == set(range(1, 101))


def test_what_is_on_disk_looks_like_noise(tmp_path: Path) -> None:
    """S54: compressible, repeated values leave no pattern; all bytes are about equally frequent."""
    with kept.state(tmp_path) as state:
        with state.writing() as batch:
            for i in range(200):
                batch.put("a", f"{i}", b"the same value over and over " * 40)
        stored = state._file._connection.execute("SELECT sealed FROM row").fetchall()
    octets = np.frombuffer(b"".join(sealed for (sealed,) in stored), np.uint8)
    counts = np.bincount(octets, minlength=256)
    expected = len(octets) / 256
    squared = float(((counts - expected) ** 2 / expected).sum())
    assert 255 - 8 * 22.6 < squared < 255 + 8 * 22.6  # mean and deviation of 255 degrees of freedom
    heads = {bytes(sealed[:16]) for (sealed,) in stored}
    assert len(heads) == len(stored)
    assert set(json.loads((tmp_path / "state.key").read_text())) == {"suite", "id", "secret"}
