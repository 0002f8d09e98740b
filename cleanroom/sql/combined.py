"""Expressions over aggregates, taken apart: what an inner aggregation yields and what it makes.

Rule: an inner aggregation yields keys and plain aggregates, AVG as its sum and its count. All
arithmetic over them belongs to the query around it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.aggregates import is_aggregate
from cleanroom.sql.expr import Expr
from cleanroom.sql.scalars import Scalars


@dataclass(frozen=True, slots=True)
class Combined:
    """Attributes: found: the topmost aggregates and keys in `value`, each once."""

    value: exp.Expr
    found: tuple[exp.Expr, ...]

    @classmethod
    def of(cls, value: exp.Expr, keys: Sequence[exp.Expr] = ()) -> "Combined":
        def is_part(node: exp.Expr) -> bool:
            return _is_whole(node) or node in keys

        walked = value.walk(prune=is_part)
        return cls(value, tuple(dict.fromkeys(node for node in walked if is_part(node))))

    @property
    def parts(self) -> tuple[exp.Expr, ...]:
        """Return what the inner aggregation has to yield."""
        return tuple(part for node in self.found for part in _parts_of(node))

    def bind(self, parts: Iterable[Expr], *, on_rows: bool = True) -> Expr:
        """Bind the value over its parts.

        Args:
            on_rows: what it divides by is multiplied out, and so must be known to be positive.
        """
        given = iter(parts)
        shown = [_value(node, given, on_rows=on_rows) for node in self.found]

        def placed(node: exp.Expr) -> exp.Expr:
            if node in self.found:
                return exp.column(f"#{self.found.index(node)}", quoted=True)
            return node

        def resolve(node: exp.Column) -> Expr:
            if not node.name.startswith("#"):
                raise UnsupportedQuery(f"column {node.name!r} outside of aggregates and GROUP BY")
            return shown[int(node.name[1:])]

        return Scalars(resolve, aggregates=False).bind(self.value.copy().transform(placed))


def is_count(aggregate: exp.Expr) -> bool:
    return isinstance(_inside(aggregate), exp.Count)


def _inside(aggregate: exp.Expr) -> exp.Expr:
    """Return an aggregate without its FILTER."""
    return aggregate.this if isinstance(aggregate, exp.Filter) else aggregate


def _is_whole(node: exp.Expr) -> bool:
    return is_aggregate(node) or isinstance(node, exp.Filter)


def _parts_of(node: exp.Expr) -> Iterator[exp.Expr]:
    kind = _inside(node)
    if not isinstance(kind, exp.Avg):
        yield node.copy()
        return
    for part in (exp.Sum(this=kind.this.copy()), exp.Count(this=kind.this.copy())):
        if isinstance(node, exp.Filter):
            yield exp.Filter(this=part, expression=node.expression.copy())
        else:
            yield part


def _value(node: exp.Expr, given: Iterator[Expr], *, on_rows: bool) -> Expr:
    if not isinstance(_inside(node), exp.Avg):
        return next(given)
    total, count = next(given), next(given)
    return operators.arithmetic("/", total, _at_least_one(count) if on_rows else count)


def _at_least_one(count: Expr) -> Expr:
    """Return a count whose sum has a value: where there is nothing to count the sum is NULL."""
    if count.op == "call":  # COALESCE(count, 0)
        return _at_least_one(count.args[0])
    inside = tuple(map(_at_least_one, count.args))
    return replace(count, args=inside, domain=replace(count.domain, low=1))
