"""The recipient's last step: opened words become SQL values, then the final SQL runs on them.

Rule: only the recipient runs this, on a DuckDB connection of its own that holds nothing but the
opened table and can read nothing else.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import numpy.typing as npt
from sqlglot import exp

from cleanroom.errors import JoinTooLarge, UnsupportedQuery
from cleanroom.plan.leaf import BitsColumn
from cleanroom.plan.plan import OpenedColumn, Plan
from cleanroom.plan.schema import schema_of
from cleanroom.plan.withheld import redacted
from cleanroom.sql.render import cast, constant, function, sql_of

if TYPE_CHECKING:
    import pyarrow as pa

MAX_ROWS = 1 << 26
Arrays = Mapping[str, npt.NDArray[np.generic]]


def finish(plan: Plan, opened: Arrays) -> "pa.Table":
    """Compute the answer, in the exact types that DuckDB gives it.

    Args:
        opened: for each opened sum column an int64 array of its name; for each bits column c
            uint64 arrays c_0, c_1, ... (most significant first) and, if it is nullable, c_null.
            Exactly the convention of leaf SQL.

    Raises:
        UnsupportedQuery: if an expression over aggregates fails, as sqrt(-1) does.
        JoinTooLarge: if equal rows are too many to be written out.
    """
    import pandas as pd

    if plan.root.repeated is not None:
        opened = _written_out(opened, opened[plan.root.repeated].astype(np.int64))

    schema = schema_of(plan.root.input)
    bits = {column.name: column for column in schema.bits}
    raw: dict[str, object] = {}
    for column in plan.opened:
        raw[column.name] = _values(column, bits.get(column.name), opened)
    for name in redacted(plan):
        raw[name] = _without_redacted(opened[name])
    with _database().cursor() as connection:
        connection.register("raw", pd.DataFrame(raw))
        typed = exp.Select().from_(exp.table_("raw"))
        for column in plan.opened:
            typed = typed.select(exp.alias_(_typed(column), column.name, quoted=True))
        connection.execute(f"CREATE TEMP TABLE opened AS {sql_of(typed)}")
        connection.unregister("raw")
        try:
            return connection.sql(plan.final_sql).to_arrow_table()
        except duckdb.Error as error:
            what = f"the SELECT list fails on the opened values: {type(error).__name__}"
            raise UnsupportedQuery(what) from None


def prepare() -> None:
    """Start the DuckDB that answers are computed in, while nothing else is to do."""
    _database()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Return an empty DuckDB that reads no files; what a connection to it holds is that one's."""
    made = duckdb.connect(":memory:")
    made.execute("SET enable_external_access = false")
    made.execute("SET lock_configuration = true")
    return made


def _written_out(opened: Arrays, times: npt.NDArray[np.int64]) -> Arrays:
    """Repeat equal rows as often as they occur."""
    if (total := sum(map(int, times))) > MAX_ROWS:
        what = f"the answer has {total} rows, of which at most {MAX_ROWS} are written out"
        raise JoinTooLarge(what, remedy="Ask for fewer rows: LIMIT, WHERE, or GROUP BY.")
    return {name: np.repeat(values, times) for name, values in opened.items()}


def _values(column: OpenedColumn, bits: BitsColumn | None, opened: Arrays) -> object:
    """Return what pandas takes: whole numbers, or text; with None for NULL."""
    import pandas as pd

    if bits is None:
        return pd.array(opened[column.name].astype(np.int64), dtype="Int64")
    missing = opened[f"{column.name}_null"] if bits.nullable else None
    first = opened[f"{column.name}_0"].astype(np.uint64)
    if column.kind == "number":
        low = np.uint64(bits.low % (1 << 64))
        values = pd.array((first + low).astype(np.int64), dtype="Int64")
        if missing is not None:
            values[missing.astype(bool)] = pd.NA
        return values
    texts = np.empty(len(first), dtype=object)
    if column.kind == "code":
        texts[:] = [column.values[int(code)] for code in first]
    else:
        n_words = (bits.bits + 63) // 64
        texts[:] = _texts([opened[f"{column.name}_{i}"] for i in range(n_words)], bits.bits)
    if missing is not None:
        texts[missing.astype(bool)] = None
    return texts


def _without_redacted(counts: npt.NDArray[np.generic]) -> object:
    import pandas as pd

    whole = counts.astype(np.int64)
    values = pd.array(whole, dtype="Int64")
    values[whole < 0] = pd.NA
    return values


def _texts(words: list[npt.NDArray[np.generic]], bits: int) -> list[str]:
    table = np.stack([w.astype(np.uint64) for w in words], axis=1).astype(">u8")
    width, unused = bits // 8, 8 * len(words) - bits // 8
    rows = (row.tobytes()[unused : unused + width] for row in table)
    return [row.rstrip(b"\0").decode("utf-8", "replace") for row in rows]


def _typed(column: OpenedColumn) -> exp.Expr:
    value: exp.Expr = exp.column(column.name, quoted=True)
    if column.kind != "number":
        return cast(value, "VARCHAR")
    match column.sql_type:
        case "DATE":
            epoch = cast(constant("1970-01-01"), "DATE")
            return exp.Add(this=epoch, expression=cast(value, "INTEGER"))
        case "TIMESTAMP":
            return function("make_timestamp", cast(value, "BIGINT"))
        case "BOOLEAN":
            return exp.EQ(this=value, expression=constant(1))
    if column.scale:
        unit = cast(constant("0." + "0" * (column.scale - 1) + "1"), f"DECIMAL(18,{column.scale})")
        value = exp.Mul(this=cast(value, "DECIMAL(19,0)"), expression=unit)
    return cast(value, column.sql_type)
