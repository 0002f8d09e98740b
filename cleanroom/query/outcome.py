"""What is opened, and the SQL by which the recipient turns it into the answer.

Rule: every aggregate is opened once; AVG as its sum and its count. The final SQL reads the
table `opened` and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery
from cleanroom.query.bind import Query
from cleanroom.query.columns import Bits
from cleanroom.query.expr import Expr
from cleanroom.query.plan import OpenedColumn
from cleanroom.query.render import cast, constant, render, sql_of
from cleanroom.query.totals import Totals


@dataclass(slots=True)
class Outcome:
    """Collects the opened columns while the SELECT list is written.

    Attributes:
        key: the bits column of key i; extreme: that of a MIN or MAX and its name after it.
    """

    query: Query
    totals: Totals
    key: Callable[[int], Bits]
    extreme: Callable[[Expr], tuple[str, Bits]]
    opened: dict[str, OpenedColumn] = field(default_factory=dict)

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
        if query.limit is not None:
            select.limit(constant(query.limit), copy=False)
        if query.offset is not None:
            select.offset(constant(query.offset), copy=False)
        if not self.opened:
            raise UnsupportedQuery("a SELECT list without any aggregate or key")
        return sql_of(select)

    def _shown(self, expr: Expr) -> exp.Expr:
        if expr.op == "key":
            bits = self.key(expr.position)
            key = self.query.keys[expr.position]
            return self._bits(bits.column.name, bits, meaning(self.query, key))
        text = meaning(self.query, expr)
        if expr.value in ("min", "max"):
            name, bits = self.extreme(expr)
            return self._bits(name, bits, text)
        if expr.value == "count":
            return self._count(expr, text)
        return self._sum_or_avg(expr)

    def _sum_or_avg(self, expr: Expr) -> exp.Expr:
        (arg,) = expr.args
        text = meaning(self.query, arg)
        total = self.totals.sum(arg, f"SUM({text})")
        exact = arg.domain.kind is Kind.DECIMAL
        sql_type = f"DECIMAL(38,{arg.domain.scale})" if exact else "HUGEINT"
        shown = OpenedColumn(total.name, "number", sql_type, total.meaning, arg.domain.scale)
        value = self._column(shown)
        if expr.value == "sum" and certain(self.query, expr):
            return value
        count = self._count(expr, f"COUNT({text})")
        if expr.value == "avg":
            value = exp.Div(this=cast(value, "DOUBLE"), expression=count.copy())
        some = exp.If(this=exp.GT(this=count, expression=constant(0)), true=value)
        return exp.paren(exp.Case(ifs=[some]), copy=False)

    def _count(self, expr: Expr, text: str) -> exp.Expr:
        arg = expr.args[0] if expr.args else None
        total = self.totals.count(arg, text)
        return self._column(OpenedColumn(total.name, "number", "BIGINT", total.meaning))

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
        return exp.Anonymous(this=str(node.value).upper(), expressions=args)

    sql = render(expr, shown)
    return sql_of(sql.this if isinstance(sql, exp.Paren) else sql)
