"""Private parameters give what DuckDB gives on the pooled rows, exactly; changes are refused."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pytest
import rooms
from ciphertexts import pair_secrets, summed
from private import SEAL, answers, run_privately, shifted

from cleanroom.errors import DataMismatch, MessageInvalid
from cleanroom.plan.plan import Plan
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.query.frame import as_pandas
from cleanroom.query.sought import weights_of
from cleanroom.recipient.questioning import Questioning
from cleanroom.sources.database import Database
from cleanroom.transport.blobs import divided, joined
from protocols.he.bfv import KeyUsed
from protocols.he.parameters import FILTER, FILTER_WIDE
from protocols.he.scheme import CiphertextRefused

Databases = Mapping[str, Database]


def compiled(sql: str) -> Plan:
    return compile_query(sql, rooms.terms(), "0" * 64, "analyst", "he")


CASES: list[tuple[str, dict[str, Any]]] = [
    ("SELECT COUNT(*), SUM(amt) FROM transactions WHERE channel IN (:w)", {"w": ["web", "shop"]}),
    ("SELECT COUNT(*) AS n FROM transactions t WHERE :w = t.channel AND amt > 100", {"w": "web"}),
    ("SELECT AVG(amt), COUNT(other) FROM transactions WHERE other IN (:w)", {"w": range(10, 40)}),
    ("SELECT COUNT(*), SUM(amt), AVG(amt) FROM transactions WHERE other IN (:w)", {"w": []}),
    ("SELECT VARIANCE(cust), STDDEV(amt) FROM transactions WHERE channel IN (:w)", {"w": ["web"]}),
    (
        "SELECT channel, COUNT(*), SUM(amt) FROM transactions WHERE other IN (:w)"
        " GROUP BY channel HAVING COUNT(*) > 2 ORDER BY 3 DESC",
        {"w": range(0, 50)},
    ),
    (
        "SELECT channel, COUNT(*) FROM transactions WHERE channel IN (:w) GROUP BY channel",
        {"w": ["web", "phone"]},
    ),
    (
        "SELECT COUNT(*), SUM(amt) FROM transactions WHERE channel IN (:w) AND (other = :o)",
        {"w": ["web", "shop"], "o": 30},
    ),
    ("SELECT COUNT(*), SUM(income) FROM alpha.people WHERE active = :w", {"w": True}),
    ("SELECT SUM(amt * 0) FROM transactions WHERE channel IN (:w)", {"w": ["web"]}),
    (
        "SELECT SUM(v.cost) FROM alpha.people p JOIN alpha.visits v ON p.id = v.id"
        " WHERE p.state IN (:w)",
        {"w": ["vic"]},
    ),
    (
        "SELECT COUNT(*), COUNT(p.id) FROM alpha.visits v LEFT JOIN alpha.people p"
        " ON p.id = v.id AND p.score > 0 WHERE p.state IN (:w)",
        {"w": ["nsw", "qld"]},
    ),
    ("SELECT COUNT(*) FROM alpha.people WHERE born IN (:w)", {"w": ["1960-02-03", "1971-01-01"]}),
    ("SELECT COUNT(*) FROM gamma.members WHERE rate IN (:w)", {"w": [Decimal("1.5"), 2]}),
    (
        "WITH t AS (SELECT * FROM transactions WHERE amt > 0) SELECT SUM(amt) FROM t"
        " WHERE channel IN (:w)",
        {"w": ["web"]},
    ),
]


def written(sql: str, given: Mapping[str, Any]) -> str:
    """Write the values into a query, as nobody who has something to hide would."""
    for name, values in given.items():
        several = values if isinstance(values, list | range) else [values]
        listed = [repr(v) if isinstance(v, str) else str(v) for v in several]
        sql = sql.replace(f":{name}", ", ".join(listed) or "NULL")
    return sql


@pytest.mark.parametrize(("sql", "given"), CASES)
def test_the_answer_is_that_on_pooled_rows(
    sql: str, given: dict[str, Any], databases: Databases, pooled: duckdb.DuckDBPyConnection
) -> None:
    plan = compiled(sql)
    ordered = rooms.is_ordered(sql)
    opened = run_privately(plan, databases, given).columns
    expected = pooled.sql(written(sql, given)).df()
    found = as_pandas(finish(plan, opened))
    assert rooms.cells(found, ordered=ordered) == rooms.cells(expected, ordered=ordered)


@pytest.mark.parametrize(
    ("sql", "table", "column", "measure", "weights"),
    [
        ("WEIGHTED_SUM(channel, :w, 10)", "transactions", "channel", "1", {"web": -7, "shop": 10}),
        ("WEIGHTED_SUM(other, :w, 9, amt)", "transactions", "other", "amt", {3: 9, 44: -1, 60: 2}),
        (
            "WEIGHTED_SUM(state, :w, 9.75, income)",
            "alpha.people",
            "state",
            "income",
            {"vic": Decimal("-9.75"), "nsw": Decimal("0.01"), "tas": 3},
        ),
        ("WEIGHTED_SUM(state, :w, 9, score)", "alpha.people", "state", "score", {}),
    ],
)
def test_weighted_sums_are_exact(
    sql: str,
    table: str,
    column: str,
    measure: str,
    weights: dict[Any, Any],
    databases: Databases,
    pooled: duckdb.DuckDBPyConnection,
) -> None:
    plan = compiled(f"SELECT {sql} FROM {table}")
    opened = run_privately(plan, databases, {"w": weights}).columns
    (found,) = finish(plan, opened).to_pylist()
    rows = pooled.sql(f"SELECT {column}, {measure} FROM {table}").fetchall()
    expected = sum(Decimal(weights.get(key, 0)) * (value or 0) for key, value in rows)
    assert found == {"weighted_sum": expected}


def test_the_plan_names_the_encryption_that_a_question_takes() -> None:
    names = []
    for largest in (1, 745_653, 745_654, 745_655, 10**9, 10**14):
        plan = compiled(f"SELECT WEIGHTED_SUM(channel, :w, {largest}) FROM transactions")
        cells = plan.ciphertexts
        asking = Questioning(cells, np.array([largest, -largest, 0, 0]))
        assert asking.parameters.name == cells.parameters
        names.append((cells.parameters, cells.private.proof))
    assert names[:2] == [(FILTER.name, 1 << 20)] * 2
    assert names[3:] == [(FILTER_WIDE.name, proof) for proof in (1 << 20, 800_639, 8)]


# --- what goes wrong ---------------------------------------------------------------------------

PLAN = "SELECT COUNT(*), SUM(amt) FROM transactions WHERE channel IN (:w)"


def asked(databases: Databases) -> tuple[Plan, Questioning, dict[str, list[bytes]]]:
    plan = compiled(PLAN)
    asking = Questioning(
        plan.ciphertexts, weights_of(plan.ciphertexts.private, {"w": ["web"]})
    )
    parts = {
        owner: list(answers(plan, owner, databases[owner], asking.data, shared))
        for owner, shared in pair_secrets(list(rooms.OWNERS)).items()
    }
    return plan, asking, parts


def opened(
    plan: Plan, asking: Questioning, parts: dict[str, list[bytes]], **other: Any
) -> np.ndarray:
    expected = {"contributors": rooms.OWNERS, "binding": plan.hash, "seal": SEAL, **other}
    return asking.opened(summed(parts, asking.parameters), **expected)


@pytest.mark.parametrize(
    "other", [{"binding": "1" * 64}, {"seal": b"t" * 32}, {"contributors": rooms.OWNERS[:2]}]
)
def test_answers_of_another_session_are_not_opened(databases: Databases, other: Any) -> None:
    plan, asking, parts = asked(databases)
    with pytest.raises(CiphertextRefused):
        opened(plan, asking, parts, **other)
    with pytest.raises(KeyUsed):
        opened(plan, asking, parts)


def test_answers_that_were_exchanged_are_not_opened(databases: Databases) -> None:
    plan, asking, parts = asked(databases)
    parts = {owner: [*part[1:], part[0]] for owner, part in parts.items()}
    with pytest.raises(CiphertextRefused):
        opened(plan, asking, parts)


def test_a_total_that_an_adder_shifts_is_not_opened(databases: Databases) -> None:
    plan, asking, parts = asked(databases)
    parts["alpha"][0] = shifted(parts["alpha"][0], asking.parameters, 7)
    with pytest.raises(CiphertextRefused, match="a total was changed on its way"):
        opened(plan, asking, parts)


def test_the_size_of_a_question_tells_nothing(databases: Databases) -> None:
    plan = compiled(PLAN)
    sizes = set()
    for sought in ([], ["web"], ["web", "shop", "phone"]):
        weights = weights_of(plan.ciphertexts.private, {"w": sought})
        sizes.add(len(Questioning(plan.ciphertexts, weights).data))
    assert max(sizes) - min(sizes) < 1000  # of compressed random words


def test_parts_of_a_question_are_read_as_they_were_joined() -> None:
    parts = [b"", b"a", b"bcd"]
    assert divided(joined(parts), 3) == parts
    for data, n in ((joined(parts), 2), (joined(parts), 4), (joined(parts)[:-1], 3), (b"x", 1)):
        with pytest.raises(MessageInvalid):
            divided(data, n)


def test_rows_beyond_the_declared_bounds_are_refused_at_their_owner(databases: Databases) -> None:
    plan = compiled(PLAN)
    private = replace(plan.ciphertexts.private, masses=(3, 3), proof=1)
    cells = replace(plan.ciphertexts, parameters=FILTER.name, private=private)
    small = replace(plan, ciphertexts=cells)
    asking = Questioning(small.ciphertexts, np.zeros(4, np.int64))
    with pytest.raises(DataMismatch, match="more than the declared bounds"):
        answers(small, "alpha", databases["alpha"], asking.data, {})
