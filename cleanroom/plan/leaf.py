"""What one member computes on its own rows, and the columns in which it shares the result.

Two kinds of columns flow upwards from leaves. A *bits* column is compared, ordered, grouped by or
opened: unsigned, most significant bit first, so that the order of the bits is the order of the
values. A *sum* column is only added and multiplied: an integer mod 2^64. Leaves are already
aggregated by their bits columns, so a row stands for as many rows as its weight says.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BitsColumn:
    """A secret column of `bits` bits, plus one NULL bit if `nullable`.

    Attributes:
        low: the encoded value that all-zero bits stand for; a value is low + bits.
    """

    name: str
    bits: int
    nullable: bool = False
    low: int = 0


@dataclass(frozen=True, slots=True)
class SumColumn:
    """A secret integer column mod 2^64 whose true values all lie within +-`bound`."""

    name: str
    bound: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one member computes on its own rows and then shares.

    Attributes:
        sql: one SELECT for the member's DuckDB. For each bits column c it yields UBIGINT
            columns c_0, c_1, ... (64 bits each, most significant word first, the first word
            holding the odd bits) and, if nullable, BOOLEAN c_null; for each sum column a BIGINT.
        max_rows: public bound on its rows; the share is padded to a power of two.
        sorted_by: bits columns by which the member orders its rows before it shares them.
        tables: the contract's tables that it reads. Their row counts set the padding, so that
            the size of a share says nothing about how many rows passed a filter.
        fixed: bits columns, and the bits that each of its rows has there: computing members put
            them in, whatever the member shared.
    """

    member: str
    sql: str
    bits: tuple[BitsColumn, ...]
    sums: tuple[SumColumn, ...]
    max_rows: int
    sorted_by: tuple[str, ...]
    tables: tuple[str, ...] = ()
    fixed: tuple[tuple[str, int], ...] = ()
