"""Frames are SQL: the text that somebody would write, the same plan, and errors at once."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import duckdb
import frames
import numpy as np
import pandas as pd
import pytest
import rooms
from frames import table

from cleanroom.contract.terms import Terms
from cleanroom.demo import examples
from cleanroom.errors import CleanroomError, UnknownName, UnsupportedQuery
from cleanroom.frames import Expression, Frame, col, count, lit, private, row_number
from cleanroom.frames.table import block_of
from cleanroom.plan.plan import Plan
from cleanroom.query.compile import compile_query

CASES = list(frames.cases())


def compiled(sql: str) -> Plan:
    return compile_query(sql, rooms.terms(), "0" * 64, "analyst")


@pytest.mark.parametrize(("frame", "sql"), CASES, ids=range(len(CASES)))
def test_a_frame_is_the_query_that_somebody_would_write(frame: Frame, sql: str) -> None:
    text = frame.sql().replace("FILTER(", "FILTER (")
    assert " ".join(text.split()) == sql
    plan = compiled(frame.sql())
    assert plan.hash == compiled(frame.sql()).hash
    assert replace(compiled(sql), sql="") == replace(plan, sql="")
    assert compiled(sql.replace(" FROM", "\nFROM", 1)).root == plan.root


@pytest.mark.parametrize(("frame", "sql"), CASES, ids=range(len(CASES)))
def test_duckdb_reads_the_same_in_it(
    frame: Frame, sql: str, pooled: duckdb.DuckDBPyConnection
) -> None:
    got, expected = (pooled.sql(text).df() for text in (frame.sql(), sql))
    ordered = rooms.is_ordered(sql)
    assert tuple(got.columns) == frame.columns
    assert rooms.cells(got, ordered=ordered) == rooms.cells(expected, ordered=ordered)


def test_a_frame_is_lazy_and_never_changes() -> None:
    people = table("alpha.people")
    before = people.sql()
    people.filter(col("score") > 1).with_columns(twice=col("score") * 2).limit(3)
    assert people.sql() == before
    assert repr(people.select("id", "state")) == "Frame(id, state)"


def test_an_order_is_by_what_it_was_written_for() -> None:
    ordered = table("alpha.people").sort("score").select("id", score=-col("score"))
    text = " ".join(ordered.sql().split())
    assert text == (
        "SELECT people.id, -people.score AS score FROM alpha.people ORDER BY people.score"
    )


def test_a_column_is_replaced_where_it_stands() -> None:
    changed = table("alpha.visits").with_columns(DAY=col("day").dt.year(), more=col("cost") + 1)
    assert changed.columns == ("id", "DAY", "cost", "more")


def test_a_linkage_is_a_table_to_join_by() -> None:
    terms = Terms.of(examples.folder() / "linkage" / "room.toml")
    room = frames.Unasked()
    a, link, b = (
        Frame(room, block_of(name, terms))
        for name in ("hospital_a.stays", "same_person", "hospital_b.stays")
    )
    linked = a.join(link, left_on="patient", right_on="left_id")
    both = linked.join(b, left_on="right_id", right_on="patient").agg(stays=count())
    written = (
        "SELECT COUNT(*) AS stays FROM hospital_a.stays s JOIN same_person l "
        "ON s.patient = l.left_id JOIN hospital_b.stays t ON l.right_id = t.patient"
    )
    plans = [compile_query(q, terms, "0" * 64, "researcher") for q in (both.sql(), written)]
    assert plans[0].root == plans[1].root


def test_who_holds_a_row_is_a_column_that_only_names_show() -> None:
    moves = table("transactions")
    assert "member" not in moves.columns
    by_member = moves.group_by("member").agg(n=count())
    assert replace(compiled(by_member.sql()), sql="") == replace(
        compiled("SELECT member, COUNT(*) AS n FROM transactions GROUP BY member"), sql=""
    )


def test_private_parameters_stand_in_filters() -> None:
    found = table("transactions").filter(col("channel").is_in(private("watch"))).agg(n=count())
    asked = "SELECT COUNT(*) AS n FROM transactions WHERE channel IN (:watch)"
    plans = [
        compile_query(sql, rooms.terms(), "0" * 64, "analyst", "he") for sql in (found.sql(), asked)
    ]
    assert replace(plans[0], sql="") == replace(plans[1], sql="")


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        (np.int64(3), "3"),
        (np.float64(0.1), "0.1"),
        (1e-7, "0.0000001"),
        (Decimal("2.50"), "2.50"),
        (np.bool_(True), "TRUE"),
        (-5, "-5"),
        (None, "NULL"),
        (pd.Timestamp("2020-01-02 03:04:05"), "CAST('2020-01-02 03:04:05' AS TIMESTAMP)"),
        (dt.date(2020, 1, 2), "CAST('2020-01-02' AS DATE)"),
        (dt.timedelta(minutes=90), "INTERVAL '90' MINUTE"),
        (np.str_("O'Hara"), "'O''Hara'"),
    ],
)
def test_values_of_python_are_literals(value: object, sql: str) -> None:
    assert lit(value).tree.sql(dialect="duckdb") == sql


REFUSED: list[tuple[Callable[[Frame, Frame], object], str]] = [
    (lambda p, c: p.filter(col("score") == None), "a comparison with None"),  # noqa: E711
    (lambda p, c: p.filter(col("scor") > 1), "no column 'scor'.*Did you mean 'score'"),
    (lambda p, c: p.select("id").filter(col("score") > 1), "no column 'score'"),
    (lambda p, c: p.filter(col("name") + 1 > 2), r"TEXT \+ INTEGER"),
    (lambda p, c: p.filter(col("born") == 3), "DATE and INTEGER meet"),
    (lambda p, c: p.filter(col("score") + 1), "INTEGER as a condition"),
    (lambda p, c: p.filter(col("score").sum() > 1), "an aggregate in filter.*group_by"),
    (lambda p, c: p.filter(True), "a bool in filter.*Compare columns"),
    (lambda p, c: p.with_columns(x=col("score").sum()), "an aggregate in a column"),
    (lambda p, c: p.agg(x=col("score")), "'x' in agg is no aggregate.*sum"),
    (lambda p, c: p.agg(x=col("score") + count()), "column 'score' beside an aggregate"),
    (lambda p, c: p.agg(x=col("score").sum().mean()), "aggregates belong in"),
    (lambda p, c: p.agg(), "agg of nothing"),
    (lambda p, c: p.group_by().agg(n=count()), "group_by without keys"),
    (lambda p, c: p.group_by("id").agg(id=count()), "two columns named 'id'"),
    (lambda p, c: p.group_by(x=lit(3)).agg(n=count()), "the constant 'x' in group_by"),
    (lambda p, c: p.filter(count().over("id") > 1), "over.. in filter.*with_columns"),
    (lambda p, c: p.with_columns(x=col("score").max().over("id")), "over.. of anything but"),
    (lambda p, c: p.with_columns(x=row_number()), "without over"),
    (lambda p, c: p.with_columns(x=row_number().over("scor")), "no column 'scor'"),
    (lambda p, c: p.with_columns(x=col("name").shift().over("id") + 1), r"TEXT \+ INTEGER"),
    (lambda p, c: p.select("id", "ID"), "two columns named 'ID'"),
    (lambda p, c: p.select(3), "a int in select"),
    (lambda p, c: p.select(lit(3)), "a column without a name"),
    (lambda p, c: p.select(), "select without columns"),
    (lambda p, c: p.drop("nothing"), "no column 'nothing'"),
    (lambda p, c: p.join(c, on="id"), "no column 'id'.*Did you mean 'pid'"),
    (lambda p, c: p.join(c, left_on="id", right_on="kind"), "INTEGER and TEXT meet"),
    (lambda p, c: p.join(c, on="state", left_on="id"), "a join without clear columns"),
    (lambda p, c: p.join(c, left_on="id", right_on="pid", how="cross"), "a join 'cross'.*inner"),
    (lambda p, c: p.join(c, left_on="id", right_on="pid", suffix=""), "two columns named"),
    (lambda p, c: p.join(table("alpha.visits", frames.Unasked()), on="id"), "the same room"),
    (lambda p, c: p.sort("id", "score", descending=[True]), "sort with other numbers"),
    (lambda p, c: p.limit(3).filter(col("score") > 1), "a step after limit.*limit last"),
    (lambda p, c: p.limit(3).join(c, left_on="id", right_on="pid"), "a step after limit"),
    (lambda p, c: p.limit(-1), "limit by a negative"),
    (lambda p, c: col("state").is_in("nsw"), "is_in of one text"),
    (lambda p, c: col("state").is_in([]), "is_in of no values"),
    (lambda p, c: col("score") > float("nan"), "isn't finite"),
    (lambda p, c: col("score") > Decimal("Infinity"), "isn't finite"),
    (lambda p, c: col("score") > 10**30, "62 bits"),
    (lambda p, c: col("score") == [1, 2], "a list as a value.*is_in"),
    (lambda p, c: col("born") < dt.datetime.now(dt.UTC), "a datetime with a time zone"),
    (lambda p, c: col("born") + dt.timedelta(days=-1), "a negative timedelta"),
    (lambda p, c: col("born").cast("BLOB"), "cast to a type"),
    (lambda p, c: p.filter(col("born").dt.truncate("hour") == col("born")), "date_trunc to"),
]


@pytest.mark.parametrize(("step", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_wrong_is_named_when_it_is_written(
    step: Callable[[Frame, Frame], object], message: str
) -> None:
    with pytest.raises(CleanroomError, match=message):
        step(table("alpha.people"), table("beta.claims"))


def test_an_unknown_table_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'alpha\.people'"):
        table("alpha.peple")
    with pytest.raises(UnknownName):
        table("alpha.people AS p JOIN beta.claims")


def test_what_python_would_decide_is_refused() -> None:
    with pytest.raises(TypeError, match=re.escape("& for and")):
        bool(1 < col("score") < 3)
    with pytest.raises(TypeError, match="unhashable"):
        {col("score")}
    assert isinstance(1 - col("score") // 2 % 3 / 4, Expression)


def test_a_limit_is_a_whole_number() -> None:
    with pytest.raises(TypeError):
        table("alpha.people").limit(1.5)


def test_private_parameters_elsewhere_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedQuery, match="private parameter :w here"):
        compiled(
            table("transactions")
            .filter((col("channel") == private("w")) | (col("amt") > 3))
            .agg(n=count())
            .sql()
        )


def test_what_users_of_pandas_look_for_is_pointed_to() -> None:
    people = table("alpha.people")
    for name, instead in (("groupby", "group_by"), ("merge", "join"), ("to_pandas", "collect")):
        with pytest.raises(AttributeError, match=f"no '{name}'; write {instead}"):
            getattr(people, name)
    with pytest.raises(AttributeError, match=r"no 'nonsense'$"):
        people.nonsense  # noqa: B018
    with pytest.raises(TypeError, match=r"select\(\) for columns"):
        people["id"]
    with pytest.raises(UnsupportedQuery, match="rows of one's own"):
        people.join(pd.DataFrame({"id": [1]}), on="id")
