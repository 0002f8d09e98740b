"""What a profile tells of rows in DuckDB: rough, and of enough persons."""

from dataclasses import replace
from typing import Any

import duckdb
import pytest
import rooms
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.contract.terms import Terms
from cleanroom.errors import MessageInvalid, UnknownName
from cleanroom.execution.profile import FEW, MOST, Told, tell
from cleanroom.plan.profile import SHARES, ProfilePlan
from cleanroom.query.profile import compile_profile

TABLE = "alpha.people"
OWN = duckdb.connect()
OWN.execute("CREATE SCHEMA alpha; CREATE TABLE alpha.people (id BIGINT, score BIGINT)")


def terms(tells: tuple[str, ...] = ("rows", "missing"), min_group: int = 3, **rights: Any) -> Terms:
    room = rooms.room(min_group)
    people = {**room["tables"][TABLE], "profile": list(tells)}
    columns = {n: {**c, "rights": rights.get(n, {})} for n, c in people["columns"].items()}
    if rights:
        people["columns"] = columns
    return Terms.of({**room, "tables": {**room["tables"], TABLE: people}})


def planned(agreed: Terms, recipient: str = "analyst") -> ProfilePlan:
    return compile_profile(TABLE, agreed, "0" * 64, recipient)


def told(rows: list[tuple[int, int | None]], plan: ProfilePlan, min_group: int = 3) -> Told:
    """Return what an owner of these rows tells: each a person, and a score."""
    OWN.execute("DELETE FROM alpha.people")
    persons, scores = [person for person, _ in rows], [score for _, score in rows]
    insert = "INSERT INTO alpha.people SELECT UNNEST(?::BIGINT[]), UNNEST(?::BIGINT[])"
    OWN.execute(insert, [persons, scores])
    return tell(plan, OWN.execute(plan.read_sql).fetchnumpy(), min_group)


SCORE = planned(terms(score={"analyst": ["sum"]}))


def expected(rows: list[tuple[int, int | None]], least: int) -> tuple[int | None, int | None]:
    """Return the same by hand."""
    if not rows or len({person for person, _ in rows}) < least:
        return None, None
    n = 1
    while n < len(rows):
        n *= 2
    without = {person for person, score in rows if score is None}
    within = {person for person, score in rows if score is not None}
    percent = 100 * sum(score is None for _, score in rows) / len(rows)
    if len(without) < least:
        return n, FEW
    if len(within) < least:
        return n, MOST
    return n, min(share for share in SHARES if percent < share)


ROWS = st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 9)), max_size=40)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.integers(1, 4))
def test_an_owner_tells_what_follows_from_its_rows(
    rows: list[tuple[int, int | None]], least: int
) -> None:
    found = told(rows, SCORE, least)
    n, share = expected(rows, least)
    assert found == Told(rows=n, missing=None if n is None else {"score": share}, min_group=least)
    assert Told.of(found.to_bytes(), SCORE) == found


@settings(deadline=None, max_examples=30)
@given(ROWS, st.integers(0, 6))
def test_too_few_persons_with_null_read_as_none(
    rows: list[tuple[int, int | None]], person: int
) -> None:
    """One person more or less without a value isn't told, where fewer than three are."""
    full = [(who, 1) for who, _ in rows if who != person] + [(7, 1), (8, 1), (9, 1)]
    some = [*full, (person, 1)], [*full, (person, None)]
    assert told(some[0], SCORE) == told(some[1], SCORE)


def test_the_contract_says_what_is_told_and_rights_of_which_columns() -> None:
    assert SCORE.columns == ("score",)
    assert SCORE.owners == ("alpha",)
    everything = planned(terms())
    assert set(everything.columns) == {"name", "code", "state", "income", "score", "active"}
    only_rows = planned(terms(("rows",)))
    assert (only_rows.tells, only_rows.columns) == (("rows",), ())
    assert planned(terms(()), "analyst").tells == ()
    assert planned(terms(), "nobody").tells == ()
    assert SCORE.hash != replace(SCORE, recipient="other").hash
    with pytest.raises(UnknownName, match=r"no table 'alpha\.peopl'"):
        compile_profile("alpha.peopl", terms(), "0" * 64, "analyst")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"min_group":0}',
        b'{"min_group":3,"missing":{"income":0}}',
        b'{"min_group":3,"missing":{"score":2}}',
        b'{"min_group":3,"rows":3}',
        b'{"min_group":3,"rows":0}',
        b'{"min_group":3,"more":1}',
    ],
)
def test_what_an_owner_may_not_tell_is_refused(data: bytes) -> None:
    with pytest.raises(MessageInvalid):
        Told.of(data, SCORE)
