"""Trainings under differential privacy in rooms of real processes: noisy, charged, and refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import training
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.budget.ledger import Ledger
from cleanroom.budget.zcdp import rho_within
from cleanroom.cli import app
from cleanroom.config import MemberConfig
from cleanroom.errors import PolicyDenied
from cleanroom.learning.private.model import PrivateModel
from cleanroom.policy.model import Code
from cleanroom.storage.state import State


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    rows = {"patients": training.patients(n=2000)}
    with LocalRoom(training.contract(release="dp", epsilon=8.0, delta=1e-6), rows) as opened:
        yield opened


def job(epsilon: float) -> dict[str, Any]:
    dp = {"epsilon": epsilon, "delta": 1e-6, "clip": 1.5}
    return training.job({"kind": "private_logistic", "rounds": 6, "dp": dp})


def spent(room: LocalRoom) -> list[float]:
    """Return each owner's share of its budget that is spent."""
    shares = []
    for name in training.HOSPITALS:
        config = MemberConfig.load(room.workers[name].config)
        assert config.state.stat().st_mode & 0o777 == 0o600
        with State.open(config.state, config.keys, room.contract.terms.room.name) as state:
            (only,) = Ledger(state).spent()
        shares.append(float(only.spent / only.allowed))
    return shares


def test_a_private_training_is_charged_once_to_each_owner(room: LocalRoom) -> None:
    trained = room.train(job(7.0))
    assert isinstance(trained.model, PrivateModel)
    assert float(trained.model.privacy["epsilon"]) <= 7.0
    card = trained.files()["card.md"]
    assert "epsilon = 7, \ndelta = 1e-06 differentially private: one person with" in card
    assert "- private.gradient, 6 times: rows clipped to 1.5; noise of" in card
    assert "by dp-accounting: epsilon = 7" in card
    pooled = training.pooled(training.patients(n=2000))
    right = (trained.model.predict(pooled) > 0.5) == (pooled["outcome"] == 1)
    assert right.mean() > 0.6
    assert spent(room) == pytest.approx([0.8] * 3, abs=0.05)
    with pytest.raises(PolicyDenied) as refused:
        room.train(job(7.0))
    for name in training.HOSPITALS:
        assert f"{name}: patients: epsilon 7.000 asked" in str(refused.value)
    room.workers["west"].kill()
    room.workers["west"].start()
    room.workers["west"].wait_ready(60)
    with pytest.raises(PolicyDenied, match="west"):
        room.train(job(7.0))
    assert spent(room) == pytest.approx([0.8] * 3, abs=0.05)


def test_an_owner_sees_what_is_left(room: LocalRoom) -> None:
    config = room.workers["south"].config
    words = ["budget", "--config", str(config), "--format", "json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    (only,) = json.loads(done.stdout)
    assert (only["table"], only["recipient"]) == ("patients", "university")
    assert only["epsilon"] == pytest.approx(8.0, abs=0.001)
    read = MemberConfig.load(config)
    with State.open(read.state, read.keys, room.contract.terms.room.name) as state:
        (kept,) = Ledger(state).spent() or (None,)
    left = float(kept.allowed - kept.spent) if kept else float(rho_within(8.0, 1e-6))
    assert only["rho left"] == pytest.approx(left)


@pytest.mark.parametrize(
    ("asked", "named"),
    [(job(8.1), "epsilon 8.1 and delta 1e-06 asked"), (training.job(), "asks for noise")],
)
def test_what_the_contract_does_not_allow_is_refused_by_name(
    room: LocalRoom, asked: dict[str, Any], named: str
) -> None:
    with pytest.raises(PolicyDenied) as refused:
        room.train(asked)
    assert named in str(refused.value)
    assert Code.BUDGET_EXHAUSTED not in str(refused.value)
