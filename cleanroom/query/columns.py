"""The register of columns that leaves must deliver: each asked for once, named once.

Rule: lowering asks here for "this expression of that source, in this encoding" and gets a
name. Names are numbered in the order of asking, so every party finds the same ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from cleanroom.plan.leaf import BitsColumn
from cleanroom.query.sources import KeyClass, Placement, person_of
from cleanroom.sql.bind import Query
from cleanroom.sql.encode import Encoding, choose
from cleanroom.sql.expr import Expr
from cleanroom.sql.operators import is_null, logical


@dataclass(frozen=True, slots=True)
class Bits:
    """A bits column of a leaf. `extreme` marks one that is a local MIN or MAX."""

    column: BitsColumn
    expr: Expr
    encoding: Encoding
    extreme: Literal["", "min", "max"] = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A sum column of a leaf: SUM(factor), or COUNT(*), over rows where all conditions hold."""

    name: str
    factor: Expr | None
    conditions: tuple[Expr, ...]


@dataclass(slots=True)
class Columns:
    placement: Placement
    bits: list[dict[tuple[Expr, Encoding, str], Bits]] = field(default_factory=list)
    measures: list[dict[tuple[Expr | None, tuple[Expr, ...]], Measure]] = field(
        default_factory=list
    )
    _named: int = 0

    @classmethod
    def of(cls, placement: Placement, opened: Iterable[Expr]) -> "Columns":
        """Start with the join keys; `opened` keys must be recoverable from their bits."""
        columns = cls(placement)
        columns.bits = [{} for _ in placement.sources]
        columns.measures = [{} for _ in placement.sources]
        shown = set(opened)
        for key in placement.classes:
            columns._join_key(key, opened=any(e in shown for e in key.exprs.values()))
        return columns

    def _join_key(self, key: KeyClass, *, opened: bool) -> None:
        plain = opened or self.reads_view(*key.exprs.values())
        encoding = choose(replace(key.domain, nullable=False), opened=plain)
        column = BitsColumn(key.name, encoding.bits, False, encoding.low)
        for source, expr in key.exprs.items():
            self.bits[source][expr, encoding, ""] = Bits(column, expr, encoding)

    def key(self, expr: Expr, *, opened: bool) -> Bits:
        """Return a column to group by; a join key serves if it is the same expression."""
        source = self._source(expr)
        for (known, encoding, extreme), column in self.bits[source].items():
            if known == expr and not extreme and not (opened and encoding.kind == "hash"):
                return column
        plain = opened or self.reads_view(expr)
        return self.compared(expr, choose(expr.domain, opened=plain))

    def reads_view(self, *exprs: Expr) -> bool:
        """Whether one is of an inner aggregation, whose texts nobody can hash any more."""
        return any(self.placement.sources[self._source(expr)].is_view for expr in exprs)

    def compared(self, expr: Expr, encoding: Encoding) -> Bits:
        """Return a column of `expr` in this encoding."""
        return self._add(expr, encoding, "")

    def extreme(self, expr: Expr, kind: Literal["min", "max"]) -> Bits:
        """Return a column whose MIN or MAX over a group is that of `expr`."""
        source = self._source(expr)
        if self.placement.sources[source].is_view:
            return self.ordered(expr)
        encoding = choose(expr.domain, opened=True, ordered=True)
        for (known, found, extreme), column in self.bits[source].items():
            if known == expr and not extreme and found.kind != "hash":
                return column
        return self._add(expr, encoding, kind)

    def ordered(self, expr: Expr) -> Bits:
        """Return a column of every value of `expr`, in the order of the values."""
        source = self._source(expr)
        for (known, found, extreme), column in self.bits[source].items():
            if known == expr and not extreme and found.kind != "hash":
                return column
        return self.compared(expr, choose(expr.domain, opened=True, ordered=True))

    def measure(self, source: int, factor: Expr | None, conditions: tuple[Expr, ...]) -> str:
        """Return the name of a sum column; without factor and conditions the weight."""
        if factor is not None:  # SUM ignores NULL by itself
            known = logical("not", (is_null(factor),))
            conditions = tuple(c for c in conditions if c != known)
        key = (factor, tuple(dict.fromkeys(conditions)))
        if key not in self.measures[source]:
            self.measures[source][key] = Measure(self._name(f"s{source}_"), *key)
        return self.measures[source][key].name

    def _add(self, expr: Expr, encoding: Encoding, extreme: Literal["", "min", "max"]) -> Bits:
        source = self._source(expr)
        key = (expr, encoding, extreme)
        if key not in self.bits[source]:
            nullable = expr.domain.nullable or bool(extreme)
            name = self._name(f"b{source}_")
            column = BitsColumn(name, encoding.bits, nullable, encoding.low)
            self.bits[source][key] = Bits(column, expr, encoding, extreme)
        return self.bits[source][key]

    def _source(self, expr: Expr) -> int:
        return self.placement.home(expr)

    def _name(self, prefix: str) -> str:
        self._named += 1
        return f"{prefix}{self._named - 1}"


def deliver_something(query: Query, columns: Columns) -> None:
    """Let every owner's source deliver some column: rows count even if nothing else does."""
    for index, source in enumerate(columns.placement.sources):
        if not columns.bits[index] and not source.is_view:
            columns.key(person_of(query, source.tables[0]), opened=False)
