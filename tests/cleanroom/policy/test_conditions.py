"""Conditions on columns: equalities, wide enough ranges, and no constants beside persons' names."""

import datetime as dt
from typing import Any

import pytest
import rooms
import training

from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError
from cleanroom.learning.job import Job
from cleanroom.policy.check import by_contract, check
from cleanroom.policy.matter import Spent
from cleanroom.policy.model import Code, Violation
from cleanroom.policy.own import Own, OwnPolicy
from cleanroom.query.compile import compile_query
from cleanroom.query.training import compile_training

TODAY = dt.date(2026, 3, 1)
PEOPLE = "SELECT state, COUNT(*) FROM alpha.people"
JOINED = "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"
G, J = " GROUP BY state", " GROUP BY p.state"


def terms(min_group: int = 10, **columns: dict[str, Any]) -> Terms:
    """Return terms in which columns of alpha.people are filtered as given."""
    room = rooms.room(min_group)
    for name, limit in columns.items():
        room["tables"]["alpha.people"]["columns"][name].update(limit)
    return Terms.of(room)


def codes(sql: str, agreed: Terms, protocol: str = "mpc") -> list[str]:
    plan = compile_query(sql, agreed, "0" * 64, "analyst", protocol)
    return [v.code for v in by_contract(plan, agreed, TODAY)]


# --- names of persons ------------------------------------------------------------------

SINGLED_OUT = [
    PEOPLE + " WHERE id = 7" + G,
    PEOPLE + " WHERE 7 = id" + G,
    PEOPLE + " WHERE id IN (7, 8)" + G,
    PEOPLE + " WHERE id NOT IN (7, 8)" + G,
    PEOPLE + " WHERE id <> 7" + G,
    PEOPLE + " WHERE NOT (id = 7)" + G,
    PEOPLE + " WHERE id BETWEEN 0 AND 59" + G,
    PEOPLE + " WHERE id < 7" + G,
    PEOPLE + " WHERE id + 1 = 8" + G,
    PEOPLE + " WHERE id % 2 = 0" + G,
    PEOPLE + " WHERE CAST(id AS VARCHAR) LIKE '1%'" + G,
    PEOPLE + " WHERE active OR id = 7" + G,
    PEOPLE + " WHERE CASE WHEN id = 7 THEN active ELSE FALSE END" + G,
    PEOPLE + " WHERE (id = 7) = active" + G,
    PEOPLE + " WHERE COALESCE(id, 3) = 7" + G,
    PEOPLE + " WHERE id = score" + G + " HAVING MIN(id) = 7",
    "SELECT state, COUNT(*) FILTER (WHERE id = 7) FROM alpha.people" + G,
    "SELECT state, SUM(CASE WHEN id = 7 THEN income END) FROM alpha.people" + G,
    "SELECT state, SUM(income * (id - 7)) FROM alpha.people" + G,
    "SELECT state, SUM(1 // (id - 7)) FROM alpha.people" + G,
    "SELECT id = 7, COUNT(*) FROM alpha.people GROUP BY id = 7",
    "SELECT id // 10, COUNT(*) FROM alpha.people GROUP BY id // 10",
    "SELECT CASE WHEN id = 7 THEN 1 ELSE 2 END, COUNT(*) FROM alpha.people GROUP BY 1",
    "SELECT id, COUNT(*) FROM alpha.people GROUP BY id HAVING id = 7",
    "SELECT id, COUNT(*) FROM alpha.people GROUP BY id HAVING MAX(id) < 9",
    "SELECT state, COUNT(*) FROM (SELECT state, id AS who FROM alpha.people) t WHERE who = 7" + G,
    "SELECT COUNT(*) FROM (SELECT id, COUNT(*) n FROM alpha.visits GROUP BY id) v WHERE v.id = 7",
    "SELECT COUNT(*) FROM (SELECT id, COUNT(*) n FROM alpha.visits GROUP BY id HAVING id = 7) v",
    "SELECT COUNT(*) FROM (SELECT id, COUNT(*) n FROM alpha.visits GROUP BY id"
    " HAVING MIN(id) = 7) v",
    "SELECT COUNT(*) FROM (SELECT id, id + 1 AS x, ROW_NUMBER() OVER (PARTITION BY id ORDER BY day)"
    " AS rn FROM alpha.visits) v WHERE x = 8",
    "SELECT COUNT(*) FROM (SELECT id, LAG(id) OVER (PARTITION BY id ORDER BY day) AS before"
    " FROM alpha.visits) v WHERE before = 7",
    "SELECT COUNT(*) FROM (SELECT id FROM alpha.visits UNION ALL SELECT pid FROM beta.claims) u"
    " WHERE id = 7",
    "SELECT COUNT(*) FROM (SELECT id FROM alpha.visits WHERE id = 7 UNION ALL"
    " SELECT pid FROM beta.claims) u",
    "WITH w AS (SELECT * FROM alpha.people WHERE id IN (7, 8)) SELECT state, COUNT(*) FROM w" + G,
    JOINED + " AND c.pid = 7" + J,
    JOINED + " WHERE p.id < 9" + J,
    JOINED + " LEFT JOIN gamma.members m ON m.mid = p.id AND m.mid = 7" + J,
    PEOPLE + " WHERE id IN (SELECT pid FROM beta.claims WHERE pid = 7)" + G,
    PEOPLE + " p WHERE EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id AND p.id < 9)" + G,
    PEOPLE + " p WHERE NOT EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id AND c.pid > 9)"
    + G,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c"
    " ON p.id = CASE WHEN c.level IS NULL THEN 7 ELSE 7 END" + J,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid * 0 + 7" + J,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN"
    " (SELECT pid, 7 AS x FROM beta.claims) c ON p.id = c.x" + J,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN (SELECT pid, SUM(7) AS x"
    " FROM beta.claims GROUP BY pid) c ON p.id = c.x" + J,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN (SELECT pid, COUNT(*) AS x"
    " FROM beta.claims GROUP BY pid) c ON p.id = c.x" + J,
    # a column that the join makes a person's name, too
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN transactions t ON p.id = t.other"
    " WHERE t.other = 7" + J,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN (SELECT cust, other, COUNT(*) n"
    " FROM transactions WHERE other = 7 GROUP BY cust, other) t ON p.id = t.other" + J,
    PEOPLE + " WHERE id IN (SELECT other FROM transactions WHERE other < 9)" + G,
    # a constant by way of another column
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = length(c.name)"
    " WHERE c.name = 'abcdefg'" + J,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = year(c.filed) - 2000"
    " WHERE c.filed < '2020-01-01'" + J,
    JOINED + " AND p.id < c.level WHERE c.level = 7" + J,
    JOINED + " JOIN gamma.members m ON m.mid = c.level WHERE c.level = 7" + J,
    PEOPLE + " WHERE id IN (SELECT 7 FROM beta.claims)" + G,
    PEOPLE + " WHERE id IN (SELECT CASE WHEN level > 3 THEN 7 ELSE 8 END FROM beta.claims)" + G,
    PEOPLE + " WHERE id NOT IN (SELECT pid FROM beta.claims WHERE pid <> 7)" + G,
    PEOPLE + " p WHERE EXISTS (SELECT 1 FROM beta.claims c WHERE p.id = 7)" + G,
    PEOPLE + " WHERE active OR id IN (SELECT pid FROM beta.claims WHERE pid = 7)" + G,
    PEOPLE + " p WHERE score > (SELECT AVG(level) FROM beta.claims c WHERE c.pid = p.id"
    " AND c.pid = 7)" + G,
    "SELECT state, COUNT(*) FROM alpha.people QUALIFY id = 7" + G,
    "SELECT state, COUNT(*) FROM (VALUES (7), (8)) v(x) JOIN alpha.people p ON p.id = v.x" + G,
    "SELECT state, COUNT(*) FROM alpha.people p JOIN (SELECT 7 AS x) v ON p.id = v.x" + G,
    "SELECT state, COUNT(*) FROM alpha.people p JOIN (SELECT 7 AS x UNION ALL SELECT 8) v"
    " ON p.id = v.x" + G,
    "SELECT state, COUNT(*) FROM alpha.people p JOIN (SELECT 7 AS x, pid FROM beta.claims UNION ALL"
    " SELECT 8, cust FROM transactions) v ON p.id = v.x" + G,
    "SELECT DISTINCT state FROM alpha.people WHERE id = 7",
    "SELECT state, REGR_SLOPE(income, id) FROM alpha.people WHERE id - 7 = 0" + G,
    "SELECT state, STDDEV(id - 7) FROM alpha.people" + G,
    "SELECT COVAR_POP(id, income) FROM alpha.people",
    "SELECT state, VARIANCE(id) FROM alpha.people" + G,
    # a constant by way of a truth, a date or a text
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c"
    " ON c.pid = CAST(p.active AS INTEGER)" + J,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c ON c.pid = year(p.born)" + J,
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c ON c.pid = length(p.name)"
    + J,
]


@pytest.mark.parametrize("sql", SINGLED_OUT)
def test_a_name_of_a_person_meets_no_constant(sql: str) -> None:
    """Every right is granted here: none of them helps."""
    try:
        found = codes(sql, terms())
    except CleanroomError:
        # what can't be computed with min_group > 1 can't single out anybody; the facts still tell
        found = []
    alone = terms(1)
    try:
        plan = compile_query(sql, alone, "0" * 64, "analyst")
    except CleanroomError:
        assert found == []
        return
    assert not found or Code.PERSON_SINGLED_OUT in found
    guarded = Terms.of({**rooms.room(10), "privacy": {"release": "sdc", "min_group": 10}})
    assert Code.PERSON_SINGLED_OUT in [v.code for v in by_contract(plan, guarded, TODAY)]
    assert codes(sql, alone) == []


NOT_SINGLED_OUT = [
    PEOPLE + G,
    JOINED + J,
    PEOPLE + " WHERE score = 7 AND income BETWEEN 0 AND 10" + G,
    "SELECT p.state, COUNT(DISTINCT p.id) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"
    " AND c.level > 3" + J + " HAVING COUNT(DISTINCT p.id) > 12",
    PEOPLE + " WHERE id IN (SELECT pid FROM beta.claims WHERE level > 3)" + G,
    "SELECT COUNT(*) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid"
    " WHERE c.pid IS NULL",
    "SELECT COUNT(*) FROM alpha.people p FULL JOIN beta.claims c ON p.id = c.pid"
    " WHERE p.id IS NOT NULL",
    "SELECT COUNT(*), SUM(n) FROM (SELECT id, COUNT(*) AS n FROM alpha.visits GROUP BY id) v"
    " WHERE n > 2",
    "SELECT COUNT(*) FROM (SELECT id, cost, ROW_NUMBER() OVER (PARTITION BY id ORDER BY day) AS rn"
    " FROM alpha.visits) v WHERE rn = 1",
    "SELECT COUNT(c.flag) FROM alpha.people p LEFT JOIN (SELECT pid, 1 AS flag FROM beta.claims) c"
    " ON p.id = c.pid",
]


@pytest.mark.parametrize("sql", NOT_SINGLED_OUT)
def test_persons_are_joined_counted_and_grouped(sql: str) -> None:
    assert codes(sql, terms()) == []


def test_persons_sought_in_secret_are_singled_out_too() -> None:
    agreed = Terms.of(rooms.room(10, untested_cells="opened"))
    sql = "SELECT COUNT(*) FROM transactions WHERE cust = :who"
    assert codes(sql, agreed, "he") == [Code.PERSON_SINGLED_OUT]


def test_a_training_chooses_no_persons_by_name() -> None:
    agreed = training.terms(min_group=5)
    rows = "SELECT age, bmi, outcome FROM patients WHERE patient > 100"
    job = Job.of(training.job({"kind": "logistic"}, rows=rows))
    plan = compile_training(job, agreed, "0" * 64, "university")
    assert Code.PERSON_SINGLED_OUT in [v.code for v in by_contract(plan, agreed, TODAY)]


# --- equalities and ranges -------------------------------------------------------------

EQUALITY = {"score": {"filter_by": "equality"}}
BY_EQUALITY = [
    ("score = 3", True),
    ("3 = score", True),
    ("score IN (1, 2, 3)", True),
    ("score = 1 OR score = 2", True),
    ("score IS NULL", True),
    ("score IS NOT NULL", True),
    ("income > 10", True),
    ("score > 3", False),
    ("score BETWEEN 1 AND 3", False),
    ("score <> 3", False),
    ("score NOT IN (1, 2)", False),
    ("NOT score = 3", False),
    ("score = 3 OR income > 10", False),
    ("score + 0 = 3", False),
    ("abs(score) = 3", False),
    ("CASE WHEN score > 3 THEN TRUE ELSE FALSE END", False),
    ("score = income", False),
]


@pytest.mark.parametrize(("condition", "passes"), BY_EQUALITY)
def test_equality_alone(condition: str, passes: bool) -> None:
    found = codes(f"{PEOPLE} WHERE {condition}{G}", terms(**EQUALITY))
    assert found == ([] if passes else [Code.FILTER_NOT_ALLOWED])


INSIDE = [
    "SELECT state, COUNT(*) FILTER (WHERE score = 3) FROM alpha.people" + G,
    "SELECT state, SUM(CASE WHEN score = 3 THEN 1 END) FROM alpha.people" + G,
    "SELECT score > 3, COUNT(*) FROM alpha.people GROUP BY 1",
    "SELECT state, SUM(score // (score - 3)) FROM alpha.people" + G,
    "SELECT COUNT(*) FROM (SELECT id, SUM(score) s FROM alpha.people GROUP BY id) t WHERE s = 3",
    "SELECT COUNT(*) FROM (SELECT id, COUNT(*) s FROM alpha.people GROUP BY id"
    " HAVING SUM(score) = 3) t",
    "SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"
    " AND p.score = CASE WHEN c.level IS NULL THEN 3 ELSE 3 END" + J,
]


@pytest.mark.parametrize("sql", INSIDE)
def test_an_expression_around_a_condition_is_no_way_past_it(sql: str) -> None:
    assert codes(sql, terms(**EQUALITY)) == [Code.FILTER_NOT_ALLOWED]
    assert codes(sql, terms()) == []


RANGE = {
    "income": {"filter_by": "range", "min_width": "1000.5"},
    "born": {"filter_by": "range", "min_width": 365},
}
NARROW, OTHER = Code.RANGE_TOO_NARROW, Code.FILTER_NOT_ALLOWED
BY_RANGE: list[tuple[str, str | None]] = [
    ("income BETWEEN 0 AND 1000.49", None),
    ("income BETWEEN 0 AND 1000.48", NARROW),
    ("income >= 0 AND income < 1000.5", None),
    ("income > 0 AND income < 1000.5", NARROW),
    ("income >= 0 AND active AND 1000.5 > income", None),
    ("income > 98999.49", None),
    ("income > 98999.51", NARROW),
    ("income < 1e9", None),
    ("income < -0.505", NARROW),
    ("income = 5", NARROW),
    ("income IN (1, 2, 3)", NARROW),
    ("income IS NULL", NARROW),
    ("income BETWEEN 2000 AND 1000", NARROW),
    ("income < 5000 AND income > 4500", NARROW),
    ("income < 50000 OR income > 60000", OTHER),
    ("income <> 5", OTHER),
    ("NOT income < 5000", OTHER),
    ("income * 2 > 10", OTHER),
    ("born >= '1980-01-01' AND born < '1980-12-31'", None),
    ("born >= '1980-01-01' AND born < '1980-12-30'", NARROW),
    ("born > DATE '1999-06-01'", NARROW),
    ("year(born) = 1980", OTHER),
    ("born + 1 > DATE '1980-01-01'", OTHER),
]


@pytest.mark.parametrize(("condition", "code"), BY_RANGE)
def test_wide_ranges_alone(condition: str, code: str | None) -> None:
    found = codes(f"{PEOPLE} WHERE {condition}{G}", terms(**RANGE))
    assert found == ([] if code is None else [code])


LINKED = [
    "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.income = c.amount"
    " WHERE c.amount BETWEEN 5 AND 6",
    "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid AND p.income < c.amount"
    " WHERE c.amount = 5",
]


@pytest.mark.parametrize("sql", LINKED)
def test_a_condition_on_what_a_column_is_compared_with_is_no_way_past_it(sql: str) -> None:
    assert codes(sql, terms(1, **RANGE)) == [OTHER]


def test_to_part_rows_by_a_function_chooses_none() -> None:
    for sql in (
        "SELECT year(born), COUNT(*) FROM alpha.people GROUP BY 1",
        "SELECT score // 10, COUNT(*) FROM alpha.people GROUP BY 1",
    ):
        assert codes(sql, terms(**RANGE, **EQUALITY)) == []
    parted = "SELECT born < '1980-01-01', COUNT(*) FROM alpha.people GROUP BY 1"
    assert codes(parted, terms(**RANGE)) == [OTHER]


TOGETHER = [
    "SELECT state, COUNT(*) FROM (SELECT * FROM alpha.people WHERE income < 5000) t"
    " WHERE income > 4500" + G,
    "SELECT COUNT(*) FROM (SELECT id, income, COUNT(*) n FROM alpha.people WHERE income < 5000"
    " GROUP BY id, income) t WHERE income > 4500",
    PEOPLE + " WHERE income < 5000 AND id IN (SELECT id FROM alpha.people WHERE income > 4500)" + G,
    "SELECT a.state, COUNT(*) FROM alpha.people a JOIN alpha.people b ON a.id = b.id"
    " WHERE a.income < 5000 AND b.income > 4500 GROUP BY a.state",
    PEOPLE + " p WHERE income < 5000 AND NOT EXISTS (SELECT 1 FROM alpha.people q"
    " WHERE p.id = q.id AND q.income > 4500)" + G,
]


@pytest.mark.parametrize("sql", TOGETHER)
def test_ranges_that_are_wide_alone_are_narrow_together(sql: str) -> None:
    assert codes(sql, terms(**RANGE)) == [NARROW]


def test_a_refusal_says_how_wide_and_what_passes() -> None:
    agreed = terms(**RANGE)
    sql = f"{PEOPLE} WHERE income BETWEEN 0 AND 99.99{G}"
    (violation,) = by_contract(
        compile_query(sql, agreed, "0" * 64, "analyst"), agreed, TODAY
    )
    assert violation == Violation(
        Code.RANGE_TOO_NARROW,
        "alpha",
        "column alpha.people.income is restricted to a range of 100.00; 1000.5 needed",
        "Ask for a range of at least 1000.5.",
        "tables.alpha.people.columns.income.min_width",
    )


def test_a_members_own_limits_come_on_top() -> None:
    agreed = terms(**RANGE)
    plan = compile_query(
        f"{PEOPLE} WHERE income < 5000 AND score > 3{G}", agreed, "0" * 64, "analyst"
    )
    columns = {
        "alpha.people.income": {"filter_by": "range", "min_width": 7000},
        "alpha.people.score": {"filter_by": "equality"},
    }
    policy = OwnPolicy.model_validate({"columns": columns})
    policy.check("alpha", agreed)
    found = check(plan, agreed, Own("alpha", policy), Spent(), TODAY)
    assert [(v.code, v.rule) for v in found] == [
        (Code.RANGE_TOO_NARROW, "policy.columns.alpha.people.income.min_width"),
        (Code.FILTER_NOT_ALLOWED, "policy.columns.alpha.people.score.filter_by"),
    ]
    assert found[0].remedy == (
        "Ask for a range of at least 7000, or have alpha change its own policy."
    )


# --- rights ----------------------------------------------------------------------------

MADE = [
    "CASE WHEN c.kind = 'car' THEN 'Bo Li' ELSE 'x' END",
    "COALESCE(CASE WHEN c.level > 99 THEN c.name END, 'Bo Li')",
]


@pytest.mark.parametrize("made", MADE)
def test_to_join_with_a_constant_in_disguise_is_to_filter(made: str) -> None:
    sql = f"SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.name = {made}"
    uses = compile_query(sql, terms(1), "0" * 64, "analyst").uses
    rights = {u.right for u in uses if (u.table, u.column) == ("alpha.people", "name")}
    assert rights == {"join", "filter"}


@pytest.mark.parametrize(
    ("condition", "rights"),
    [
        ("c.name = 'Bo Li'", {"join", "filter"}),
        ("c.name IN ('Bo Li', 'Dov')", {"join", "filter"}),
        ("c.name IS NULL", {"join"}),
        ("c.level = 3", {"join"}),
    ],
)
def test_a_condition_holds_for_all_that_has_to_be_equal(condition: str, rights: set[str]) -> None:
    sql = "SELECT COUNT(*) FROM alpha.people p LEFT JOIN beta.claims c ON p.name = c.name"
    for joined in (sql.replace("LEFT ", ""), sql):
        uses = compile_query(f"{joined} WHERE {condition}", terms(1), "0" * 64, "analyst").uses
        assert rights == {u.right for u in uses if (u.table, u.column) == ("alpha.people", "name")}


POLYNOMIALS = [
    ("level * (level - 1) * (level - 2)", True),
    ("(level - 1) * (2 - level) * 3 * level", True),
    ("amount * (level * level) * level", True),
    ("level * level", False),
    ("amount * amount + level * level", False),
    ("amount * level", True),  # of few values
]


@pytest.mark.parametrize(("product", "chooses"), POLYNOMIALS)
def test_a_polynomial_that_is_zero_but_for_one_value_filters(product: str, chooses: bool) -> None:
    sql = f"SELECT kind, SUM({product}) FROM beta.claims GROUP BY kind"
    uses = compile_query(sql, terms(1), "0" * 64, "analyst").uses
    rights = {u.right for u in uses if (u.table, u.column) == ("beta.claims", "level")}
    assert rights == ({"sum", "filter"} if chooses else {"sum"})


FACTOR = "CAST(active AS INTEGER)"
CHOOSING = [
    f"SELECT SUM(income * {FACTOR}) FROM alpha.people",
    f"SELECT SUM(income * (1 - 100 * {FACTOR})) FROM alpha.people",
    f"SELECT COVAR_POP(income, {FACTOR}) FROM alpha.people",
    f"SELECT CORR({FACTOR}, income) FROM alpha.people",
    f"SELECT VARIANCE(income + 1000 * {FACTOR}) FROM alpha.people",
    f"SELECT SUM(income * k) FROM (SELECT income, {FACTOR} AS k FROM alpha.people) t",
    "SELECT SUM(total * k) FROM (SELECT id, SUM(income) AS total,"
    f" SUM(100 * {FACTOR}) AS k FROM alpha.people GROUP BY id) t",
]


@pytest.mark.parametrize("sql", CHOOSING)
def test_to_multiply_with_a_truth_is_to_filter_by_it(sql: str) -> None:
    plan = compile_query(sql, terms(1), "0" * 64, "analyst")
    assert ("alpha.people", "active", "filter") in {(u.table, u.column, u.right) for u in plan.uses}
    by_equality = terms(1, active={"filter_by": "equality"})
    assert codes(sql, by_equality) == [Code.FILTER_NOT_ALLOWED]


@pytest.mark.parametrize("moment", ["VARIANCE(level * level)", "COVAR_POP(level * level, level)"])
def test_a_moment_multiplies_once_more(moment: str) -> None:
    uses = compile_query(f"SELECT {moment} FROM beta.claims", terms(1), "0" * 64, "analyst").uses
    assert "filter" in {u.right for u in uses}


def test_sums_and_moments_of_many_values_filter_nothing() -> None:
    sql = "SELECT SUM(income * score), COVAR_POP(income, score), VARIANCE(score) FROM alpha.people"
    uses = compile_query(sql, terms(1), "0" * 64, "analyst").uses
    assert "filter" not in {u.right for u in uses}


def test_to_compare_with_a_constant_in_disguise_is_to_filter() -> None:
    sql = (
        "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"
        " WHERE p.score < CASE WHEN c.level IS NULL THEN 3 ELSE 3 END"
    )
    uses = compile_query(sql, terms(1), "0" * 64, "analyst").uses
    rights = {u.right for u in uses if (u.table, u.column) == ("alpha.people", "score")}
    assert rights == {"compare", "filter"}
