"""Private parameters: what a plan says of them, what is refused, and that no value is told."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import rooms

from cleanroom.contract.terms import Terms
from cleanroom.errors import (
    OverflowPossible,
    PrivateValueRefused,
    UnknownName,
    UnsupportedQuery,
)
from cleanroom.plan.plan import Plan, Protocol, Use
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_query
from cleanroom.query.sought import weights_of
from cleanroom.query.ways import Ways

ASKED = "SELECT COUNT(*), SUM(amt) FROM transactions WHERE channel IN (:watch) AND amt > 10"


def compiled(sql: str, protocol: Protocol = "he", terms: Terms | None = None) -> Plan:
    return compile_query(sql, terms or rooms.terms(), "0" * 64, "analyst", protocol)


def weights(sql: str, given: Mapping[str, Any]) -> list[int]:
    return list(weights_of(compiled(sql).ciphertexts.private, given))


# --- what the plan says ------------------------------------------------------------------------


def test_a_plan_names_parameter_column_domain_and_bounds() -> None:
    plan = compiled(ASKED)
    private = plan.ciphertexts.private
    (watch,) = private.parameters
    assert (watch.name, watch.where, watch.values) == (
        "watch",
        "transactions.channel",
        ("phone", "shop", "web"),
    )
    assert (private.values, private.largest, private.masses) == (4, 1, (360, 324_000_000))
    assert plan.protocol == "he"
    assert Use("transactions", "channel", "private_filter") in plan.uses
    assert Use("transactions", "channel", "filter") not in plan.uses


def test_weights_need_a_right_of_their_own_and_state_their_bound() -> None:
    plan = compiled("SELECT WEIGHTED_SUM(channel, :w, 12.50, amt) FROM transactions")
    private = plan.ciphertexts.private
    assert (private.largest, private.scale) == (1250, 2)
    assert plan.uses == (
        Use("transactions", "amt", "sum"),
        Use("transactions", "channel", "private_weights"),
    )


def test_every_owner_compiles_the_same_plan_from_the_text_alone() -> None:
    assert compiled(ASKED).hash == compiled(ASKED).hash
    assert compiled(ASKED).hash != compiled(ASKED.replace(":watch", ":other")).hash


def test_the_sheet_says_who_learns_what() -> None:
    text = Sheet.of(compiled(ASKED), rooms.terms()).text
    assert ":watch is some values, how many stays hidden" in text
    assert "that something is sought in transactions.channel, but neither what nor how" in text
    assert "owners can't see which weights are encrypted" in text
    weighed = compiled("SELECT WEIGHTED_SUM(channel, :w, 100, amt) FROM transactions")
    text = Sheet.of(weighed, rooms.terms()).text
    assert "one total may hold those of several values side by side, in 36 bits" in text


def test_nothing_but_ciphertexts_is_taken_however_cheap_shares_are() -> None:
    for terms in (rooms.terms(), rooms.terms(min_group=5)):
        ways = Ways(lambda p, t=terms: compiled(ASKED, p, t), terms)
        assert ways.plan(None).protocol == "he"
        with pytest.raises(UnsupportedQuery, match="private parameters with protocol 'mpc'"):
            ways.plan("mpc")


def test_what_is_wrong_is_said_whatever_the_protocol() -> None:
    sql = "SELECT COUNT(*) FROM alpha.people WHERE name IN (:watch)"
    ways = Ways(lambda p: compiled(sql, p), rooms.terms())
    for protocol in (None, "he", "mpc"):
        with pytest.raises(UnsupportedQuery, match="whose values are unknown"):
            ways.plan(protocol)


ON_CHANNEL = "SELECT COUNT(*) FROM transactions WHERE "
REFUSED = {
    f"{ON_CHANNEL}channel IN (:w) OR amt > 3": "private parameter :w here",
    f"{ON_CHANNEL}channel NOT IN (:w)": "private parameter :w here",
    f"{ON_CHANNEL}channel <> :w": "private parameter :w here",
    f"{ON_CHANNEL}channel IN (:w, 'web')": "private parameter :w here",
    f"{ON_CHANNEL}amt > :w": "private parameter :w here",
    f"{ON_CHANNEL}lower(channel) = :w": "private parameter :w here",
    f"{ON_CHANNEL}channel IN (?)": "a private parameter without a name",
    f"{ON_CHANNEL}channel IN (:w) AND other IN (:w)": "private parameter :w in two",
    f"{ON_CHANNEL}channel IN (:w) AND channel = :v": "column channel in two",
    "SELECT COUNT(*) + :w FROM transactions": "private parameter :w here",
    "SELECT COUNT(*) FROM (SELECT * FROM transactions WHERE channel IN (:w)) t": "parameter :w",
    "SELECT COUNT(*) FROM (SELECT upper(channel) AS c FROM transactions) t WHERE c = :w": (
        "private parameter"
    ),
    "SELECT SUM(amt) FROM transactions HAVING SUM(amt) > :w": "private parameter :w here",
    f"{ON_CHANNEL}booked IN (:w)": "65536 at most",
    "SELECT COUNT(*) FROM alpha.people WHERE name IN (:w)": "whose values are unknown",
    "SELECT MAX(amt) FROM transactions WHERE channel IN (:w)": "MAX with private",
    "SELECT COUNT(DISTINCT other) FROM transactions WHERE channel IN (:w)": (
        "COUNT of DISTINCT values with private"
    ),
    "SELECT MEDIAN(amt) FROM transactions WHERE channel IN (:w)": "MEDIAN with private",
    "SELECT channel, amt FROM transactions WHERE channel IN (:w)": "rows without GROUP BY",
    "SELECT other, COUNT(*) FROM transactions WHERE channel IN (:w) GROUP BY other": "32 at most",
    "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.state = :w": (
        "a join between owners"
    ),
    "SELECT WEIGHTED_SUM(channel, :w, 10), COUNT(*) FROM transactions": "beside another output",
    "SELECT WEIGHTED_SUM(channel, :w) FROM transactions": "WEIGHTED_SUM of something else",
    "SELECT WEIGHTED_SUM(channel, :w, amt) FROM transactions": "WEIGHTED_SUM of something else",
    "SELECT WEIGHTED_SUM(channel, :w, 0) FROM transactions": "below one unit",
    "SELECT WEIGHTED_SUM(channel, :w, 1e3) FROM transactions": "no exact number",
    "SELECT WEIGHTED_SUM(channel, :w, 9), WEIGHTED_SUM(channel, :w, 8) FROM transactions": (
        "several columns, parameters or bounds"
    ),
    "SELECT WEIGHTED_SUM(channel, :w, 9) FROM transactions GROUP BY other": "GROUP",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_can_not_be_asked_privately_is_refused_by_name(sql: str) -> None:
    with pytest.raises(UnsupportedQuery) as caught:
        compiled(sql)
    assert REFUSED[sql] in caught.value.message


def test_totals_that_may_not_be_exact_are_refused_with_their_bound() -> None:
    with pytest.raises(OverflowPossible, match="may reach 324000000000000000000"):
        compiled("SELECT WEIGHTED_SUM(channel, :w, 1000000000000, amt) FROM transactions")


def test_a_column_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnknownName, match="chanel"):
        compiled(f"{ON_CHANNEL}chanel IN (:w)")


def test_the_largest_domain_is_of_two_to_the_sixteen_values() -> None:
    for high, fits in ((65535, True), (65536, False)):
        room = rooms.room()
        level = {"type": "INTEGER", "bounds": [0, high], "rights": rooms.RIGHTS}
        room["tables"]["beta.claims"]["columns"]["level"] = level
        sql = "SELECT COUNT(*) FROM beta.claims WHERE level IN (:w)"
        if fits:
            assert compiled(sql, terms=Terms.of(room)).ciphertexts.private.values == 1 << 16
            continue
        with pytest.raises(UnsupportedQuery, match="65537 values"):
            compiled(sql, terms=Terms.of(room))


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "given", "codes"),
    [
        ("alpha.people.state", ["vic", "nsw", "vic"], [0, 3]),
        ("alpha.people.state", [], []),
        ("alpha.people.state", {"tas"}, [2]),
        ("alpha.people.active", [True, np.False_], [0, 1]),
        ("alpha.people.active", ["true"], [1]),
        ("alpha.people.score", [-50, np.int64(50), "0"], [0, 50, 100]),
        ("alpha.people.score", range(-50, -48), [0, 1]),
        ("alpha.people.born", [dt.date(1950, 1, 2), "1950-01-01"], [0, 1]),
        ("gamma.members.rate", [Decimal("0.001"), 1, "2.5"], [1, 1000, 2500]),
    ],
)
def test_values_stand_where_the_owners_rows_do(column: str, given: Any, codes: list[int]) -> None:
    table, _, name = column.rpartition(".")
    found = weights(f"SELECT COUNT(*) FROM {table} WHERE {name} IN (:w)", {"w": given})
    assert [code for code, weight in enumerate(found) if weight] == codes
    assert set(found) <= {0, 1}


def test_two_parameters_choose_combinations() -> None:
    sql = "SELECT COUNT(*) FROM alpha.people WHERE state IN (:s) AND active = :a"
    found = np.reshape(weights(sql, {"s": ["qld", "tas"], "a": True}), (5, 3))
    assert [tuple(place) for place in np.argwhere(found)] == [(1, 1), (2, 1)]


def test_weights_are_whole_numbers_of_the_last_place() -> None:
    sql = "SELECT WEIGHTED_SUM(channel, :w, 2.5) FROM transactions"
    given = {"web": Decimal("-2.5"), "phone": Decimal("0.1"), "shop": 2}
    assert weights(sql, {"w": given}) == [1, 20, -25, 0]


IN_STATE = "SELECT COUNT(*) FROM alpha.people WHERE state IN (:w)"
IS_STATE = "SELECT COUNT(*) FROM alpha.people WHERE state = :w"
IN_SCORE = "SELECT COUNT(*) FROM alpha.people WHERE score IN (:w)"
IN_RATE = "SELECT COUNT(*) FROM gamma.members WHERE rate IN (:w)"
SCORED = "SELECT WEIGHTED_SUM(score, :w, 10) FROM alpha.people"
WEIGHED = "SELECT WEIGHTED_SUM(state, :w, 10.0) FROM alpha.people"


@pytest.mark.parametrize(
    ("sql", "given", "says"),
    [
        (IN_STATE, None, "private parameter :w of the query has no values"),
        (IN_STATE, {}, "private parameter :w of the query has no values"),
        (IN_STATE, {"w": [], "v": ["hush"]}, "private parameter :v is not in the query"),
        ("SELECT COUNT(*) FROM alpha.people", {"w": ["hush"]}, "parameter :w is not in the query"),
        (IN_STATE, ["hush"], "a dict from each parameter's name"),
        (IN_STATE, {"w": "hush"}, "takes a list of values"),
        (IN_STATE, {"w": {"hush": 1}}, "takes a list of values"),
        (IN_STATE, {"w": 7}, "takes a list of values"),
        (IN_STATE, {"w": ["nsw", "hush"]}, "value 2 of private parameter :w is not one of the"),
        (IN_STATE, {"w": [None]}, "value 1 of private parameter :w is NULL"),
        (IN_STATE, {"w": [4711]}, "is not one of the values"),
        (IS_STATE, {"w": ["nsw", "vic"]}, "takes one value"),
        (IS_STATE, {"w": "hush"}, "is not one of the values"),
        (IN_SCORE, {"w": [47.11]}, "is a float"),
        (IN_SCORE, {"w": [float("nan")]}, "is a float"),
        (IN_SCORE, {"w": [np.float64(4711)]}, "is a float"),
        (IN_SCORE, {"w": [4711]}, "is not one of the values"),
        (IN_SCORE, {"w": [True]}, "is not one of the values"),
        (IN_SCORE, {"w": ["4711"]}, "is not one of the values"),
        (IN_SCORE, {"w": [object()]}, "is not one of the values"),
        (IN_RATE, {"w": [Decimal("0.4711")]}, "is not one of the values"),
        (IN_RATE, {"w": [Decimal("NaN")]}, "is not one of the values"),
        (WEIGHED, {"w": ["nsw"]}, "takes a dict from values to weights"),
        (WEIGHED, {"w": {"hush": 1}}, "is not one of the values"),
        (SCORED, {"w": {47: 1, "47": 2}}, "value 2 of private parameter :w is named before"),
        (WEIGHED, {"w": {"nsw": 4.711}}, "a weight that is neither an int nor a Decimal"),
        (WEIGHED, {"w": {"nsw": True}}, "a weight that is neither an int nor a Decimal"),
        (WEIGHED, {"w": {"nsw": Decimal("inf")}}, "a weight that is no number"),
        (WEIGHED, {"w": {"nsw": 4711}}, "a weight beyond 10.0, the largest stated"),
        (WEIGHED, {"w": {"nsw": Decimal("4.711")}}, "a weight with more than 1 decimal places"),
    ],
)
def test_a_value_is_refused_by_its_place_and_never_shown(sql: str, given: Any, says: str) -> None:
    with pytest.raises(PrivateValueRefused) as caught:
        weights(sql, given)
    assert says in caught.value.message
    error: BaseException | None = caught.value
    while error is not None:
        assert "hush" not in f"{error} {error!r}"
        assert "4711" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


def test_a_plan_that_asks_nothing_privately_takes_nothing() -> None:
    plan = compiled("SELECT COUNT(*) FROM transactions")
    assert list(weights_of(plan.ciphertexts.private, None)) == [1]
    assert replace(plan.ciphertexts, private=None).values == 1
