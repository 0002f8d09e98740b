"""Noisy queries in a room of real processes: charged durably, opened with noise, refused after."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import noisy
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.budget.ledger import Ledger
from cleanroom.cli import app
from cleanroom.config import MemberConfig
from cleanroom.errors import BudgetExhausted, PolicyDenied
from cleanroom.storage.state import State

SQL = "SELECT kind, COUNT(*) AS n, SUM(amount) AS total FROM claims GROUP BY kind ORDER BY kind"


@pytest.fixture(scope="module")
def rows() -> dict[str, object]:
    return noisy.rows()


@pytest.fixture(scope="module")
def room(rows: dict[str, object]) -> Iterator[LocalRoom]:
    with LocalRoom(noisy.contract(), rows) as opened:
        yield opened


def spent(room: LocalRoom, table: str = "claims") -> list[float]:
    """Return each owner's share of its budget that is spent."""
    shares = []
    for name in noisy.OWNERS:
        config = MemberConfig.load(room.workers[name].config)
        with State.open(config.state, config.keys, room.contract.terms.room.name) as state:
            found = [one for one in Ledger(state).spent() if one.scope.table == table]
        shares.append(float(found[0].spent / found[0].allowed) if found else 0.0)
    return shares


@pytest.mark.parametrize("protocol", ["mpc", "he"])
def test_every_cell_is_opened_with_noise(
    room: LocalRoom, rows: dict[str, object], protocol: str
) -> None:
    before = spent(room)
    result = room.sql(SQL, protocol=protocol, epsilon=0.5)
    found = result.to_pandas()
    assert list(found.kind.fillna("none")) == [*noisy.KINDS, "none"]  # also of kinds without rows
    pooled = pd.concat(rows["claims"].values())
    exact = pooled.groupby("kind", dropna=False).amount.agg(["size", "sum"])
    exact = exact.reindex([*noisy.KINDS, np.nan], fill_value=0)
    for column, truth in (("n", exact["size"]), ("total", exact["sum"])):
        error = result.standard_errors[column]
        off = found[column].to_numpy(float) - truth.to_numpy()
        assert (abs(off) < 6 * error).all()
        assert (off != 0).any()
    assert result.privacy["epsilon"] == 0.5
    assert result.privacy["standard_errors"]["COUNT(*)"] == result.standard_errors["n"]
    after = spent(room)
    assert all(a == pytest.approx(b + 0.017, abs=0.004) for a, b in zip(after, before, strict=True))
    told = room.explain(SQL, protocol=protocol, epsilon=0.5)
    assert told.accepted
    assert "standard error" in told.text
    assert spent(room) == after  # members ruled, and nobody was charged


SPELLINGS = [
    "select sum(amount) as s,  COUNT( * ), kind from claims x where 1=1 group by kind",
    "SELECT kind, AVG(amount) AS a, COUNT(*) FROM claims GROUP BY 1 HAVING COUNT(*) > 1 LIMIT 3",
]


def test_the_same_question_gets_the_same_answer_and_costs_nothing(room: LocalRoom) -> None:
    first = room.sql(SQL, epsilon=0.3).to_pandas().set_index("kind")
    before = spent(room)
    for sql in (SQL, *SPELLINGS):
        kept = room.sql(sql, epsilon=0.3)
        found = kept.to_pandas().set_index("kind")
        assert kept.stored is not None
        assert "stored" in repr(kept)
        kept.receipt.verify(room.contract)
        if "s" in found:
            assert (found.s == first.total.reindex(found.index)).all()
        elif "a" in found:
            ratio = (first.total / first.n).clip(0, 100).reindex(found.index)
            assert found.a.to_numpy() == pytest.approx(ratio.to_numpy())
    assert spent(room) == before
    assert room.sql(SQL, epsilon=0.2).stored is None
    fresh = room.sql(SQL, epsilon=0.3, fresh=True)
    assert fresh.stored is None
    assert (fresh.to_pandas().n.to_numpy() != first.n.to_numpy()).any()
    assert all(after > b for after, b in zip(spent(room), before, strict=True))


def test_a_spent_budget_is_refused_by_name_and_charges_nobody(room: LocalRoom) -> None:
    before = spent(room)
    with pytest.raises(PolicyDenied) as refused:
        room.sql("SELECT SUM(amount) FROM claims", epsilon=4.0)
    for owner in noisy.OWNERS:
        assert f"{owner}: claims: epsilon 4.000 asked" in str(refused.value)
    with pytest.raises(PolicyDenied, match="epsilon 5 asked; 4 allowed"):
        room.sql("SELECT COUNT(*) FROM claims", epsilon=5.0)
    assert spent(room) == before
    told = room.explain("SELECT SUM(amount) FROM claims", epsilon=4.0).text
    assert "budget-exhausted" in told
    assert spent(room) == before


def test_the_commands_ask_with_noise_and_show_what_is_left(room: LocalRoom) -> None:
    config = room.workers["alpha"].config
    analyst = config.parent.parent / "analyst" / "config.toml"

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, [words[0], "--config", str(analyst), *words[1:]])
        assert done.exit_code == 0, done.output
        return done.output

    asked = "SELECT AVG(level) AS mean, COUNT(*) AS n FROM claims"
    assert "noisy: standard error" in run("explain", asked, "--epsilon", "0.05", "--offline")
    first = run("query", asked, "--epsilon", "0.05")
    assert "noisy, epsilon 0.05; standard errors: SUM(claims.level)" in first
    assert "at no cost" in run("query", asked, "--epsilon", "0.05")
    assert "at no cost" not in run("query", asked, "--epsilon", "0.05", "--fresh")
    words = ["budget", "--config", str(config), "--format", "json"]
    (claims, *_) = [
        one for one in json.loads(CliRunner().invoke(app, words).stdout) if one["table"] == "claims"
    ]
    assert claims["recipient"] == "analyst"
    assert 0 < claims["spent"] <= claims["epsilon"] == pytest.approx(4.0, abs=0.001)


def test_of_many_questions_at_once_no_more_pass_than_the_budget_allows(room: LocalRoom) -> None:
    """Each takes most of the budget: one passes, the same at all owners, and nobody pays twice."""
    asked = [f"SELECT SUM(amount) FROM claims WHERE level <> {i}" for i in range(10)]
    before = spent(room)

    def ask(sql: str) -> bool:
        try:
            room.sql(sql, epsilon=3.4, protocol="mpc")
        except (PolicyDenied, BudgetExhausted):
            return False
        return True

    with ThreadPoolExecutor(len(asked)) as pool:
        assert sum(pool.map(ask, asked)) == 1
    for share, was in zip(spent(room), before, strict=True):
        assert was + 0.7 < share <= 1
