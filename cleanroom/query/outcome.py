"""What is opened, and the SQL by which the recipient turns it into the answer.

Rule: every aggregate is opened once; AVG as its sum and its count. The final SQL reads the
table `opened` and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from sqlglot import exp

from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.plan import OpenedColumn
from cleanroom.query.columns import Bits
from cleanroom.query.moments import Moments, is_moment
from cleanroom.query.statistics import Statistics
from cleanroom.query.totals import Totals
from cleanroom.sql.aggregates import is_value
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import Domain
from cleanroom.sql.expr import Expr
from cleanroom.sql.render import cast, constant, function, render, sql_of


@dataclass(slots=True)
class Outcome:
    """Collects the opened columns while the SELECT list is written.

    Attributes:
        key: the bits column of key i; value: that of an aggregate which is one of the values,
            and its name after it.
        choosing: all groups are opened: the recipient applies HAVING, and breaks ties at LIMIT.
        noisy: totals are noisy: groups without rows are there, too, and no count is certain.
    """

    query: Query
    totals: Totals
    statistics: Statistics
    key: Callable[[int], Bits]
    value: Callable[[Expr], tuple[str, Bits]]
    opened: dict[str, OpenedColumn] = field(default_factory=dict)
    choosing: bool = False
    noisy: bool = False

    def final_sql(self) -> str:
        """Write the recipient's query."""
        query = self.query
        select = exp.Select().from_(exp.table_("opened"), copy=False)
        for output in query.outputs:
            value = render(output.expr, self._shown)
            select.select(exp.alias_(value, output.name, quoted=True), copy=False)
        for order in query.order:
            ordered = exp.Ordered(
                this=render(order.expr, self._shown),
                desc=order.descending,
                nulls_first=order.nulls_first,
            )
            select.order_by(ordered, copy=False)
        if self.choosing:
            self._choose(select)
        if query.limit is not None:
            select.limit(constant(query.limit), copy=False)
        if query.offset is not None:
            select.offset(constant(query.offset), copy=False)
        if not self.opened:
            raise UnsupportedQuery("a SELECT list without any aggregate or key")
        return sql_of(select)

    def _choose(self, select: exp.Select) -> None:
        """Keep the groups that HAVING leaves; of equal ones at LIMIT, those with smaller keys."""
        for condition in self.query.having:
            select.where(render(condition, self._shown), copy=False)
        for position, bits in enumerate(map(self.key, range(len(self.query.keys)))):
            shown = self._shown(Expr("key", (), bits.expr.domain, position))
            if self.query.limit is not None:
                select.order_by(exp.Ordered(this=shown, nulls_first=False), copy=False)

    def occurrences(self, text: str = "how often the row occurs") -> str:
        """Return the opened column that says how often each row occurs, or rows of a group."""
        total = self.totals.count(None, "COUNT(*)")
        self._column(OpenedColumn(total.name, "number", "BIGINT", text))
        return total.name

    def _shown(self, expr: Expr) -> exp.Expr:
        if expr.op == "key":
            bits = self.key(expr.position)
            key = self.query.keys[expr.position]
            return self._bits(bits.column.name, bits, meaning(self.query, key))
        text = meaning(self.query, expr)
        if is_value(expr):
            name, bits = self.value(expr)
            return self._bits(name, bits, text)
        if is_moment(expr):
            return Moments(self._total, self._count_of, self.noisy).sql_of(expr)
        match expr.value:
            case "count":
                return self._count_of(expr.args[0] if expr.args else None)
            case "count_distinct":
                return self._distinct_count(expr.args[0])
            case "sum_distinct" | "avg_distinct":
                return self._of_distinct(expr)
            case "median":
                return self._median(expr, text)
            case "sum" | "avg":
                return self._sum_or_avg(expr)
        raise UnsupportedQuery(f"{str(expr.value).upper()}")

    def _sum_or_avg(self, expr: Expr) -> exp.Expr:
        (arg,) = expr.args
        value = self._total(arg)
        if expr.value == "sum" and (self.noisy or certain(self.query, expr)):
            return value
        count = self._count_of(arg)
        if expr.value == "avg":
            value = exp.Div(this=cast(value, "DOUBLE"), expression=count.copy())
        if self.noisy:  # of few rows it could lie anywhere
            value = _within(value, arg.domain)
        return _if_any(count, value)

    def _total(self, arg: Expr) -> exp.Expr:
        total = self.totals.sum(arg, f"SUM({meaning(self.query, arg)})")
        scale = arg.domain.scale
        shown = OpenedColumn(total.name, "number", _sum_type(arg), total.meaning, scale)
        return self._column(shown)

    def _count_of(self, arg: Expr | None) -> exp.Expr:
        text = f"COUNT({meaning(self.query, arg) if arg is not None else '*'})"
        total = self.totals.count(arg, text)
        return self._column(OpenedColumn(total.name, "number", "BIGINT", total.meaning))

    def _distinct_count(self, arg: Expr) -> exp.Expr:
        text = f"COUNT(DISTINCT {meaning(self.query, arg)})"
        found = self.statistics.distinct("count", arg, text)
        return self._column(OpenedColumn(found.name, "number", "BIGINT", text))

    def _of_distinct(self, expr: Expr) -> exp.Expr:
        (arg,) = expr.args
        text = f"SUM(DISTINCT {meaning(self.query, arg)})"
        found = self.statistics.distinct("sum", arg, text)
        value = self._column(
            OpenedColumn(found.name, "number", _sum_type(arg), text, arg.domain.scale)
        )
        if expr.value == "sum_distinct" and certain(self.query, expr):
            return value
        count = self._distinct_count(arg)
        if expr.value == "avg_distinct":
            value = exp.Div(this=cast(value, "DOUBLE"), expression=count.copy())
        return _if_any(count, value)

    def _median(self, expr: Expr, text: str) -> exp.Expr:
        """Half of the two middle values' sum; DuckDB cuts a DECIMAL at its last place."""
        (arg,) = expr.args
        found, _ = self.statistics.quantile(expr, meaning(self.query, arg))
        twice = self._column(OpenedColumn(found.name, "number", "HUGEINT", f"2 * {text}"))
        value: exp.Expr = exp.Div(this=cast(twice, "DOUBLE"), expression=constant(2))
        if scale := arg.domain.scale:
            half = exp.IntDiv(this=twice.copy(), expression=constant(2))
            unit = cast(constant(Decimal(1).scaleb(-scale)), f"DECIMAL(18,{scale})")
            product = exp.Mul(this=cast(half, "DECIMAL(19,0)"), expression=unit)
            value = cast(product, f"DECIMAL(18,{scale})")
        if certain(self.query, expr):
            return value
        return _if_any(self._count_of(arg), value)

    def _bits(self, name: str, bits: Bits, text: str) -> exp.Expr:
        domain, encoding = bits.expr.domain, bits.encoding
        if encoding.kind == "number":
            sql_type = str(domain.kind)
            if domain.kind is Kind.DECIMAL:
                sql_type = f"DECIMAL(18,{domain.scale})"
            if domain.kind is Kind.INTEGER:
                sql_type = "BIGINT"
            scale = encoding.domain.scale
            return self._column(OpenedColumn(name, "number", sql_type, text, scale))
        kind: Literal["code", "bytes"] = "code" if encoding.kind == "code" else "bytes"
        values = encoding.domain.values if kind == "code" else ()
        return self._column(OpenedColumn(name, kind, "VARCHAR", text, 0, values))

    def _column(self, column: OpenedColumn) -> exp.Expr:
        self.opened.setdefault(column.name, column)
        return exp.column(column.name, quoted=True)


def _sum_type(arg: Expr) -> str:
    exact = arg.domain.kind is Kind.DECIMAL
    return f"DECIMAL(38,{arg.domain.scale})" if exact else "HUGEINT"


def _within(value: exp.Expr, domain: Domain) -> exp.Expr:
    """Move a number to the nearest that an average can be."""
    low, high = (constant(Decimal(end).scaleb(-domain.scale)) for end in (domain.low, domain.high))
    return function("least", function("greatest", value, cast(low, "DOUBLE")), cast(high, "DOUBLE"))


def _if_any(count: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Give NULL where the count is zero."""
    some = exp.If(this=exp.GT(this=count, expression=constant(0)), true=value)
    return exp.paren(exp.Case(ifs=[some]), copy=False)


def certain(query: Query, aggregate: Expr) -> bool:
    """Whether every group has a row in which the aggregate's argument isn't NULL."""
    return query.grouped and not aggregate.args[0].domain.nullable


def meaning(query: Query, expr: Expr) -> str:
    """Write an expression for people: with the contract's names of tables."""

    def shown(node: Expr) -> exp.Expr:
        if node.op == "column":
            table, name = node.reference
            owner, _, rest = query.tables[table].name.rpartition(".")
            return exp.column(name, table=rest, db=owner or None)
        if node.op == "key":
            return render(query.keys[node.position], shown)
        args = [render(arg, shown) for arg in node.args] or [exp.Star()]
        name = str(node.value).upper().removesuffix("_DISTINCT")
        if name != str(node.value).upper():
            args = [exp.Distinct(expressions=args)]
        return exp.Anonymous(this=name, expressions=args)

    sql = render(expr, shown)
    return sql_of(sql.this if isinstance(sql, exp.Paren) else sql)
