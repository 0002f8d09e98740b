"""Names and values that try to be SQL: they stay one name, and one value."""

import duckdb
import pytest
import rooms
import sqlglot
from frames import table
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from cleanroom.errors import CleanroomError
from cleanroom.frames import col, count, private
from cleanroom.query.compile import compile_query
from cleanroom.sql.parse import parse

HOSTILE = [
    "'",
    "''",
    "O'Hara' OR '1'='1",
    "'; DROP TABLE alpha.people; --",
    '" FROM alpha.visits --',
    'x", (SELECT MIN(name) FROM alpha.people) AS "y',
    "\\",
    "\\' OR TRUE --",
    "/* */",
    "-- ",
    "$w",
    ":w",
    "?",
    "{{ x }}",
    "E'\\n'",
    "$$ x $$",
    "__SQLGLOT__LB__",
    "é\u202e\U0001f600",
    "SELECT",
    "count(*)",
]


@pytest.mark.parametrize("value", [*HOSTILE, "a\nb", "\r\n\t", " "])
def test_a_value_stays_a_value(value: str, pooled: duckdb.DuckDBPyConnection) -> None:
    text = table("alpha.people").filter(col("name") == value).agg(n=count()).sql()
    found = parse(text)
    assert [node.this for node in found.find_all(exp.Literal)] == [value]
    found.find(exp.Literal).set("this", "benign")
    benign = table("alpha.people").filter(col("name") == "benign").agg(n=count()).sql()
    assert found == parse(benign)
    pooled.execute("CREATE OR REPLACE TEMP TABLE held (name VARCHAR)")
    pooled.execute("INSERT INTO held VALUES (?), ('other')", [value])
    asked = text.replace("alpha.people", "held", 1)
    assert pooled.sql(asked).fetchall() == [(1,)]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.isprintable()])
def test_a_name_stays_a_name(name: str, pooled: duckdb.DuckDBPyConnection) -> None:
    frame = table("alpha.people").group_by("state").agg(**{name: count()}).sort(name)
    assert tuple(pooled.sql(frame.sql()).df().columns) == ("state", name)
    around = frame.filter(col(name) > 1).agg(n=col(name).sum())
    plan = compile_query(around.sql(), rooms.terms(), "0" * 64, "analyst")
    assert (
        plan.root
        == compile_query(
            "SELECT SUM(n) AS n FROM (SELECT COUNT(*) AS n FROM alpha.people GROUP BY state "
            "HAVING COUNT(*) > 1) AS people",
            rooms.terms(),
            "0" * 64,
            "analyst",
        ).root
    )


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\0", "#0", "x" * 129, "\u202e", None, 3])
def test_names_that_no_column_has_are_refused(name: str) -> None:
    with pytest.raises(CleanroomError, match="name"):
        col("x").alias(name)
    with pytest.raises(CleanroomError, match="name"):
        col(name)


@pytest.mark.parametrize("name", ["w) OR (1=1", "w --", "", "1", "w w", None])
def test_a_private_parameters_name_is_plain(name: str) -> None:
    with pytest.raises(CleanroomError, match="isn't plain"):
        private(name)


@pytest.mark.parametrize("name", ["alpha.people; x", "a.b.c", "", ".", "(SELECT 1)", "PEOPLE p"])
def test_a_tables_name_is_one_of_the_contract(name: str) -> None:
    with pytest.raises(CleanroomError, match="no table"):
        table(name)


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_texts_that_no_query_can_hold_are_refused(value: str) -> None:
    with pytest.raises(CleanroomError, match=r"NUL|surrogate"):
        col("name").fill_null(value)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_every_text_comes_back(value: str) -> None:
    tree = col("name").is_in([value]).tree
    found = sqlglot.parse_one(tree.sql(dialect="duckdb"), read="duckdb")
    assert [node.this for node in found.find_all(exp.Literal)] == [value]
