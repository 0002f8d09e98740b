"""A folder for keys and rows that is gone when this process is, however it ends.

Rule: nothing survives. A child process holds the other end of a pipe; the kernel closes it when
this process ends, also by SIGKILL, and the child then removes the folder.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

STOP_S = 10.0
_JANITOR = """\
import shutil, sys
sys.stdin.buffer.read()
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder that its owner alone may enter (0700), and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cleanroom-"))
    try:
        janitor = _start_janitor(folder)
        try:
            yield folder
        finally:
            _end(janitor)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # if somebody ended the janitor


def _start_janitor(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 -- our own interpreter and a constant program
        [sys.executable, "-I", "-S", "-c", _JANITOR, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C must not end it first
    )


def _end(janitor: "subprocess.Popen[bytes]") -> None:
    if janitor.stdin is not None:
        janitor.stdin.close()
    try:
        janitor.wait(STOP_S)
    except subprocess.TimeoutExpired:
        janitor.kill()
        janitor.wait()
