"""The SQL that one owner runs on its own rows: filtered, joined, aggregated, encoded.

Rule: everything a single owner can do happens in this text. It reads only the owner's tables
and yields only the words that are then shared.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from sqlglot import exp, parse_one

from cleanroom.contract.types import Kind
from cleanroom.query.columns import Bits, Measure
from cleanroom.query.sources import Source
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import integer, words
from cleanroom.sql.expr import Expr, column, rewrite, tables
from cleanroom.sql.missing import bare
from cleanroom.sql.operators import case, is_null, logical
from cleanroom.sql.parts import Attached, Part
from cleanroom.sql.render import cast, constant, function, render, sql_of

Write: TypeAlias = Callable[[Expr], exp.Expr]

_ROW = Domain(Kind.INTEGER, 0, 1 << 40, nullable=True)


def leaf_sql(
    query: Query,
    source: Source,
    bits: Sequence[Bits],
    measures: Iterable[Measure],
    *,
    by_row: bool = False,
) -> str:
    """Write the SELECT of a source, the same for each of its members.

    Args:
        by_row: every row is delivered, in the owner's order, not equal ones once.
    """
    inner, value_of = rows_of(query, source)
    shown = _shown(source)
    for bit in bits:
        value = value_of(bit.expr)
        if bit.extreme:
            value = function(bit.extreme, value)
        inner.select(exp.alias_(value, bit.column.name), copy=False)
    written = _own if by_row else _sum
    for measure in measures:
        inner.select(exp.alias_(written(measure, shown), measure.name), copy=False)
    grouped = [constant(i + 1) for i, bit in enumerate(bits) if not bit.extreme]
    if by_row:
        inner.order_by(*row_order(source), copy=False)
    elif grouped:
        inner.group_by(*grouped, copy=False)
    outer = exp.Select().from_(inner.subquery("g", copy=False), copy=False)
    for bit in bits:
        outer.select(*_encoded(bit), copy=False)
    for measure in measures:
        outer.select(exp.column(measure.name), copy=False)
    return sql_of(outer)


def rows_of(query: Query, source: Source) -> tuple[exp.Select, Write]:
    """Return a SELECT of nothing yet over a source's rows, and how to write expressions there."""
    shown = _shown(source)
    joined = Part(source.core, tuple(shown(c) for c in source.where), source.attached)
    select = exp.Select().from_(_tables(query, joined), copy=False)
    if (where := _where(query, joined)) is not None:
        select.where(where, copy=False)
    return select, lambda expr: render(shown(expr), _column)


def row_order(source: Source) -> list[exp.Expr]:
    """Return what brings a source's rows into the order of its tables' rows."""
    outer = [t for _, t in _rows(source.core, source.attached)]
    tables = dict.fromkeys((*source.core, *outer))
    return [exp.column("rowid", table=f"t{table}") for table in tables]


def _table(query: Query, index: int) -> exp.Expr:
    if (local := query.tables[index].local) is not None:
        inside = exp.Subquery(this=parse_one(local.sql, dialect="duckdb"))
        return exp.alias_(inside, f"t{index}", table=True)
    owner, dot, name = query.tables[index].name.partition(".")
    table = exp.table_(name if dot else owner, db=owner if dot else None, quoted=True)
    return exp.alias_(table, f"t{index}", table=True)


def _tables(query: Query, part: Part) -> exp.Expr:
    """Write the tables of a part and its outer joins."""
    first, *others = part.tables
    joins: list[exp.Expr] = [
        exp.Join(this=_table(query, table), kind="CROSS") for table in others
    ]
    for joined in part.attached:
        if joined.kind in ("left", "full"):
            inside: exp.Expr = _tables(query, joined.part)
            if inside.this.args.get("joins"):
                inside = exp.Paren(this=inside)
            on = _all(_column, (*joined.on, *joined.part.where))
            joins.append(exp.Join(this=inside, side=joined.kind.upper(), on=on))
    table = _table(query, first)
    if joins:
        table.set("joins", joins)
    return table


def _where(query: Query, part: Part) -> exp.Expr | None:
    """Write the conditions of a part, its tests by subqueries among them."""
    conditions = [render(c, _column) for c in part.where]
    for joined in part.attached:
        if joined.kind in ("left", "full"):
            continue
        inside = exp.Select().select(constant(1)).from_(_tables(query, joined.part), copy=False)
        if joined.kind == "not in":
            (same,) = joined.on
            own = same.args[0] if tables(same.args[0]) <= joined.part.all_tables else same.args[1]
            other = same.args[1] if own is same.args[0] else same.args[0]
            inside.select(render(own, _column), append=False, copy=False)
            test: exp.Expr = exp.In(this=render(other, _column), query=exp.Subquery(this=inside))
            below = joined.part
        else:
            test = exp.Exists(this=inside)
            below = replace(joined.part, where=(*joined.part.where, *joined.on))
        if (where := _where(query, below)) is not None:
            inside.where(where, copy=False)
        conditions.append(test if joined.kind == "semi" else exp.Not(this=test))
    return exp.and_(*conditions, copy=False) if conditions else None


def _all(leaf: Callable[[Expr], exp.Expr], conditions: tuple[Expr, ...]) -> exp.Expr:
    return render(logical("and", conditions), leaf)


def _shown(source: Source) -> Callable[[Expr], Expr]:
    """Return how expressions become NULL where the source's own outer joins miss a row."""
    rows = dict(_rows(source.core, source.attached))

    def change(node: Expr) -> Expr | None:
        if node.op != "optional" or node.value not in rows or bare(node).op == "column":
            return None
        known = logical("not", (is_null(column(rows[node.value], "rowid", _ROW)),))
        return case(((known, shown(node.args[0])),), None)

    def shown(expr: Expr) -> Expr:
        return rewrite(expr, change)

    return shown


def _rows(core: tuple[int, ...], attached: tuple[Attached, ...]) -> Iterator[tuple[object, int]]:
    """Yield each side and a table that has a row wherever the side has one."""
    for joined in attached:
        if joined.kind in ("left", "full"):
            yield joined.side, joined.part.tables[0]
            yield joined.rest, core[0]
            yield from _rows(joined.part.tables, joined.part.attached)


def _column(expr: Expr) -> exp.Expr:
    table, name = expr.reference
    return exp.column(name, table=f"t{table}", quoted=True)


def _sum(measure: Measure, shown: Callable[[Expr], Expr]) -> exp.Expr:
    if measure.factor is None:
        total = function("count", exp.Star())
    else:
        total = function("sum", _whole(measure.factor, shown))
    if measure.conditions:
        condition = _all(_column, tuple(shown(c) for c in measure.conditions))
        total = exp.Filter(this=total, expression=exp.Where(this=condition))
    return function("coalesce", cast(total, "BIGINT"), constant(0))


def _own(measure: Measure, shown: Callable[[Expr], Expr]) -> exp.Expr:
    """Write what a single row adds to the sum."""
    value = constant(1) if measure.factor is None else _whole(measure.factor, shown)
    if measure.conditions:
        condition = _all(_column, tuple(shown(c) for c in measure.conditions))
        value = exp.Case(ifs=[exp.If(this=condition, true=value)])
    return function("coalesce", cast(value, "BIGINT"), constant(0))


def _whole(factor: Expr, shown: Callable[[Expr], Expr]) -> exp.Expr:
    value, domain = render(shown(factor), _column), factor.domain
    if domain.kind is Kind.INTEGER:
        return value
    return cast(integer(value, domain, domain.scale), "BIGINT")


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
