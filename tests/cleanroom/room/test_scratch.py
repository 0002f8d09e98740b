"""No key and no row stays behind, however the process ends that made the room."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cleanroom.scratch import scratch_folder

HOLDER = """
import time
from cleanroom.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "key").write_text("secret")
    print(folder, flush=True)
    time.sleep(60)
"""
ROOM = """
import sys, time
sys.path.insert(0, sys.argv[1])
import test_local_room as rooms
from cleanroom import LocalRoom
with LocalRoom(rooms.contract(), rooms.data()) as room:
    print(room.workers["coordinator"].config.parents[1], flush=True)
    time.sleep(60)
"""


def test_the_folder_is_private_and_gone_at_the_end() -> None:
    with scratch_folder() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "key").write_text("secret", encoding="utf-8")
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("program", [HOLDER, ROOM], ids=["folder", "room"])
def test_a_killed_process_leaves_nothing(program: str, how: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with process:
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        assert any(folder.iterdir())
        process.send_signal(how)
    deadline = time.monotonic() + 20
    while folder.exists():
        assert time.monotonic() < deadline, "the folder stayed"
