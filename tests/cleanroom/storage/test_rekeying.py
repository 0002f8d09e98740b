"""New keys: the old ones open nothing more, whatever dies in between, whoever has it open."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import kept
import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from cleanroom.errors import StateKeyRefused, StateUnavailable, TableErased
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.passphrase import Asked
from cleanroom.storage.records import packed
from cleanroom.storage.secret import Secret
from cleanroom.storage.state import State

DIES = """
import os, signal, sys
from pathlib import Path
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State
folder = Path(sys.argv[1])
state = State.open(folder / "state.db", Keys(folder / "state.key"), "test-room")
def watched(frame, event, _):
    if [frame.f_code.co_name, event] == sys.argv[2:]:
        os.kill(os.getpid(), signal.SIGKILL)
    return watched
sys.settrace(watched)
state.rekey(without="north.visits")
"""


def filled(folder: Path) -> State:
    state = kept.state(folder)
    with state.writing() as batch:
        for i in range(6):
            batch.put("a", f"{i}", b"%d" % i, about=["north.visits", "b"] if i % 2 else [])
    return state


def values(state: State) -> dict[str, bytes]:
    with state.reading() as view:
        return dict(view.rows("a"))


def test_old_keys_open_nothing_that_is_sealed_anew(tmp_path: Path) -> None:
    """F79: an old key."""
    with filled(tmp_path) as state, kept.state(tmp_path) as elsewhere:
        before = values(state)
        old = (tmp_path / "state.key").read_bytes()
        assert state.rekey() == 0
        assert values(state) == values(elsewhere) == before
        with elsewhere.writing() as batch:
            batch.put("a", "7", b"7")
        assert values(state)["7"] == b"7"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["state.db", "state.key"]
    new = (tmp_path / "state.key").read_bytes()
    (tmp_path / "state.key").write_bytes(old)
    with pytest.raises(StateKeyRefused, match="one from before"):
        kept.state(tmp_path)
    (tmp_path / "state.key").write_bytes(new)
    with kept.state(tmp_path) as state:
        assert values(state) == before | {"7": b"7"}


def test_what_is_about_an_erased_table_is_gone_and_stays_gone(tmp_path: Path) -> None:
    with filled(tmp_path) as state:
        assert state.rekey(without="north.visits") == 3
        assert set(values(state)) == {"0", "2", "4"}
        with pytest.raises(TableErased, match=r"north\.visits"), state.writing() as batch:
            batch.put("a", "9", b"", about=["north.visits"])
        state.rekey()
    with kept.state(tmp_path) as state, state.reading() as view:
        assert view.erased() == {"north.visits"}


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("write_successor call", "012345"),
        ("_sync_folder call", "012345"),
        ("set_aside return", "012345"),
        ("drop_old return", "012345"),
        ("finish return", "012345"),
        ("settle call", "024"),
        ("_overwrite call", "024"),
        ("_overwrite return", "024"),
        ("settle return", "024"),
        ("compact call", "024"),
    ],
)
def test_a_kill_leaves_the_old_or_the_new(tmp_path: Path, where: str, left: str) -> None:
    """F79, F82: partially rotated keys are finished or undone."""
    filled(tmp_path).close()
    command = [sys.executable, "-c", DIES, str(tmp_path), *where.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with kept.state(tmp_path) as state:
        assert set(values(state)) == set(left)
        assert not (tmp_path / "state.key.new").exists()
        state.rekey()


def test_half_a_successor_is_undone(tmp_path: Path) -> None:
    filled(tmp_path).close()
    (tmp_path / "state.key.new").write_text("{")
    with kept.state(tmp_path) as state:
        assert len(values(state)) == 6
    assert not (tmp_path / "state.key.new").exists()


def test_no_room_for_both_changes_nothing(tmp_path: Path) -> None:
    with kept.state(tmp_path, max_bytes=96 << 10) as state:
        with state.writing() as batch:
            batch.put("a", "1", bytes(50_000))
        with pytest.raises(StateUnavailable, match="FULL"):
            state.rekey()
        assert values(state) == {"1": bytes(50_000)}
        assert not (tmp_path / "state.key.new").exists()


def test_a_folder_that_can_not_be_written_changes_nothing(tmp_path: Path) -> None:
    with filled(tmp_path) as state:
        (tmp_path / "state.key.new").mkdir()
        with pytest.raises(StateUnavailable, match="cannot write"):
            state.rekey()
        shutil.rmtree(tmp_path / "state.key.new")
        assert len(values(state)) == 6


def test_a_new_passphrase_is_needed_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tmp_path / "words"
    words.touch(0o600)
    words.write_text("copper lantern whistle mango orbit")
    monkeypatch.setenv("CLEANROOM_NEW_PASSPHRASE_FILE", str(words))
    keys = Keys(tmp_path / "state.key")
    with filled(tmp_path) as state, kept.state(tmp_path) as running:
        state.rekey(keys.under(Asked("New", "CLEANROOM_NEW_PASSPHRASE")))
        assert len(values(state)) == 6
        with pytest.raises(StateKeyRefused, match="nobody is there"):
            values(running)
    monkeypatch.setenv("CLEANROOM_PASSPHRASE_FILE", str(words))
    with kept.state(tmp_path) as state:
        state.rekey()  # as before: under the passphrase
        assert '"sealed"' in keys.path.read_text()
        state.rekey(keys.in_the_clear)
        assert '"secret"' in keys.path.read_text()


def opened_under(content: bytes, keys: list[bytes], starts: list[bytes]) -> int:
    """Count at how many places of a file one of the keys opens something that starts so.

    AES-GCM is AES in counter mode: the first block is read at every offset, whatever the place or
    the tag say, so nothing has to be known of the file's form.
    """
    octets = np.frombuffer(content + bytes(28), np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(octets, 28)
    counters = np.zeros((len(windows), 16), np.uint8)
    counters[:, :12], counters[:, 15] = windows[:, :12], 2
    found = 0
    for key in keys:
        blocks = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 -- block by block, on purpose
        stream = blocks.update(counters.tobytes())
        plain = np.frombuffer(stream, np.uint8).reshape(-1, 16) ^ windows[:, 12:]
        for start in starts:
            found += int((plain[:, : len(start)] == list(start)).all(axis=1).sum())
    return found


def test_erased_bytes_open_under_no_key_that_is_left(tmp_path: Path) -> None:
    """S21: neither now nor in a copy of database and log from before."""
    state = filled(tmp_path)
    gone = state._ring._keys[2].exposed()
    starts = [packed("a", f"{i}", b"%d" % i) for i in (1, 3, 5)] + [gone[:16]]
    copied = {name: (tmp_path / name).read_bytes() for name in ("state.db", "state.db-wal")}
    assert opened_under(copied["state.db-wal"], every_key(state), starts) >= 4
    state.rekey(without="north.visits")
    left = every_key(state)
    assert gone not in left
    now = {f"{path.name} now": path.read_bytes() for path in tmp_path.iterdir()}
    for name, content in (copied | now).items():
        assert opened_under(content, left, starts) == 0, name
        assert gone not in content


def every_key(state: State) -> list[bytes]:
    """Return the key in the key file, all that follow from it, and all that these unwrap."""
    master = bytes.fromhex(json.loads(state.path.with_suffix(".key").read_text())["secret"])
    derived = [Secret(master).derive(use) for use in ("names", "tally", "head", "wrap")]
    return [master, *(key.exposed() for key in (*derived, *state._ring._keys.values()))]
