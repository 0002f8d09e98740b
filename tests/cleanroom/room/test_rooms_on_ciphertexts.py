"""Rooms in which nobody computes: many owners, answers on ciphertexts, refusals by name."""

import json
import os
import signal
from collections.abc import Collection, Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import rooms
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.cli import app
from cleanroom.errors import (
    DataMismatch,
    OverflowPossible,
    PeerUnavailable,
    PolicyDenied,
    UnknownName,
    UnsupportedQuery,
)
from cleanroom.session.statements import Request

OWNERS = tuple(f"shop_{i}" for i in range(5))
SQL = """SELECT kind, level, COUNT(*) AS n, SUM(amount) AS total, AVG(amount) AS mean
    FROM sales WHERE amount > 10 GROUP BY kind, level ORDER BY kind, level"""


def contract(**privacy: object) -> dict[str, Any]:
    rights = {"rights": {"analyst": ["sum", "avg", "count", "group", "filter", "quantile", "max"]}}
    columns = {
        "person": {"type": "INTEGER", "bounds": [0, 999], "rights": {"analyst": ["sum"]}},
        "kind": {"type": "TEXT", "values": ["b", "a", "c"], "nullable": True, **rights},
        "level": {"type": "INTEGER", "bounds": [-3, 40], **rights},
        "amount": {"type": "DECIMAL(9,2)", "bounds": [-1000, 1000], **rights},
        "great": {"type": "DECIMAL(15,2)", "bounds": [0, 10**12], **rights},
    }
    table = {"members": list(OWNERS), "person": "person", "max_rows": 4096, "columns": columns}
    return {
        **rooms.room(),
        "members": {
            **{name: {"roles": ["input"]} for name in OWNERS},
            "analyst": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 1, **privacy},
        "tables": {"sales": table},
    }


def data() -> dict[str, dict[str, pd.DataFrame]]:
    dice = np.random.default_rng(rooms.SEED)
    n = 700
    return {
        "sales": {
            name: pd.DataFrame(
                {
                    "person": dice.integers(0, 1000, n),
                    "kind": dice.choice(["a", "b", "c", None], n),
                    "level": dice.integers(-3, 41, n),
                    "amount": dice.integers(-100_000, 100_001, n) / 100,
                    "great": 10.0**12,
                }
            )
            for name in OWNERS
        }
    }


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    with LocalRoom(contract(), data()) as opened:
        yield opened


def pooled(sql: str, without: Collection[str] = ()) -> pd.DataFrame:
    connection = duckdb.connect()
    parts = [rows for name, rows in data()["sales"].items() if name not in without]
    connection.register("raw", pd.concat(parts))
    connection.execute(
        "CREATE TABLE sales AS SELECT person, kind, level, amount::DECIMAL(9,2) AS amount FROM raw"
    )
    return connection.sql(sql).df()


@pytest.mark.parametrize(
    "sql",
    [
        SQL,
        "SELECT COUNT(*), SUM(amount), STDDEV(amount), CORR(amount, level) FROM sales",
        "SELECT level, SUM(amount) AS s FROM sales GROUP BY level HAVING COUNT(*) > 70"
        " ORDER BY s DESC LIMIT 4",
        "SELECT SUM(amount) AS nothing FROM sales WHERE level > 99",
        "SELECT MEDIAN(amount), QUANTILE_DISC(amount, 0.9), MAX(amount) FROM sales",
        "SELECT kind, PERCENTILE_DISC(0.25) WITHIN GROUP (ORDER BY level) AS p, MEDIAN(level),"
        " COUNT(DISTINCT level), MAX(kind) FROM sales GROUP BY kind ORDER BY kind",
    ],
)
def test_many_owners_give_the_pooled_answer(room: LocalRoom, sql: str) -> None:
    result = room.sql(sql)
    assert rooms.cells(result.to_pandas(), ordered=True) == rooms.cells(pooled(sql), ordered=True)
    assert {s.speaker for s in result.receipt.verify(room.contract)} == {*OWNERS, "analyst"}


def test_the_commands_take_a_protocol(room: LocalRoom) -> None:
    config = room.workers["shop_0"].config.parent.parent / "analyst" / "config.toml"
    sql = "SELECT SUM(amount) AS total, COUNT(*) AS n FROM sales"

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, sql, "--config", str(config)])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "recipient analyst; encrypting shop_0, shop_1" in run("explain", "--protocol", "he")
    assert "recipient analyst; computing nobody" in run("explain", "--protocol", "mpc")
    (expected,) = pooled(sql).itertuples(index=False)
    rows = run("query", "--protocol", "he", "--format", "csv").splitlines()
    assert rows == ['"total","n"', f"{expected.total:.2f},{expected.n}"]


def test_the_command_fits_a_regression(room: LocalRoom) -> None:
    config = room.workers["shop_0"].config.parent.parent / "analyst" / "config.toml"
    words = ["regress", "sales", "amount", "level", "person", "--where", "kind = 'a'"]
    done = CliRunner().invoke(app, [*words, "--format", "json", "--config", str(config)])
    assert done.exit_code == 0, done.output
    found = room.linear_regression("sales", "amount", ["level", "person"], where="kind = 'a'")
    told = {row.pop("feature"): row for row in json.loads(done.stdout)}
    assert list(told) == ["intercept", "level", "person"]
    assert {name: row["coefficient"] for name, row in told.items()} == dict(found.coefficients)
    done = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert f"{found.rows} rows fitted, R^2 {found.r_squared:.6g}" in done.stdout


def test_a_regression_is_that_of_the_pooled_rows(room: LocalRoom) -> None:
    found = room.linear_regression("sales", "amount", ["level", "person"], where="kind = 'a'")
    rows = pooled("SELECT level, person, amount FROM sales WHERE kind = 'a'").astype(float)
    x = np.column_stack([np.ones(len(rows)), rows["level"], rows["person"]])
    y = rows["amount"].to_numpy()
    wanted, residual, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert list(found.coefficients) == ["intercept", "level", "person"]
    np.testing.assert_allclose(list(found.coefficients.values()), wanted, rtol=1e-9)
    spread = residual[0] / (len(rows) - 3) * np.diag(np.linalg.inv(x.T @ x))
    np.testing.assert_allclose(list(found.standard_errors.values()), np.sqrt(spread), rtol=1e-9)
    assert found.r_squared == pytest.approx(1 - residual[0] / ((y - y.mean()) ** 2).sum())
    assert found.rows == len(rows)
    assert found.result.stats.rounds == 0


def test_a_regression_leaves_rows_with_null_and_members_out(room: LocalRoom) -> None:
    found = room.linear_regression("sales", "amount", ["kind", "level"], without=("shop_1",))
    rows = pooled("SELECT * FROM sales WHERE kind IS NOT NULL", without=("shop_1",))
    kinds = [(rows["kind"] == kind).astype(float) for kind in ("a", "c")]
    x = np.column_stack([np.ones(len(rows)), *kinds, rows["level"].astype(float)])
    wanted, *_ = np.linalg.lstsq(x, rows["amount"].astype(float).to_numpy(), rcond=None)
    assert list(found.coefficients) == ["intercept", "kind=a", "kind=c", "level"]
    np.testing.assert_allclose(found.to_pandas()["coefficient"], wanted, rtol=1e-9)
    assert found.rows == len(rows)
    assert found.result.without == ("shop_1",)


def test_a_regression_that_may_overflow_is_refused_with_what_helps(room: LocalRoom) -> None:
    with pytest.raises(OverflowPossible, match=r"great on level: .* may reach") as e:
        room.linear_regression("sales", "great", ["level"])
    assert "fewer decimals" in e.value.remedy
    with pytest.raises(PolicyDenied, match="used as 'filter'"):
        room.linear_regression("sales", "amount", ["level"], where="person > 3")


def test_a_regression_without_one_solution_is_refused(room: LocalRoom) -> None:
    with pytest.raises(UnsupportedQuery, match="depend on each other"):
        room.linear_regression("sales", "amount", ["level"], where="level = 3")
    with pytest.raises(UnsupportedQuery, match="2 coefficients on 0 rows"):
        room.linear_regression("sales", "amount", ["level"], where="level = 99")
    with pytest.raises(UnsupportedQuery, match="twice"):
        room.linear_regression("sales", "amount", ["level", "amount"])
    with pytest.raises(UnsupportedQuery, match="1 to 30 features"):
        room.linear_regression("sales", "amount", [])
    with pytest.raises(UnknownName, match="'age'"):
        room.linear_regression("sales", "amount", ["age"])


def test_what_needs_shares_is_refused_by_name(room: LocalRoom) -> None:
    with pytest.raises(UnsupportedQuery, match="a histogram of 200001 values of"):
        room.sql("SELECT kind, MAX(amount) FROM sales GROUP BY kind")
    with pytest.raises(PolicyDenied, match=r"sales.person used as 'group' without that right"):
        room.sql("SELECT COUNT(DISTINCT person) FROM sales")
    with pytest.raises(PolicyDenied, match="no members compute on shares"):
        room.sql("SELECT SUM(amount) FROM sales", protocol="mpc")
    with pytest.raises(PolicyDenied, match=r"sales.person used as 'group' without that right"):
        room.sql("SELECT person, COUNT(*) FROM sales GROUP BY person")


def test_a_contributor_that_is_away_is_named_and_nothing_is_opened(room: LocalRoom) -> None:
    worker = room.workers["shop_3"]
    worker.kill()
    with pytest.raises(PeerUnavailable) as caught:
        room.sql(SQL)
    assert caught.value.party == "shop_3"
    assert "without = 'shop_3'" in caught.value.remedy
    result = room.sql(SQL, without=("shop_3",))
    expected = pooled(SQL, without=("shop_3",))
    assert rooms.cells(result.to_pandas(), ordered=True) == rooms.cells(expected, ordered=True)
    assert result.without == ("shop_3",)
    request, *others = result.receipt.verify(room.contract)
    assert isinstance(request, Request)
    assert request.without == ("shop_3",)
    assert "shop_3" not in {statement.speaker for statement in others}
    worker.start()
    worker.wait_ready(60)
    assert len(room.sql(SQL).to_pandas()) > 0


def test_a_frozen_contributor_is_named_and_nothing_is_opened(room: LocalRoom) -> None:
    worker = room.workers["shop_2"]
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        with pytest.raises(PeerUnavailable) as caught:
            room.sql(SQL, deadline_s=12)
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    assert caught.value.party == "shop_2"
    while not room.status()["shop_2"]:
        pass


def test_no_more_are_left_out_than_the_minimum_of_contributors_allows(room: LocalRoom) -> None:
    two = room.sql(SQL, without=OWNERS[:2]).to_pandas()
    expected = pooled(SQL, without=OWNERS[:2])
    assert rooms.cells(two, ordered=True) == rooms.cells(expected, ordered=True)
    with pytest.raises(PolicyDenied, match="shop_3, shop_4; min_contributors asks for 3") as caught:
        room.sql(SQL, without=OWNERS[:3])
    assert "Leave nobody out" in caught.value.remedy


def test_the_commands_leave_members_out(room: LocalRoom) -> None:
    config = room.workers["shop_0"].config.parent.parent / "analyst" / "config.toml"
    out = ["--without", "shop_0", "--without", "shop_1", "--config", str(config)]
    asked = CliRunner().invoke(app, ["query", SQL, *out])
    assert "; without shop_0, shop_1" in asked.output, asked.output
    shown = CliRunner().invoke(app, ["explain", SQL, *out])
    assert "left out, with their rows: shop_0, shop_1" in shown.output, shown.output


def test_cells_are_not_opened_untested_unless_all_agreed() -> None:
    few = {"sales": {name: rows.head(20) for name, rows in data()["sales"].items()}}
    with LocalRoom(contract(min_group=5), few) as room:
        with pytest.raises(PolicyDenied, match="asks for min_group = 5") as caught:
            room.sql(SQL)
        assert "untested_cells = 'opened'" in caught.value.remedy
    with LocalRoom(contract(min_group=5, untested_cells="opened"), few) as room:
        assert room.sql(SQL).suppressed == 0


def test_values_beyond_the_contract_never_leave_their_owner() -> None:
    wrong = data()
    wrong["sales"]["shop_1"].loc[3, "level"] = 41
    with pytest.raises(DataMismatch, match="level"), LocalRoom(contract(), wrong):
        pass
