"""An owner's rows in an in-memory DuckDB: loaded, checked against the contract, locked.

Rule: the only code that reads an owner's files. What differs from the contract is refused, and
the message names table, column and rule, never a value; but where answers are noisy, values and
rows beyond the bounds are held to them (`bounded`), and what is left to refuse is the owner's own
error at its start, before any session. After loading, SQL reaches no file.
"""

import re
import threading
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import structlog
from sqlglot import exp, parse_one

from cleanroom.contract.columns import MEMBER, ColumnTerms, TableTerms
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.errors import DataMismatch, InternalError
from cleanroom.sources.bounded import hold_to
from cleanroom.sources.cleaned import add_cleaned
from cleanroom.sources.commitment import root_of
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import integer
from cleanroom.sql.render import cast, constant, function, sql_of

MEMORY_LIMIT = "2GB"
OUTSIDE = "a value outside of the declared bounds"
MISSING = "NULL where the contract allows none"
_RAW = "raw"
_INCONSISTENT = "its line ends, quotes or delimiter aren't the same in all of it"
_WRITE_AGAIN = "Write it with commas, double quotes around texts, and one kind of line end."
_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(:\d{2}(\.\d{0,6}0*)?)?"
_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)"
logger = structlog.get_logger()


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
            name: _Loader(self._connection, member, name, terms, held=held).load(path)
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
                self._connection.execute(f"DROP TABLE {sql_of(_table_of(table))}")

    def leave_out(self, table: str, persons: Collection[str]) -> int:
        """Remove the rows of persons from a table; return how many rows went.

        Args:
            persons: as the person column holds them, written as text.

        Raises:
            DataMismatch: if one can't be a value of that column.
        """
        terms = self._terms.tables[table]
        column = terms.columns[terms.person]
        listed = exp.Select().select(_typed(exp.column("person"), terms, terms.person))
        given = function("unnest", exp.Placeholder(this="persons"))
        listed = listed.from_(exp.Select().select(exp.alias_(given, "person")).subquery("given"))
        where = exp.In(this=exp.column(terms.person, quoted=True), query=listed.subquery())
        delete = sql_of(exp.delete(_table_of(table), where=where))
        text = column.sql_type.kind is Kind.TEXT
        with self._running:
            try:
                if not text and not all(re.fullmatch(_pattern(column), one) for one in persons):
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
        return root_of(self._connection, _table_of(table), self._columns[table], salt)

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


class _Loader:
    """Loads one table: every column as text, then converted under the contract's rules."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        member: str,
        name: str,
        terms: Terms,
        *,
        held: bool,
    ) -> None:
        self._connection = connection
        self._member = member
        self._name = name
        self._terms = terms.tables[name]
        self._all_terms = terms
        self._held = held
        self._salt = f"{terms.room.name}|{member}|{name}"

    def load(self, path: Path) -> int:
        """Load the file and return its number of rows."""
        self._read(path)
        n = self._number(exp.Count(this=exp.Star()))
        if n > self._terms.max_rows:
            raise self._mismatch(f"has more than max_rows = {self._terms.max_rows} rows")
        for column, terms in self._terms.columns.items():
            for broken, rule in _rules(column, terms):
                found = exp.Filter(
                    this=exp.Count(this=exp.Star()), expression=exp.Where(this=broken)
                )
                nobody = rule == MISSING and column == self._terms.person
                if self._held and (rule == OUTSIDE or nobody):
                    continue
                if n_broken := self._number(found):
                    rows = "1 row" if n_broken == 1 else f"{n_broken} rows"
                    raise self._mismatch(f"column {column}: {rule}, in {rows}")
        if not self._held:
            self._check_persons()
        self._create()
        add_cleaned(self._connection, _table_of(self._name), self._name, self._all_terms)
        return n - (self._hold() if self._held else 0)

    def _hold(self) -> int:
        """Hold the rows to the contract's bounds, and say so in this member's own log."""
        terms, table = self._terms, _table_of(self._name)
        moved, left_out = hold_to(self._connection, table, terms, self._salt)
        if moved or left_out:
            logger.warning("held to bounds", table=self._name, values=moved, rows=left_out)
        return left_out

    def _read(self, path: Path) -> None:
        if not path.is_file():
            raise self._mismatch(f"is to be read from {path}, which is no file")
        is_parquet = path.suffix.lower() in (".parquet", ".pq")
        source = "read_parquet(?)"
        if not is_parquet:
            source = (
                "read_csv(?, all_varchar = true, header = true, delim = ',', quote = '\"',"
                " escape = '\"', nullstr = '', allow_quoted_nulls = false)"
            )
        try:
            described = self._connection.execute(
                f"DESCRIBE SELECT * FROM {source}",  # noqa: S608 - one of two constants
                [str(path)],
            ).fetchall()
            known = {str(row[0]).lower(): str(row[0]) for row in described}
            if missing := [c for c in self._terms.columns if c not in known]:
                raise self._mismatch(f"column {missing[0]} is missing")
            select = exp.Select()
            for column, terms in self._terms.columns.items():
                shown = cast(exp.column(known[column], quoted=True), "VARCHAR")
                if terms.sql_type.kind is not Kind.TEXT:  # only a text can be empty and there
                    shown = function("nullif", shown, constant(""))
                select = select.select(exp.alias_(shown, column, quoted=True))
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {_RAW} AS {sql_of(select)} FROM {source}",
                [str(path)],
            )
        except duckdb.Error as error:
            form = "Parquet" if is_parquet else "CSV with a header"
            what = f"cannot be read as {form}: {type(error).__name__}"
            if is_parquet or not isinstance(error, duckdb.InvalidInputException):
                raise self._mismatch(what) from None
            raise self._mismatch(f"{what}; {_INCONSISTENT}", _WRITE_AGAIN) from None

    def _check_persons(self) -> None:
        limit = self._terms.max_rows_per_person
        if limit is None:
            return
        person = exp.column(self._terms.person, quoted=True)
        counts = exp.Select().select(exp.alias_(exp.Count(this=exp.Star()), "n"))
        counts = counts.from_(_RAW).group_by(_typed(person, self._terms, self._terms.person))
        most = exp.Select().select(exp.Max(this=exp.column("n"))).from_(counts.subquery("g"))
        row = self._connection.execute(sql_of(most)).fetchone()
        if row is not None and row[0] is not None and row[0] > limit:
            raise self._mismatch(
                f"column {self._terms.person}: a person has more than "
                f"max_rows_per_person = {limit} rows"
            )

    def _create(self) -> None:
        table = _table_of(self._name)
        if table.db:
            self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{table.db}"')

        owner, dot, _ = self._name.partition(".")
        if dot:
            self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{owner}"')
        table = _table_of(self._name)
        select = exp.Select().from_(_RAW)
        for column in self._terms.columns:
            value = _typed(exp.column(column, quoted=True), self._terms, column)
            select = select.select(exp.alias_(value, column, quoted=True))
        if self._terms.member_column is not None:
            mine = cast(constant(self._member), "VARCHAR")
            select = select.select(exp.alias_(mine, MEMBER, quoted=True))
        self._connection.execute(f"CREATE TABLE {sql_of(table)} AS {sql_of(select)}")
        self._connection.execute(f"DROP TABLE {_RAW}")

    def _number(self, value: exp.Expr) -> int:
        row = self._connection.execute(sql_of(exp.Select().select(value).from_(_RAW))).fetchone()
        return int(row[0]) if row is not None else 0

    def _mismatch(self, what: str, remedy: str = "") -> DataMismatch:
        return DataMismatch(f"table {self._name} {what}", party=self._member, remedy=remedy)


def _table_of(name: str) -> exp.Table:
    owner, dot, rest = name.partition(".")
    return exp.table_(rest if dot else owner, db=owner if dot else None, quoted=True)


def _typed(value: exp.Expr, terms: TableTerms, column: str) -> exp.Expr:
    return cast(value, _duckdb_type(terms.columns[column]))


def _duckdb_type(terms: ColumnTerms) -> str:
    names = {Kind.INTEGER: "BIGINT", Kind.TEXT: "VARCHAR"}
    return names.get(terms.sql_type.kind, str(terms.sql_type))


def _rules(column: str, terms: ColumnTerms) -> Iterator[tuple[exp.Expr, str]]:
    """Yield conditions that no row may meet, and the rule each would break."""
    value = exp.column(column, quoted=True)
    if not terms.nullable:
        yield exp.Is(this=value, expression=exp.Null()), MISSING
    if terms.sql_type.kind is Kind.TEXT:
        yield from _text_rules(value, terms)
        return
    if terms.sql_type.kind is Kind.TIMESTAMP:
        zoned = function("regexp_full_match", value, constant(rf"{_DAY}[ T]{_CLOCK} ?{_ZONE}"))
        yield zoned, "a TIMESTAMP has no time zone in a contract; convert it"
    converted = exp.TryCast(this=value, to=exp.DataType.build(_duckdb_type(terms), "duckdb"))
    unreadable = exp.Is(this=converted, expression=exp.Null())
    inexact = exp.Not(this=function("regexp_full_match", value, constant(_pattern(terms))))
    known = exp.Not(this=exp.Is(this=value, expression=exp.Null()))
    broken = exp.and_(known, exp.or_(unreadable, inexact))
    yield broken, f"a value that is no {terms.type}"
    low, high = terms.range
    domain = Domain(terms.sql_type.kind, low, high, terms.sql_type.scale)
    encoded = integer(converted, domain, domain.scale)
    outside = exp.or_(
        exp.LT(this=encoded, expression=constant(low)),
        exp.GT(this=encoded.copy(), expression=constant(high)),
    )
    yield outside, OUTSIDE


def _text_rules(value: exp.Expr, terms: ColumnTerms) -> Iterator[tuple[exp.Expr, str]]:
    place = function("instr", value, function("chr", constant(0)))
    yield exp.GT(this=place, expression=constant(0)), "a text with a NUL"
    if terms.values is not None:
        known = [constant(declared) for declared in terms.values]
        yield exp.Not(this=exp.In(this=value, expressions=known)), "a text that is not declared"
    if terms.max_bytes is not None:
        length = function("octet_length", function("encode", value))
        longer = exp.GT(this=length, expression=constant(terms.max_bytes))
        yield longer, f"a text of more than max_bytes = {terms.max_bytes} bytes"


def _pattern(terms: ColumnTerms) -> str:
    """Return how exact values are written: nothing that a conversion would round."""
    scale = terms.sql_type.scale
    match terms.sql_type.kind:
        case Kind.INTEGER:
            return r"[+-]?\d+(\.0*)?"
        case Kind.DECIMAL:
            plain = rf"(\d+(\.\d{{0,{scale}}}0*)?|\.\d{{1,{max(scale, 1)}}}0*)"
            small = (rf"\d(\.\d{{0,{scale - e}}}0*)?[eE]-0?{e}" for e in range(1, scale + 1))
            return rf"[+-]?({'|'.join((plain, *small))})"
        case Kind.DATE:
            return rf"{_DAY}([ T]00:00:00(\.0*)?)?"
        case Kind.TIMESTAMP:
            return rf"{_DAY}([ T]{_CLOCK})?"
    return r"(?i)true|false|t|f|0|1|yes|no"
