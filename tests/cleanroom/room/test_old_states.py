"""Old copies of a member's state in a real room: found by all, and the budget doesn't come back."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import training
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.cli import app
from cleanroom.errors import LogDiverged, PeerUnavailable, PolicyDenied, RowsChanged
from cleanroom.local.worker import Worker

DP = {"epsilon": 7.0, "delta": 1e-6, "clip": 1.5}
JOB = training.job({"kind": "private_logistic", "rounds": 2, "dp": DP})


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    rows = {"patients": training.patients(n=300)}
    with LocalRoom(training.contract(release="dp", epsilon=8.0, delta=1e-6), rows) as opened:
        yield opened


def said(*words: object) -> str:
    return CliRunner().invoke(app, list(map(str, words))).output


def copied(worker: Worker, to: Path) -> Path:
    """Copy the state of a process that has nothing to do."""
    to.mkdir()
    for file in worker.config.parent.glob("state.*"):
        shutil.copy(file, to)
    return to


def put_back(worker: Worker, copy: Path) -> None:
    """Put a copy back, under a process that doesn't run."""
    for file in worker.config.parent.glob("state.*"):
        file.unlink()
    for file in copy.iterdir():
        shutil.copy(file, worker.config.parent)


def start(worker: Worker) -> None:
    worker.start()
    worker.wait_ready(60)


def diverged(worker: Worker) -> set[str]:
    """Return whose logs a process found to have diverged."""
    words = ("--config", worker.config, "--kind", "log-diverged", "--format", "json")
    return {record["who"] for record in json.loads(said("audit", "show", *words))}


def once_all_attend(room: LocalRoom) -> None:
    """Train, as soon as all have come back, and heard from each other."""
    end = time.monotonic() + 60
    while True:
        try:
            room.train(JOB)
        except (PeerUnavailable, LogDiverged):
            if time.monotonic() > end:
                raise
        else:
            return


def test_a_budget_that_is_put_back_is_not_spent_again(room: LocalRoom, tmp_path: Path) -> None:
    west, north = room.workers["west"], room.workers["north"]
    old = copied(west, tmp_path / "old")
    receipt, whole = tmp_path / "receipt.json", room.train(JOB).receipt
    receipt.write_text(whole.to_json())
    rows = whole.inputs(room.contract)
    assert set(rows) == {(owner, "patients") for owner in training.HOSPITALS}
    assert {one.epoch for one in rows.values()} == {0}
    session = whole.verify(room.contract)[0].session
    words = ("--config", north.config, "--session", session, "--format", "json")
    records = json.loads(said("audit", "show", *words))
    assert [one["kind"] for one in records] == ["requested", "ruled", "charged", "finished"]
    assert not any("SELECT" in str(one) or "readmission" in str(one) for one in records)
    west.stop()
    new = copied(west, tmp_path / "new")
    put_back(west, old)
    (budget,) = json.loads(said("budget", "--config", west.config, "--format", "json"))
    assert budget["spent"] == 0  # as the old copy has it

    start(west)
    for worker in (room.workers["coordinator"], north, west):
        while not (names := diverged(worker)):
            pass
        assert names == {"west"}
    with pytest.raises(LogDiverged) as found:
        room.train(JOB)
    assert found.value.party == "west"
    exported = tmp_path / "north.log"
    said("audit", "export", exported, "--config", north.config)
    words = ("audit", "verify", "--config", west.config, "--against", exported)
    assert "sound" not in said(*words)

    forked, asker = tmp_path / "west.log", west.config.parents[1] / "university" / "config.toml"
    said("audit", "export", forked, "--config", west.config)
    assert "west: before record" in said("audit", "verify", forked, "--config", asker)

    west.stop()
    put_back(west, new)
    start(west)
    with pytest.raises(PolicyDenied, match="west: patients: epsilon"):
        once_all_attend(room)
    assert "sound; as north saw it" in said(*words)
    for worker in room.workers.values():
        words = ("audit", "verify", "--config", worker.config, "--receipt", receipt)
        assert "records, sound" in said(*words), worker.name
    text = receipt.read_text().replace('"log_size', '"log_SIZE')
    receipt.write_text(text)
    assert "sound" not in said(*words)


def test_other_rows_need_a_new_epoch(room: LocalRoom) -> None:
    south = room.workers["south"]
    south.stop()
    file = south.config.parent / "patients.parquet"
    rows = pq.read_table(file)
    pq.write_table(rows.slice(1), file)
    south.start()
    with pytest.raises(RowsChanged) as found:
        south.wait_ready(60)
    assert found.value.party == "south"
    south.stop()
    assert "epoch 1 of south begins" in said("audit", "epoch", "--config", south.config)
    start(south)
    with pytest.raises(PolicyDenied, match="epsilon"):
        room.train(JOB)


def test_all_go_on_without_a_lost_state_one_after_another(room: LocalRoom, tmp_path: Path) -> None:
    west = room.workers["west"]
    old = copied(west, tmp_path / "old")
    with pytest.raises(PolicyDenied, match="epsilon"):
        room.train(JOB)
    west.stop()
    put_back(west, old)
    start(west)
    with pytest.raises(LogDiverged):
        room.train(JOB)
    words = ("audit", "verify", "--config", west.config)
    assert "others hold it to a log that isn't this one" in said(*words)
    others = [worker for name, worker in room.workers.items() if name != "west"]
    for worker in sorted(others, key=lambda one: one.name == "coordinator"):
        if worker.name == "coordinator":  # the last one that holds west to what is lost
            with pytest.raises(LogDiverged):
                room.train(JOB)
        assert "goes on with west" in said("audit", "accept", "west", "--config", worker.config)
        worker.stop()
        start(worker)
    asker = west.config.parents[1] / "university" / "config.toml"
    said("audit", "accept", "west", "--config", asker)
    with pytest.raises(PolicyDenied, match="epsilon"):
        once_all_attend(room)
    assert "records, sound" in said(*words)
