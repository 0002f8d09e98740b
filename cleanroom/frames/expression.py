"""Expressions over a frame's columns: `col("amount") > 100`, `col("amount").sum()`.

Rule: an expression knows no frame. It is a tree with names in it, which a frame resolves.
"""

import builtins
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NoReturn, TypeAlias

from sqlglot import exp

from cleanroom.contract.types import SqlType
from cleanroom.errors import UnsupportedQuery
from cleanroom.frames.parts import Dates, Texts
from cleanroom.frames.trees import atom, binary, unary
from cleanroom.frames.values import identifier, output_name, value_of
from cleanroom.frames.windows import over
from cleanroom.sql.render import cast

Operand: TypeAlias = "Expression | object"
Name: TypeAlias = str  # within the class `str` is its own
Key: TypeAlias = "Name | Expression"


class Expression:
    """A value for each row, or, under an aggregate, for each group. Immutable.

    Operators are Python's: + - * / // %, comparisons, and & | ~ for and, or, not. Like in SQL, a
    comparison with a missing value is neither true nor false.
    """

    __slots__ = ("_name", "_tree")
    __hash__: ClassVar[None]  # type: ignore[assignment]  # == builds an expression

    def __init__(self, tree: exp.Expr, name: Name = "") -> None:
        self._tree = tree
        self._name = name

    @property
    def tree(self) -> exp.Expr:
        """A copy of the tree of SQL, in which columns are named as in the frame."""
        return self._tree.copy()

    @property
    def name(self) -> Name:
        """What a result's column is named: by `alias`, else as its first column; '' if none."""
        if self._name:
            return self._name
        first = self._tree.find(exp.Column)
        return "" if first is None else first.name

    def alias(self, name: Name) -> "Expression":
        """Return the same under another name."""
        return Expression(self._tree, output_name(name))

    # --- of rows -----------------------------------------------------------------------

    def is_in(self, values: "Iterable[object] | Expression") -> "Expression":
        """Whether the value is one of `values`: constants, or `private(name)`."""
        if isinstance(values, Expression):
            options = [values.tree]
        elif isinstance(values, str | bytes):
            raise UnsupportedQuery("is_in of one text", remedy="Pass a list of values.")
        else:
            options = [value_of(value) for value in values]
        if not options:
            raise UnsupportedQuery("is_in of no values", remedy="Pass at least one.")
        return self.made(exp.In(this=atom(self.tree), expressions=options))

    def is_between(self, low: Operand, high: Operand) -> "Expression":
        """Whether it is from `low` to `high`, both included."""
        bounds = {"low": atom(tree_of(low)), "high": atom(tree_of(high))}
        return self.made(exp.Between(this=atom(self.tree), **bounds))

    def is_null(self) -> "Expression":
        """Whether the value is missing."""
        return self.made(exp.Is(this=atom(self.tree), expression=exp.Null()))

    def is_not_null(self) -> "Expression":
        """Whether there is a value."""
        return ~self.is_null()

    def fill_null(self, value: Operand) -> "Expression":
        """Put a value where it is missing."""
        return self.called(exp.Coalesce, expressions=[tree_of(value)])

    def cast(self, to: Name) -> "Expression":
        """Convert to a type of the contract, say 'DATE'."""
        try:
            sql_type = str(SqlType.parse(to))
        except ValueError:
            raise UnsupportedQuery("cast to a type that contracts don't have") from None
        return self.made(cast(self.tree, sql_type))

    def abs(self) -> "Expression":
        """Return the absolute value."""
        return self.called(exp.Abs)

    def round(self, decimals: int = 0) -> "Expression":
        """Round to decimal places; of aggregates alone."""
        return self.called(exp.Round, decimals=value_of(decimals))

    def like(self, pattern: Name) -> "Expression":
        """Whether a text fits a pattern: % is any characters, _ is one."""
        return self.made(exp.Like(this=atom(self.tree), expression=value_of(pattern)))

    @property
    def dt(self) -> "Dates":
        """Parts of a DATE or TIMESTAMP."""
        return Dates(self)

    @property
    def str(self) -> "Texts":
        """Parts of a text."""
        return Texts(self)

    # --- of groups ---------------------------------------------------------------------

    def sum(self, *, where: "Expression | None" = None) -> "Expression":
        """Add up the values; `where`, here and below, chooses rows."""
        return self._aggregate(exp.Sum, where)

    def mean(self, *, where: "Expression | None" = None) -> "Expression":
        """Return their average."""
        return self._aggregate(exp.Avg, where)

    def count(self, *, where: "Expression | None" = None) -> "Expression":
        """Return how many values there are, missing ones left out."""
        return self._aggregate(exp.Count, where, big_int=True)

    def n_unique(self, *, where: "Expression | None" = None) -> "Expression":
        """Return how many different values there are."""
        distinct = self.made(exp.Distinct(expressions=[self.tree]))
        return distinct._aggregate(exp.Count, where, big_int=True)

    def min(self, *, where: "Expression | None" = None) -> "Expression":
        """Return the smallest value."""
        return self._aggregate(exp.Min, where)

    def max(self, *, where: "Expression | None" = None) -> "Expression":
        """Return the largest value."""
        return self._aggregate(exp.Max, where)

    def median(self, *, where: "Expression | None" = None) -> "Expression":
        """Return the middle value, or the mean of the two in the middle."""
        return self._aggregate(exp.Median, where)

    def std(self, *, where: "Expression | None" = None) -> "Expression":
        """Return the sample's standard deviation."""
        return self._aggregate(exp.Stddev, where)

    def var(self, *, where: "Expression | None" = None) -> "Expression":
        """Return the sample's variance."""
        return self._aggregate(exp.Variance, where)

    def quantile(self, share: float, *, where: "Expression | None" = None) -> "Expression":
        """Return the value at a part of the order, from 0 to 1."""
        return self._aggregate(exp.PercentileDisc, where, expression=value_of(share))

    # --- along rows --------------------------------------------------------------------

    def shift(self, n: int = 1) -> "Expression":
        """Return the value n rows before, or after if n is negative; goes on with `over`."""
        return self.called(
            exp.Lag if n > 0 else exp.Lead, offset=exp.Literal.number(builtins.abs(n))
        )

    def over(
        self,
        *partition: "Key",
        order_by: "Key | Sequence[Key]" = (),
        descending: bool = False,
    ) -> "Expression":
        """Compute it for each row, along the rows that are equal in `partition`."""
        names = [order_by] if isinstance(order_by, Name | Expression) else order_by
        keys = [exp.Ordered(this=_key(key)) for key in names]
        for key in keys:
            key.set("desc", descending or None)
            key.set("nulls_first", False)
        return self.made(over(self.tree, [_key(key) for key in partition], keys))

    # --- operators ---------------------------------------------------------------------

    def __add__(self, other: Operand) -> "Expression":
        return self._binary(exp.Add, other)

    def __sub__(self, other: Operand) -> "Expression":
        return self._binary(exp.Sub, other)

    def __mul__(self, other: Operand) -> "Expression":
        return self._binary(exp.Mul, other)

    def __truediv__(self, other: Operand) -> "Expression":
        return self._binary(exp.Div, other)

    def __floordiv__(self, other: Operand) -> "Expression":
        return self._binary(exp.IntDiv, other)

    def __mod__(self, other: Operand) -> "Expression":
        return self._binary(exp.Mod, other)

    def __radd__(self, other: object) -> "Expression":
        return Expression(value_of(other))._binary(exp.Add, self)

    def __rsub__(self, other: object) -> "Expression":
        return Expression(value_of(other))._binary(exp.Sub, self)

    def __rmul__(self, other: object) -> "Expression":
        return Expression(value_of(other))._binary(exp.Mul, self)

    def __rtruediv__(self, other: object) -> "Expression":
        return Expression(value_of(other))._binary(exp.Div, self)

    def __eq__(self, other: Operand) -> "Expression":  # type: ignore[override]
        return self._binary(exp.EQ, _known(other))

    def __ne__(self, other: Operand) -> "Expression":  # type: ignore[override]
        return self._binary(exp.NEQ, _known(other))

    def __lt__(self, other: Operand) -> "Expression":
        return self._binary(exp.LT, other)

    def __le__(self, other: Operand) -> "Expression":
        return self._binary(exp.LTE, other)

    def __gt__(self, other: Operand) -> "Expression":
        return self._binary(exp.GT, other)

    def __ge__(self, other: Operand) -> "Expression":
        return self._binary(exp.GTE, other)

    def __and__(self, other: Operand) -> "Expression":
        return self._binary(exp.And, other)

    def __or__(self, other: Operand) -> "Expression":
        return self._binary(exp.Or, other)

    def __invert__(self) -> "Expression":
        return self.made(unary(exp.Not, self._tree))

    def __neg__(self) -> "Expression":
        return self.made(unary(exp.Neg, self._tree))

    def __bool__(self) -> NoReturn:
        remedy = "Write & for and, | for or, ~ for not, is_between() for a < x < b, each in ()."
        raise TypeError(f"an expression is neither true nor false. {remedy}")

    def __repr__(self) -> Name:
        return f"Expression({self._tree.sql(dialect='duckdb')})"

    def made(self, tree: exp.Expr) -> "Expression":
        """Return what a tree over this one means, named as this one."""
        return Expression(tree, self._name)

    def _binary(self, kind: type[exp.Binary], other: Operand) -> "Expression":
        return self.made(binary(kind, self._tree, tree_of(other)))

    def called(self, kind: type[exp.Expr], **arguments: Any) -> "Expression":
        return self.made(kind(this=self.tree, **arguments))

    def _aggregate(
        self, kind: type[exp.Expr], where: "Expression | None", **arguments: Any
    ) -> "Expression":
        return filtered(self.called(kind, **arguments), where)


def tree_of(value: Operand) -> exp.Expr:
    """Return the tree of an expression, or of a constant."""
    return value.tree if isinstance(value, Expression) else value_of(value)


def filtered(aggregate: Expression, where: Expression | None) -> Expression:
    """Let an aggregate be of the rows alone that fit a condition."""
    if where is None:
        return aggregate
    condition = exp.Where(this=where.tree)
    return Expression(exp.Filter(this=aggregate.tree, expression=condition), aggregate.name)


def column(name: object) -> Expression:
    """Return a column by its name."""
    return Expression(exp.Column(this=identifier(output_name(name))))


def _key(of: Key) -> exp.Expr:
    return of.tree if isinstance(of, Expression) else column(of).tree


def _known(other: Operand) -> Operand:
    """Refuse a comparison with NULL, which is neither true nor false in SQL."""
    if other is None:
        what = "a comparison with None, which is never true"
        raise UnsupportedQuery(what, remedy="Use .is_null() or .is_not_null().")
    return other
