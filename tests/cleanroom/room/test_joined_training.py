"""A model of three owners' columns in a room of processes, and what the room refuses."""

from collections.abc import Iterator
from pathlib import Path

import cancer
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from cleanroom import load_model
from cleanroom.cli import app
from cleanroom.errors import ConfigInvalid, DataMismatch, ModelMismatch, PolicyDenied
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.local.room import LocalRoom
from cleanroom.recipient.joined import JoinedModel
from cleanroom.session.receipt import Receipt

JOIN = "clinic.sizes c JOIN registry.outcomes r ON r.pid = c.id"


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    with LocalRoom(cancer.contract(), cancer.frames()) as opened:
        yield opened


def test_a_model_of_joined_rows_predicts_like_that_of_pooled_rows(room: LocalRoom) -> None:
    model = room.train_joined(cancer.SQL, target="benign", iterations=40)
    rows = cancer.joined()
    pooled, scaler = cancer.pooled_fit()
    expected = pooled.predict_proba(scaler.transform(rows[cancer.FEATURES].to_numpy()))[:, 1]
    chances = model.predict(rows)
    assert np.abs(chances - expected).max() < 0.05
    theirs = roc_auc_score(rows["benign"], expected)
    assert abs(roc_auc_score(rows["benign"], chances) - theirs) < 1e-3
    assert JoinedModel.from_json(model.to_json()) == model
    assert model.result is not None
    assert model.result.stats.rounds > 18 * 40
    sheet = room.explain_train_joined(cancer.SQL, target="benign")
    assert "fit a logistic regression" in sheet.text


def test_the_command_trains_and_explains(room: LocalRoom, tmp_path: Path) -> None:
    config = room.workers["clinic"].config.parents[1] / "analyst" / "config.toml"
    sql = f"SELECT c.area, r.benign FROM {JOIN}"
    words = ["train-joined", sql, "--target", "benign", "--config", str(config)]
    done = CliRunner().invoke(app, [*words, "--explain"])
    assert "fit a logistic regression" in done.output
    output, receipt = tmp_path / "model.json", tmp_path / "receipt.json"
    words += ["--iterations", "5", "--output", str(output), "--receipt", str(receipt)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    model = JoinedModel.from_json(output.read_text())
    assert f"area: {model.coefficients['area']:.6g}" in done.output
    Receipt.from_json(receipt.read_text()).verify(room.contract)


def test_a_job_whose_rows_owners_join(room: LocalRoom, tmp_path: Path) -> None:
    config = room.workers["clinic"].config.parents[1] / "analyst" / "config.toml"
    job, folder = tmp_path / "job.toml", tmp_path / "benign"
    job.write_text(
        '[job]\nname = "benign"\npurpose = "tell tumours apart"\ntarget = "benign"\n'
        f'rows = "SELECT c.area, r.benign FROM {JOIN}"\n'
        '[model]\nkind = "joined_logistic"\niterations = 5\n'
    )
    words = ["train", str(job), "--config", str(config), "--output", str(folder)]
    done = CliRunner().invoke(app, [*words, "--explain"])
    assert "fit a logistic regression" in done.output
    done = CliRunner().invoke(app, [*words, "--resume"])
    assert isinstance(done.exception, ConfigInvalid)
    assert "resume" in done.exception.message
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    kept = {file.name for file in folder.iterdir()}
    assert kept == {"model.json", "card.md", "receipt.json"}
    loaded = load_model(folder / "model.json")
    assert loaded.about["job"] == "benign"
    small, large = loaded.model.predict({"area": [300, 2000]})
    assert small > large
    card = (folder / "card.md").read_text()
    assert "rows that clinic, registry joined in secret" in card
    assert loaded.about["plan"] in card
    assert "no curve, as no loss is opened" in done.output
    Receipt.from_json((folder / "receipt.json").read_text()).verify(room.contract)


def test_the_room_refuses_what_the_contract_does_not_give(room: LocalRoom) -> None:
    sql = cancer.SQL.replace("r.benign", "r.pid AS patient, r.benign")
    with pytest.raises(PolicyDenied, match=r"registry\.outcomes\.pid used as 'train'"):
        room.train_joined(sql, target="benign")


def test_too_few_persons_give_no_model(room: LocalRoom) -> None:
    with pytest.raises(TrainingImpossible, match="fewer persons than min_group"):
        room.train_joined(cancer.SQL + " WHERE c.radius < 7", target="benign", iterations=1)


def test_what_is_no_model_is_refused() -> None:
    model = JoinedModel("linear", {"intercept": 1.0, "age": 2.0, "state=nsw": 3.0})
    found = model.predict({"age": [1, 2], "state": ["nsw", "vic"]})
    np.testing.assert_array_equal(found, [6, 5])
    with pytest.raises(DataMismatch, match="'age'"):
        model.predict({"state": ["nsw"]})
    for text in ("", "[]", "{}", model.to_json().replace("2.0", "NaN")):
        with pytest.raises(ModelMismatch):
            JoinedModel.from_json(text)
