"""The SQL that one owner runs on its own rows: filtered, joined, aggregated, encoded.

Rule: everything a single owner can do happens in this text. It reads only the owner's tables
and yields only the words that are then shared.
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from cleanroom.contract.types import Kind
from cleanroom.query.bind import Query
from cleanroom.query.columns import Bits, Measure
from cleanroom.query.encode import integer, words
from cleanroom.query.expr import Expr
from cleanroom.query.operators import logical
from cleanroom.query.render import cast, constant, function, render, sql_of
from cleanroom.query.sources import Source


def leaf_sql(
    query: Query, source: Source, bits: Sequence[Bits], measures: Iterable[Measure]
) -> str:
    """Write the SELECT of a source, the same for each of its members."""
    inner = exp.Select()
    for bit in bits:
        value = render(bit.expr, _column)
        if bit.extreme:
            value = function(bit.extreme, value)
        inner.select(exp.alias_(value, bit.column.name), copy=False)
    for measure in measures:
        inner.select(exp.alias_(_sum(measure), measure.name), copy=False)
    first, *others = source.tables
    inner.from_(_table(query, first), copy=False)
    for table in others:
        inner.join(_table(query, table), join_type="cross", copy=False)
    if source.where:
        inner.where(render(logical("and", source.where), _column), copy=False)
    grouped = [constant(i + 1) for i, bit in enumerate(bits) if not bit.extreme]
    if grouped:
        inner.group_by(*grouped, copy=False)
    outer = exp.Select().from_(inner.subquery("g", copy=False), copy=False)
    for bit in bits:
        outer.select(*_encoded(bit), copy=False)
    for measure in measures:
        outer.select(exp.column(measure.name), copy=False)
    return sql_of(outer)


def _table(query: Query, index: int) -> exp.Expr:
    owner, dot, name = query.tables[index].name.partition(".")
    table = exp.table_(name if dot else owner, db=owner if dot else None, quoted=True)
    return exp.alias_(table, f"t{index}", table=True)


def _column(expr: Expr) -> exp.Expr:
    table, name = expr.reference
    return exp.column(name, table=f"t{table}", quoted=True)


def _sum(measure: Measure) -> exp.Expr:
    if measure.factor is None:
        total = function("count", exp.Star())
    else:
        value = render(measure.factor, _column)
        domain = measure.factor.domain
        if domain.kind is not Kind.INTEGER:
            value = cast(integer(value, domain, domain.scale), "BIGINT")
        total = function("sum", value)
    if measure.conditions:
        condition = render(logical("and", measure.conditions), _column)
        total = exp.Filter(this=total, expression=exp.Where(this=condition))
    return function("coalesce", cast(total, "BIGINT"), constant(0))


def _encoded(bit: Bits) -> list[exp.Expr]:
    name = bit.column.name
    value = exp.column(name)
    parts = words(value, bit.expr.domain, bit.encoding, nullable=bit.column.nullable)
    columns: list[exp.Expr] = [
        exp.alias_(part, f"{name}_{place}") for place, part in enumerate(parts)
    ]
    if bit.column.nullable:
        missing = exp.Is(this=exp.column(name), expression=exp.Null())
        columns.append(exp.alias_(exp.paren(missing), f"{name}_null"))
    return columns
