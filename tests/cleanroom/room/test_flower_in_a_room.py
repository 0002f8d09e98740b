"""A Flower app in a room of real processes, against Flower on single replies."""

import sys
from pathlib import Path

import flower_app
import numpy as np
import pytest
import training

from cleanroom import LocalRoom
from cleanroom.errors import AppRefused, CleanroomError
from cleanroom.flower.model import ArraysModel
from cleanroom.learning.facts import Column, Facts, Rows

sys.path.append(str(flower_app.FOLDER))
FEATURES = ("age", "bmi", "smoker")
LIMITS = {"age": (0, 110), "bmi": (10, 70), "smoker": (0, 1)}
CONFIG = {
    "features": 3,
    "rounds": 2,
    "target": "outcome",
    "strategy": "FedAdam",
    "local.rate": 0.01,
}


def job(**changed: object) -> dict[str, object]:
    spec = flower_app.spec(config=CONFIG).model_dump(mode="json")
    return training.job({**spec, **changed}, max_rounds=3)


def test_an_app_gives_what_flower_gives(tmp_path: Path) -> None:
    hospitals = training.patients(n=60)
    with LocalRoom(
        training.contract(), {"patients": hospitals}, apps={"tumours": flower_app.FOLDER}
    ) as room:
        sheet = room.explain_training(job(subsets=True)).text
        assert f"the Flower app 'tumours', SHA-256 {flower_app.CODE.sha256}" in sheet
        assert "those that differ in one owner tell much" in sheet
        trained = room.train(job())
        with pytest.raises(AppRefused, match="other code of 'tumours'"):
            room.train(job(sha256="0" * 64))
    number = [Column(name, "number", *LIMITS[name]) for name in FEATURES]
    facts = Facts(tuple(number), Column("outcome", "number", 0, 1), 3, 4096)
    owned = [rows(training.pooled({name: part})) for name, part in hospitals.items()]
    [expected] = flower_app.direct(flower_app.spec(config=CONFIG), tmp_path, facts, owned)
    assert isinstance(trained.model, ArraysModel)
    for name, array in expected.arrays.items():
        np.testing.assert_allclose(trained.model.arrays[name], array.numpy(), rtol=0, atol=1e-9)
    again = ArraysModel.from_json(trained.model.to_json())
    np.testing.assert_array_equal(again.arrays["out.bias"], trained.model.arrays["out.bias"])
    with pytest.raises(CleanroomError, match="by the app's own code"):
        trained.model.predict({})
    loss = expected.train_metrics_clientapp
    assert trained.curve["round"].tolist() == [1, 2]
    assert trained.curve["train loss"].tolist() == pytest.approx([loss[n]["loss"] for n in (1, 2)])
    assert trained.metrics["train loss"] == trained.model.metrics["train loss"]


def rows(part: training.pd.DataFrame) -> Rows:
    return Rows(
        {name: part[name].to_numpy(float) for name in FEATURES}, part["outcome"].to_numpy(float)
    )
