"""Flower's own network: a SuperLink and three SuperNodes as processes on loopback, over HTTP.

They run the app of `flower_app`: FedAvg, whose clients answer without training.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peers.three import free_ports

CLIENTS = 3
_APP = Path(__file__).parent / "flower_app"
_BIN = Path(sys.executable).parent
_GIVE_UP_S = 110.0  # a little before whoever started this gives up
_LOOK_S = 0.2
_END_S = 5.0
_HERE = '[superlink]\ndefault = "here"\n\n[superlink.here]\naddress = "{}"\ninsecure = true\n'


def measured(words: int, runs: int) -> dict[str, Any]:
    """Run rounds of FedAvg; what the app tells of them, or nothing if they take too long."""
    give_up = time.monotonic() + _GIVE_UP_S
    with TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        link, *nodes = free_ports(1 + CLIENTS)
        address = f"127.0.0.1:{link}"
        (Path(folder) / "config.toml").write_text(_HERE.format(address), encoding="utf-8")
        with contextlib.ExitStack() as stack:
            stack.enter_context(_superlink(folder, link))
            if not _within(give_up, lambda: _answers(address)):
                return {}
            for part, port in enumerate(nodes):
                stack.enter_context(_supernode(folder, address, part, port))
            settings = f'words={words} rounds={runs + 1} answer="{answer}"'
            stack.enter_context(_process(folder, "flwr", "run", str(_APP), "here", "-c", settings))
            if not _within(give_up, answer.exists):
                return {}
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return {"rows": words, "transport": "http", **found}


def _superlink(folder: str, port: int) -> contextlib.AbstractContextManager[None]:
    place = ("--host", "127.0.0.1", "--port", str(port))
    nothing_installed = "--disable-runtime-dependency-installation"
    return _process(folder, "flower-superlink", "--insecure", *place, nothing_installed)


def _supernode(
    folder: str, address: str, part: int, port: int
) -> contextlib.AbstractContextManager[None]:
    place = ("--host", "127.0.0.1", "--port", str(port), "--superlink", address)
    settings = f"partition-id={part} num-partitions={CLIENTS}"
    return _process(folder, "flower-supernode", "--insecure", *place, "--node-config", settings)


@contextlib.contextmanager
def _process(folder: str, name: str, *words: str) -> Iterator[None]:
    """Start one of Flower's commands; end it with all that it started."""
    environment = {**os.environ, "FLWR_HOME": folder, "PATH": f"{_BIN}:{os.environ['PATH']}"}
    with subprocess.Popen(  # noqa: S603 -- our own words
        [str(_BIN / name), *words],
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as started:
        try:
            yield
        finally:
            _end(started)


def _end(started: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(_END_S)
        os.killpg(started.pid, signal.SIGKILL)


def _within(give_up: float, happened: Callable[[], bool]) -> bool:
    while not happened():
        if time.monotonic() > give_up:
            return False
        time.sleep(_LOOK_S)
    return True


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/health", timeout=1) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, TimeoutError):
        return False
