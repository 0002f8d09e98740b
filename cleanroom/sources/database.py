"""An owner's rows in an in-memory DuckDB: loaded, asked by SQL, left out, dropped.

Rule: after loading, SQL reaches no file. What a table's file may not hold is refused at the
owner's start, before any session.
"""

import re
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
from sqlglot import exp, parse_one

from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.errors import DataMismatch, InternalError
from cleanroom.sources.commitment import root_of
from cleanroom.sources.loading import Loader, table_of, typed
from cleanroom.sources.rules import written
from cleanroom.sql.render import function, sql_of

MEMORY_LIMIT = "2GB"


class Database:
    """The tables of one member.

    Args:
        erased: those of which nothing is loaded.
        whole: refuse rows beyond the bounds even where answers are noisy.

    Raises:
        DataMismatch: if a table is missing or differs from the contract.
    """

    def __init__(
        self,
        terms: Terms,
        member: str,
        tables: Mapping[str, Path],
        erased: Collection[str] = (),
        *,
        whole: bool = False,
    ) -> None:
        self._member, self._terms = member, terms
        held = terms.privacy.release == "dp" and not whole
        self._connection = duckdb.connect(":memory:")
        self._running = threading.Lock()
        tables = {name: path for name, path in tables.items() if name not in erased}
        expected = set(terms.tables_of(member)) - set(erased)
        for name in sorted(expected ^ set(tables)):
            what = "has no data" if name in expected else "is not in the contract"
            raise DataMismatch(f"table {name} {what}", party=member)
        self._columns = {name: tuple(terms.tables[name].columns) for name in expected}
        self._set("threads = 1", f"memory_limit = '{MEMORY_LIMIT}'", "temp_directory = ''")
        self._rows = {
            name: Loader(self._connection, member, name, terms, held=held).load(path)
            for name, path in sorted(tables.items())
        }
        self._set(
            "error_on_division_by_zero = false",  # else whether a leaf fails tells of one row
            "enable_external_access = false",
            "lock_configuration = true",
        )

    def run(self, sql: str, text_key: bytes) -> dict[str, npt.NDArray[Any]]:
        """Run the SQL of a leaf.

        Args:
            text_key: 16 bytes, new for each session; keys the hashes of long TEXT.
        """
        named = {"text_key": text_key.hex()} if _takes_key(sql) else None
        with self._running:
            try:
                found = self._connection.execute(sql, named).fetchnumpy()
            except duckdb.Error:  # its text, and even its kind, may depend on rows
                raise InternalError("its part of the plan failed", party=self._member) from None
        return {name: np.ascontiguousarray(np.ma.getdata(column)) for name, column in found.items()}

    def interrupt(self) -> None:
        """End the leaf that runs now, if one does: who asked for it is gone."""
        self._connection.interrupt()

    def rows(self, table: str) -> int:
        """Return how many rows this member holds of a table of the contract."""
        return self._rows[table]

    def drop(self, table: str) -> None:
        """Forget all rows of a table, if it was loaded."""
        with self._running:
            if self._rows.pop(table, None) is not None:
                self._connection.execute(f"DROP TABLE {sql_of(table_of(table))}")

    def leave_out(self, table: str, persons: Collection[str]) -> int:
        """Remove the rows of persons from a table; return how many rows went.

        Args:
            persons: as the person column holds them, written as text.

        Raises:
            DataMismatch: if one can't be a value of that column.
        """
        terms = self._terms.tables[table]
        column = terms.columns[terms.person]
        listed = exp.Select().select(typed(exp.column("person"), terms, terms.person))
        given = function("unnest", exp.Placeholder(this="persons"))
        listed = listed.from_(exp.Select().select(exp.alias_(given, "person")).subquery("given"))
        where = exp.In(this=exp.column(terms.person, quoted=True), query=listed.subquery())
        delete = sql_of(exp.delete(table_of(table), where=where))
        text = column.sql_type.kind is Kind.TEXT
        with self._running:
            try:
                if not text and not all(re.fullmatch(written(column), one) for one in persons):
                    raise duckdb.ConversionException
                found = self._connection.execute(delete, {"persons": list(persons)}).fetchone()
            except duckdb.Error:  # its text holds the value
                what = f"a person of {table} isn't written as its column {terms.person} is"
                raise DataMismatch(what, party=self._member) from None
        removed = int(found[0]) if found else 0
        self._rows[table] -= removed
        return removed

    def commit(self, table: str, salt: bytes) -> bytes:
        """Return the root of a tree over the salted rows that are held of a table."""
        return root_of(self._connection, table_of(table), self._columns[table], salt)

    def close(self) -> None:
        self._connection.close()

    def _set(self, *settings: str) -> None:
        for setting in settings:
            self._connection.execute(f"SET {setting}")


def _takes_key(sql: str) -> bool:
    if "text_key" not in sql:  # reading a long text takes longer than running it
        return False
    named = parse_one(sql, dialect="duckdb").find_all(exp.Placeholder)
    return any(placeholder.name == "text_key" for placeholder in named)
