"""A job's arms, from its file and the owners' files to a table and a plot."""

import json
from pathlib import Path

import pandas as pd
import pytest
import training
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.errors import UnknownName
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
