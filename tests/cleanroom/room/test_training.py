"""Trainings in rooms of real processes: equal to the pooled fit, with owners that leave."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import training
from rich.console import Console
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.cli import app
from cleanroom.demo import training as demo
from cleanroom.errors import (
    CleanroomError,
    ConfigInvalid,
    PeerUnavailable,
    PolicyDenied,
    SessionCancelled,
    UnknownName,
)
from cleanroom.learning import facts as facts_of
from cleanroom.learning import trees
from cleanroom.learning.errors import ModelWithheld
from cleanroom.learning.families import Model
from cleanroom.learning.pooled import run
from cleanroom.models.files import load_model
from cleanroom.session.receipt import Receipt
from cleanroom.session.statements import Finished

FEATURES = ["age", "bmi", "smoker"]
Rows = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    with LocalRoom(training.contract(), {"patients": training.patients()}) as opened:
        yield opened


def assert_pooled(model: Model, rows: Rows) -> None:
    """Compare with the same model of all rows in one place: what no room ever has."""
    pooled = training.pooled(rows)
    fit = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky")
    expected = fit.fit(pooled[FEATURES], pooled["outcome"]).predict_proba(pooled[FEATURES])
    np.testing.assert_allclose(model.predict(pooled), expected[:, 1], rtol=1e-6)


def killing(room: LocalRoom, name: str, at: int) -> Callable[[int, Mapping[str, float]], None]:
    def on_round(round_: int, _: Mapping[str, float]) -> None:
        if round_ == at:
            room.workers[name].kill()

    return on_round


def test_a_training_gives_the_pooled_model_and_everybody_signs(room: LocalRoom) -> None:
    seen: list[int] = []
    trained = room.train(training.job(), on_round=lambda number, _: seen.append(number))
    assert_pooled(trained.model, training.patients())
    assert seen == list(range(1, len(seen) + 1)) == trained.curve["round"].tolist()
    assert 0.4 < trained.metrics["loss"] < 0.6
    statements = trained.receipt.verify(room.contract)
    done = [s for s in statements if isinstance(s, Finished)]
    assert sorted(s.party for s in done) == list(training.HOSPITALS)
    assert {s.role for s in done} == {"training"}
    assert statements[0].plan_hash == room.explain_training(training.job()).plan_hash


def test_trees_under_masks_are_the_pooled_ones_bit_by_bit(room: LocalRoom) -> None:
    trained = room.train(training.job({"kind": "gbdt", "trees": 4}))
    rows, facts = training.pooled(training.patients()), trained.plan.facts
    alone = replace(facts, owners=1, max_rows=facts.owners * facts.max_rows)
    features = {name: rows[name].to_numpy() for name in FEATURES}
    owner = trees.owner(
        trees.Spec(trees=4), alone, facts_of.Rows(features, rows["outcome"].to_numpy())
    )
    pooled = run(trees.train(trees.Spec(trees=4), alone), [owner])
    assert isinstance(trained.model, trees.Model)
    assert trained.model.forest.nodes.tobytes() == pooled.forest.nodes.tobytes()


def test_no_log_holds_a_number_of_the_model(room: LocalRoom) -> None:
    trained = room.train(training.job())
    said = "\n".join(line for worker in room.workers.values() for line in worker.log)
    assert "finished" in said
    assert f"{trained.metrics['loss']:.6f}"[2:] not in said


@pytest.mark.parametrize(
    ("changed", "kind", "named"),
    [
        ({"rows": "SELECT age, ward, outcome FROM patients"}, None, "ward, which may be missing"),
        ({"rows": "SELECT age, outcome FROM patients WHERE ward = 'a'"}, PolicyDenied, "'filter'"),
        ({"rows": "SELECT age, patient, outcome FROM patients"}, PolicyDenied, "patients.patient"),
        ({"without": ["west"]}, PolicyDenied, "2 owners"),
        ({"rows": "SELECT age, outcome FROM patient"}, UnknownName, "patients"),
        ({"epochs": 3}, ConfigInvalid, "job.epochs: unknown key"),
    ],
)
def test_what_may_not_be_trained_is_refused_by_name(
    room: LocalRoom, changed: dict[str, object], kind: type[CleanroomError] | None, named: str
) -> None:
    with pytest.raises(kind or CleanroomError) as refused:
        room.train(training.job(**changed))
    assert named in str(refused.value)
    if kind is not PolicyDenied:
        with pytest.raises(kind or CleanroomError, match=re.escape(refused.value.message)):
            room.explain_training(training.job(**changed))


def test_a_training_that_is_interrupted_ends_everywhere(room: LocalRoom) -> None:
    def interrupt(round_: int, _: Mapping[str, float]) -> None:
        raise SessionCancelled(f"enough after {round_}")

    with pytest.raises(SessionCancelled, match="enough after 1"):
        room.train(training.job(), on_round=interrupt)
    assert_pooled(room.train(training.job()).model, training.patients())


RECIPIENT = """
import os, sys
from cleanroom import connect
with connect(sys.argv[1]) as room:
    room.train(
        sys.argv[2],
        folder=sys.argv[3],
        on_round=lambda number, _: os.kill(os.getpid(), 9) if number == 3 else None,
    )
"""


def test_a_training_goes_on_after_an_owner_or_its_recipient_died(
    room: LocalRoom, tmp_path: Path
) -> None:
    folder, job = tmp_path / "job", training.as_toml(training.job(), tmp_path / "job.toml")
    with pytest.raises(PeerUnavailable) as left:
        room.train(job, folder=folder, on_round=killing(room, "west", 2))
    assert left.value.party == "west"
    assert "3 owners have to stay" in left.value.message
    room.workers["west"].start()
    room.workers["west"].wait_ready(60)
    with pytest.raises(PeerUnavailable) as left:
        room.train(job, folder=folder, resume=True, on_round=killing(room, "coordinator", 3))
    assert left.value.party == "coordinator"
    room.workers["coordinator"].start()
    room.workers["coordinator"].wait_ready(60)
    config = room.workers["west"].config.parents[1] / "university" / "config.toml"
    while not all(here for name, here in room.status().items() if name != "university"):
        pass
    died = subprocess.run(
        [sys.executable, "-c", RECIPIENT, str(config), str(job), str(folder)], env=os.environ
    )
    assert died.returncode == -9
    (checkpoint,) = folder.iterdir()
    assert checkpoint.stat().st_mode & 0o777 == 0o600
    assert not any(word in checkpoint.read_bytes() for word in (b"F64", b"loss", b"shape"))
    arguments = ["train", str(job), "--config", str(config), "--output", str(folder), "--resume"]
    arguments += ["--model", str(tmp_path / "model.safetensors")]
    went_on = CliRunner().invoke(app, arguments)
    assert went_on.exit_code == 0, went_on.output
    curve = pd.read_csv(folder / "curve.csv")
    assert curve["round"].tolist() == list(range(1, len(curve) + 1))
    assert f"loss: {curve['loss'].iloc[-1]:.6g}" in went_on.output
    Receipt.from_json((folder / "receipt.json").read_text()).verify(room.contract)
    assert "A logistic model" in (folder / "card.md").read_text()
    assert "checkpoint.sealed" not in os.listdir(folder)
    assert_pooled(load_model(folder / "model.json").model, training.patients())
    assert_pooled(load_model(tmp_path / "model.safetensors").model, training.patients())


def test_the_model_is_judged_on_persons_held_out(room: LocalRoom) -> None:
    trained = room.train(training.job(holdout=0.3))
    assert trained.evaluation is not None
    kept = len(training.pooled(training.patients()))
    assert 0.2 * kept < trained.evaluation.rows < 0.4 * kept
    assert 0.6 < trained.metrics["auc"] < 0.9
    trained_on, _, tested_on = trained.files()["card.md"].partition("rows held out, over all")
    assert "- loss:" in trained_on
    assert "- auc:" in tested_on
    assert "- loss:" not in tested_on
    network = room.train(training.job({"kind": "network", "rounds": 2}, holdout=0.3))
    assert network.evaluation is not None
    assert network.evaluation.rows == trained.evaluation.rows
    rows = "SELECT age, bmi, outcome FROM patients"
    cox = room.train(training.job({"kind": "cox"}, rows=rows, time="bmi", holdout=0.3))
    assert 0.4 < cox.metrics["c_index"] < 0.9


def test_a_model_that_remembers_who_trained_it_is_withheld(room: LocalRoom, tmp_path: Path) -> None:
    careful = room.train(training.job(holdout=0.4, max_membership=0.1))
    assert careful.attacked is not None
    assert careful.metrics["membership"] == careful.attacked.rate < 0.1
    assert "An attacker by loss" in careful.files()["card.md"]
    strict = training.job(holdout=0.4, max_membership=1e-9)
    with pytest.raises(ModelWithheld, match="the model is withheld"):
        room.train(strict, folder=tmp_path / "job")
    assert "checkpoint.sealed" not in os.listdir(tmp_path / "job")


def test_another_job_does_not_go_on_from_this_ones_folder(room: LocalRoom, tmp_path: Path) -> None:
    def stop(_: int, __: Mapping[str, float]) -> None:
        raise SessionCancelled("enough")

    with pytest.raises(SessionCancelled):
        room.train(training.job(), folder=tmp_path / "job", on_round=stop)
    with pytest.raises(ConfigInvalid, match="another training"):
        room.train(training.job(purpose="more"), folder=tmp_path / "job", resume=True)


def test_the_demo_trains_the_pooled_model() -> None:
    console = Console(file=io.StringIO(), width=200)
    assert demo.run(console)
    assert "equal: yes" in console.file.getvalue()


def test_with_enough_others_a_training_goes_on_without_an_owner() -> None:
    owners = (*training.HOSPITALS, "east")
    rows = training.patients(owners)
    with LocalRoom(training.contract(owners), {"patients": rows}) as room:
        trained = room.train(training.job(min_owners=3), on_round=killing(room, "south", 2))
        assert trained.left == ("south",)
        statements = trained.receipt.verify(room.contract)
    done = {s.party for s in statements if isinstance(s, Finished)}
    assert done == set(owners) - {"south"}
    assert_pooled(trained.model, {name: part for name, part in rows.items() if name != "south"})
