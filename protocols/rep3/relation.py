"""Secret relations: named columns over rows of which some are marked as not there.

Rule: values and local moves only. What talks to peers takes and returns relations.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np

from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.share import Arith, Bits, concat_planes, stack
from protocols.rounds import Party


@dataclass(frozen=True, slots=True)
class Column:
    """A bits column; if `nullable`, its first plane says NULL and its other bits are then zero."""

    planes: Bits
    nullable: bool

    @property
    def null(self) -> Bits:
        return self.planes[:1]

    @property
    def value(self) -> Bits:
        return self.planes[1:] if self.nullable else self.planes


@dataclass(frozen=True, slots=True)
class Relation:
    """`n` secret rows, a multiple of 64.

    Attributes:
        valid: shape (1, n / 64); rows without this bit are not there.
        columns: bits columns by name, in a fixed order.
        sums: integer columns by name, each of shape (n,).
        clean: sums are zero in rows that are not there.
        sorted_by: rows ascend by these columns, missing rows last; None if the order is unknown.
    """

    n: int
    valid: Bits
    columns: Mapping[str, Column]
    sums: Mapping[str, Arith]
    clean: bool = True
    sorted_by: tuple[str, ...] | None = None

    def key(self, me: Party, names: Iterable[str]) -> Bits:
        """Return the planes that order this relation by `names`, missing rows last."""
        return concat_planes([self.valid.flip(me), *(self.columns[name].planes for name in names)])

    def select(self, columns: Iterable[str], sums: Iterable[str]) -> "Relation":
        """Keep these columns only, in this order."""
        kept = {name: self.columns[name] for name in columns}
        return replace(self, columns=kept, sums={name: self.sums[name] for name in sums})

    def head(self, n: int) -> "Relation":
        """Keep the first n rows, a multiple of 64."""
        columns = {c: replace(v, planes=v.planes[:, : n // 64]) for c, v in self.columns.items()}
        sums = {name: column[:n] for name, column in self.sums.items()}
        return replace(self, n=n, valid=self.valid[:, : n // 64], columns=columns, sums=sums)

    def rows(self) -> Rows:
        """Return all columns, without the valid bits, as one block of rows."""
        return Rows(self.n, planes_of(self), sums_of(self))

    def with_rows(self, rows: Rows) -> "Relation":
        """Return these columns with the content of `rows`, as `self.rows()` laid them out."""
        widths = [column.planes.shape[0] for column in self.columns.values()]
        parts = split_planes(rows.bits, widths)
        columns = {
            name: replace(column, planes=part)
            for (name, column), part in zip(self.columns.items(), parts, strict=True)
        }
        sums = {name: rows.sums[i] for i, name in enumerate(self.sums)}
        return replace(self, n=rows.n, columns=columns, sums=sums, sorted_by=None)


def planes_of(relation: Relation) -> Bits:
    """Return all bits columns as one block of planes."""
    parts = [column.planes for column in relation.columns.values()]
    return concat_planes(parts) if parts else no_bits(relation.n)


def sums_of(relation: Relation) -> Arith:
    """Return all sum columns as one block, shape (m, n)."""
    return stack(list(relation.sums.values())) if relation.sums else no_sums(relation.n)


def split_planes(planes: Bits, widths: Sequence[int]) -> list[Bits]:
    """Cut a block of planes into parts of these widths."""
    edges = accumulate(widths, initial=0)
    return [planes[a:b] for a, b in pairwise(edges)]


def append_rows(first: Bits, second: Bits) -> Bits:
    """Put the rows of `second` after those of `first`; row counts are multiples of 64."""
    return Bits(
        np.concatenate([first.own, second.own], axis=1),
        np.concatenate([first.next, second.next], axis=1),
    )


def append_values(first: Arith, second: Arith) -> Arith:
    """Put the rows of `second` after those of `first`."""
    return Arith(
        np.concatenate([first.own, second.own], axis=-1),
        np.concatenate([first.next, second.next], axis=-1),
    )


def union(first: Relation, second: Relation) -> Relation:
    """UNION ALL of two relations with equal columns."""
    columns = {
        name: replace(column, planes=append_rows(column.planes, second.columns[name].planes))
        for name, column in first.columns.items()
    }
    sums = {name: append_values(x, second.sums[name]) for name, x in first.sums.items()}
    return Relation(
        n=first.n + second.n,
        valid=append_rows(first.valid, second.valid),
        columns=columns,
        sums=sums,
        clean=first.clean and second.clean,
    )
