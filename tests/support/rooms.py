"""A small room with three owners and seeded rows, for tests that run queries over it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import sqlglot
from heads import head

from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.query.compile import compile_query

SEED = 20260417
OWNERS = ("alpha", "beta", "gamma")
STATES = ["nsw", "vic", "qld", "tas"]
RIGHTS = {"analyst": [right.value for right in Right]}
Rows = list[dict[str, Any]]


def room(min_group: int = 1, **privacy: object) -> dict[str, Any]:
    """Return a contract as a dict of the shape of the TOML file."""
    computing = {
        name: {"roles": ["input", "computing"], "address": f"127.0.0.1:{7301 + i}"}
        for i, name in enumerate(OWNERS)
    }
    return {
        **head("golden", 7300),
        "members": {**computing, "analyst": {"roles": ["result"]}},
        "privacy": {"release": "sdc", "min_group": min_group, "complementary": "off", **privacy},
        "tables": _with_dates(_tables()),
    }


def terms(min_group: int = 1, **privacy: object) -> Terms:
    return Terms.of(room(min_group, **privacy))


def _column(type_: str, **more: object) -> dict[str, Any]:
    return {"type": type_, "rights": RIGHTS, **more}


def _tables() -> dict[str, Any]:
    person = _column("INTEGER", bounds=[0, 60])
    return {
        "alpha.people": {
            "person": "id",
            "max_rows_per_person": 1,
            "max_rows": 64,
            "columns": {
                "id": person,
                "name": _column("TEXT", max_bytes=30, nullable=True),
                "code": _column("TEXT", max_bytes=6, nullable=True),
                "state": _column("TEXT", values=STATES, nullable=True),
                "born": _column("DATE", bounds=["1950-01-01", "1999-12-31"]),
                "income": _column("DECIMAL(10,2)", bounds=[-1000, 100000], nullable=True),
                "score": _column("INTEGER", bounds=[-50, 50], nullable=True),
                "active": _column("BOOLEAN", nullable=True),
            },
        },
        "alpha.visits": {
            "person": "id",
            "max_rows_per_person": 8,
            "max_rows": 200,
            "columns": {
                "id": person,
                "day": _column("DATE", bounds=["2020-01-01", "2021-12-31"]),
                "cost": _column("DECIMAL(8,2)", bounds=[0, 5000]),
            },
        },
        "beta.claims": {
            "person": "pid",
            "max_rows_per_person": 9,
            "max_rows": 200,
            "columns": {
                "pid": person,
                "name": _column("TEXT", max_bytes=24, nullable=True),
                "state": _column("TEXT", values=["nsw", "vic", "act"], nullable=True),
                "kind": _column("TEXT", values=["car", "home", "life"]),
                "amount": _column("DECIMAL(9,3)", bounds=[0, 20000], nullable=True),
                "filed": _column("TIMESTAMP", bounds=["2019-01-01", "2022-01-01"], nullable=True),
                "level": _column("INTEGER", bounds=[0, 9], nullable=True),
            },
        },
        "gamma.members": {
            "person": "mid",
            "max_rows": 100,
            "columns": {
                "mid": person,
                "city": _column("TEXT", max_bytes=14, nullable=True),
                "joined": _column("DATE", bounds=["2015-01-01", "2021-12-31"], nullable=True),
                "points": _column("INTEGER", bounds=[-100, 1000]),
                "rate": _column("DECIMAL(6,3)", bounds=[0, 10], nullable=True),
            },
        },
        "transactions": {
            "members": list(OWNERS),
            "person": "cust",
            "max_rows": 120,
            "columns": {
                "cust": person,
                "other": _column("INTEGER", bounds=[0, 70], nullable=True),
                "amt": _column("DECIMAL(10,2)", bounds=[-500, 9000]),
                "booked": _column("TIMESTAMP", bounds=["2020-01-01", "2022-01-01"]),
                "channel": _column("TEXT", values=["web", "shop", "phone"], nullable=True),
            },
        },
    }


def _with_dates(tables: dict[str, Any]) -> dict[str, Any]:
    """Read bounds written as ISO text, as TOML would."""
    for table in tables.values():
        for column in table["columns"].values():
            if column["type"] in ("DATE", "TIMESTAMP") and "bounds" in column:
                column["bounds"] = [dt.date.fromisoformat(str(b)) for b in column["bounds"]]
    return tables


class Dice:
    """Seeded choices; every call gives the same rows."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def below(self, n: int) -> int:
        return int(self._generator.integers(n))

    def pick(self, options: list[Any], nulls: float = 0.0) -> Any:
        return None if self._generator.random() < nulls else options[self.below(len(options))]

    def number(self, low: int, high: int, scale: int = 0, nulls: float = 0.0) -> Any:
        value = Decimal(low * 10**scale + self.below((high - low) * 10**scale + 1))
        return self.pick([int(value) if not scale else value.scaleb(-scale)], nulls)

    def day(self, start: str, days: int, nulls: float = 0.0) -> Any:
        first = dt.date.fromisoformat(start)
        return self.pick([first + dt.timedelta(days=self.below(days))], nulls)

    def moment(self, start: str, days: int, nulls: float = 0.0) -> Any:
        first = dt.datetime.fromisoformat(start)
        return self.pick([first + dt.timedelta(seconds=self.below(days * 86400))], nulls)


NAMES = ["Ana Novák", "Bo Li", "Catherine O'Hara-Smythe", "Dov", "Élodie Lefèvre", "Bo Li Jr", ""]
CITIES = ["sydney", "perth", "hobart", "alice springs", "melbourne", ""]


def rows(seed: int = SEED) -> dict[str, Rows | dict[str, Rows]]:
    """Return every table's rows; a federated table's by member."""
    dice = Dice(seed)
    people = [
        {
            "id": i,
            "name": dice.pick(NAMES, 0.1),
            "code": dice.pick(["a", "ab", "abc", "Zz", "é1", ""], 0.15),
            "state": dice.pick(STATES, 0.1),
            "born": dice.day("1950-01-01", 18000),
            "income": dice.number(-1000, 100000, 2, 0.2),
            "score": dice.number(-50, 50, 0, 0.2),
            "active": dice.pick([True, False], 0.15),
        }
        for i in range(0, 50)
    ]
    visits = [
        {
            "id": dice.below(40),
            "day": dice.day("2020-01-01", 700),
            "cost": dice.number(0, 5000, 2),
        }
        for _ in range(70)
    ]
    claims = [
        {
            "pid": 20 + dice.below(40),
            "name": dice.pick(NAMES, 0.2),
            "state": dice.pick(["nsw", "vic", "act"], 0.1),
            "kind": dice.pick(["car", "home", "life"]),
            "amount": dice.number(0, 20000, 3, 0.2),
            "filed": dice.moment("2019-01-01", 1000, 0.2),
            "level": dice.number(0, 9, 0, 0.3),
        }
        for _ in range(90)
    ]
    members = [
        {
            "mid": 10 + dice.below(45),
            "city": dice.pick(CITIES, 0.2),
            "joined": dice.day("2015-01-01", 2500, 0.1),
            "points": dice.number(-100, 1000),
            "rate": dice.number(0, 10, 3, 0.2),
        }
        for _ in range(60)
    ]
    transactions = {
        owner: [
            {
                "cust": dice.below(60),
                "other": dice.number(0, 70, 0, 0.1),
                "amt": dice.number(-500, 9000, 2),
                "booked": dice.moment("2020-01-01", 730),
                "channel": dice.pick(["web", "shop", "phone"], 0.1),
            }
            for _ in range(n)
        ]
        for owner, n in zip(OWNERS, (40, 33, 25), strict=True)
    }
    return {
        "alpha.people": people,
        "alpha.visits": visits,
        "beta.claims": claims,
        "gamma.members": members,
        "transactions": transactions,
    }


def write(folder: Path, data: Mapping[str, Rows | dict[str, Rows]]) -> dict[str, dict[str, Path]]:
    """Write CSV files; return member -> table -> path. NULL is nothing at all, '' is quoted."""
    paths: dict[str, dict[str, Path]] = {owner: {} for owner in OWNERS}
    for table, part in data.items():
        parts = part if isinstance(part, dict) else {table.partition(".")[0]: part}
        for owner, found in parts.items():
            path = folder / f"{owner}-{table}.csv"
            lines = [list(found[0]), *(list(row.values()) for row in found)]
            text = "".join(",".join(map(_cell, line)) + "\n" for line in lines)
            path.write_text(text, encoding="utf-8")
            paths[owner][table] = path
    return paths


def _cell(value: Any) -> str:
    return "" if value is None else '"' + str(value).replace('"', '""') + '"'


def given(folder: Path) -> dict[str, Path | dict[str, Path]]:
    """Return the golden rows, written to files, as `LocalRoom` takes them."""
    paths = write(folder, rows())
    return {
        table: {owner: paths[owner][table] for owner in OWNERS}
        if "members" in declared
        else paths[table.partition(".")[0]][table]
        for table, declared in _tables().items()
    }


def pooled(agreed: Terms, data: Mapping[str, Rows | dict[str, Rows]]) -> duckdb.DuckDBPyConnection:
    """Return plain DuckDB with everybody's rows: what no room ever has."""
    connection = duckdb.connect(":memory:")
    for table, part in data.items():
        schema, dot, _ = table.partition(".")
        if dot:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        columns = agreed.tables[table].columns
        kinds = {"INTEGER": "BIGINT", "TEXT": "VARCHAR"}
        declared = ", ".join(f"{n} {kinds.get(c.type, c.type)}" for n, c in columns.items())
        connection.execute(f"CREATE TABLE {table} ({declared})")
        found = [row for p in part.values() for row in p] if isinstance(part, dict) else part
        marks = ", ".join("?" for _ in columns)
        connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})", [[r[c] for c in columns] for r in found]
        )
    owners = dict.fromkeys(table.partition(".")[0] for table in data if "." in table)
    path = ",".join(("main", *owners))
    connection.execute(f"SET search_path = '{path}'")  # owners may be left out
    return connection


def golden() -> Iterator[tuple[str, str]]:
    """Yield (title, query) of queries.sql: blocks that start with a comment line."""
    text = (Path(__file__).parent / "queries.sql").read_text(encoding="utf-8")
    for block in text.split("\n\n"):
        title, _, sql = block.strip().partition("\n")
        if title.startswith("-- ") and sql:
            yield title.removeprefix("-- "), sql.strip().removesuffix(";")


def on_ciphertexts() -> Iterator[tuple[str, str]]:
    """Yield those of the golden queries that can run on ciphertexts."""
    for title, sql in golden():
        try:
            compile_query(sql, terms(), "0" * 64, "analyst", "he")
        except (UnsupportedQuery, OverflowPossible):
            continue
        yield title, sql


def of_each_shape() -> Iterator[str]:
    """Yield the title of the first golden query of each set of steps that plans are made of."""
    seen = set[frozenset[str]]()
    for title, sql in golden():
        shape = frozenset(_steps(compile_query(sql, terms(), "0" * 64, "analyst").root))
        if shape not in seen:
            seen.add(shape)
            yield title


def _steps(part: object) -> Iterator[str]:
    """Yield the kind of every node of a plan, and of every expression in it."""
    if is_dataclass(part):
        yield type(part).__name__
        part = tuple(getattr(part, field.name) for field in fields(part))
    if isinstance(part, tuple):
        for one in part:
            yield from _steps(one)


def is_ordered(sql: str) -> bool:
    """Whether the order of a query's result means something."""
    return sqlglot.parse_one(sql, read="duckdb").args.get("order") is not None


def cells(frame: Any, *, ordered: bool) -> list[tuple[Any, ...]]:
    """Return rows with numbers to nine digits and NULL as None, sorted unless they are ordered."""
    found = [tuple(_plain(v) for v in row) for row in frame.itertuples(index=False)]
    return found if ordered else sorted(found, key=lambda row: [(v is None, str(v)) for v in row])


def _plain(value: Any) -> Any:
    if str(value) in ("None", "nan", "NaN", "NaT", "<NA>"):
        return None
    if isinstance(value, float | int | Decimal | np.number) and not isinstance(value, bool):
        return float(f"{float(value):.9g}")
    return str(value)
