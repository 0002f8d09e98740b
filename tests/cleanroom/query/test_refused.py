"""What can't be computed is refused with a typed error that names the construct."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import rooms

from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError, OverflowPossible, UnknownName, UnsupportedQuery
from cleanroom.query.compile import compile_query

P = "FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"
W = "SELECT COUNT(*) FROM (SELECT "
U = "SELECT COUNT(*) FROM (SELECT id FROM alpha.people "
UNSUPPORTED = {
    "SELECT COUNT(*) FROM (SELECT cust AS a, 2 * SUM(amt) AS a FROM transactions GROUP BY cust) t":
    "name of its own",
    "SELECT COUNT(*) FROM alpha.people WHERE score > 3 OR name IN (SELECT name FROM beta.claims)":
    "may be NULL",
    "SELECT COUNT(*) FROM alpha.people WHERE score > 3 OR EXISTS (SELECT 1 FROM beta.claims)":
    "more than equalities",
    "SELECT COUNT(*) FROM alpha.people WHERE score > 3 OR id IN (SELECT MAX(pid) FROM beta.claims)":
    "over an aggregation",
    "SELECT COUNT(*) FROM alpha.people WHERE active OR (id, id) IN (SELECT pid FROM beta.claims)":
    "number of columns",
    "SELECT COUNT(*) FROM beta.claims c WHERE EXISTS (SELECT 1 FROM gamma.members m"
    " WHERE m.mid = c.pid AND m.city >= c.name)": "over an inner aggregation",
    "SELECT COUNT(*) FROM transactions a WHERE EXISTS (SELECT 1 FROM transactions b"
    " WHERE b.cust = a.cust AND b.booked > a.booked AND b.amt > a.amt)": "more than equalities",
    "SELECT SUM(score) / (SELECT SUM(level) FROM beta.claims) FROM alpha.people": "other than in",
    "SELECT COUNT(*) FROM alpha.people WHERE score > (SELECT level FROM beta.claims)": "aggregate",
    "SELECT COUNT(*) FROM alpha.people WHERE score > (SELECT 3)": "aggregate",
    "SELECT COUNT(*) FROM alpha.people WHERE score > (SELECT SUM(level) + pid FROM beta.claims)":
    "outside of aggregates",
    "SELECT COUNT(*) FROM alpha.people WHERE score > (SELECT MIN(level), 1 FROM beta.claims)":
    "several columns",
    "SELECT COUNT(*) FROM alpha.people p WHERE score > (SELECT MIN(level) FROM beta.claims"
    " GROUP BY pid)": "GROUP in SELECT",
    "SELECT COUNT(*) FROM alpha.people p WHERE score > (SELECT MIN(level) FROM beta.claims c"
    " WHERE c.pid < p.id)": "beyond equalities",
    "SELECT COUNT(*) FROM alpha.people p WHERE score > (SELECT MIN(level) FROM beta.claims c"
    " WHERE c.pid = p.id OR p.active)": "beyond equalities",
    "SELECT COUNT(*) FROM alpha.people p WHERE score > (SELECT STDDEV(level) FROM beta.claims)":
    "STDDEV",
    "SELECT state FROM alpha.people p GROUP BY state HAVING COUNT(*) > (SELECT COUNT(*)"
    " FROM beta.claims c WHERE c.state = p.state)": "names the query around",
    "SELECT COUNT(*) FROM alpha.people HAVING COUNT(*) > (SELECT COUNT(*) FROM beta.claims)":
    "without GROUP BY",
    "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"
    " AND c.level > (SELECT MIN(level) FROM beta.claims)": "other than in",
    "SELECT COUNT(*) FROM alpha.people p WHERE income / score > 2": "zero or less",
    "SELECT COUNT(*) FROM alpha.people WHERE id IN (SELECT pid, COUNT(*) FROM beta.claims"
    " GROUP BY pid)": "number of columns",
    "SELECT id FROM alpha.people ORDER BY score": "order by what isn't selected",
    "SELECT id FROM alpha.people ORDER BY id + score LIMIT 3": "order by what isn't selected",
    "SELECT id, score FROM alpha.people ORDER BY abs(score) LIMIT 3": "isn't selected",
    "SELECT id, (SELECT MAX(level) FROM beta.claims) FROM alpha.people": "a subquery as a value",
    "SELECT SUM((SELECT MAX(level) FROM beta.claims)) FROM alpha.people": "a subquery as a value",
    "SELECT id, EXISTS (SELECT 1 FROM beta.claims) FROM alpha.people": "more than equalities",
    "SELECT id, name IN (SELECT name FROM beta.claims) FROM alpha.people": "may be NULL",
    "SELECT 1, 'x' FROM alpha.people": "rows without any column",
    "SELECT * EXCLUDE (id) FROM alpha.people": "STAR",
    "SELECT * " + P + " JOIN alpha.visits v ON v.id = p.id": "two columns named",
    "SELECT p.score + c.level " + P: "rows of an expression over columns of several owners",
    "SELECT income / 3 FROM alpha.people": "/ on rows",
    "SELECT sqrt(score) FROM alpha.people": "sqrt on rows",
    "SELECT p.id FROM alpha.people p, beta.claims c": "cross joins",
    "SELECT id, COUNT(*) FROM alpha.people": "outside of aggregates",
    "SELECT state, score, COUNT(*) FROM alpha.people GROUP BY state": "'score' outside",
    "SELECT COUNT(DISTINCT id, score) FROM alpha.people": "DISTINCT over several",
    "SELECT COUNT(DISTINCT p.income + c.amount) " + P: "columns of one owner",
    "SELECT COUNT(DISTINCT 1) FROM alpha.people": "columns of one owner",
    "SELECT SUM(DISTINCT name) FROM alpha.people": "TEXT",
    "SELECT MEDIAN(DISTINCT score) FROM alpha.people": "DISTINCT in MEDIAN",
    "SELECT MEDIAN(born) FROM alpha.people": "DATE",
    "SELECT MEDIAN(p.score + c.level) " + P: "columns of one owner",
    "SELECT QUANTILE_CONT(score, 0.3) FROM alpha.people": "anything but 0.5",
    "SELECT QUANTILE_DISC(score, 1.5) FROM alpha.people": "0 to 1",
    "SELECT QUANTILE_DISC(score, id) FROM alpha.people": "constant",
    "SELECT PERCENTILE_DISC(0.1) WITHIN GROUP (ORDER BY score DESC) FROM alpha.people": "DESC",
    "SELECT MODE(score) FROM alpha.people": "MODE",
    "SELECT VARIANCE(name) FROM alpha.people": "VAR_SAMP of TEXT",
    "SELECT COUNT(*) FROM alpha.people HAVING VARIANCE(score) > 3": "VAR_SAMP in HAVING",
    "SELECT COUNT(*) FROM alpha.people HAVING MEDIAN(score) > 3": "MEDIAN in HAVING",
    "SELECT SUM(score) OVER () FROM alpha.people": "WINDOW",
    W + "SUM(amt) OVER (PARTITION BY cust ORDER BY booked) AS n FROM transactions)": "running SUM",
    W + "FIRST_VALUE(amt) OVER (PARTITION BY cust) AS n FROM transactions)": "FIRSTVALUE",
    W + "MAX(amt) OVER (PARTITION BY cust) AS n FROM transactions)": "window function MAX",
    W + "NTILE(4) OVER (PARTITION BY cust) AS n FROM transactions)": "NTILE",
    W + "LAG(amt, 1, 0) OVER (PARTITION BY cust) AS n FROM transactions)": "LAG with a default",
    W + "LAG(amt, 65) OVER (PARTITION BY cust) AS n FROM transactions)": "1 to 64",
    W + "LAG(7) OVER (PARTITION BY cust) AS n FROM transactions)": "constant",
    W + "LAG(amt IGNORE NULLS) OVER (PARTITION BY cust) AS n FROM transactions)": "IGNORENULLS",
    W + "RANK() OVER (PARTITION BY 1) AS n FROM transactions)": "constant",
    W + "RANK() OVER w AS n FROM transactions)": "WINDOW of this name",
    W + "SUM(channel) OVER (PARTITION BY cust) AS n FROM transactions)": "TEXT",
    W + "SUM(amt) OVER (ROWS 2 PRECEDING) AS n FROM transactions)": "frame",
    W + "COUNT(DISTINCT amt) OVER () AS n FROM transactions)": "DISTINCT",
    W + "cust, COUNT(*), RANK() OVER (ORDER BY cust) AS n FROM transactions GROUP BY 1)": "beside",
    W + "MAX(amt) AS m, RANK() OVER (ORDER BY cust) AS n FROM transactions)": "beside",
    W + "RANK() OVER (ORDER BY cust) FROM transactions)": "name of its own",
    W + "RANK() OVER (ORDER BY p.income + c.amount) AS n " + P + ")": "several owners",
    W + "RANK() OVER (ORDER BY cust) AS n FROM transactions LIMIT 3)": "LIMIT",
    "SELECT COUNT(*) FROM alpha.people ASOF JOIN beta.claims ON id = pid": "ASOF JOIN",
    "SELECT COUNT(*) FROM alpha.people LEFT JOIN beta.claims ON id < pid": "cross joins",
    "SELECT COUNT(*) FROM alpha.people LEFT JOIN beta.claims ON true": "cross joins",
    "SELECT COUNT(*) FROM alpha.people ANTI JOIN beta.claims ON score > level": "cross joins",
    "SELECT COUNT(*) FROM alpha.people p FULL JOIN beta.claims c ON p.id = c.pid"
    " JOIN gamma.members m ON m.mid = 3": "FULL JOIN",
    "SELECT COUNT(*) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid"
    " AND p.income > c.amount": "more than equalities",
    "SELECT SUM(length(coalesce(c.name, 'x'))) FROM alpha.people p"
    " LEFT JOIN beta.claims c ON p.id = c.pid": "length",
    "SELECT COUNT(*) FROM alpha.people NATURAL JOIN beta.claims": "NATURAL",
    "SELECT COUNT(*) FROM alpha.people, beta.claims": "cross joins",
    "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id < c.pid": "cross joins",
    "SELECT COUNT(*) FROM alpha.people UNION SELECT COUNT(*) FROM beta.claims": "UNION",
    "SELECT COUNT(*) FROM alpha.people WHERE (id, score) IN (SELECT pid FROM beta.claims)": "IN",
    "SELECT COUNT(*) FROM alpha.people WHERE name NOT IN (SELECT name FROM beta.claims"
    " WHERE pid = id)": "NOT IN",
    "SELECT COUNT(*) FROM alpha.people WHERE EXISTS (SELECT 1 FROM beta.claims)": "EXISTS",
    "SELECT SUM(a) FROM (SELECT state, AVG(score) AS a FROM alpha.people GROUP BY state)": "/ on",
    "SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM alpha.people ORDER BY 1)": "ORDER",
    "SELECT SUM(n // 2) FROM (SELECT COUNT(*) AS n FROM alpha.people GROUP BY state)": "// over",
    "SELECT upper(s) FROM (SELECT DISTINCT state AS s, id FROM alpha.people) GROUP BY 1": (
        "over an inner aggregation"
    ),
    "SELECT COUNT(*) FROM (SELECT id FROM alpha.people LIMIT 3) t": "LIMIT",
    "WITH RECURSIVE r AS (SELECT id FROM alpha.people) SELECT COUNT(*) FROM r": "RECURSIVE",
    "SELECT COUNT(*) FROM alpha.people GROUP BY ROLLUP (state)": "ROLLUP",
    "SELECT COUNT(*) FROM alpha.people GROUP BY ALL": "ALL",
    "SELECT COUNT(*) FROM alpha.people GROUP BY 7": "position",
    "SELECT COUNT(*) FROM alpha.people QUALIFY true": "QUALIFY",
    "SELECT COUNT(*) FROM alpha.people TABLESAMPLE 10 PERCENT": "SAMPLE",
    "SELECT COUNT(*) FROM read_csv('/etc/passwd')": "READCSV",
    "SELECT getenv('HOME') FROM alpha.people GROUP BY 1": "getenv",
    "SELECT COUNT(*), read_text('/etc/passwd') FROM alpha.people": "read_text",
    "SELECT SUM(income / 3) FROM alpha.people": "/ on rows",
    "SELECT SUM(sqrt(score)) FROM alpha.people": "sqrt on rows",
    "SELECT SUM(CAST(income AS DOUBLE)) FROM alpha.people": "CAST to DOUBLE on rows",
    "SELECT SUM(name) FROM alpha.people": "TEXT",
    "SELECT SUM(born) FROM alpha.people": "DATE",
    "SELECT MAX(p.income + c.amount) " + P: "columns of one owner",
    "SELECT p.income + c.amount, COUNT(*) " + P + " GROUP BY 1": "several owners",
    f"SELECT COUNT(*) {P} WHERE CASE WHEN p.score < c.level THEN p.score END * c.level > 3": "CASE",
    "SELECT COUNT(*) " + P + " WHERE p.name || c.name = 'x'": "DPIPE",
    "SELECT COUNT(*) FROM alpha.people WHERE name LIKE code": "LIKE",
    "SELECT COUNT(*) FROM alpha.people WHERE regexp_matches(name, '(a+)+$')": "REGEXP",
    "SELECT COUNT(*) FROM alpha.people WHERE state = 3": "TEXT and INTEGER",
    "SELECT COUNT(*) FROM alpha.people WHERE born > 'soon'": "no DATE",
    "SELECT COUNT(*) FROM alpha.people WHERE id": "INTEGER as a condition",
    "SELECT COUNT(*) FROM alpha.people WHERE born > DATE '2000-01-01' + INTERVAL 999999 WEEK":
    "INTERVAL that leads",
    "SELECT COUNT(*) FROM alpha.people WHERE born + INTERVAL 99999 YEAR > born": "INTERVAL that",
    "SELECT COUNT(*) FROM alpha.people WHERE born + INTERVAL (score) DAY > born": "INTERVAL",
    "SELECT COUNT(*) FROM alpha.people WHERE born + INTERVAL 1.5 DAY > born": "INTERVAL",
    "SELECT COUNT(*) FROM alpha.people WHERE score + INTERVAL 1 DAY > born": "INTERVAL with",
    "SELECT COUNT(*) FROM alpha.people HAVING SUM(score) / SUM(income) > 1": "division in HAVING",
    "SELECT COUNT(*) FROM alpha.people ORDER BY id": "'id' outside",
    "SELECT COUNT(*) FROM alpha.people LIMIT (SELECT 1)": "LIMIT",
    "SELECT COUNT(*) FROM alpha.people LIMIT 10 PERCENT": "LIMIT",
    "SELECT 1": "without FROM",
    "SELECT 1 FROM alpha.people GROUP BY state": "without any aggregate",
    "": "statement",
    ";": "statement",
    "SELECT COUNT(*) FROM alpha.people; DROP TABLE alpha.people": "2 statements",
    "DROP TABLE alpha.people": "DROP",
    "INSERT INTO alpha.people VALUES (1)": "INSERT",
    "COPY alpha.people TO '/tmp/x'": "COPY",
    "ATTACH '/tmp/x.db'": "ATTACH",
    "INSTALL httpfs": "INSTALL",
    "PRAGMA database_list": "PRAGMA",
    "SET threads = 9": "SET",
    "EXPLAIN SELECT COUNT(*) FROM alpha.people": "only SELECT",
    "SELEC COUNT(*) FROM alpha.people": "only SELECT statements",
    "SELECT COUNT(* FROM alpha.people": "not SQL",
    "@pd.io.common.os.system('id')": "",
    "SELECT __class__ FROM alpha.people, (lambda: 1)()": "",
    "SELECT COUNT(*) FROM alpha.people WHERE `id` = 1": "",
    "SELECT COUNT(*) FROM alpha.people WHERE id = $text_key": "private parameters with",
    "SELECT COUNT(*) FROM alpha.people WHERE id = ?": "a private parameter without a name",
    "SELECT COUNT(*) FROM alpha.people WHERE name = 'a\0b'": "",
    "SELECT COUNT(*) FROM alpha.people WHERE name = '\ud800'": "surrogate",
    "SELECT " + "(" * 100_000 + "1" + ")" * 100_000: "",
    "SELECT " + "(" * 60 + "1" + ")" * 60 + " FROM alpha.people": "nested",
    "SELECT SUM(" + "+".join(["id"] * 5000) + ") FROM alpha.people": "operators",
    "SELECT COUNT(*) FROM alpha.people WHERE " + "NOT " * 3000 + "active": "nested",
    "SELECT SUM(id + " + "9" * 5000 + ") FROM alpha.people": "digits",
    "SELECT SUM(id + 1e999999999) FROM alpha.people": "digits",
    "SELECT COUNT(*) FROM alpha.people LIMIT " + "9" * 5000: "LIMIT",
    "SELECT COUNT(*) FROM alpha.people GROUP BY " + "1" * 5000: "position",
    "WITH a0 AS (SELECT active AS x FROM alpha.people), "
    + ", ".join(f"a{i} AS (SELECT (x AND x) = x AS x FROM a{i - 1})" for i in range(1, 30))
    + " SELECT COUNT(*) FROM a29 WHERE x": "operators",
    "SELECT COUNT(*) FROM alpha.people HAVING "
    + " * ".join(["(COUNT(*) + 1)"] * 30)
    + " > 3": "products",
    "SELECT COUNT(*) FROM " + ", ".join(f"alpha.people t{i}" for i in range(9)): "tables",
}


@pytest.mark.parametrize("sql", UNSUPPORTED, ids=lambda sql: sql[:70])
def test_unsupported(sql: str) -> None:
    with pytest.raises(UnsupportedQuery) as caught:
        compile_query(sql, rooms.terms(), "h", "analyst")
    assert UNSUPPORTED[sql].lower() in caught.value.message.lower()
    assert len(str(caught.value)) < 500


REMEDIES = {
    "SELECT COUNT(*) FROM alpha.people UNION ALL SELECT COUNT(*) FROM beta.claims": "FROM (",
    U + "UNION SELECT pid FROM beta.claims) u": "DISTINCT",
    "SELECT RANK() OVER (ORDER BY id) AS r FROM alpha.people": "subquery",
    W + "MAX(amt) OVER (PARTITION BY cust) AS n FROM transactions)": "GROUP BY",
    W + "LEAD(amt, 1, 0) OVER (PARTITION BY cust) AS n FROM transactions)": "IS NULL",
    W + "cust, RANK() OVER (ORDER BY cust) AS n FROM transactions GROUP BY 1)": "subquery",
    "SELEC 1": "one SELECT",
    "SELECT COUNT(* FROM alpha.people": "Correct the query",
    "SELECT 1; SELECT 2": "one after the other",
    "DROP TABLE alpha.people": "one SELECT",
    "SELECT id FROM alpha.people ORDER BY score LIMIT 3": "SELECT it too",
    "SELECT 1 AS one FROM alpha.people": "COUNT(*)",
    "SELECT COUNT(*) FROM alpha.people NATURAL JOIN beta.claims": "LEFT JOIN",
}


@pytest.mark.parametrize("sql", REMEDIES)
def test_the_commonest_refusals_say_what_helps(sql: str) -> None:
    with pytest.raises(UnsupportedQuery) as caught:
        compile_query(sql, rooms.terms(), "h", "analyst")
    assert REMEDIES[sql] in caught.value.remedy
    assert "ALIAS" not in caught.value.message


UNKNOWN = {
    "SELECT COUNT(*) FROM alpha.peple": "alpha.people",
    "SELECT COUNT(*) FROM peple": "alpha.people",
    "SELECT SUM(scor) FROM alpha.people": "score",
    "SELECT SUM(p.scor) FROM alpha.people p": "score",
    "SELECT SUM(q.score) FROM alpha.people p": "names",
    "SELECT peple.* FROM alpha.people": "people",
    "SELECT COUNT(*) FROM information_schema.tables": "names",
    "SELECT COUNT(*) FROM duckdb_settings": "names",
    "SELECT COUNT(*) FROM '/etc/passwd'": "names",
    "SELECT SUM(state) " + P: "table.column",
}


@pytest.mark.parametrize("sql", UNKNOWN)
def test_unknown_names_get_the_nearest_one(sql: str) -> None:
    with pytest.raises(UnknownName) as caught:
        compile_query(sql, rooms.terms(), "h", "analyst")
    assert UNKNOWN[sql] in caught.value.remedy


def test_a_table_of_two_owners_is_named_with_its_owner() -> None:
    agreed = rooms.room()
    agreed["tables"]["beta.people"] = agreed["tables"]["alpha.people"]
    with pytest.raises(UnknownName) as caught:
        compile_query("SELECT COUNT(*) FROM people", Terms.of(agreed), "h", "analyst")
    assert "alpha.people or beta.people" in caught.value.remedy


NAMED = {
    "SELECT SUM(a) FROM alpha.people AS p (a)": "table's alias",
    "SELECT SUM(a) FROM (SELECT score FROM alpha.people) AS p (a, b)": "more column names",
    "SELECT SUM(a) FROM (SELECT score, id FROM alpha.people) AS p (id)": "name of its own",
}


@pytest.mark.parametrize("sql", NAMED)
def test_names_of_columns_beside_an_alias_fit(sql: str) -> None:
    with pytest.raises(UnsupportedQuery, match=NAMED[sql]):
        compile_query(sql, rooms.terms(), "h", "analyst")


OVERFLOWING = [
    f"SELECT COUNT(*) {P} WHERE p.income * p.income * c.amount > 3",
    "SELECT VARIANCE(m.rate * c.amount) FROM beta.claims c, gamma.members m WHERE c.pid = m.mid",
    "SELECT QUANTILE_DISC(amt, 0.123456789012345678) FROM transactions",
    "SELECT SUM(DISTINCT amt * amt * other) FROM transactions",
    "SELECT SUM(income * income * income) FROM alpha.people",
    "SELECT SUM(a.amt * b.amt * c.amt) FROM transactions a, transactions b, transactions c"
    " WHERE a.cust = b.cust AND b.cust = c.cust",
    "SELECT state FROM alpha.people GROUP BY state"
    " HAVING AVG(income) * AVG(score) * SUM(income) * SUM(income) > 3",
]


@pytest.mark.parametrize("sql", OVERFLOWING)
def test_what_may_wrap_is_refused(sql: str) -> None:
    with pytest.raises(OverflowPossible):
        compile_query(sql, rooms.terms(), "h", "analyst")


def test_user_text_stays_a_literal() -> None:
    sql = "SELECT COUNT(*) FROM alpha.people WHERE name = 'x'') OR 1=1; DROP TABLE t --'"
    (leaf,) = compile_query(sql, rooms.terms(), "h", "analyst").leaves
    assert "'x'') OR 1=1; DROP TABLE t --'" in leaf.sql


def test_aliases_are_quoted_in_the_final_sql() -> None:
    sql = 'SELECT COUNT(*) AS "n"" FROM x; --" FROM alpha.people'
    plan = compile_query(sql, rooms.terms(), "h", "analyst")
    assert plan.final_sql.endswith('AS "n"" FROM x; --" FROM opened')


def test_every_process_finds_the_same_plan() -> None:
    code = (
        "import rooms, tpch; from cleanroom.query.compile import compile_query as c;"
        "asked = [(q, rooms.terms(1)) for _, q in list(rooms.golden())[::4]];"
        "asked += [(q, tpch.terms(0.01)) for q in tpch.queries().values()];"
        "print([c(q, terms, 'h', 'analyst').hash for q, terms in asked])"
    )
    plans = set()
    tests = Path(__file__).parents[2]
    path = os.pathsep.join((str(tests / "support"), str(tests.parent)))
    for seed in ("0", "1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        plans.add(done.stdout)
    assert len(plans) == 1


def test_errors_carry_stable_codes() -> None:
    with pytest.raises(CleanroomError) as caught:
        compile_query("SELECT 1", rooms.terms(), "h", "analyst")
    assert caught.value.code == "unsupported-query"
