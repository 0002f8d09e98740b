"""The commands in a room of real processes: what they print, once, and when they end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_room
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.recipient.client import Client
from cleanroom.recipient.room import Room
from cleanroom.session.member import Membership


def ended(*words: str) -> tuple[int, list[str]]:
    """Run the command until it ends; return its code and the lines of stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "cleanroom", *words],
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    return done.returncode, done.stderr.splitlines()


def test_status_tells_who_is_absent_from_who_runs_no_process(processes, folder: Path) -> None:
    done = CliRunner().invoke(app, ["status", "--config", str(folder / "analyst.toml")])
    assert done.output.splitlines()[-2:] == [
        "hospital: attends",
        "analyst: asks, runs no process",
    ]


@pytest.mark.parametrize("command", ["party", "coordinator"])
def test_why_a_process_can_not_start_is_said_once(tmp_path: Path, command: str) -> None:
    words = (command, "--config", str(tmp_path / "none.toml"))
    code, lines = ended(*words)
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith("cleanroom: config-invalid")
    code, lines = ended(*words, "--parent-pipe")
    assert (code, len(lines)) == (2, 1)
    assert json.loads(lines[0])["event"] == "stopped"


def test_a_party_that_can_not_attend_says_where_it_tries(tmp_path: Path) -> None:
    room = tiny_room.make_room(tmp_path)
    party = subprocess.Popen(
        [sys.executable, tiny_room.__file__, str(tmp_path / "hospital.toml")],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with party:
        line = json.loads(party.stderr.readline())
        party.stdin.close()
    assert line["event"] == "not attending"
    assert line["party"] == "coordinator"
    assert line["address"] == room["hospital"].address("coordinator")
    assert line["message"]


def test_ctrl_c_says_that_the_session_was_cancelled(
    processes,
    folder: Path,
    room: dict[str, Membership],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def tiny(_: Path) -> Room:
        return Room(Client(room["analyst"], tiny_room.tiny_engine()))

    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("cleanroom.recipient.room.connect", tiny)
    monkeypatch.setattr("rich.status.Status.update", interrupt)
    words = ["query", "add 1000000 of bank_a", "--config", "none"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 130
    assert "cancelled at every member" in done.output
