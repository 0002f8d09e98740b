"""Linkages on shares against their twin, and against DuckDB over pairs found by pandas."""

import copy
from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from in_memory import run_on_shares
from linking import febrl_terms, terms_of

from benchmarks import febrl
from cleanroom.contract.terms import Terms
from cleanroom.errors import JoinTooLarge, PeerMisbehaved
from cleanroom.local.mock import mock_rows
from cleanroom.plan.cost import cost_of
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.steps import steps
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

ROWS = 240
LADDER = febrl.LADDER[:5]
RIGHTS = {"analyst": ["join", "count"]}
Frames = Mapping[str, pd.DataFrame]

QUERIES = (
    "SELECT rung, COUNT(*) AS n FROM same_person GROUP BY rung",
    """SELECT l.rung, COUNT(*) AS n, SUM(CASE WHEN a.truth = b.truth THEN 1 ELSE 0 END) AS ok
       FROM hospital_a.patients a JOIN same_person l ON a.id = l.left_id
       JOIN hospital_b.patients b ON b.id = l.right_id GROUP BY l.rung""",
    """SELECT b.state, l.rung, COUNT(*) AS n, COUNT(l.left_id) AS linked
       FROM hospital_b.patients b LEFT JOIN same_person l ON b.id = l.right_id
       GROUP BY b.state, l.rung""",
    """SELECT COUNT(*) AS unlinked FROM hospital_a.patients a
       WHERE NOT EXISTS (SELECT 1 FROM same_person l WHERE l.left_id = a.id)""",
    """SELECT state, COUNT(*) AS n FROM (
         SELECT a.id AS person, a.state FROM hospital_a.patients a UNION ALL
         SELECT l.left_id, b.state FROM hospital_b.patients b
         JOIN same_person l ON b.id = l.right_id) u GROUP BY state""",
    """SELECT COUNT(*) AS n FROM same_person x JOIN same_person y ON x.left_id = y.left_id
       WHERE x.rung > 1""",
)


def _databases(terms: Terms, frames: Frames, folder: Path) -> dict[str, Database]:
    found = {}
    for table, rows in frames.items():
        path, member = folder / f"{table}.parquet", table.partition(".")[0]
        rows.to_parquet(path)
        found[member] = Database(terms, member, {table: path})
    return found


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return febrl.registers(ROWS)


@pytest.fixture(scope="module")
def terms() -> Terms:
    return Terms.of(febrl_terms(256, ladder=LADDER))


@pytest.fixture(scope="module")
def databases(
    terms: Terms, frames: Frames, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Database]:
    return _databases(terms, frames, tmp_path_factory.mktemp("febrl"))


@pytest.fixture(scope="module")
def pooled(frames: Frames) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for table, rows in frames.items():
        member, _, name = table.partition(".")
        connection.register("rows", rows)
        connection.execute(f"CREATE SCHEMA {member}; CREATE TABLE {member}.{name} AS FROM rows")
    connection.register("pairs", febrl.pairs_of(febrl.clean(frames), LADDER))
    connection.execute("CREATE TABLE same_person AS FROM pairs")
    return connection


def test_the_twin_compares_as_protocols_do_and_too_many_left_are_refused(
    frames: Frames, tmp_path: Path
) -> None:
    few = {"ladder": [["soc_sec_id", "date_of_birth"]], "fuzzy": febrl.FUZZY}
    terms = Terms.of(febrl_terms(256, **few))
    databases = _databases(terms, frames, tmp_path)
    plan = compile_query(QUERIES[1], terms, "0" * 64, "analyst")
    shared = finish(plan, run_on_shares(plan, databases).columns).to_pylist()
    clear = finish(plan, insecure_run(plan, databases).columns).to_pylist()
    assert sorted(shared, key=str) == sorted(clear, key=str)
    assert sum(row["n"] for row in shared) == sum(row["ok"] for row in shared) == ROWS
    few["fuzzy"] = {**febrl.FUZZY, "max_left": 8}
    narrow = compile_query(QUERIES[0], Terms.of(febrl_terms(256, **few)), "0" * 64, "analyst")
    with pytest.raises(JoinTooLarge, match="more records left over than the bound"):
        run_on_shares(narrow, databases)


@pytest.mark.parametrize(("block", "window"), [("date_of_birth.month_year", 30), ("postcode", 1)])
def test_what_is_near_in_a_block_is_compared(
    frames: Frames, tmp_path: Path, block: str, window: int
) -> None:
    """One number decides, and in a block the same ones are neighbours: so pairs are a join."""
    one = {"form": "soc_sec_id", "digits": 7, "levels": [1], "weights": [10, -4]}
    fuzzy = {"threshold": 10, "max_left": 250, "block": [block], "window": window, "compare": [one]}
    agreed = Terms.of(febrl_terms(256, ladder=[["given_name", "address_1"]], fuzzy=fuzzy))
    databases = _databases(agreed, frames, tmp_path)
    plan = compile_query(QUERIES[1], agreed, "0" * 64, "analyst")
    shared = finish(plan, run_on_shares(plan, databases).columns).to_pylist()
    clear = finish(plan, insecure_run(plan, databases).columns).to_pylist()
    assert sorted(shared, key=str) == sorted(clear, key=str)
    registers = febrl.clean(frames)
    by_key = febrl.pairs_of(registers, [["given_name", "address_1"]])
    left, right = (
        side[~side["id"].isin(by_key[column])].dropna(subset=[block])
        for side, column in zip(registers.values(), ("left_id", "right_id"), strict=True)
    )
    pairs = left.merge(right, on=["soc_sec_id", block])
    assert {row["rung"]: row["n"] for row in shared} == {1: len(by_key), 2: len(pairs)}
    sheet = "\n".join(steps(plan.root.input.input, count()))
    assert f"250 of either side at most, each with the next {window} in order of block," in sheet


def test_work_in_blocks_grows_with_rows_and_not_with_their_pairs() -> None:
    sizes = []
    for rows in (1 << 14, 1 << 17, 1 << 20):
        fuzzy = {**febrl.FUZZY, "max_left": rows, "block": ["postcode"], "window": 16}
        agreed = Terms.of(febrl_terms(rows, ladder=LADDER, fuzzy=fuzzy))
        sizes.append(
            cost_of(compile_query(QUERIES[0], agreed, "0" * 64, "analyst")).bytes_per_party
        )
    assert sizes[1] < 12 * sizes[0]
    assert sizes[2] < 12 * sizes[1]


def _rows(table: Any) -> list[str]:
    return sorted(
        str([int(v) if isinstance(v, float | Decimal) else v for v in row]) for row in table
    )


@pytest.mark.parametrize("sql", QUERIES)
def test_pairs_are_a_table(
    sql: str, terms: Terms, databases: dict[str, Database], pooled: duckdb.DuckDBPyConnection
) -> None:
    plan = compile_query(sql, terms, "0" * 64, "analyst")
    shared = finish(plan, run_on_shares(plan, databases).columns).to_pydict()
    clear = finish(plan, insecure_run(plan, databases).columns).to_pydict()
    expected = pooled.execute(sql).fetchall()
    assert _rows(zip(*shared.values(), strict=True)) == _rows(expected)
    assert _rows(zip(*clear.values(), strict=True)) == _rows(expected)


PEOPLE = {"nhs_number": None, "postcode": None, "sex": None}
LEFT = (
    {"id": "a1", "surname": "O'Brien", "given_name": "Zoë", "born": "1950-01-02"},
    {"id": "a2", "surname": "Müller-Łuk", "given_name": "Jo", "born": "1960-11-12"},
    {"id": "a3", "surname": "Twin", "given_name": "Ann", "born": "1970-01-01"},
    {"id": "a4", "surname": "Twin", "given_name": "Ann", "born": "1970-01-01"},
    {"id": "a5", "surname": None, "given_name": None, "born": None},
)
RIGHT = (
    {"id": "b-with-a-long-1", "surname": "OBRIEN", "given_name": "zoe", "born": "1950-02-01"},
    {"id": "b2", "surname": "jo", "given_name": "MULLER LUK", "born": "12/11/1960"},
    {"id": "b3", "surname": "Twin", "given_name": "Ann", "born": "1970-01-01"},
    {"id": "b5", "surname": None, "given_name": None, "born": None},
)
ONE_EACH = {"ladder": [["surname+given_name", "born.swapped"]]}


def _small(tmp_path: Path, left: Any, right: Any) -> tuple[Terms, dict[str, Database]]:
    terms = Terms.of(terms_of(**ONE_EACH))
    names = tuple(terms.tables)
    columns = list(terms.tables[names[0]].columns)
    frames = {
        name: pd.DataFrame([{**PEOPLE, **row} for row in rows], columns=columns, dtype="string")
        for name, rows in zip(names, (left, right), strict=True)
    }
    return terms, _databases(terms, frames, tmp_path)


def test_letters_order_and_swaps_do_not_matter_but_doubles_and_gaps_do(tmp_path: Path) -> None:
    terms, databases = _small(tmp_path, LEFT, RIGHT)
    sql = "SELECT left_id, right_id FROM same_person"
    plan = compile_query(sql, terms, "0" * 64, "analyst")
    found = finish(plan, run_on_shares(plan, databases).columns).to_pylist()
    pairs = {(row["left_id"], row["right_id"]) for row in found}
    assert pairs == {("a1", "b-with-a-long-1"), ("a2", "b2")}


@pytest.mark.parametrize("left_is_empty", [False, True])
def test_either_side_has_its_own_types_and_may_be_empty(
    tmp_path: Path, *, left_is_empty: bool
) -> None:
    agreed = terms_of(ladder=[["nhs_number"], ["surname"]])
    first, second = (copy.deepcopy(table) for table in agreed["tables"].values())
    first["columns"]["id"] = {"type": "INTEGER", "bounds": [-5, 9], "rights": RIGHTS}
    first["columns"]["nhs_number"] = {"type": "INTEGER", "nullable": True}
    second["columns"]["id"] = {"type": "TEXT", "max_bytes": 30, "rights": RIGHTS}
    second["columns"]["born"] = {"type": "DATE", "nullable": True}
    agreed["tables"] = dict(zip(agreed["tables"], (first, second), strict=True))
    names, columns = tuple(agreed["tables"]), list(first["columns"])
    left = [{"id": -3, "nhs_number": 9434765919}, {"id": 7, "surname": "Y"}]
    right = [{"id": "z" * 30, "nhs_number": "943 476 5919"}, {"id": "", "surname": "y"}]
    sides = ([] if left_is_empty else left, right)
    frames = {
        name: pd.DataFrame(rows, columns=columns, dtype=object).convert_dtypes()
        for name, rows in zip(names, sides, strict=True)
    }
    terms = Terms.of(agreed)
    databases = _databases(terms, frames, tmp_path)
    sql = """SELECT a.id AS a, b.id AS b, l.rung AS rung FROM hospital_a.patients a
             JOIN same_person l ON a.id = l.left_id
             JOIN hospital_b.patients b ON b.id = l.right_id"""
    plan = compile_query(sql, terms, "0" * 64, "analyst")
    found = finish(plan, run_on_shares(plan, databases).columns).to_pylist()
    expected = [] if left_is_empty else [(-3, "z" * 30, 1), (7, "", 2)]
    assert sorted(tuple(row.values()) for row in found) == expected


class _Lying(Database):
    """An owner that gives all its rows one rank."""

    def run(self, sql: str, text_key: bytes) -> dict[str, Any]:
        found = super().run(sql, text_key)
        return {k: v * 0 if k.endswith("_rank_0") else v for k, v in found.items()}


def test_ranks_that_are_no_order_end_the_session_with_a_name(tmp_path: Path) -> None:
    terms, databases = _small(tmp_path, LEFT, RIGHT)
    path = tmp_path / "hospital_a.patients.parquet"
    databases["hospital_a"] = _Lying(terms, "hospital_a", {"hospital_a.patients": path})
    plan = compile_query("SELECT COUNT(*) AS n FROM same_person", terms, "0" * 64, "analyst")
    with pytest.raises(PeerMisbehaved, match="two of its rows have one rank") as found:
        run_on_shares(plan, databases)
    assert found.value.party == "hospital_a or hospital_b"


def test_made_up_rows_are_linked_too(tmp_path: Path) -> None:
    terms = Terms.of(terms_of())
    made = {name: table.to_pandas() for name, table in mock_rows(terms, 100).items()}
    databases = _databases(terms, made, tmp_path)
    sql = "SELECT COUNT(*) AS n, MAX(rung) AS most FROM same_person"
    plan = compile_query(sql, terms, "0" * 64, "analyst")
    (found,) = finish(plan, insecure_run(plan, databases).columns).to_pylist()
    ids = [set(frame["id"]) for frame in made.values()]
    assert len(ids[0] & ids[1]) >= found["n"] > 50
    assert found["most"] > 1
