"""A room whose owner forgets a person, and then erases a table: what everybody computes after."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import training
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.audit.log import Log
from cleanroom.cli import app
from cleanroom.config import MemberConfig
from cleanroom.errors import CertificateInvalid, CleanroomError, PolicyDenied, UnknownName
from cleanroom.lifecycle.certificate import Certificate, missing
from cleanroom.storage.state import State

PATIENTS = training.patients()
_ADULTS = PATIENTS["north"].query("age >= 18 and outcome.notna()")
GONE = [int(_ADULTS["patient"].iloc[i]) for i in (3, 77)]
FEATURES = ["age", "bmi", "smoker"]
TOTALS = "SELECT SUM(bmi) AS total FROM patients WHERE age >= 18"


def contract() -> dict[str, Any]:
    source = training.contract(untested_cells="opened", min_contributors=2)
    source["tables"]["patients"]["columns"]["bmi"]["rights"] = {
        "university": ["train", "filter", "sum"]
    }
    return source


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    with LocalRoom(contract(), {"patients": PATIENTS}) as opened:
        yield opened


def state(room: LocalRoom, *words: str) -> str:
    config = room.workers["north"].config
    done = CliRunner().invoke(app, ["state", *words, "--config", str(config)])
    assert done.exit_code == 0, f"{done.output}{done.exception!r}"
    return done.output


def rows(without: list[int]) -> dict[str, pd.DataFrame]:
    return {name: one[~one["patient"].isin(without)] for name, one in PATIENTS.items()}


def assert_computed(room: LocalRoom, without: list[int]) -> None:
    """Compare a total and a model with those of the plain rows."""
    assert_total(room, without)
    used = training.pooled(rows(without))
    fit = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky")
    right = fit.fit(used[FEATURES], used["outcome"]).predict_proba(used[FEATURES])
    model = room.train(training.job()).model
    np.testing.assert_allclose(model.predict(used), right[:, 1], rtol=1e-6)


def assert_total(room: LocalRoom, without: list[int]) -> None:
    total = pd.concat(rows(without).values()).query("age >= 18")["bmi"].sum()
    got = room.sql(TOTALS, protocol="he").to_pandas()["total"].iloc[0]
    assert float(got) == pytest.approx(total, abs=1e-6)


def test_what_is_computed_is_what_it_is_without_the_person(room: LocalRoom, tmp_path: Path) -> None:
    """S43; the running process heeds it with its next session, and after a restart."""
    assert_total(room, [])
    listed = tmp_path / "persons"
    listed.write_text("".join(f"{person}\n" for person in GONE))
    assert "2 rows of patients" in state(room, "forget", "patients", "--persons", str(listed))
    assert_computed(room, GONE)
    room.workers["north"].kill()
    room.workers["north"].start()
    room.workers["north"].wait_ready(60)
    assert_total(room, GONE)


def test_the_log_tells_that_somebody_was_forgotten_and_not_who(room: LocalRoom) -> None:
    read = read_only(room)
    with State.open(read.state, read.keys, room.contract.terms.room.name) as opened:
        records = [json.loads(record) for record in Log(opened).contents()]
    (line,) = [record for record in records if record["kind"] == "person-forgotten"]
    assert set(line) == {"at", "nonce", "kind", "table"}
    kinds = [record["kind"] for record in records]
    begun = kinds.index("person-forgotten")  # whose rows no commitment is to any more
    assert kinds[begun + 1] == "epoch-begun"
    assert "rows-committed" in kinds[begun:]
    said = "".join(room.workers["north"].log)
    assert not any(f'"{person}"' in said for person in GONE)


def test_who_can_not_be_forgotten_is_refused(room: LocalRoom, tmp_path: Path) -> None:
    listed, config = tmp_path / "persons", str(room.workers["north"].config)
    for table, person, says in (
        ("patients", "7.5", "isn't written as its column patient is"),
        ("patients", "canary", "isn't written as its column patient is"),
        ("accounts", "1", "has no rows of a table"),
    ):
        listed.write_text(person)
        words = ["state", "forget", table, "--persons", str(listed), "--config", config]
        done = CliRunner().invoke(app, words)
        assert isinstance(done.exception, CleanroomError)
        assert says in str(done.exception)
        assert person not in str(done.exception).replace("1", "")


def test_an_owner_changes_its_keys_while_its_process_runs(room: LocalRoom) -> None:
    before = read_only(room).keys.path.read_bytes()
    assert "is under a new key" in state(room, "rotate-key")
    assert read_only(room).keys.path.read_bytes() != before
    assert "erased     nothing" in state(room, "show")
    coordinator = str(room.workers["coordinator"].config)
    done = CliRunner().invoke(app, ["state", "rotate-key", "--config", coordinator])
    assert done.exit_code == 0, done.output
    room.sql(TOTALS, protocol="he")


def read_only(room: LocalRoom) -> MemberConfig:
    return MemberConfig.load(room.workers["north"].config)


def test_an_erased_table_takes_part_in_nothing(room: LocalRoom, tmp_path: Path) -> None:
    """S21, S29: refused by name in the running process, and certified."""
    key, out = tmp_path / "backup.key", tmp_path / "certificate.json"
    made = state(room, "backup", str(tmp_path / "b"), "--key", str(key)).split(":")[0]
    said = state(room, "erase", "patients", "--yes", "--output", str(out))
    assert int(said.split()[0]) >= 2  # who was forgotten
    assert f"the key of the {made} of" in said
    for restarted in (False, True):
        if restarted:
            room.workers["north"].kill()
            room.workers["north"].start()
            room.workers["north"].wait_ready(60)
        for ask in (lambda: room.sql(TOTALS, protocol="he"), lambda: room.train(training.job())):
            with pytest.raises(PolicyDenied, match="table patients was erased at north"):
                ask()
    certificate = Certificate.read(out)
    certificate.check(room.contract)
    assert missing(room.contract, "patients", [certificate]) == ["south", "west"]
    for edit in ({"values": 4000}, {"table": "accounts"}, {"member": "south"}, {"signature": "00"}):
        with pytest.raises(CertificateInvalid):
            certificate.model_copy(update=edit).check(room.contract)


def test_owners_without_a_certificate_are_named(room: LocalRoom, tmp_path: Path) -> None:
    contract, out = read_only(room).contract, tmp_path / "certificate.json"
    state(room, "erase", "patients", "--yes", "--output", str(out))
    words = ["state", "certified", str(out), "--contract", str(contract), "--table", "patients"]
    done = CliRunner().invoke(app, words)
    assert "north erased patients at 2" in done.output
    assert isinstance(done.exception, CertificateInvalid)
    assert "south and west" in str(done.exception)
    for other in ("accounts", "patient"):
        done = CliRunner().invoke(app, [*words[:-1], other])
        assert isinstance(done.exception, CertificateInvalid | UnknownName)
        assert not done.output
    out.write_text("{}")
    assert isinstance(CliRunner().invoke(app, words).exception, CertificateInvalid)


def test_a_restored_state_is_confirmed_openly(room: LocalRoom, tmp_path: Path) -> None:
    read, key = read_only(room), tmp_path / "backup.key"
    state(room, "backup", str(tmp_path / "b"), "--key", str(key))
    there = tmp_path / "there"
    there.mkdir()
    config = there / "config.toml"
    config.write_text(f"identity = '{read.identity}'\ncontract = '{read.contract}'\n")

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["state", *words, "--config", str(config)])
        assert done.exit_code == 0, f"{done.output}{done.exception!r}"
        return done.output

    said = run("restore", str(tmp_path / "b"), "--key", str(key))
    assert "sure of the budgets" in said
    shown = run("show")
    assert "it came out of a backup of" in shown
    assert shown.split("digest     ")[1].split()[0] in said  # S41
    run("confirm", "--reason", "the machine burnt; nothing ran since")
    shown = run("show")
    assert "backup" not in shown
    assert "erased     patients" in shown
