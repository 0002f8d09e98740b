"""A job's arms, from its file and the owners' files to a table and a plot."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import training
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from cleanroom import compare, pooled
from cleanroom.cli import app
from cleanroom.errors import ConfigInvalid, UnknownName
from cleanroom.learning.job import Job
from cleanroom.models.arms import compare_job


def files(folder: Path) -> dict[str, Path]:
    found = {}
    for name, rows in training.patients(n=200).items():
        found[name] = folder / f"{name}.parquet"
        rows.to_parquet(found[name])
    return found


def test_the_command_compares_arms_of_a_job(tmp_path: Path) -> None:
    job = training.as_toml(training.job(holdout=0.25), tmp_path / "job.toml")
    terms = training.as_toml(training.contract(), tmp_path / "room.toml")
    arguments = ["compare", str(job), "--terms", str(terms), "--seeds", "2"]
    for name, path in files(tmp_path).items():
        arguments += ["--rows", f"{name}={path}"]
    arguments += ["--output", str(tmp_path / "scores.json"), "--plot", str(tmp_path / "arms.png")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    scores = pd.DataFrame(json.loads((tmp_path / "scores.json").read_text()))
    by_arm = scores.pivot_table(index="seed", columns="arm", values="auc")
    assert list(by_arm) == ["federated", "north alone", "pooled", "south alone", "west alone"]
    assert (by_arm["federated"] - by_arm["pooled"]).abs().max() < 1e-9
    assert "federated" in done.output
    assert (tmp_path / "arms.png").read_bytes().startswith(b"\x89PNG")


def test_an_owner_without_a_file_is_named(tmp_path: Path) -> None:
    given = files(tmp_path)
    del given["south"]
    with pytest.raises(UnknownName, match="south has no file"):
        compare_job(Job.of(training.job()), training.terms(), given)
    with pytest.raises(UnknownName, match="moon doesn't own"):
        compare_job(Job.of(training.job()), training.terms(), files(tmp_path) | {"moon": tmp_path})


def test_frames_are_compared_as_files_are_and_pooled_rows_give_one_model(tmp_path: Path) -> None:
    data = {"patients": training.patients(n=200)}
    compared = compare(training.job(), training.contract(), data, seeds=(1,))
    from_files = compare_job(Job.of(training.job()), training.terms(), files(tmp_path), (1,))
    pd.testing.assert_frame_equal(compared.scores, from_files.scores)
    fewer = training.job() | {"model": {"kind": "gbdt", "trees": 2}}
    rows = compare(fewer, training.contract(), data, seeds=(1,)).scores["rows"]
    assert rows.tolist() == compared.scores["rows"].tolist()  # the same persons are held out
    assert compared.table("auprc")["auprc"].between(0, 1).all()
    with pytest.raises(ConfigInvalid, match="no measure 'f1'"):
        compared.table("f1")
    known = training.pooled(data["patients"])
    x = StandardScaler().fit_transform(known[["age", "bmi", "smoker"]])
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(x, known["outcome"])
    model = pooled(training.job(), training.contract(), data)
    np.testing.assert_allclose(model.predict(known), fitted.predict_proba(x)[:, 1], atol=1e-4)
