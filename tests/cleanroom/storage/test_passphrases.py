"""Keys under a passphrase: which are taken, from where, and what opens without one."""

import os
import time
from pathlib import Path

import kept
import pytest

from cleanroom.config import MemberConfig
from cleanroom.errors import StateKeyRefused
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.passphrase import VARIABLE, Cost, Passphrase
from cleanroom.storage.state import State

GOOD = "copper lantern whistle mango orbit"


def sealed(folder: Path) -> State:
    return State.open(folder / "state.db", Keys(folder / "state.key", sealed=True), kept.ROOM)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "passphrase"
    path.touch(0o600)
    path.write_text(GOOD + "\n")
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(path))
    return path


@pytest.mark.parametrize(
    "weak",
    ["", "Password1!", "one two three four", "aaaa bbbb cccc dddd", "qwertyuiop" * 6],
)
def test_what_can_be_guessed_is_refused(weak: str) -> None:
    with pytest.raises(StateKeyRefused, match="easily guessed") as refused:
        Passphrase(weak).demand_strong()
    assert weak == "" or weak not in str(refused.value)
    Passphrase(GOOD).demand_strong()


def test_a_guess_costs_a_tenth_of_a_second() -> None:
    began = time.process_time()
    Passphrase(GOOD).key(Cost.new())
    assert time.process_time() - began > 0.1
    for cheap in ({"n": 1 << 10}, {"n": 1 << 30}, {"n": 3 << 17}, {"r": 1 << 20}, {"p": 0}):
        with pytest.raises(StateKeyRefused, match="scrypt"):
            Cost(b"s" * 16, **cheap)


def test_a_state_opens_with_its_passphrase_alone(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sealed(tmp_path) as state, state.writing() as batch:
        batch.put("a", "1", b"one")
    assert b'"secret"' not in (tmp_path / "state.key").read_bytes()
    with kept.state(tmp_path) as state, state.reading() as view:  # the file says that it is sealed
        assert view.get("a", "1") == b"one"
    file.write_text("another lantern whistle mango orbit")
    with pytest.raises(StateKeyRefused, match="doesn't open it"):
        sealed(tmp_path)
    monkeypatch.delenv(f"{VARIABLE}_FILE")
    with pytest.raises(StateKeyRefused, match="nobody is there to ask"):
        sealed(tmp_path)
    reading, writing = os.pipe()
    os.write(writing, GOOD.encode())
    os.close(writing)
    monkeypatch.setenv(f"{VARIABLE}_FD", str(reading))
    sealed(tmp_path).close()
    os.close(reading)
    monkeypatch.setenv(f"{VARIABLE}_FD", "none")
    with pytest.raises(StateKeyRefused, match="descriptor"):
        sealed(tmp_path)


def test_a_process_asks_once_however_often_it_opens_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "identity = 'i'\ncontract = 'c'\n[storage]\npassphrase = true\n"
    (tmp_path / "p.toml").write_text(said)
    config = MemberConfig.load(tmp_path / "p.toml")
    assert (config.state, config.keys.path) == (tmp_path / "state.db", tmp_path / "state.key")
    reading, writing = os.pipe()
    os.write(writing, GOOD.encode())
    os.close(writing)
    monkeypatch.setenv(f"{VARIABLE}_FD", str(reading))
    for _ in range(2):  # the descriptor gives it once
        State.open(config.state, config.keys, kept.ROOM).close()
    os.close(reading)
    assert config.keys.locked


def test_a_passphrase_that_others_may_read_is_refused(tmp_path: Path, file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(StateKeyRefused, match="others"):
        sealed(tmp_path)
    file.chmod(0o600)
    file.write_text("Password1!")
    with pytest.raises(StateKeyRefused, match="guessed"):
        sealed(tmp_path)
    assert not (tmp_path / "state.key").exists()
    file.write_text(GOOD)
    sealed(tmp_path).close()  # what was refused left nothing in the way
