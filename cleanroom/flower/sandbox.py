"""An app's process, seen from outside: started with a copy of its code, asked, ended.

Rule: what comes out of it is untrusted and bounded, in size and in time. Flower isn't imported.
"""

import json
import os
import signal
import site
import subprocess
import sys
import sysconfig
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NoReturn

from cleanroom.errors import AppFailed, AppRefused
from cleanroom.flower.apps import Code
from cleanroom.flower.frames import Closed, Frame, Pipe, Silent
from cleanroom.flower.limits import Limits
from cleanroom.flower.lockdown import PARTS
from cleanroom.scratch import scratch_folder

_PACKAGE = Path(__file__).parent.parent
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from cleanroom.flower.child import main; main()"
)
# Shared libraries, time zones and what libraries ask about the machine; devices without state.
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
    "/etc/localtime", "/usr/share/zoneinfo", "/proc/cpuinfo", "/proc/meminfo",
    "/sys/devices/system/cpu", "/dev/urandom", "/dev/zero",
)  # fmt: skip
_CONFINED = (
    "Run apps on Linux 5.13 or newer, x86_64 or aarch64, with Landlock and seccomp, and in a"
    " container whose profile lets a process restrict itself."
)
_INSTALLED = "Install the extra: pip install 'pets-cleanroom[flower]'."
_SIGNALS: dict[int, str] = {
    signal.SIGSYS: "it opened a network socket",
    signal.SIGXCPU: "it used up its CPU time",
    signal.SIGKILL: "it used up its CPU time or memory",
}
_END_S = 5.0


class Sandbox:
    """One app's process and its folder; both are gone when it is closed or forgotten, or we are."""

    def __init__(
        self,
        code: Code,
        role: Literal["client", "server"],
        start: Mapping[str, Any],
        limits: Limits,
        fill: Callable[[Path], None] = lambda folder: None,
        log: Path | None = None,
    ) -> None:
        """Start a process for one half of an app.

        Args:
            start: what its side takes, beside the paths that are added here.
            fill: writes what the app may read into a folder that is its own.
            log: a file that gets what the app prints, and its tracebacks: for this member alone.
        """
        self._limits, self._busy = limits, threading.RLock()
        folder = ExitStack()
        root = folder.enter_context(scratch_folder())
        try:
            for name in "code", "data", "work":
                (root / name).mkdir(mode=0o700)
            code.write(root / "code")
            fill(root / "data")
            self._process, pipe = _started(root / "work", limits, log)
        except BaseException:
            folder.close()
            raise
        self._end = weakref.finalize(self, _end, self._process, pipe, folder)
        self._pipe = Pipe(*pipe)
        component = code.client if role == "client" else code.server
        self._tell({"role": role, "component": component, **start, **_paths(root, limits)})

    def _tell(self, start: Mapping[str, Any]) -> None:
        text = json.dumps(start).encode()
        try:
            self._pipe.write(len(text).to_bytes(8, "little") + text, self._limits.start_s)
        except (Silent, Closed):
            self.fail()

    def send(self, frame: Frame) -> None:
        """Give it a frame.

        Raises:
            AppFailed: if it takes none.
        """
        with self._busy:
            self._check_alive()
            try:
                self._pipe.send(frame, self._limits.reply_s)
            except (Silent, Closed) as error:
                self.fail(error)

    def receive(self, most_numbers: int, seconds: float) -> Frame:
        """Take a frame from it.

        Raises:
            AppFailed: if none comes in time, or it ended; with the rule that it broke.
            AppRefused: if this machine can't confine it.
            MessageInvalid: if it is longer than it may be, or no frame.
        """
        with self._busy:
            self._check_alive()
            try:
                frame = self._pipe.receive(most_numbers, seconds)
            except (Silent, Closed) as error:
                self.fail(error)
        if "unavailable" in frame.header:
            raise _unavailable(frame.header["unavailable"])
        return frame

    def _check_alive(self) -> None:
        """Don't touch descriptors that are closed, and may be somebody else's by now."""
        if not self._end.alive:
            raise AppFailed("the app was ended before")

    def fail(self, error: Exception | None = None) -> NoReturn:
        """End the process and raise why it failed."""
        if isinstance(error, Silent):
            self.close()
            raise AppFailed("the app did not answer in time")
        try:
            status = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            status = 0
        self.close()
        raise AppFailed(
            f"the app was ended: {_SIGNALS.get(-status, 'its process ended by itself')}"
        )

    def close(self) -> None:
        """End the process and remove its folder, also while another thread waits for it.

        That thread's wait ends first: the descriptors may then be anybody's.
        """
        self._process.kill()
        with self._busy:
            self._end()


def _unavailable(part: object) -> AppRefused:
    if part == "flower":
        return AppRefused("Flower isn't installed here", remedy=_INSTALLED)
    why = PARTS.get(str(part), "it said nothing that is known")
    return AppRefused(f"this machine can't confine an app: {why}", remedy=_CONFINED)


def _started(
    work: Path, limits: Limits, log: Path | None
) -> tuple[subprocess.Popen[bytes], tuple[int, int]]:
    """Start the child: isolated, with an empty environment, and nothing inherited but pipes.

    Returns:
        it, and where to read from it and write to it.
    """
    threads = {f"{name}_NUM_THREADS": str(limits.threads) for name in ("OMP", "OPENBLAS", "MKL")}
    own = {name: str(work) for name in ("HOME", "TMPDIR", "FLWR_HOME", "MPLCONFIGDIR")}
    names = {"USER": "app", "LOGNAME": "app", "LANG": "C.UTF-8", "FLWR_TELEMETRY_ENABLED": "0"}
    taking, writing = os.pipe()
    reading, giving = os.pipe()
    told = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - this Python, with a fixed line of code
            [sys.executable, "-I", "-B", "-c", _BOOT, str(_PACKAGE.parent)],
            stdin=taking,
            stdout=giving,
            stderr=told,
            cwd=work,
            env={**threads, **own, **names},
            start_new_session=True,
        )
    finally:
        for descriptor in taking, giving, told:
            os.close(descriptor)
    return process, (reading, writing)


def _paths(root: Path, limits: Limits) -> dict[str, Any]:
    """Return where the child looks for modules, what it may read and write, and how much."""
    named = sysconfig.get_paths()
    libraries = [named["stdlib"], f"{named['stdlib']}/lib-dynload"]
    libraries += [named["platstdlib"], named["purelib"], named["platlib"], *site.getsitepackages()]
    libraries = [path for path in dict.fromkeys(libraries) if os.path.isdir(path)]
    own = [str(root / "code"), str(root / "data"), str(_PACKAGE)]
    used = {"memory_bytes", "cpu_s", "file_bytes"}
    return {
        "code": str(root / "code"),
        "data": str(root / "data"),
        "path": libraries,
        "readable": [*libraries, *_SYSTEM, *own],
        "writable": [str(root / "work"), os.devnull],
        "resources": limits.model_dump(include=used),
    }


def _end(process: subprocess.Popen[bytes], pipe: tuple[int, int], folder: ExitStack) -> None:
    process.kill()
    process.wait()
    for descriptor in pipe:
        os.close(descriptor)
    folder.close()
