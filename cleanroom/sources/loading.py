"""One table of an owner, from its file into DuckDB: read as text, checked, converted.

Rule: the only code that reads an owner's rows from a file. What differs from the contract is
refused by table, column and rule, never with a value; but where answers are noisy, values and rows
beyond the bounds are held to them (`bounded`).
"""

from pathlib import Path

import duckdb
import structlog
from sqlglot import exp

from cleanroom.contract.columns import MEMBER, TableTerms
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.errors import DataMismatch
from cleanroom.sources.bounded import hold_to
from cleanroom.sources.cleaned import add_cleaned
from cleanroom.sources.rules import MISSING, OUTSIDE, duckdb_type, rules_of
from cleanroom.sql.render import cast, constant, function, sql_of

_RAW = "raw"
_INCONSISTENT = "its line ends, quotes or delimiter aren't the same in all of it"
_WRITE_AGAIN = "Write it with commas, double quotes around texts, and one kind of line end."
logger = structlog.get_logger()


class Loader:
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
            for broken, rule in rules_of(column, terms):
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
        add_cleaned(self._connection, table_of(self._name), self._name, self._all_terms)
        return n - (self._hold() if self._held else 0)

    def _hold(self) -> int:
        """Hold the rows to the contract's bounds, and say so in this member's own log."""
        terms, table = self._terms, table_of(self._name)
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
        counts = counts.from_(_RAW).group_by(typed(person, self._terms, self._terms.person))
        most = exp.Select().select(exp.Max(this=exp.column("n"))).from_(counts.subquery("g"))
        row = self._connection.execute(sql_of(most)).fetchone()
        if row is not None and row[0] is not None and row[0] > limit:
            raise self._mismatch(
                f"column {self._terms.person}: a person has more than "
                f"max_rows_per_person = {limit} rows"
            )

    def _create(self) -> None:
        owner, dot, _ = self._name.partition(".")
        if dot:
            self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{owner}"')
        table = table_of(self._name)
        select = exp.Select().from_(_RAW)
        for column in self._terms.columns:
            value = typed(exp.column(column, quoted=True), self._terms, column)
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


def table_of(name: str) -> exp.Table:
    owner, dot, rest = name.partition(".")
    return exp.table_(rest if dot else owner, db=owner if dot else None, quoted=True)


def typed(value: exp.Expr, terms: TableTerms, column: str) -> exp.Expr:
    return cast(value, duckdb_type(terms.columns[column]))
