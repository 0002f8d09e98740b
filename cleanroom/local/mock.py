"""Mock rows of a contract: everything that the contract says of its tables, and nothing else.

Rule: drawn from the contract and a seed alone, the same in every process. Values are uniform within
their bounds and independent of each other: for trying out what runs and how results look, not for
what they say. Persons are of one pool at all owners; columns that somebody may join by, too.
"""

import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.contract.columns import ColumnTerms, Right, TableTerms
from cleanroom.contract.models import ModelTerms
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind, SqlType
from cleanroom.local.mock_accounts import Naming, namings
from cleanroom.local.mock_persons import Fields, fields_of, written
from protocols.randomness import KEY_BYTES, stream

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 200
MAX_ROWS = 1 << 20
NULLS = 10  # one value in so many is NULL, where it may be
_DIGITS = string.digits + string.ascii_lowercase
_USUAL = {  # where the contract names no bounds
    Kind.INTEGER: ("0", "999"),
    Kind.DECIMAL: ("0", "999"),
    Kind.DATE: ("2020-01-01", "2025-12-31"),
    Kind.TIMESTAMP: ("2020-01-01", "2025-12-31"),
}


def mock_rows(
    terms: Terms, rows: int = ROWS, seed: int = 0
) -> "dict[str, pa.Table | dict[str, pa.Table]]":
    """Return rows of every table, as `LocalRoom` takes them.

    Args:
        rows: of each member's part of a table, or as many as it may have.
        seed: at least 0.

    Raises:
        ValueError: if there are too many rows, or the seed is below 0.
    """
    if not 0 < rows <= MAX_ROWS or seed < 0:
        raise ValueError(f"rows from 1 to {MAX_ROWS}, and a seed of at least 0")
    pool = _Pool.of(terms, rows, seed)
    found: dict[str, pa.Table | dict[str, pa.Table]] = {}
    for name, table in terms.tables.items():
        parts = {member: pool.table(name, member, table) for member in terms.owners(name)}
        found[name] = parts[terms.owners(name)[0]] if table.members is None else parts
    return found


def mock_models(terms: Terms) -> dict[str, dict[str, object]]:
    """Return weights for every model of the contract, as `LocalRoom` takes them."""
    return {name: _weights(model) for name, model in terms.models.items()}


def _weights(model: ModelTerms) -> dict[str, object]:
    """Weigh every feature alike, with turning signs."""
    place = Decimal(1).scaleb(-model.weight_decimals)
    weight = float((model.max_weight / 10).quantize(place))
    weights = {name: weight * (-1) ** i for i, name in enumerate(model.features)}
    return {"weights": weights, "intercept": 0.0}


@dataclass(frozen=True)
class _Pool:
    """Whom mock rows are about, and the words that they are drawn from.

    Attributes:
        most: rows of the largest part. named: the columns that stand for persons.
        accounts: the columns that name accounts, by table and column.
        fields: the texts by which persons are linked, too.
    """

    rows: int
    seed: int
    most: int
    named: tuple[ColumnTerms, ...]
    accounts: Mapping[tuple[str, str], Naming]
    fields: Fields

    @classmethod
    def of(cls, terms: Terms, rows: int, seed: int) -> "_Pool":
        tables = terms.tables.values()
        most = max(min(rows, table.max_rows) for table in tables)
        named = tuple(table.columns[table.person] for table in tables)
        return cls(rows, seed, most, named, namings(terms), fields_of(terms))

    @cached_property
    def persons(self) -> int:
        """How many there are at all owners together: most are known to each of them."""
        return self.most + self.most // 4

    def table(self, name: str, member: str, table: TableTerms) -> "pa.Table":
        """Return one member's part of a table."""
        import pyarrow as pa

        where = f"{member} {name}"
        naming = {c: self.accounts[name, c] for c in table.columns if (name, c) in self.accounts}
        persons = self._persons(where, table)
        for column, one in naming.items():
            persons = persons[: one.most(self._size(table.columns[column]), len(persons))]
        columns = {}
        for column, declared in table.columns.items():
            at = f"{where} {column}"
            chosen = persons if column == table.person else self._words(at, len(persons))
            if column in naming:
                words, size = self._words(at, len(persons)), self._size(declared)
                chosen = naming[column].numbers(member, words, size)
            as_key = column == table.person or column in naming or _is_joined(declared)
            values = list(map(self._value(declared, as_key=as_key), map(int, chosen)))
            if (name, column) in self.fields:
                of, most = self.fields[name, column], declared.max_bytes or 0
                values = [written(*of, int(person), most) for person in persons]
            if declared.nullable:
                nulls = self._words(f"{at} is null", len(values)) % NULLS == 0
                values = [None if null else v for v, null in zip(values, nulls, strict=True)]
            columns[column] = pa.array(values, type=_arrow(declared.sql_type))
        return pa.table(columns)

    def _persons(self, where: str, table: TableTerms) -> NDArray[np.uint64]:
        """Return the person of each row; none has more rows than the contract allows."""
        size = self._size(table.columns[table.person])
        persons, limit = min(self.persons, size), table.max_rows_per_person
        if limit is None:
            return self._words(where, min(self.rows, table.max_rows)) % np.uint64(persons)
        places = min(persons * limit, 4 * self.rows)
        order = np.argsort(self._words(where, places), kind="stable")
        kept = order[: min(self.rows, table.max_rows)] % persons
        return kept.astype(np.uint64)

    def _words(self, what: str, n: int) -> NDArray[np.uint64]:
        return stream(self.seed.to_bytes(KEY_BYTES, "big"), f"mock {what}", n)

    def _value(self, column: ColumnTerms, *, as_key: bool) -> Callable[[int], Any]:
        """Return how a word becomes a value; the same of a key's for the same person."""
        if column.values is not None:
            values = column.values
            return lambda word: values[word % len(values)]
        if column.sql_type.kind is Kind.TEXT:
            width = self._width(column) if as_key else min(column.max_bytes or 1, 3)
            size = self._size(column) if as_key else min(20, len(_DIGITS) ** width)
            return lambda word: _text(word % size, width)
        low, high = self._range(column) if as_key else _usual(column)
        size = high - low + 1
        if as_key:
            persons = self._size(column)
            step = size // persons
            return lambda word: column.sql_type.decode(low + word % persons * step)
        return lambda word: column.sql_type.decode(low + word % size)

    def _size(self, column: ColumnTerms) -> int:
        """Return how many persons a column can tell apart."""
        if column.values is not None:
            return len(column.values)
        if column.sql_type.kind is Kind.TEXT:
            return min(self.persons, int(len(_DIGITS) ** self._width(column)))
        low, high = self._range(column)
        return min(self.persons, high - low + 1)

    def _width(self, column: ColumnTerms) -> int:
        """Return the bytes of a key that fits every TEXT that stands for persons, and this one."""
        return min(8, *(c.max_bytes or 8 for c in (column, *self._like(column))))

    def _range(self, column: ColumnTerms) -> tuple[int, int]:
        """Return the keys of persons that fit all their columns and this one; else own values."""
        own = _usual(column)
        ranges = [found for c in self._like(column) if self._is_wide(found := _usual(c))]
        low = max((low for low, _ in ranges), default=own[0])
        high = min((high for _, high in ranges), default=own[1])
        fits = self._is_wide((low, high)) and own[0] <= low and high <= own[1]
        return (low, high) if fits else own

    def _is_wide(self, found: tuple[int, int]) -> bool:
        return found[1] - found[0] >= self.persons

    def _like(self, column: ColumnTerms) -> Iterator[ColumnTerms]:
        return (c for c in self.named if c.sql_type == column.sql_type and c.values is None)


def _is_joined(column: ColumnTerms) -> bool:
    return any(Right.JOIN in rights for _, _, rights in column.granted())


def _usual(column: ColumnTerms) -> tuple[int, int]:
    """Return the encoded values to draw from: the declared ones, or some if none are declared."""
    kind, sql_type = column.sql_type.kind, column.sql_type
    if column.bounds is not None or kind not in _USUAL:
        return column.range
    first, last = _USUAL[kind]
    numbers = kind in (Kind.INTEGER, Kind.DECIMAL)
    low, high = (sql_type.encode(int(v) if numbers else v) for v in (first, last))
    return low, min(high, sql_type.widest()[1])


def _text(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def _arrow(sql_type: SqlType) -> "pa.DataType":
    import pyarrow as pa

    types: Mapping[Kind, pa.DataType] = {
        Kind.INTEGER: pa.int64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.DATE: pa.date32(),
        Kind.TIMESTAMP: pa.timestamp("us"),
        Kind.TEXT: pa.string(),
    }
    if sql_type.kind is Kind.DECIMAL:
        return pa.decimal128(sql_type.precision, sql_type.scale)
    return types[sql_type.kind]
