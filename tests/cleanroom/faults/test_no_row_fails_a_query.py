"""F64: no value that the contract allows makes a query fail: a failure would tell of one person."""

import datetime as dt
import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import rooms
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError, InternalError
from cleanroom.query.compile import compile_query
from cleanroom.sources.database import Database

EXTREMES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "i": ({"type": "INTEGER", "bounds": [-(2**40), 2**40]}, [-(2**40), -1, 0, 1, 2**40]),
    "j": ({"type": "INTEGER", "bounds": [-3, 3]}, [-3, 0, 3]),
    "d": ({"type": "DECIMAL(9,2)"}, [Decimal("-9999999.99"), 0, Decimal("9999999.99")]),
    "e": ({"type": "DECIMAL(6,6)"}, [Decimal("-0.999999"), 0, Decimal("0.000001")]),
    "t": ({"type": "TEXT", "max_bytes": 6}, ["", "ß", "İ", "%_", "ŉŉ", "'\"\\", "1e99"]),
    "v": ({"type": "TEXT", "values": ["a", "B"]}, ["a", "B"]),
    "day": ({"type": "DATE"}, [dt.date(1, 1, 1), dt.date(2024, 2, 29), dt.date(9999, 12, 31)]),
    "at": (
        {"type": "TIMESTAMP"},
        ["0001-01-01 00:00:00", "2000-02-29 23:59:59.999999", "9999-12-31 23:59:59"],
    ),
    "born": (
        {"type": "DATE", "bounds": [dt.date(1900, 1, 1), dt.date(2100, 12, 31)]},
        [dt.date(1900, 1, 1), dt.date(2024, 2, 29), dt.date(2100, 12, 31)],
    ),
    "b": ({"type": "BOOLEAN"}, ["true", "false"]),
}
NUMBERS, DAYS, WORDS = (
    ["i", "j", "d", "e", "0", "7", "-2.5"],
    ["day", "at", "born"],
    ["t", "v", "'x'"],
)


def contract() -> Terms:
    columns = {name: {**of, "nullable": True} for name, (of, _) in EXTREMES.items()}
    columns["id"] = {"type": "INTEGER", "bounds": [0, 10**6]}
    room = rooms.room()
    room["tables"] = {"alpha.x": {"person": "id", "max_rows": 4096, "columns": columns}}
    return Terms.of(room)


def rows() -> list[list[Any]]:
    """Return rows in which each two columns meet at each two of their extremes, or at NULL."""
    names, found = list(EXTREMES), []
    for one, other in itertools.combinations(names, 2):
        for left, right in itertools.product(EXTREMES[one][1], EXTREMES[other][1]):
            found.append([{one: left, other: right}.get(name) for name in names])
    return found


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    path: Path = tmp_path_factory.mktemp("extremes") / "x.csv"
    lines = [[*EXTREMES, "id"], *([*row, n] for n, row in enumerate(rows()))]
    cells = ("" if c is None else '"' + str(c).replace('"', '""') + '"' for r in lines for c in r)
    width = len(EXTREMES) + 1
    path.write_text("".join(",".join(itertools.islice(cells, width)) + "\n" for _ in lines))
    return Database(contract(), "alpha", {"alpha.x": path})


def _numbers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "//", "%"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds("abs({})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("coalesce({}, {})".format, inner, inner),
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, CONDITIONS, inner, inner),
        st.builds("CAST({} AS {})".format, inner, st.sampled_from(["INTEGER", "VARCHAR"])),
    )


PARTS = st.sampled_from(["year", "quarter", "month", "week", "day", "dayofweek", "hour", "minute"])
UNITS = st.sampled_from(["year", "quarter", "month", "week", "day"])
TIMES = st.one_of(
    st.sampled_from(DAYS),
    st.builds("date_trunc('{}', {})".format, UNITS, st.sampled_from(DAYS)),
    st.builds(
        "(born {} INTERVAL {} {})".format,
        st.sampled_from("+-"),
        st.integers(0, 400),
        st.sampled_from(["DAY", "MONTH", "YEAR", "HOUR"]),
    ),
)
TEXTS = st.one_of(
    st.sampled_from(WORDS),
    st.builds("upper({})".format, st.sampled_from(WORDS)),
    st.builds("lower(substring({}, {}, 3))".format, st.sampled_from(WORDS), st.integers(1, 9)),
)
CONDITIONS = st.one_of(
    st.just("b"),
    st.builds("{} {} {}".format, st.sampled_from(NUMBERS), st.sampled_from("<>="), st.just("i")),
    st.builds("{} {} {}".format, TIMES, st.sampled_from("<>="), TIMES),
    st.builds("{} LIKE '{}'".format, TEXTS, st.sampled_from(["%", "_%", "x\\", "%a_"])),
    st.builds("{} IN ('a', 'ß', '')".format, TEXTS),
    st.builds("{} IS NULL".format, TEXTS),
)
LEAVES = st.one_of(
    st.sampled_from(NUMBERS),
    st.builds("{}({})".format, PARTS, TIMES),
    st.builds("length({})".format, TEXTS),
)
EXPRESSIONS = st.recursive(LEAVES, _numbers, max_leaves=5)


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.one_of(
    st.builds("SELECT SUM({}), MIN({}) FROM alpha.x WHERE {}".format,
              EXPRESSIONS, LEAVES, CONDITIONS),
    st.builds("SELECT {0}, COUNT(*) FROM alpha.x GROUP BY {0}".format, st.one_of(TEXTS, TIMES)),
))  # fmt: skip
def test_what_compiles_never_fails_on_a_row(database: Database, sql: str) -> None:
    try:
        plan = compile_query(sql, contract(), "h", "analyst")
    except CleanroomError:
        assume(False)
    for leaf in plan.leaves:
        database.run(leaf.sql, bytes(16))


def test_a_failure_would_have_one_text(database: Database) -> None:
    with pytest.raises(InternalError) as caught:
        database.run("SELECT CAST(t AS INTEGER) AS n FROM alpha.x", bytes(16))
    assert caught.value.message == "its part of the plan failed"
