"""One child process of a room on this machine: started, watched until ready, ended."""

import json
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from cleanroom.errors import InternalError, PeerUnavailable, registry

STOP_S = 5.0


class Worker:
    """A `cleanroom party` or `cleanroom coordinator` process that ends with this one.

    Attributes:
        log: its last log lines; they never hold values of rows.
    """

    def __init__(self, name: str, command: str, config: Path, module: str = "cleanroom") -> None:
        self.name = name
        self.command = command
        self.config = config
        self._module = module
        self.log: deque[str] = deque(maxlen=1000)
        self._ready = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process's id."""
        if self._process is None:
            raise PeerUnavailable("is not running", party=self.name)
        return self._process.pid

    def start(self) -> None:
        """Start the process; it ends when its stdin does, so also when this process dies."""
        self._ready = threading.Event()  # of this process: an old one's last words come late
        module = ["-m", self._module, self.command, "--config", str(self.config), "--parent-pipe"]
        self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, *module],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the client's to handle
        )
        threading.Thread(
            target=self._read_log, args=(self._process, self._ready), daemon=True
        ).start()

    def wait_ready(self, timeout_s: float) -> None:
        """Return when the process serves and attends.

        Raises:
            CleanroomError: of the class that the process gave as reason for stopping.
            PeerUnavailable: if it isn't ready in time.
        """
        if not self._ready.wait(timeout_s):
            raise PeerUnavailable(f"not ready after {timeout_s:.0f} s", party=self.name)
        if self._process is not None and self._process.poll() is not None:
            raise self._reason()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End the process: politely, then at once."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def _read_log(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        if process.stderr is None:
            return
        with process.stderr:
            for line in process.stderr:
                self.log.append(line.rstrip("\n"))
                if _event(line).get("event") == "ready":
                    ready.set()
        process.wait()
        ready.set()

    def _reason(self) -> Exception:
        for line in reversed(self.log):
            event = _event(line)
            if event.get("event") == "stopped":
                kind = registry().get(str(event.get("code")), InternalError)
                return kind(
                    str(event.get("message", "")),
                    party=str(event.get("party") or self.name),
                    remedy=str(event.get("remedy", "")),
                )
        return InternalError("its process ended before it was ready", party=self.name)


def _event(line: str) -> dict[str, object]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
