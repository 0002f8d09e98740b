"""A table that differs from the contract is refused, without a value in the message."""

import datetime as dt
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import rooms
from pyarrow import parquet

from cleanroom.contract.terms import Terms
from cleanroom.errors import DataMismatch, InternalError
from cleanroom.sources.database import Database

KEY = bytes(range(16))
HEADER = "id,n,price,day,at,ok,kind,note"
GOOD = "7,3,1.50,2020-01-02,2020-01-02 03:04:05,true,a,hello"
COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"type": "INTEGER", "bounds": [0, 99]},
    "n": {"type": "INTEGER", "bounds": [-5, 5], "nullable": True},
    "price": {"type": "DECIMAL(8,2)", "bounds": [0, 1000]},
    "day": {"type": "DATE", "bounds": [dt.date(2020, 1, 1), dt.date(2020, 12, 31)]},
    "at": {"type": "TIMESTAMP", "nullable": True},
    "ok": {"type": "BOOLEAN", "nullable": True},
    "kind": {"type": "TEXT", "values": ["a", "b"]},
    "note": {"type": "TEXT", "max_bytes": 6, "nullable": True},
}


def _terms() -> Terms:
    table = {"person": "id", "max_rows": 4, "max_rows_per_person": 2, "columns": COLUMNS}
    shared = {
        "person": "id",
        "max_rows": 4,
        "members": ["alpha", "beta"],
        "columns": {"id": COLUMNS["id"]},
    }
    return Terms.of(
        {
            "room": {
                "name": "r",
                "version": 1,
                "purpose": "p",
                "lawful_basis": "l",
                "retention_days": 1,
                "expires": dt.date(2099, 1, 1),
            },
            "coordinator": {"address": "127.0.0.1:7000"},
            "members": {"alpha": {"roles": ["input"]}, "beta": {"roles": ["input"]}},
            "privacy": {"release": "sdc"},
            "tables": {"alpha.t": table, "shared": shared},
        }
    )


def _load(folder: Path, *lines: str, header: str = HEADER) -> Database:
    path, shared = folder / "t.csv", folder / "s.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    shared.write_text("id\n1\n2\n", encoding="utf-8")
    return Database(_terms(), "alpha", {"alpha.t": path, "shared": shared})


def test_rows_are_loaded_with_the_declared_types(tmp_path: Path) -> None:
    database = _load(tmp_path, GOOD, "8,,0,2020-12-31,,,b,", header=HEADER)
    found = database.run("SELECT count(n) AS n, sum(price) * 100 AS s FROM alpha.t", KEY)
    assert found["n"][0] == 1
    assert found["s"][0] == 150
    assert database.run("SELECT count(*) AS n FROM shared", KEY)["n"][0] == 2


def test_the_largest_decimals_and_integers(tmp_path: Path) -> None:
    widest = {"type": "DECIMAL(18,6)"}, {"type": "INTEGER"}, {"type": "DECIMAL(18,18)"}
    columns = {"id": COLUMNS["id"], **{f"c{i}": c for i, c in enumerate(widest)}}
    terms = _terms().model_dump(exclude_none=True)
    table = {"person": "id", "max_rows": 4, "columns": columns}
    path = tmp_path / "t.csv"
    path.write_text(f"id,c0,c1,c2\n1,-999999999999.999999,{-(2**63)},0.{'9' * 18}\n")
    database = Database(
        Terms.of({**terms, "tables": {"alpha.t": table}}), "alpha", {"alpha.t": path}
    )
    assert database.run("SELECT c1 FROM alpha.t", KEY)["c1"][0] == -(2**63)


def test_small_numbers_may_be_written_as_pandas_writes_them(tmp_path: Path) -> None:
    lines = (GOOD.replace("1.50", price) for price in ("1e-02", "1.0E-1", "5.e-2"))
    database = _load(tmp_path, *(f"{i}{line[1:]}" for i, line in enumerate(lines)))
    assert database.run("SELECT sum(price) * 100 AS s FROM alpha.t", KEY)["s"][0] == 16


def test_other_columns_are_not_loaded(tmp_path: Path) -> None:
    database = _load(tmp_path, GOOD + ",private", header=HEADER + ",secret")
    with pytest.raises(InternalError) as caught:
        database.run("SELECT secret FROM alpha.t", KEY)
    assert "private" not in str(caught.value)


BROKEN = {
    "a missing column": ("id,n", "1,2", "price is missing"),
    "a text for a number": (HEADER, GOOD.replace("7,3", "7,XCANARY"), "column n: a value that is"),
    "a fraction for a whole number": (HEADER, GOOD.replace("7,3", "7,1.5"), "column n: a value"),
    "a digit too many": (HEADER, GOOD.replace("1.50", "1.505"), "column price: a value that is"),
    "a digit too many, small": (HEADER, GOOD.replace("1.50", "1.5e-02"), "column price: a value"),
    "no day": (HEADER, GOOD.replace("2020-01-02,", "2020-02-31,"), "column day: a value that is"),
    "no moment": (HEADER, GOOD.replace("03:04:05", "33:04:05"), "column at: a value that is no"),
    "no truth": (HEADER, GOOD.replace("true", "XCANARY"), "column ok: a value that is no"),
    "NULL": (HEADER, GOOD.replace("7,3", ",3"), "column id: NULL"),
    "a quoted empty text": (HEADER, GOOD.replace("true,a", 'true,""'), "column kind: a text that"),
    "an empty text": (HEADER, GOOD.replace("true,a", "true,"), "column kind: NULL"),
    "a zone": (HEADER, GOOD.replace("04:05", "04:05+02:00"), "a TIMESTAMP has no time zone"),
    "UTC": (HEADER, GOOD.replace("04:05", "04:05Z"), "column at: a TIMESTAMP has no time zone"),
    "several rows": (HEADER, "\n".join([GOOD.replace("7,3", "7,9")] * 2), "bounds, in 2 rows"),
    "too small": (HEADER, GOOD.replace("7,3", "7,-6"), "column n: a value outside"),
    "too large": (HEADER, GOOD.replace("1.50", "1000.01"), "column price: a value outside"),
    "a day too late": (HEADER, GOOD.replace("2020-01-02,", "2021-01-01,"), "column day: a value"),
    "beyond 64 bits": (HEADER, GOOD.replace("7,3", "7," + "9" * 30), "column n: a value"),
    "an undeclared text": (HEADER, GOOD.replace("true,a", "true,XCANARY"), "column kind: a text"),
    "a long text": (HEADER, GOOD.replace("hello", "XCANARY"), "column note: a text of more"),
    "a long text in bytes": (HEADER, GOOD.replace("hello", "ééé€"), "column note: a text of more"),
    "a NUL": (HEADER, GOOD.replace("hello", "a\0b"), "table alpha.t"),
    "too many rows": (HEADER, "\n".join(f"{i}{GOOD[1:]}" for i in range(5)), "max_rows"),
    "too many of a person": (HEADER, "\n".join([GOOD] * 3), "column id: a person has more"),
    "an empty file": ("", "", "table alpha.t"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_mismatch_names_table_column_and_rule(fault: str, tmp_path: Path) -> None:
    header, lines, message = BROKEN[fault]
    with pytest.raises(DataMismatch) as caught:
        _load(tmp_path, lines, header=header)
    assert message in caught.value.message
    assert "table alpha.t" in caught.value.message
    assert caught.value.party == "alpha"
    assert "XCANARY" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_of_several_line_ends_is_said_to_be_that(tmp_path: Path) -> None:
    path, shared = tmp_path / "t.csv", tmp_path / "s.csv"
    lines = [GOOD.replace("7,", f"{n},", 1) + ("\r\n" if n % 2 else "\n") for n in range(4)]
    path.write_bytes("".join((HEADER, "\n", *lines)).encode())
    shared.write_text("id\n1\n", encoding="utf-8")
    with pytest.raises(DataMismatch, match="its line ends, quotes or delimiter") as caught:
        Database(_terms(), "alpha", {"alpha.t": path, "shared": shared})
    assert "one kind of line end" in caught.value.remedy
    assert "hello" not in str(caught.value)


def test_missing_and_foreign_tables(tmp_path: Path) -> None:
    for tables in ({}, {"alpha.t": tmp_path, "shared": tmp_path, "beta.t": tmp_path}):
        with pytest.raises(DataMismatch, match=r"has no data|not in the contract"):
            Database(_terms(), "alpha", tables)


def test_a_missing_file(tmp_path: Path) -> None:
    missing = {"alpha.t": tmp_path / "no.csv", "shared": tmp_path / "no.csv"}
    with pytest.raises(DataMismatch) as caught:
        Database(_terms(), "alpha", missing)
    assert f"{tmp_path / 'no.csv'}, which is no file" in caught.value.message


def test_parquet(tmp_path: Path) -> None:
    path, shared = tmp_path / "t.parquet", tmp_path / "s.csv"
    shared.write_text("id\n", encoding="utf-8")
    row = (
        "7 AS id, 3.0::DOUBLE AS n, 1.5::DOUBLE AS price, DATE '2020-01-02' AS day, "
        "TIMESTAMP '2020-01-02 03:04:05.25' AS at, false AS ok, 'a' AS kind, NULL AS note"
    )
    duckdb.execute(f"COPY (SELECT {row}) TO '{path}' (FORMAT parquet)")
    database = Database(_terms(), "alpha", {"alpha.t": path, "shared": shared})
    found = database.run('SELECT epoch_us("at") AS us, price * 100 AS p FROM alpha.t', KEY)
    assert found["us"][0] == 1577934245250000
    assert found["p"][0] == 150


def test_an_empty_text_is_a_value_and_null_is_none(tmp_path: Path) -> None:
    lines = [GOOD.replace("hello", note) for note in ('""', "", '"x"')]
    lines[2] = lines[2].replace("7,3", '8,""')  # an empty number can only mean NULL
    database = _load(tmp_path, *lines)
    sql = "SELECT count(*) FILTER (note = '') AS empty, count(note) AS n, count(n) AS m"
    found = database.run(f"{sql} FROM alpha.t", KEY)
    assert [int(found[name][0]) for name in ("empty", "n", "m")] == [1, 2, 2]


def test_a_zoned_timestamp_of_parquet_is_not_shifted(tmp_path: Path) -> None:
    path, shared = tmp_path / "t.parquet", tmp_path / "s.csv"
    shared.write_text("id\n", encoding="utf-8")
    at = pa.array([dt.datetime(2020, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=5)))])
    row = {"id": [7], "n": [3], "price": [1.5], "day": ["2020-01-02"], "at": at, "ok": [True]}
    parquet.write_table(pa.table({**row, "kind": ["a"], "note": ["x"]}), path)
    with pytest.raises(DataMismatch, match="column at: a TIMESTAMP has no time zone"):
        Database(_terms(), "alpha", {"alpha.t": path, "shared": shared})


def test_sql_reaches_nothing_but_the_tables(tmp_path: Path) -> None:
    database = _load(tmp_path, GOOD)
    for sql in (
        f"SELECT * FROM read_csv('{tmp_path}/t.csv')",
        f"COPY alpha.t TO '{tmp_path}/out.csv'",
        "SET enable_external_access = true",
        f"ATTACH '{tmp_path}/x.db'",
        "INSTALL httpfs",
    ):
        with pytest.raises(InternalError):
            database.run(sql, KEY)
    assert not (tmp_path / "out.csv").exists()


def test_the_text_key_keys_hashes(tmp_path: Path) -> None:
    database = _load(tmp_path, GOOD)
    sql = "SELECT ('0x' || substr(sha256($text_key || note), 1, 16))::UBIGINT AS h FROM alpha.t"
    one, two = (database.run(sql, key)["h"] for key in (KEY, bytes(16)))
    assert one.dtype == np.uint64
    assert one[0] != two[0]


def test_loading_imports_neither_pandas_nor_pyarrow(tmp_path: Path) -> None:
    code = (
        "import sys; import cleanroom.sources.database, cleanroom.query.compile, "
        "cleanroom.query.finish, cleanroom.plan.sheet, duckdb; "
        "c = duckdb.connect(); c.execute('SELECT 1::UBIGINT AS x').fetchnumpy(); "
        "print([m for m in ('pandas', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"


def test_no_value_makes_a_leaf_fail(tmp_path: Path) -> None:
    """Whether a query fails must not tell whether some row holds a zero."""
    paths = rooms.write(tmp_path, rooms.rows())
    database = Database(rooms.terms(), "alpha", paths["alpha"])
    leaf = 'SELECT COUNT(1 // (score - 3)) AS n, COUNT(7 % (score - 3)) AS m FROM "alpha"."people"'
    assert database.run(leaf, b"k" * 16)["n"][0] > 0


def test_text_that_looks_like_the_key_is_text(tmp_path: Path) -> None:
    paths = rooms.write(tmp_path, rooms.rows())
    database = Database(rooms.terms(), "alpha", paths["alpha"])
    leaf = "SELECT COUNT(*) AS n FROM \"alpha\".\"people\" WHERE name <> 'a $text_key b'"
    assert database.run(leaf, b"k" * 16)["n"][0] > 0


def test_the_local_part_ends_when_it_is_interrupted(tmp_path: Path) -> None:
    paths = rooms.write(tmp_path, rooms.rows())
    database = Database(rooms.terms(), "alpha", paths["alpha"])
    endless = "SELECT COUNT(*) AS n FROM range(1000000) a, range(1000000) b, range(1000) c"
    running = threading.Thread(target=lambda: failures.append(_failure(database, endless)))
    failures: list[Exception | None] = []
    running.start()
    while running.is_alive():
        database.interrupt()
        running.join(0.05)
    assert isinstance(failures[0], InternalError)
    assert database.run('SELECT COUNT(*) AS n FROM "alpha"."people"', b"k" * 16)["n"][0] == 50


def _failure(database: Database, sql: str) -> Exception | None:
    try:
        database.run(sql, b"k" * 16)
    except InternalError as error:
        return error
    return None
