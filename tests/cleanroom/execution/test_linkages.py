"""Linkages on shares against their twin, and against DuckDB over pairs found by pandas."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from in_memory import run_on_shares
from linking import FEBRL_FIELDS, FEBRL_LADDER, febrl, febrl_terms, terms_of

from cleanroom.contract.linkages import FieldKind
from cleanroom.contract.terms import Terms
from cleanroom.linkage.cleaning import cleaned
from cleanroom.plan.plaintext import insecure_run
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

ROWS = 240
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


def _by_pandas(frames: Frames) -> pd.DataFrame:
    """Return the pairs of FEBRL's ladder: keys that occur once among what is left on each side."""
    left, right = (_clean(frame) for frame in frames.values())
    found = []
    for rung, forms in enumerate(FEBRL_LADDER, start=1):
        sides = []
        for side in (left, right):
            keyed = side.assign(key=[_key(row, forms) for row in side.to_dict("records")])
            keyed = keyed.dropna(subset="key").drop_duplicates("key", keep=False)
            sides.append(keyed[["id", "key"]])
        pairs = sides[0].merge(sides[1], on="key", suffixes=("_left", "_right"))
        found.append(pairs.assign(rung=rung))
        left = left[~left["id"].isin(pairs["id_left"])]
        right = right[~right["id"].isin(pairs["id_right"])]
    whole = pd.concat(found).rename(columns={"id_left": "left_id", "id_right": "right_id"})
    return whole[["left_id", "right_id", "rung"]]


def _clean(frame: pd.DataFrame) -> pd.DataFrame:
    made = {
        name: [
            None if pd.isna(text) else cleaned(FieldKind(kind), "", text) for text in frame[name]
        ]
        for name, kind in FEBRL_FIELDS.items()
    }
    return frame[["id"]].assign(**made)


def _key(row: Mapping[Any, Any], forms: list[str]) -> str | None:
    parts = [sorted(str(row[name]) for name in form.split("+")) for form in forms]
    names = [name for form in forms for name in form.split("+")]
    return None if any(row[name] is None for name in names) else repr(parts)


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return febrl(ROWS)


@pytest.fixture(scope="module")
def terms() -> Terms:
    return Terms.of(febrl_terms(256))


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
    connection.register("pairs", _by_pandas(frames))
    connection.execute("CREATE TABLE same_person AS FROM pairs")
    return connection


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
