"""Private parameters in rooms of real processes: answers, refusals, and what nobody is told."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import rooms

from cleanroom import LocalRoom
from cleanroom.errors import (
    PeerUnavailable,
    PolicyDenied,
    PrivateValueRefused,
    UnsupportedQuery,
)

OWNERS = ("bank_a", "bank_b", "bank_c")
COUNTRIES = [f"land-{i:03}" for i in range(200)]
WATCH = ["land-017", "land-123", "land-199"]
SQL = "SELECT COUNT(*) AS n, SUM(amount) AS total FROM transfers WHERE country IN (:watch)"


def contract(**privacy: object) -> dict[str, Any]:
    def column(type_: str, *rights: str, **more: object) -> dict[str, Any]:
        return {"type": type_, "rights": {"analyst": list(rights)}, **more}

    columns = {
        "person": column("INTEGER", "private_filter", bounds=[0, 65_535]),
        "country": column("TEXT", "private_filter", "private_weights", values=COUNTRIES),
        "kind": column("TEXT", "group", "filter", values=["in", "out"], nullable=True),
        "hour": column("INTEGER", "private_filter", bounds=[0, 23]),
        "amount": column("DECIMAL(9,2)", "sum", "avg", "filter", bounds=[0, 9999]),
    }
    table = {"members": list(OWNERS), "person": "person", "max_rows": 4096, "columns": columns}
    return {
        **rooms.room(),
        "members": {
            **{name: {"roles": ["input"]} for name in OWNERS},
            "analyst": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 1, **privacy},
        "tables": {"transfers": table},
    }


def data(n: int = 900) -> dict[str, dict[str, pd.DataFrame]]:
    dice = np.random.default_rng(rooms.SEED)
    return {
        "transfers": {
            name: pd.DataFrame(
                {
                    "person": dice.integers(0, 1000, n),
                    "country": dice.choice(COUNTRIES, n),
                    "kind": dice.choice(["in", "out", None], n),
                    "hour": dice.integers(0, 24, n),
                    "amount": dice.integers(0, 999_901, n) / 100,
                }
            )
            for name in OWNERS
        }
    }


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    with LocalRoom(contract(min_contributors=2), data()) as opened:
        yield opened


def pooled(sql: str, *without: str, **private: Any) -> list[tuple[Any, ...]]:
    connection = duckdb.connect()
    parts = [part for name, part in data()["transfers"].items() if name not in without]
    connection.register("raw", pd.concat(parts))
    connection.execute(
        "CREATE TABLE transfers AS SELECT * REPLACE (amount::DECIMAL(9,2) AS amount) FROM raw"
    )
    for name, values in private.items():
        sql = sql.replace(f":{name}", ", ".join(map(repr, values)))
    return rooms.cells(connection.sql(sql).df(), ordered=True)


@pytest.mark.parametrize(
    ("sql", "private"),
    [
        (SQL, {"watch": WATCH}),
        ("SELECT COUNT(*) FROM transfers WHERE person IN (:few)", {"few": range(100, 65_536, 7)}),
        (f"{SQL} AND amount > 5000 AND kind = 'in'", {"watch": COUNTRIES[:120]}),
        (
            "SELECT kind, COUNT(*), AVG(amount) FROM transfers WHERE country IN (:watch)"
            " AND hour IN (:hours) GROUP BY kind ORDER BY kind",
            {"watch": COUNTRIES[50:], "hours": [0, 1, 2, 3, 22, 23]},
        ),
    ],
)
def test_the_answer_is_that_on_pooled_rows(
    room: LocalRoom, sql: str, private: dict[str, Any]
) -> None:
    result = room.sql(sql, private=private)
    assert rooms.cells(result.to_pandas(), ordered=True) == pooled(sql, **private)
    assert {s.speaker for s in result.receipt.verify(room.contract)} == {*OWNERS, "analyst"}


def test_weighted_sums_are_exact(room: LocalRoom) -> None:
    weights = {country: i - 100 for i, country in enumerate(COUNTRIES)}
    weighed = "SELECT SUM(w * {}) FROM (SELECT *, CAST(right(country, 3) AS INT) - 100 AS w"
    sql = weighed.format("amount") + " FROM transfers WHERE kind = 'out')"
    found = room.weighted_sum(
        "transfers", "country", weights=weights, measure="amount", where="kind = 'out'"
    )
    assert isinstance(found, Decimal)
    assert [(float(found),)] == pooled(sql)
    counted = room.weighted_sum("transfers", "country", weights=weights)
    assert isinstance(counted, int)
    assert [(counted,)] == pooled(weighed.format("1") + " FROM transfers)")


def test_owners_are_left_out_of_private_totals_too(room: LocalRoom) -> None:
    result = room.sql(SQL, private={"watch": WATCH}, without=("bank_c",))
    assert rooms.cells(result.to_pandas(), ordered=True) == pooled(SQL, "bank_c", watch=WATCH)
    assert result.without == ("bank_c",)
    one = dict.fromkeys(COUNTRIES, 1)
    counted = room.weighted_sum("transfers", "country", weights=one, without=("bank_c",))
    assert counted == 2 * len(data()["transfers"]["bank_a"])
    with pytest.raises(PolicyDenied, match="min_contributors asks for 2"):
        room.sql(SQL, private={"watch": WATCH}, without=("bank_b", "bank_c"))


def test_no_value_is_in_the_plan_the_receipt_or_the_logs(room: LocalRoom) -> None:
    result = room.sql(SQL, private={"watch": WATCH})
    told = result.receipt.to_json() + room.explain(SQL).text
    told += "\n".join(line for worker in room.workers.values() for line in worker.log)
    assert SQL in told
    assert not [value for value in WATCH if value in told]


def test_what_is_refused_is_refused_before_anything_is_sent(room: LocalRoom) -> None:
    for given in (None, {}, {"watch": ["atlantis"]}, {"watch": [1.5]}, {"watch": [], "more": []}):
        with pytest.raises(PrivateValueRefused) as caught:
            room.sql(SQL, private=given)
        assert "atlantis" not in str(caught.value)
    with pytest.raises(PrivateValueRefused, match="beyond 10, the largest stated"):
        room.weighted_sum("transfers", "country", weights={"land-001": 11}, largest=10)
    with pytest.raises(UnsupportedQuery, match="with protocol 'mpc'"):
        room.sql(SQL, private={"watch": []}, protocol="mpc")


def test_rights_are_asked_for_by_name(room: LocalRoom) -> None:
    with pytest.raises(PolicyDenied, match=r"transfers.kind used as 'private_filter'"):
        room.sql("SELECT COUNT(*) FROM transfers WHERE kind = :k", private={"k": "in"})
    with pytest.raises(PolicyDenied, match=r"transfers.hour used as 'private_weights'"):
        room.weighted_sum("transfers", "hour", weights={3: 5})
    with pytest.raises(PolicyDenied, match=r"transfers.country used as 'filter'"):
        room.sql("SELECT COUNT(*) FROM transfers WHERE country = 'land-001'")


def test_a_smallest_group_forbids_private_totals_unless_all_agreed() -> None:
    with LocalRoom(contract(min_group=5), data(20)) as room:
        with pytest.raises(PolicyDenied, match="totals of rows that nobody else knows") as caught:
            room.sql(SQL, private={"watch": WATCH})
        assert "untested_cells = 'opened'" in caught.value.remedy
    with LocalRoom(contract(min_group=5, untested_cells="opened"), data(20)) as room:
        assert len(room.sql(SQL, private={"watch": WATCH}).to_pandas()) == 1


def test_an_owner_that_is_away_is_named_and_nothing_is_opened(room: LocalRoom) -> None:
    worker = room.workers["bank_b"]
    worker.kill()
    with pytest.raises(PeerUnavailable) as caught:
        room.sql(SQL, private={"watch": WATCH})
    assert caught.value.party == "bank_b"
    assert "without = 'bank_b'" in caught.value.remedy
    worker.start()
    worker.wait_ready(60)
    assert len(room.sql(SQL, private={"watch": WATCH}).to_pandas()) == 1
