"""What a recipient may ask over time: comparisons are counted, sets of rows don't overlap."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import kept
import pytest
import rooms
import training
from rich.console import Console

from cleanroom.budget import asked
from cleanroom.cli.show import pages
from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Terms
from cleanroom.errors import StateRestored
from cleanroom.identity.identity import Identity
from cleanroom.learning.job import Job
from cleanroom.party.approving import Approving
from cleanroom.party.judging import Judge
from cleanroom.party.spending import Spending
from cleanroom.plan.plan import Plan
from cleanroom.plan.rowsets import RowSet
from cleanroom.plan.sheet import Sheet
from cleanroom.policy.asked import MOST_SETS, compared, watched
from cleanroom.policy.check import check
from cleanroom.policy.matter import Spent
from cleanroom.policy.model import Code, Violation
from cleanroom.policy.own import Own, OwnPolicy
from cleanroom.query.compile import compile_query
from cleanroom.query.training import compile_training

TODAY = dt.date(2026, 3, 1)
PEOPLE = "alpha.people"
TERMS = rooms.terms(1, overlap="refused", max_comparisons=3)
ALPHA = Own("alpha")


def plan_of(sql: str, terms: Terms = TERMS, protocol: str = "mpc", without: tuple[str, ...] = ()):
    return compile_query(sql, terms, "0" * 64, "analyst", protocol, without)


def rows(sql: str, table: str = PEOPLE) -> RowSet:
    (found,) = (one for one in plan_of(sql).row_sets if one.table == table)
    return found


def ruled(plan: Plan, *earlier: RowSet, own: Own = ALPHA) -> list[Violation]:
    found = check(plan, TERMS, own, Spent(row_sets={PEOPLE: earlier}), TODAY)
    return [v for v in found if v.code is Code.ROWS_OVERLAP]


# --- row sets --------------------------------------------------------------------------

A = "SELECT COUNT(*) FROM alpha.people WHERE "
EQUAL = [
    ("score > 3 AND active", "active AND score > 3"),
    ("score > 3 AND active", "3 < score\n  AND TRUE AND active  AND 1 = 1"),
    ("score BETWEEN 1 AND 3", "score <= 3 AND score >= 1"),
    ("score IN (1, 2)", "score IN (2, 1, 1)"),
    ("state = 'nsw'", "'nsw' = state"),
    ("active OR score > 3", "score > 3 OR active"),
    ("score + 1 > 3", "3 < 1 + score"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_one_set_has_one_form(one: str, other: str) -> None:
    assert rows(A + one).proven_apart(rows(A + other))
    assert rows(A + one).shape == rows(A + other).shape


def test_names_and_groups_change_no_set() -> None:
    plain = rows(A + "score > 3")
    for sql in (
        "SELECT COUNT(*), SUM(p.income) FROM alpha.people AS p WHERE p.score > 3",
        "SELECT state, MAX(born) FROM alpha.people WHERE score > 3 GROUP BY state",
        "SELECT COUNT(*) FROM (SELECT score AS s FROM alpha.people) t WHERE s > 3",
        "WITH t AS (SELECT * FROM alpha.people WHERE score > 3) SELECT AVG(income) FROM t",
    ):
        assert plain.shape == rows(sql).shape


APART = [
    ("score > 3", "score <= 3"),
    ("score BETWEEN 1 AND 3", "score BETWEEN 4 AND 9 AND active"),
    ("state = 'nsw' AND score > 3", "score > 3 AND state IN ('vic', 'qld')"),
    ("state = 'nsw'", "state IS NULL"),
    ("active", "NOT active"),
    ("score = 3", "score > 3"),
    ("score IS NULL", "score > -50"),
    ("born < '1980-01-01'", "born >= '1980-01-01'"),
    ("income < 10.5", "income >= 10.5"),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_disjoint_sets_are_proven(one: str, other: str) -> None:
    assert rows(A + one).proven_apart(rows(A + other))
    assert rows(A + other).proven_apart(rows(A + one))


NOT_PROVEN = [
    ("TRUE", "score > 3"),
    ("score > 3", "score > 4"),
    ("score > 3", "score >= 3"),
    ("score < 4", "score >= 3"),
    ("state = 'nsw'", "state IN ('nsw', 'vic')"),
    ("state = 'nsw'", "state <> 'nsw'"),
    ("score > 3", "active"),
    ("score > 3", "score > 3 AND active"),
    ("score > 3 OR active", "score <= 3 AND NOT active"),
    ("score > 3", "score + 0 <= 3"),
    ("score > 3", "id IN (SELECT pid FROM beta.claims WHERE level < 3)"),
    ("score > 3", "CASE WHEN score > 3 THEN FALSE ELSE TRUE END"),
]


@pytest.mark.parametrize(("one", "other"), NOT_PROVEN)
def test_what_is_not_proven_may_overlap(one: str, other: str) -> None:
    assert not rows(A + one).proven_apart(rows(A + other))
    assert not rows(A + other).proven_apart(rows(A + one))


P, C = "alpha.people p", "beta.claims c"
JOINS = [
    # ON of an outer join lets through every row of the side that it preserves
    f"SELECT COUNT(*) FROM {P} LEFT JOIN {C} ON p.id = c.pid AND p.score > 3",
    f"SELECT COUNT(*) FROM {P} FULL JOIN {C} ON p.id = c.pid AND p.score > 3",
    # only one of two mentions is restricted
    f"SELECT COUNT(*) FROM {P} JOIN alpha.people q ON p.id = q.id WHERE p.score > 3",
    f"SELECT COUNT(*) FROM {P} WHERE score > 3 AND EXISTS"
    " (SELECT 1 FROM alpha.people q WHERE q.id = p.id)",
    f"SELECT COUNT(*) FROM {P} WHERE score > 3 AND income >"
    " (SELECT AVG(q.income) FROM alpha.people q WHERE q.state = p.state)",
    # inside of a subquery with groups or windows
    "SELECT COUNT(*) FROM (SELECT id, MAX(score) AS s FROM alpha.people GROUP BY id) t WHERE s > 3",
    "SELECT COUNT(*) FROM (SELECT id, score, ROW_NUMBER() OVER (PARTITION BY id ORDER BY born) AS n"
    " FROM alpha.people WHERE score > 3) t WHERE n = 1",
    "SELECT COUNT(*) FROM (SELECT score FROM alpha.people WHERE score > 3 UNION ALL"
    " SELECT level FROM beta.claims) t",
]


@pytest.mark.parametrize("sql", JOINS)
def test_conditions_prove_nothing_where_they_need_not_hold(sql: str) -> None:
    assert rows(sql).chosen == ()
    assert not rows(sql).proven_apart(rows(A + "score <= 3"))
    assert rows(sql).proven_apart(rows(sql))


def test_a_join_keeps_what_where_says_of_one_mention() -> None:
    one = rows(f"SELECT COUNT(*) FROM {P} JOIN {C} ON p.id = c.pid WHERE p.score > 3")
    assert one.proven_apart(rows(A + "score <= 3"))
    assert not one.proven_apart(rows(A + "score > 3"))


def test_subqueries_of_another_shape_are_other_rows() -> None:
    inner = "SELECT COUNT(*) FROM (SELECT id, COUNT(*) AS n FROM alpha.visits GROUP BY id{}) v"
    plain, kept_ = (rows(inner.format(h), "alpha.visits") for h in ("", " HAVING COUNT(*) > 2"))
    assert not plain.proven_apart(kept_)
    assert plain.proven_apart(rows(inner.format("").replace(" AS n", " AS n"), "alpha.visits"))


def test_without_a_member_other_rows_are_left() -> None:
    sql = "SELECT COUNT(*) FROM transactions"
    agreed = rooms.terms(1, overlap="refused", min_contributors=1)
    whole = plan_of(sql, agreed, "he").row_sets[0]
    fewer = plan_of(sql, agreed, "he", ("beta",)).row_sets[0]
    assert whole == plan_of(sql, agreed).row_sets[0]
    assert not whole.proven_apart(fewer)


# --- the rule --------------------------------------------------------------------------


def test_overlapping_questions_are_refused_and_the_remedy_passes() -> None:
    total, old = plan_of("SELECT COUNT(*) FROM alpha.people"), plan_of(A + "score > 3")
    (violation,) = ruled(old, *total.row_sets)
    assert (violation.party, violation.rule) == ("alpha", "privacy.overlap")
    assert "GROUP BY the condition" in violation.remedy
    both = plan_of("SELECT score > 3, COUNT(*) FROM alpha.people GROUP BY score > 3")
    assert ruled(both, *total.row_sets) == ruled(total, *total.row_sets) == []
    assert ruled(plan_of(A + "score <= 3"), *old.row_sets) == []


def test_two_ways_to_part_the_same_rows_tell_their_difference() -> None:
    one = plan_of("SELECT score > 3, COUNT(*) FROM alpha.people GROUP BY score > 3")
    other = plan_of("SELECT score > 4, COUNT(*) FROM alpha.people GROUP BY score > 4")
    assert len(ruled(other, *one.row_sets)) == 1
    assert ruled(one, *one.row_sets) == []


@pytest.mark.parametrize(
    "select",
    [
        "COUNT(*), COUNT(*) FILTER (WHERE score <> 3)",
        "SUM(CASE WHEN score > 3 THEN income END)",
        "SUM(income // (score - 3))",
        "MAX(income + score)",
    ],
)
def test_no_aggregate_chooses_rows_by_itself(select: str) -> None:
    sql = f"SELECT {select} FROM alpha.people".replace("income //", "score //")
    (violation,) = ruled(plan_of(sql))
    assert "an aggregate chooses among the rows of alpha.people" in violation.message


REST = "(b.score <> 29 OR b.score IS NULL)"
TWO_SETS = [
    f"SUM(a.income), SUM(b.income) FROM {PEOPLE} a LEFT JOIN {PEOPLE} b ON a.id = b.id AND {REST}",
    f"SUM(a.income), SUM(b.income) FROM {PEOPLE} a LEFT JOIN"
    f" (SELECT id, income FROM {PEOPLE} b WHERE {REST}) b ON a.id = b.id",
    f"SUM(a.income), SUM(b.x) FROM {PEOPLE} a LEFT JOIN"
    f" (SELECT id, SUM(income) AS x FROM {PEOPLE} b WHERE {REST} GROUP BY id) b ON a.id = b.id",
    f"COUNT(*), COUNT(c.pid) FROM {PEOPLE} a LEFT JOIN beta.claims c ON a.id = c.pid",
    f"k, SUM(income) FROM (SELECT 1 AS k, income FROM {PEOPLE} UNION ALL"
    f" SELECT 2, income FROM {PEOPLE} b WHERE {REST}) t GROUP BY k",
    f"SUM(x), SUM(income) FROM (SELECT income, CASE WHEN {REST} THEN income END AS x"
    f" FROM {PEOPLE} b) t",
    f"SUM(x), SUM(income) FROM (SELECT income, income * CAST(active AS INTEGER) AS x"
    f" FROM {PEOPLE}) t",
    f"SUM(income * CAST(active AS INTEGER)), SUM(income) FROM {PEOPLE}",
    f"SUM(income * score), SUM(income) FROM {PEOPLE}",
    f"SUM(income + 0 * score), SUM(income) FROM {PEOPLE}",
    f"COVAR_POP(income, CAST(active AS INTEGER)), SUM(income) FROM {PEOPLE}",
]


@pytest.mark.parametrize("select", TWO_SETS)
def test_one_question_is_about_one_set(select: str) -> None:
    (violation,) = ruled(plan_of(f"SELECT {select}"))
    assert "an aggregate chooses among the rows of alpha.people" in violation.message


@pytest.mark.parametrize(
    "select",
    [
        f"SUM(income * 2 + 1), VARIANCE(score), MAX(income) FROM {PEOPLE}",
        f"SUM(p.income), SUM(cost + 1) FROM {PEOPLE} p JOIN alpha.visits v ON p.id = v.id",
        f"p.state, SUM(p.income), SUM(c.amount) FROM {P} JOIN {C} ON p.id = c.pid GROUP BY 1",
        f"y, COUNT(*) FROM (SELECT year(born) AS y FROM {PEOPLE}) t GROUP BY y",
    ],
)
def test_aggregates_of_the_same_rows_pass(select: str) -> None:
    assert ruled(plan_of(f"SELECT {select}")) == []


def test_each_owner_rules_on_its_own_tables_and_only_if_asked_to() -> None:
    plan = plan_of(f"SELECT COUNT(*) FROM {P} JOIN {C} ON p.id = c.pid")
    assert [one.table for one in watched(plan, TERMS, ALPHA)] == [PEOPLE]
    assert [one.table for one in watched(plan, TERMS, Own("beta"))] == ["beta.claims"]
    lax = rooms.terms()
    assert watched(plan, lax, ALPHA) == ()
    strict = Own("alpha", OwnPolicy(overlap="refused"))
    total = plan_of("SELECT COUNT(*) FROM alpha.people")
    spent = Spent(row_sets={PEOPLE: total.row_sets})
    (violation,) = check(plan, lax, strict, spent, TODAY)
    assert violation.rule == "policy.overlap"


def test_sets_without_end_are_refused() -> None:
    plan = plan_of(A + "score > 3")
    (mine,) = plan.row_sets
    below = replace(mine.chosen[0], low=-50, high=3)
    many = [replace(mine, shape=str(i), chosen=(below,)) for i in range(MOST_SETS)]
    (violation,) = ruled(plan, *many)
    assert f"asked about {MOST_SETS} sets" in violation.message


def test_a_training_is_about_rows_too() -> None:
    terms = training.terms(min_group=5, overlap="refused")

    def asked_of(rows: str):
        job = Job.of(training.job({"kind": "logistic"}, rows=rows))
        return compile_training(job, terms, "0" * 64, "university")

    one = asked_of("SELECT age, bmi, outcome FROM patients WHERE age >= 18")
    spent = Spent(row_sets={"patients": one.row_sets})
    north = Own("north")
    assert check(one, terms, north, spent, TODAY) == ()
    other = asked_of("SELECT age, bmi, outcome FROM patients WHERE age >= 19")
    assert [v.code for v in check(other, terms, north, spent, TODAY)] == [Code.ROWS_OVERLAP]
    young = asked_of("SELECT age, bmi, outcome FROM patients WHERE age < 18")
    assert check(young, terms, north, spent, TODAY) == ()


# --- comparisons -----------------------------------------------------------------------

COMPARED = f"SELECT COUNT(*) FROM {P} JOIN {C} ON p.id = c.pid AND p.score < c.level"
SCORE = (PEOPLE, "score")


def test_the_last_comparison_is_the_contracts() -> None:
    plan = plan_of(COMPARED)
    assert compared(plan, TERMS, "alpha") == (SCORE,)
    assert compared(plan, TERMS, "beta") == (("beta.claims", "level"),)
    assert compared(plan, TERMS, "gamma") == ()
    agreed = rooms.terms(1, max_comparisons=3)
    assert check(plan, agreed, ALPHA, Spent(comparisons={SCORE: 2}), TODAY) == ()
    (violation,) = check(plan, agreed, ALPHA, Spent(comparisons={SCORE: 3}), TODAY)
    assert (violation.code, violation.party) == (Code.COMPARISONS_EXHAUSTED, "alpha")
    assert "alpha.people.score was compared in 3 questions of analyst; at most 3" in (
        violation.message
    )
    own = Own("alpha", OwnPolicy(max_comparisons=0))
    own.policy.check("alpha", agreed)
    (stricter,) = check(plan, agreed, own, Spent(), TODAY)
    assert stricter.rule == "policy.max_comparisons"


def test_counts_and_sets_are_kept_by_recipient(tmp_path: Path) -> None:
    sets = plan_of(A + "score > 3 AND state = 'nsw'").row_sets
    for before in range(3):
        with kept.state(tmp_path) as state, state.writing() as batch:
            assert asked.comparisons(batch, "analyst", [SCORE]) == {SCORE: before}
            asked.count_comparisons(batch, "analyst", [SCORE])
            asked.keep_row_sets(batch, "analyst", sets)
    with kept.state(tmp_path) as state, state.reading() as view:
        assert asked.comparisons(view, "analyst", [SCORE]) == {SCORE: 3}
        assert asked.row_sets(view, "analyst", [PEOPLE]) == {PEOPLE: sets}
        assert asked.comparisons(view, "other", [SCORE]) == {SCORE: 0}
        assert asked.row_sets(view, "other", [PEOPLE]) == {PEOPLE: ()}


def test_questions_at_once_count_one_by_one(tmp_path: Path) -> None:
    agreed, plan = rooms.terms(1, max_comparisons=3), plan_of(COMPARED)
    with kept.state(tmp_path) as state:
        judge = Judge(
            agreed, check, ALPHA, Spending("alpha", agreed, state), Approving(ALPHA, state), state
        )
        assert judge._rule(plan, TODAY, runs=False) == ()  # a rehearsal counts nothing
        with ThreadPoolExecutor(12) as pool:
            ruled = [pool.submit(judge._rule, plan, TODAY, runs=True) for _ in range(12)]
        found = [each.result() for each in ruled]
        assert sum(each == () for each in found) == 3
        assert {v.code for each in found for v in each} == {Code.COMPARISONS_EXHAUSTED}
        with state.reading() as view:
            assert asked.comparisons(view, "analyst", [SCORE]) == {SCORE: 3}


def test_a_state_out_of_a_backup_counts_nothing(tmp_path: Path) -> None:
    class Restored:
        restored = "it came out of a backup"

    for count in (asked.count_comparisons, asked.keep_row_sets):
        with pytest.raises(StateRestored):
            count(Restored(), "analyst", ())


def test_a_sheet_tells_how_rows_are_chosen_and_what_is_kept() -> None:
    sql = f"{COMPARED} WHERE p.state IN ('nsw', 'vic') AND p.income > 10 AND p.score + 1 > 3"
    text = Sheet.of(plan_of(sql), TERMS).text
    assert "alpha.people.state: 2 values" in text
    assert "alpha.people.income: a range" in text
    assert "alpha.people.score: > with an expression" in text
    assert "analyst may ask 3 such questions for each" in text
    assert "a hash of all conditions, and their constants: kept by each owner" in text
    assert "their own policies are shown to nobody" in text


def test_a_contract_shows_how_columns_may_be_filtered() -> None:
    room = rooms.room(10, overlap="refused", max_comparisons=5)
    columns = room["tables"]["alpha.people"]["columns"]
    columns["state"]["filter_by"] = "equality"
    columns["income"].update(filter_by="range", min_width=1000)
    console = Console(record=True, width=250)
    identities = {name: Identity.create(name).public for name in ("coordinator", *room["members"])}
    console.print(*pages(Contract.draft(Terms.of(room), identities)))
    text = console.export_text()
    assert "rows chosen by it with = and IN alone" in text
    assert "rows chosen by it in ranges of at least 1000 alone" in text
    assert "at most 5 questions of a recipient compare a column; no two questions" in text
