"""`cleanroom train`: what is refused before anybody is asked."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.cli.train import tell_if_anew
from cleanroom.errors import ConfigInvalid
from cleanroom.recipient.checkpoints import NAME

JOB = """[job]
name = "beds"
purpose = "plan beds"
rows = "SELECT age, outcome FROM patients"
target = "outcome"
[model]
kind = "logistic"
"""


@pytest.mark.parametrize(
    ("words", "says", "remedy"),
    [
        (["absent.toml"], "absent.toml: cannot be read: No such file", "Name a file that is there"),
        (["job.toml", "--model", "m.pkl"], "m.pkl ends in no form of a model", ".safetensors"),
        (["job.toml", "--config", "absent.toml"], "absent.toml: cannot be read", "that is there"),
    ],
)
def test_what_can_not_work_is_said_before_the_training(
    words: list[str], says: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("job.toml").write_text(JOB)
    done = CliRunner(env={"CLEANROOM_CONFIG": "none.toml"}).invoke(app, ["train", *words])
    assert isinstance(done.exception, ConfigInvalid)
    assert says in done.exception.message
    assert remedy in done.exception.remedy


def test_a_training_that_can_not_go_on_is_said_to_begin_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_if_anew(tmp_path)
    assert "begins anew" in capsys.readouterr().err
    (tmp_path / NAME).touch()
    tell_if_anew(tmp_path)
    assert capsys.readouterr().err == ""
