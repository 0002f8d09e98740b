"""Which way a query runs if nobody asks for one, and what the sheet says of both."""

from typing import Any

import pytest
import rooms

from cleanroom.contract.terms import Terms
from cleanroom.errors import OverflowPossible, UnknownName, UnsupportedQuery
from cleanroom.plan.contributors import can_leave_out
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_query
from cleanroom.query.ways import Ways

GROUPED = "SELECT channel, SUM(amt), COUNT(*) FROM transactions GROUP BY channel"
MIDDLE = "SELECT channel, MEDIAN(cust) FROM transactions GROUP BY channel"
EXTREME = "SELECT channel, MAX(amt) FROM transactions GROUP BY channel"

SMALL = "SELECT channel, MAX(other) FROM transactions GROUP BY channel"


def nobody_computes(**privacy: object) -> Terms:
    room: dict[str, Any] = rooms.room(**privacy)
    for name in rooms.OWNERS:
        room["members"][name] = {"roles": ["input"]}
    return Terms.of(room)


def ways(sql: str, agreed: Terms) -> Ways:
    return Ways(lambda way: compile_query(sql, agreed, "0" * 64, "analyst", way), agreed)


@pytest.mark.parametrize(
    ("sql", "agreed", "protocol"),
    [
        (GROUPED, rooms.terms(), "he"),
        (EXTREME, rooms.terms(), "mpc"),
        (MIDDLE, rooms.terms(), "mpc"),
        (MIDDLE, nobody_computes(), "he"),
        (GROUPED + " HAVING COUNT(*) > 3", rooms.terms(), "mpc"),
        (GROUPED + " ORDER BY channel LIMIT 2", rooms.terms(), "mpc"),
        (GROUPED + " ORDER BY AVG(amt) LIMIT 2", rooms.terms(), "he"),
        (GROUPED + " HAVING COUNT(*) > 3", nobody_computes(), "he"),
        (GROUPED, rooms.terms(5), "mpc"),
        (GROUPED, rooms.terms(5, untested_cells="opened"), "mpc"),
        (GROUPED, rooms.terms(min_contributors=4), "mpc"),
        (SMALL, rooms.terms(), "mpc"),
        (SMALL, nobody_computes(), "he"),
        (GROUPED, nobody_computes(), "he"),
        (GROUPED, nobody_computes(min_group=5), "he"),
    ],
)
def test_the_cheaper_way_is_taken_that_opens_no_more(
    sql: str, agreed: Terms, protocol: str
) -> None:
    assert ways(sql, agreed).plan(None).protocol == protocol


def test_a_histogram_is_a_use_of_its_values_as_groups() -> None:
    found = ways(MIDDLE, rooms.terms())
    more = set(found.plan("he").uses) - set(found.plan("mpc").uses)
    assert {(use.column, use.right) for use in more} == {("cust", "group")}
    leaks = " ".join(Sheet.of(found.plan("he"), rooms.terms()).leaks)
    assert "how often each of 61 values of transactions.cust occurs in each cell" in leaks


def test_many_cells_of_few_rows_are_cheaper_on_shares() -> None:
    sql = "SELECT cust, other, year(booked), month(booked), COUNT(*) FROM transactions GROUP BY ALL"
    sql = sql.replace("ALL", "1, 2, 3, 4")
    found = ways(sql, rooms.terms())
    assert found.plan("he").ciphertexts.cells == 61 * 72 * 3 * 12
    assert found.plan(None).protocol == "mpc"


def test_what_can_not_run_is_refused_with_its_own_reason() -> None:
    with pytest.raises(UnsupportedQuery, match="a histogram of 950001 values of"):
        ways(EXTREME, rooms.terms()).plan("he")
    with pytest.raises(UnsupportedQuery, match="a histogram of 950001 values of"):
        ways(EXTREME, nobody_computes()).plan(None)
    with pytest.raises(UnknownName):
        ways("SELECT SUM(nothing) FROM transactions", rooms.terms()).plan(None)
    with pytest.raises(OverflowPossible):
        ways("SELECT SUM(amt * amt * amt * amt) FROM transactions", rooms.terms()).plan(None)


def test_the_sheet_says_what_both_ways_cost() -> None:
    found = ways(GROUPED, rooms.terms())
    for protocol in ("he", "mpc"):
        plan = found.plan(protocol)
        text = Sheet.of(plan, rooms.terms(), found.other(plan)).text
        assert "on ciphertexts (he): 8 numbers of each owner" in text
        assert "on shares (mpc): " in text
    found = ways(EXTREME, rooms.terms())
    text = Sheet.of(found.plan(None), rooms.terms(), found.other(found.plan(None))).text
    assert "not on ciphertexts: a histogram of 950001 values of transactions.amt" in text


def sheet(sql: str, agreed: Terms, recipient: str = "analyst") -> Sheet:
    return Sheet.of(compile_query(sql, agreed, "0" * 64, recipient, "he"), agreed)


def test_the_sheet_of_ciphertexts_says_who_learns_what() -> None:
    found = sheet(GROUPED + " HAVING COUNT(*) > 3", rooms.terms(5, untested_cells="opened"))
    assert "d1 = SUM(transactions.amt), for each of 4 cells, to analyst" in found.opened
    assert found.leaks == (
        "the query's text: alpha, beta, gamma and the coordinator",
        "ciphertexts of one size, whatever rows there are, and no key to them: the coordinator",
        "the totals of all cells, whatever HAVING and LIMIT leave: analyst",
        "the totals of cells with fewer than 5 persons: analyst",
    )
    assert "every cell, exactly and untested, whatever the contract asks" in found.text
    assert "computing nobody" in found.text


def test_the_sheet_says_whose_totals_a_recipient_sees_who_owns_rows() -> None:
    room = rooms.room()
    room["members"]["alpha"]["roles"] = ["input", "computing", "result"]
    agreed = Terms.of(room)
    assert "the totals of beta, gamma together, without its own: alpha" in sheet(
        GROUPED, agreed, "alpha"
    ).leaks
    room["tables"]["transactions"]["members"] = ["alpha", "beta"]
    agreed = Terms.of(room)
    alone = "the totals of beta alone, as nobody else's hide them: alpha"
    assert alone in sheet(GROUPED, agreed, "alpha").leaks


def without(members: tuple[str, ...], sql: str = GROUPED, protocol: Protocol = "he") -> Plan:
    return compile_query(sql, rooms.terms(), "0" * 64, "analyst", protocol, members)


def test_who_is_left_out_is_part_of_plan_and_sheet() -> None:
    plan = without(("gamma", "beta", "gamma"))
    assert plan.without == ("beta", "gamma")
    assert {leaf.member for leaf in plan.leaves} == {"alpha"}
    assert plan.hash == without(("beta", "gamma")).hash != without(("gamma",)).hash
    found = Sheet.of(without(("gamma",)), rooms.terms())
    assert "left out, with their rows: gamma" in found.text
    assert "by the same query with gamma, the totals of gamma alone: analyst" in found.leaks


@pytest.mark.parametrize(
    ("members", "sql", "protocol", "says"),
    [
        (("delta",), GROUPED, "he", "'delta' can't be left out"),
        (("beta",), "SELECT COUNT(*) FROM alpha.people", "he", "'beta' can't be left out"),
        (("alpha",), "SELECT COUNT(*) FROM alpha.people", "he", "'alpha' can't be left out"),
        (rooms.OWNERS, GROUPED, "he", "no owner is left"),
        (("gamma",), GROUPED, "mpc", "leaving out gamma with protocol 'mpc'"),
    ],
)
def test_who_can_not_be_left_out_is_refused_by_name(
    members: tuple[str, ...], sql: str, protocol: Protocol, says: str
) -> None:
    with pytest.raises((UnknownName, UnsupportedQuery), match=says) as caught:
        without(members, sql, protocol)
    assert caught.value.remedy


def test_one_is_left_out_only_where_enough_others_remain() -> None:
    plan = without(())
    assert can_leave_out(plan, rooms.terms(min_contributors=2), "gamma")
    assert not can_leave_out(plan, rooms.terms(), "gamma")
    assert not can_leave_out(plan, rooms.terms(min_contributors=2), "analyst")
    shares = without((), protocol="mpc")
    assert not can_leave_out(shares, rooms.terms(min_contributors=2), "gamma")
