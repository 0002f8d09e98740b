"""Gates against DuckDB over everybody's rows: whose rows open, how many, and what is refused."""

from pathlib import Path
from typing import Any

import banks
import duckdb
import pytest
import rooms

from cleanroom.contract.terms import Terms
from cleanroom.errors import DataMismatch, JoinTooLarge, UnknownName, UnsupportedQuery
from cleanroom.execution.contribute import contribute
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plan import Plan
from cleanroom.plan.question import Question
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_question
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

OWN = {  # what DuckDB is asked instead, for the part of an owner
    "flagged_twice": "SELECT customer, SUM(amount) FROM flags GROUP BY customer HAVING "
    "COUNT(DISTINCT member) >= 2 AND SUM(amount) > 9000 AND COUNT(*) FILTER (member = '{0}') > 0",
    "their_flags": banks.GATES["their_flags"] + " AND f.member = '{0}'",
    "by_phone": banks.GATES["by_phone"]
    + " AND COUNT(*) FILTER (a.member = '{0}' OR f.member = '{0}') > 0",
    "on_the_list": "SELECT w.customer, f.reason FROM bank_a.watched w LEFT JOIN flags f ON "
    "w.customer = f.customer AND f.amount > 5000 WHERE f.member = '{0}' OR '{0}' = 'bank_a'",
}


def plan_of(name: str, recipient: str = "supervisor", agreed: Terms | None = None) -> Plan:
    agreed = agreed or banks.terms(500)
    sql = agreed.gates[name].sql if name in agreed.gates else "SELECT 1"
    return compile_question(Question(sql, recipient, gate=name), agreed, "0" * 64)


@pytest.fixture(scope="module")
def owners(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    return banks.stored(banks.rows(), tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def everything() -> duckdb.DuckDBPyConnection:
    return banks.pooled(banks.rows())


def cells(plan: Plan, owners: dict[str, Database]) -> tuple[list[tuple[Any, ...]], int]:
    outcome = insecure_run(plan, owners)
    found = finish(plan, outcome.columns).to_pandas()
    return rooms.cells(found, ordered=False), outcome.suppressed


@pytest.mark.parametrize("name", banks.GATES)
def test_all_that_match_open_to_whom_the_gate_names(
    name: str, owners: dict[str, Database], everything: duckdb.DuckDBPyConnection
) -> None:
    found, more = cells(plan_of(name), owners)
    expected = rooms.cells(everything.sql(banks.GATES[name]).df(), ordered=False)
    assert found == expected
    assert len(found) > 5
    assert more == 0


@pytest.mark.parametrize("bank", banks.BANKS)
@pytest.mark.parametrize("name", banks.GATES)
def test_an_owner_gets_what_its_own_rows_are_part_of(
    name: str, bank: str, owners: dict[str, Database], everything: duckdb.DuckDBPyConnection
) -> None:
    found, _ = cells(plan_of(name, bank), owners)
    expected = rooms.cells(everything.sql(OWN[name].format(bank)).df(), ordered=False)
    whole, _ = cells(plan_of(name), owners)
    assert found == expected
    assert 0 < len(found) <= len(whole)
    assert all(row in whole for row in found)


SHAPES = {  # of FROM, each with what tells in DuckDB whose rows are part of a row
    "SELECT f.customer, w.customer FROM flags f LEFT JOIN bank_a.watched w "
    "ON f.customer = w.customer WHERE f.amount > 3000": (
        "f.member = '{0}' OR ('{0}' = 'bank_a' AND w.customer IS NOT NULL)"
    ),
    "SELECT f.amount, w.customer FROM bank_a.watched w FULL JOIN flags f "
    "ON f.customer = w.customer": (
        "f.member = '{0}' OR ('{0}' = 'bank_a' AND w.customer IS NOT NULL)"
    ),
    "WITH many AS (SELECT customer, COUNT(*) AS n FROM flags GROUP BY customer "
    "HAVING COUNT(*) > 2) SELECT p.phone, m.n FROM phones p JOIN many m "
    "ON m.customer = p.customer WHERE TRUE": (
        "p.member = '{0}'"
    ),
    "WITH big AS (SELECT * FROM flags WHERE amount > 5000) SELECT b.customer, p.phone FROM big b "
    "JOIN phones p ON b.customer = p.customer WHERE TRUE": "b.member = '{0}' OR p.member = '{0}'",
    "SELECT a.customer, b.amount FROM flags a JOIN flags b ON a.customer = b.customer "
    "AND a.amount < b.amount AND a.member <> b.member WHERE TRUE": (
        "a.member = '{0}' OR b.member = '{0}'"
    ),
}


@pytest.mark.parametrize("bank", banks.BANKS)
@pytest.mark.parametrize("sql", SHAPES, ids=lambda sql: sql[:40])
def test_own_parts_of_joins(
    sql: str, bank: str, owners: dict[str, Database], everything: duckdb.DuckDBPyConnection
) -> None:
    agreed = Terms.of({**banks.contract(), "gates": {"g": gate(sql, max_rows=5000)}})
    whole, _ = cells(plan_of("g", agreed=agreed), owners)
    assert whole == rooms.cells(everything.sql(sql).df(), ordered=False)
    found, _ = cells(plan_of("g", bank, agreed), owners)
    condition = SHAPES[sql].format(bank)
    sql = f"{sql} {'AND' if 'WHERE TRUE' in sql or '> 3000' in sql else 'WHERE'} ({condition})"
    assert found == rooms.cells(everything.sql(sql).df(), ordered=False)
    assert 0 < len(found) < len(whole) + (bank == "bank_a")


def test_more_than_max_rows_are_told_by_one_bit(
    owners: dict[str, Database], everything: duckdb.DuckDBPyConnection
) -> None:
    sql = banks.GATES["flagged_twice"]
    matching = everything.sql(sql).df()
    first = matching.sort_values(["total", "customer"], ascending=[False, True])
    for most in (1, 7, len(matching), len(matching) + 1):
        found, more = cells(plan_of("flagged_twice", agreed=banks.terms(most)), owners)
        assert found == rooms.cells(first[:most], ordered=False)
        assert more == (len(matching) > most)


PAIRS = (
    "SELECT a.customer, a.amount, b.amount AS other FROM flags a JOIN flags b "
    "ON a.customer = b.customer AND a.member <> b.member WHERE a.amount > 8000 AND b.amount > 8000"
)


def bounded(**bounds: int) -> tuple[Plan, Terms]:
    gates = {"g": gate(PAIRS, max_rows=500, **bounds)}
    agreed = Terms.of({**banks.contract(), "gates": gates})
    return plan_of("g", agreed=agreed), agreed


def test_agreed_bounds_make_leaves_and_joins_smaller_and_change_no_row(
    owners: dict[str, Database], everything: duckdb.DuckDBPyConnection
) -> None:
    (whole, _), (tight, agreed) = bounded(), bounded(max_chosen=16, max_joined=40)
    assert {leaf.max_rows for leaf in whole.leaves} == {100}
    assert {leaf.max_rows for leaf in tight.leaves} == {16}
    leaks = "\n".join(Sheet.of(tight, agreed).leaks)
    assert "whether a member has more than 16 rows that the gate's own conditions leave" in leaks
    assert "whether a join has more than 40 rows" in leaks
    expected = rooms.cells(everything.sql(PAIRS).df(), ordered=False)
    assert cells(whole, owners)[0] == cells(tight, owners)[0] == expected


def test_sizes_follow_from_what_is_agreed_whatever_the_rows(tmp_path: Path) -> None:
    plan, _ = bounded(max_chosen=40)
    sizes = set()
    for flagged in (0, 1, 90):
        folder = tmp_path / str(flagged)
        folder.mkdir()
        held = banks.stored(banks.rows(2, flagged), folder)
        parts = [contribute(plan, bank, held[bank], b"k" * 16) for bank in banks.BANKS]
        sizes.add(tuple(one.n for part in parts for triple in part for one in triple))
    assert sizes == {(64,) * 18}  # 2 leaves of 3 banks, in 3 parts each


def test_more_rows_than_agreed_end_a_gate(owners: dict[str, Database]) -> None:
    with pytest.raises(DataMismatch, match="more rows than the plan's bound"):
        contribute(bounded(max_chosen=3)[0], "bank_a", owners["bank_a"], b"k" * 16)
    with pytest.raises(JoinTooLarge, match="more than 5 joined rows"):
        cells(bounded(max_joined=5)[0], owners)


def test_repeated_rows_count_each(
    owners: dict[str, Database], everything: duckdb.DuckDBPyConnection
) -> None:
    sql = "SELECT reason FROM flags WHERE amount > 5000 ORDER BY reason"
    matching = everything.sql(sql).df()
    for most in (10, len(matching), len(matching) + 1):
        agreed = Terms.of({**banks.contract(most), "gates": {"g": gate(sql, max_rows=most)}})
        found, more = cells(plan_of("g", agreed=agreed), owners)
        assert len(found) == min(most, len(matching))
        assert more == (len(matching) > most)


def gate(sql: str, **more: Any) -> dict[str, Any]:
    return {"sql": sql, "to": ["supervisor"], "max_rows": 20, "owners": True, **more}


REFUSED = {
    "SELECT COUNT(*) FROM flags": "one total of all rows as a gate",
    "SELECT customer FROM flags LIMIT 5": "LIMIT or OFFSET in a gate",
    "SELECT customer FROM flags WHERE reason IN (:sought)": "a gate with parameters",
    "SELECT customer, AVG(amount) FROM flags GROUP BY customer ORDER BY 2": "a gate in an order",
    "SELECT reason FROM flags JOIN phones ON TRUE": "cross joins",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_refused_by_name(sql: str) -> None:
    agreed = Terms.of({**banks.contract(), "gates": {"g": gate(sql)}})
    with pytest.raises(UnsupportedQuery, match=REFUSED[sql]):
        plan_of("g", agreed=agreed)


def test_refused_on_ciphertexts_and_without_members() -> None:
    agreed = banks.terms()
    for how in ({"protocol": "he"}, {"without": ("bank_a",)}):
        question = Question(banks.GATES["by_phone"], "supervisor", gate="by_phone", **how)
        with pytest.raises(UnsupportedQuery, match="gate by_phone on ciphertexts"):
            compile_question(question, agreed, "0" * 64)


def test_no_gate_of_that_name() -> None:
    with pytest.raises(UnknownName, match="no gate 'flagged_twise'") as error:
        plan_of("flagged_twise")
    assert "flagged_twice, their_flags" in error.value.remedy


def test_an_owner_without_rows_has_no_own_part() -> None:
    agreed = Terms.of(
        {**banks.contract(), "gates": {"g": gate("SELECT customer FROM bank_a.watched")}}
    )
    assert plan_of("g", "bank_a", agreed).root.slots == 20
    with pytest.raises(UnsupportedQuery, match="its own part of a gate for bank_b"):
        plan_of("g", "bank_b", agreed)


def test_the_contracts_text_runs_whatever_text_is_asked_with_it() -> None:
    agreed = banks.terms()
    question = Question("SELECT customer FROM flags", "supervisor", gate="flagged_twice")
    plan = compile_question(question, agreed, "0" * 64)
    signed = plan_of("flagged_twice", agreed=agreed)
    assert (plan.root, plan.final_sql, plan.uses) == (signed.root, signed.final_sql, signed.uses)
    assert plan.hash != signed.hash
