"""Queries under differential privacy: exact without their noise, bounded by person, or refused."""

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import noisy
import pytest
import rooms
from in_memory import run_on_ciphertexts, run_on_shares

from cleanroom.budget.zcdp import UNITS, epsilon, rho_within
from cleanroom.contract.terms import Terms
from cleanroom.errors import ContractInvalid, OverflowPossible, UnsupportedQuery
from cleanroom.execution.contribute import contribute
from cleanroom.local.given import as_file
from cleanroom.plan.nodes import Join, Node
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plan import Plan, children
from cleanroom.plan.sheet import Sheet
from cleanroom.policy.check import by_contract
from cleanroom.policy.model import Code
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database
from protocols.simulate import Transcript

TERMS = noisy.terms()
TODAY = dt.date(2026, 11, 22)
JOINED = "alpha.people a JOIN beta.people b ON a.pid = b.pid"
ASKED = [
    "SELECT COUNT(*) FROM claims",
    "SELECT kind, COUNT(*), SUM(amount) FROM claims GROUP BY kind",
    "SELECT paid, kind, SUM(level), COUNT(level), AVG(level) FROM claims GROUP BY kind, paid",
    "SELECT kind, VARIANCE(amount), STDDEV(level) FROM claims WHERE paid GROUP BY kind",
    "SELECT level // 5 AS l, COUNT(*) FROM claims GROUP BY l",
    "SELECT kind, COUNT(*) AS n FROM claims GROUP BY kind HAVING COUNT(*) > 50 ORDER BY n LIMIT 2",
    "SELECT CASE WHEN amount > 50 THEN 1 ELSE 0 END AS much, COUNT(*) FROM claims GROUP BY much",
]
ON_SHARES = [
    "SELECT kind, COUNT(DISTINCT pid) FROM claims GROUP BY kind",
    f"SELECT a.state, b.smokes, COUNT(*) FROM {JOINED} GROUP BY a.state, b.smokes",
    f"SELECT COUNT(DISTINCT a.pid), COUNT(*) FROM {JOINED} WHERE b.smokes = 'yes'",
    "SELECT state, COUNT(*) FROM alpha.people WHERE pid IN (SELECT pid FROM beta.people) "
    "GROUP BY state",
    "SELECT a.pid, COUNT(*) FROM alpha.people a JOIN beta.people b ON a.pid = b.pid "
    "GROUP BY a.pid, b.pid",
    "SELECT COUNT(*) FROM alpha.people WHERE pid NOT IN (SELECT pid FROM beta.people)",
    "SELECT a.state, COUNT(b.smokes) FROM alpha.people a LEFT JOIN beta.people b USING (pid) "
    "GROUP BY a.state",
    "SELECT c.kind, a.state, SUM(c.amount) FROM claims c JOIN alpha.people a ON c.pid = a.pid "
    "GROUP BY c.kind, a.state",
]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    return loaded(tmp_path_factory.mktemp("noisy"), 200)


def loaded(folder: Path, claims: int) -> dict[str, Database]:
    """Return every owner's rows, of which so many are claims."""
    found = {}
    for owner in noisy.OWNERS:
        paths = {}
        for table, data in noisy.rows(claims).items():
            mine = data.get(owner) if isinstance(data, dict) else data
            if isinstance(data, dict) or table.startswith(owner):
                columns = tuple(TERMS.tables[table].columns)
                paths[table] = as_file(mine, folder / f"{owner}-{table}.parquet", table, columns)
        found[owner] = Database(TERMS, owner, paths)
    return found


def joins_of(node: Node) -> list[Join]:
    """Return the joins below a node."""
    below = [join for child in children(node) for join in joins_of(child)]
    return [node, *below] if isinstance(node, Join) else below


def planned(sql: str, protocol: Any = "mpc", terms: Terms = TERMS, **asked: Any) -> Plan:
    return compile_query(sql, terms, "0" * 64, "analyst", protocol, **asked)


@pytest.mark.parametrize("sql", [*ASKED, *ON_SHARES])
def test_on_shares_all_cells_are_exact_but_for_noise(
    sql: str, databases: dict[str, Database]
) -> None:
    plan = planned(sql)
    exact = replace(plan, noise=None)
    wanted = finish(plan, insecure_run(plan, databases).columns).to_pandas()
    found = finish(plan, run_on_shares(exact, databases).columns).to_pandas()
    assert rooms.cells(found, ordered=False) == rooms.cells(wanted, ordered=False)
    assert_near(plan, databases)


@pytest.mark.parametrize("sql", ASKED)
def test_on_ciphertexts_all_cells_are_exact_but_for_noise(
    sql: str, databases: dict[str, Database]
) -> None:
    plan = planned(sql, "he")
    exact = replace(plan, noise=None)
    wanted = finish(plan, insecure_run(plan, databases).columns).to_pandas()
    found = finish(plan, run_on_ciphertexts(exact, databases).columns).to_pandas()
    assert rooms.cells(found, ordered=False) == rooms.cells(wanted, ordered=False)


def assert_near(plan: Plan, databases: dict[str, Database]) -> None:
    """Every opened total lies within six standard errors of the exact one."""
    exact = insecure_run(plan, databases).columns
    found = run_on_shares(plan, databases).columns
    for total in plan.noise.totals:
        off = found[total.name].astype(float) - exact[total.name].astype(float)
        assert abs(off).max() < 6 * plan.noise.deviation(total.name)
        assert plan.noise.cells < 4 or (off != 0).any()


def test_one_person_moves_a_total_by_all_of_its_rows_at_all_owners() -> None:
    sql = "SELECT kind, COUNT(*), SUM(amount), COUNT(DISTINCT pid) FROM claims GROUP BY kind"
    plan = planned(sql, terms=noisy.terms({"max_rows_per_person": 5, "owners_per_person": 2}))
    counted, added, persons = plan.noise.totals
    assert plan.noise.rows == 10
    assert (counted.sensitivity, added.sensitivity) == (10**2, (10 * 100_00) ** 2)
    assert persons.sensitivity == 4  # of the 4 cells, one more person in each
    joined = "SELECT COUNT(*) FROM claims c JOIN beta.people b ON c.pid = b.pid"
    all_owners = noisy.terms({"max_rows_per_person": 5, "owners_per_person": 3})
    assert planned(joined, terms=all_owners).noise.rows == 5 * 3 * 2
    left_out = planned(ASKED[0], "he", terms=all_owners, without=["gamma"])
    assert left_out.noise.rows == 5 * 2


@pytest.mark.parametrize("said", [{}, {"owners_per_person": 2}])
def test_no_owner_is_left_out_where_a_person_at_several_would_pay_twice(
    said: dict[str, int],
) -> None:
    """Only who is asked is charged: of alpha and beta first, then of gamma."""
    contract = noisy.contract(said, min_contributors=1)
    if not said:
        del contract["tables"]["claims"]["owners_per_person"]
    sql, terms = ASKED[0], Terms.of(contract)
    single = noisy.terms(min_contributors=1)
    for out in (["gamma"], ["alpha", "beta"]):
        (violation,) = by_contract(planned(sql, "he", terms=terms, without=out), terms, TODAY)
        assert violation.code is Code.NOISE_NOT_ENOUGH
        assert "Leave nobody out, or have all sign owners_per_person = 1." in violation.remedy
        assert by_contract(planned(sql, "he", terms=terms), terms, TODAY) == ()
        left = planned(sql, "he", terms=single, without=out)
        assert by_contract(left, single, TODAY) == ()


def test_no_join_fails_at_its_bound_whatever_rows_there_are() -> None:
    """Exact answers may take a bound that most rows keep to; a noisy one would tell by failing."""
    joined = "beta.people b LEFT JOIN claims c ON b.pid = c.pid"
    sql = f"SELECT c.kind, c.level, COUNT(*) FROM {joined} GROUP BY c.kind, c.level"
    agreed = {"max_rows_per_person": 50, "owners_per_person": 3}
    (noisy_join,) = joins_of(planned(sql, terms=noisy.terms(agreed)).root.input)
    (exact_join,) = joins_of(planned(sql, terms=noisy.terms(agreed, release="sdc")).root.input)
    assert noisy_join.bound == 512 * 3 * 4 * 11  # owners, kinds and levels that one person may have
    assert exact_join.bound < noisy_join.bound


@pytest.mark.parametrize("asked", [0.01, 0.1, 1.0, 4.0, 20.0])
def test_all_totals_together_cost_what_was_asked(asked: float) -> None:
    for protocol in ("mpc", "he"):
        noise = planned(ASKED[2], protocol, terms=noisy.terms(epsilon=20.0), epsilon=asked).noise
        pairs = zip(noise.shared(), noise.totals, strict=True)
        cost = sum(one.rho(t.sensitivity) for (_, one), t in pairs)
        assert cost <= rho_within(asked, noise.delta)
        assert math.ceil(cost * UNITS) == noise.units
        assert epsilon(cost, noise.delta) <= asked
        if asked <= 1:
            assert float(epsilon(cost, noise.delta)) == pytest.approx(asked, rel=1e-3)


def test_a_question_costs_what_the_contract_says_if_it_asks_for_nothing() -> None:
    assert planned(ASKED[0]).noise.epsilon == 2.0
    assert planned(ASKED[0], terms=noisy.terms(query_epsilon=None)).noise.epsilon == 0.4
    assert planned(ASKED[0]).hash != planned(ASKED[0], epsilon=1.0).hash


def test_noise_suffices_without_one_member_and_the_recipient() -> None:
    noise = planned(ASKED[0]).noise
    assert (noise.sharers, noise.counted) == (3, 2)
    noise = planned(ASKED[0], "he").noise
    assert (noise.sharers, noise.counted) == (3, 2)
    alone = planned("SELECT COUNT(*) FROM alpha.people", "he").noise
    assert (alone.sharers, alone.counted) == (1, 1)
    contract = noisy.contract()
    contract["members"]["gamma"]["roles"].append("result")
    asks = compile_query(ASKED[0], Terms.of(contract), "0" * 64, "gamma", "he").noise
    assert (asks.sharers, asks.counted) == (3, 1)


REFUSED = [
    ("SELECT MIN(amount) FROM claims", "MIN(claims.amount)"),
    ("SELECT kind, MEDIAN(amount) FROM claims GROUP BY kind", "MEDIAN"),
    ("SELECT QUANTILE_DISC(amount, 0) FROM claims", "QUANTILE_DISC"),
    ("SELECT COUNT(DISTINCT kind) FROM claims", "anything but a person"),
    ("SELECT SUM(DISTINCT level) FROM claims", "SUM(DISTINCT"),
    ("SELECT kind, amount FROM claims", "rows without GROUP BY"),
    ("SELECT DISTINCT kind FROM claims", "without an aggregate"),
    ("SELECT kind FROM claims GROUP BY kind HAVING MAX(amount) > 3", "MAX("),
    ("SELECT note, COUNT(*) FROM claims GROUP BY note", "Declare its values"),
    ("SELECT pid, COUNT(*) FROM claims GROUP BY pid", "1000000 cells"),
    ("SELECT COUNT(*) FROM gamma.people", "gamma.people, of which a person may have any number"),
    (
        "SELECT COUNT(*) FROM alpha.people a JOIN beta.people b ON a.state = b.smokes",
        "joined on anything but the person",
    ),
    (
        "SELECT COUNT(*) FROM alpha.people a JOIN beta.people b ON a.pid = b.pid + 1",
        "joined on anything but the person",
    ),
    (f"SELECT COUNT(*) FROM {JOINED.replace('JOIN', 'FULL JOIN')}", "FULL JOIN"),
    (
        "SELECT COUNT(*) FROM alpha.people WHERE pid NOT IN "
        "(SELECT CASE WHEN smokes = 'yes' THEN pid END FROM beta.people)",
        "NOT EXISTS",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT pid, COUNT(*) AS n FROM claims GROUP BY pid) c WHERE n > 1",
        "aggregation",
    ),
    ("SELECT COUNT(*) FROM claims WHERE kind IN (:k)", "private parameters"),
]


@pytest.mark.parametrize(("sql", "named"), REFUSED)
def test_what_noise_does_not_cover_is_refused_by_name(sql: str, named: str) -> None:
    """F58 and others: extremes, quantiles, other persons' rows, values that nobody declared."""
    with pytest.raises(UnsupportedQuery) as refused:
        planned(sql)
    assert named in str(refused.value)
    assert refused.value.remedy


def test_persons_of_two_owners_are_not_told_apart_on_ciphertexts() -> None:
    with pytest.raises(UnsupportedQuery, match="mpc"):
        planned("SELECT COUNT(DISTINCT pid) FROM claims", "he")


@pytest.mark.parametrize("wrong", [0, -1, 0.0, math.nan, math.inf, 1e9, 20.01, True, "1", None])
def test_an_epsilon_that_promises_nothing_is_refused(wrong: Any) -> None:
    """F67."""
    if wrong is None:
        with pytest.raises(UnsupportedQuery, match="'sdc'"):
            planned(ASKED[0], terms=noisy.terms(release="sdc"), epsilon=1.0)
        return
    with pytest.raises(UnsupportedQuery, match="epsilon"):
        planned(ASKED[0], epsilon=wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"epsilon": 0.0}, {"epsilon": -1.0}, {"epsilon": math.nan}, {"epsilon": 1e9}, {"delta": 1.0},
     {"query_epsilon": 5.0}],
)  # fmt: skip
def test_a_contract_that_promises_nothing_is_refused(wrong: dict[str, float]) -> None:
    """F67."""
    with pytest.raises(ContractInvalid, match=r"privacy"):
        noisy.terms(**wrong)


def test_a_smallest_group_is_refused_where_nobody_may_test_it() -> None:
    with pytest.raises(UnsupportedQuery, match="groups of at least 5 persons under release = 'dp'"):
        planned(ASKED[1], min_group=5)


def test_noise_that_may_wrap_or_cannot_be_drawn_is_refused() -> None:
    with pytest.raises((UnsupportedQuery, OverflowPossible), match="noise"):
        planned("SELECT SUM(amount * amount * amount) FROM claims", epsilon=1e-5)
    with pytest.raises(UnsupportedQuery, match="so small an epsilon"):
        planned(ASKED[0], epsilon=1e-9)


@pytest.mark.parametrize("protocol", ["mpc", "he"])
def test_a_sheet_tells_the_errors_before_anything_runs(protocol: str) -> None:
    plan = planned(ASKED[1], protocol, epsilon=0.5)
    text = Sheet.of(plan, TERMS).text
    error = plan.noise.deviation(plan.noise.totals[0].name)
    assert f"COUNT(*), for each of 4 cells, to analyst, noisy: standard error {error:.4g}" in text
    assert "epsilon 0.5, delta 1e-09, for every person, of whom up to 1 rows are counted" in text
    assert "each owner's budget of claims for analyst is charged" in text
    assert "rounded up to a power of two" not in text
    assert protocol == "he" or "shares of [0] have 4 rows, however many alpha holds" in text


def test_how_many_rows_there_are_changes_no_message(
    databases: dict[str, Database], tmp_path: Path
) -> None:
    """Shares are as large as the contract allows, and so is all that computing members send."""
    few = loaded(tmp_path, 2)
    for plan in map(planned, (ASKED[0], ASKED[1])):
        seen = []
        for rows in (databases, few):
            transcript = Transcript()
            run_on_shares(plan, rows, transcript)
            seen.append(transcript.rounds)
        assert seen[0] == seen[1]
    distinct = planned(ON_SHARES[0])
    for rows in (databases, few):
        (triple,) = contribute(distinct, "alpha", rows["alpha"], b"k" * 16)
        assert {part.n for part in triple} == {distinct.leaves[0].max_rows} == {1024}
