"""One SELECT against the contract: a flat query whose every name and type is known."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators, rows
from cleanroom.sql.aliases import named_in
from cleanroom.sql.expr import Expr, columns, conjuncts, has_aggregate, rewrite, walk
from cleanroom.sql.functions import AFTER_ONLY
from cleanroom.sql.missing import present
from cleanroom.sql.names import Names
from cleanroom.sql.parse import construct, only
from cleanroom.sql.parts import Part, settled, strengthened, walk_parts
from cleanroom.sql.scalars import Scalars
from cleanroom.sql.scope import Nest, Scope
from cleanroom.sql.tables import Table
from cleanroom.sql.under_or import bind_test
from cleanroom.sql.values import Values

_CLAUSES = ("with_", "expressions", "from_", "joins", "where", "group", "having", "order")


@dataclass(frozen=True, slots=True)
class Output:
    name: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Order:
    expr: Expr
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A bound query.

    Attributes:
        part: what FROM joins, with the conjuncts of WHERE and ON, and of HAVING where they
            name keys alone.
        keys: GROUP BY; an output, order or having names key i as Expr 'key' with value i.
        grouped: False if there is exactly one group, even of no rows.
        rows: the keys are the rows asked for, each wanted as often as it occurs.
        constants: how many of the keys, the last ones, are the same in all rows: values of
            subqueries in HAVING.
    """

    tables: tuple[Table, ...]
    part: Part
    keys: tuple[Expr, ...]
    grouped: bool
    outputs: tuple[Output, ...]
    having: tuple[Expr, ...]
    order: tuple[Order, ...]
    limit: int | None
    offset: int | None
    rows: bool = False
    constants: int = 0

    @property
    def own_keys(self) -> tuple[Expr, ...]:
        """Return the keys of GROUP BY itself."""
        return self.keys[: len(self.keys) - self.constants]


def bind(
    select: exp.Select, terms: Terms, nest: Nest, ctes: Mapping[str, exp.CTE] | None = None
) -> Query:
    """Bind a parsed SELECT.

    Args:
        nest: lowers an inner aggregation.
        ctes: common table expressions of the query around this one.

    Raises:
        UnknownName, UnsupportedQuery, OverflowPossible.
    """
    only(select, *_CLAUSES, "limit", "offset", "distinct")
    scope = Scope(terms, nest)
    names, part = scope.enter(select, ctes or {})
    ctes = {**(ctes or {}), **dict(named_in(select))}
    tests = Values(scope, names, ctes)
    test = partial(bind_test, tests, names)
    outputs = tuple(o for node in select.expressions for o in outputs_of(node, names, test))
    part = tests.joined(part)
    keys, grouped = _keys(select, outputs, names)
    plainly = grouped and not (select.args.get("distinct") or select.args.get("group"))
    values = Values(scope, None, ctes)
    conditions = _having(select, outputs, names, values)
    own, keys = len(keys), (*keys, *values.single)
    if values.single and not grouped:
        raise UnsupportedQuery("a subquery in HAVING without GROUP BY")
    plain, having = _divided(conditions, keys)
    part = values.joined(part)
    part = replace(part, where=(*part.where, *plain))
    check_rows(part, keys)
    over = tuple(Output(o.name, _over_keys(o.expr, keys)) for o in outputs)
    order = tuple(_order(node, keys, over, names) for node in _list(select, "order"))
    if plainly:
        limited = select.args.get("limit") is not None
        rows.check_order((o.expr for o in order), limited=limited)
    for expr in (*having, *(o.expr for o in over), *(o.expr for o in order)):
        _refuse_after(expr)
    part, required = strengthened(part)
    return Query(
        tuple(scope.tables),
        settled(part, required),
        tuple(present(key, required) for key in keys),
        grouped,
        tuple(Output(o.name, present(o.expr, required)) for o in over),
        tuple(present(part, required) for part in having),
        tuple(replace(o, expr=present(o.expr, required)) for o in order),
        _whole(select, "limit"),
        _whole(select, "offset"),
        plainly,
        len(keys) - own,
    )


def check_rows(part: Part, exprs: Iterable[Expr]) -> None:
    """Refuse conditions and expressions over rows that could fail on one."""
    for expr in (*_conditions(part), *exprs):
        _refuse_below(expr)


def _conditions(part: Part) -> Iterator[Expr]:
    for inside, _ in walk_parts(part):
        yield from inside.where
        for joined in inside.attached:
            yield from joined.on


def outputs_of(
    node: exp.Expr, names: Names, test: Callable[[Any], Expr] | None = None
) -> Iterator[Output]:
    """Bind one entry of the SELECT list; * and table.* are several.

    Args:
        test: binds IN and EXISTS, where they are allowed.
    """
    star = node.this if isinstance(node, exp.Column) else node
    if isinstance(star, exp.Star):
        only(star)
        only(node, "this", "table")
        for name, expr in names.everything(node.text("table").lower()):
            yield Output(name, expr)
        return
    yield _output(node, names, test)


def _output(node: exp.Expr, names: Names, test: Callable[[Any], Expr] | None) -> Output:
    inner = node.this if isinstance(node, exp.Alias) else node
    expr = Scalars(names.resolve, aggregates=True, value=test, within=True).bind(inner)
    if isinstance(inner, exp.Count) and isinstance(inner.this, exp.Star):
        return Output(node.alias or "count_star()", expr)
    text = inner.sql(dialect="duckdb", normalize_functions="lower")
    return Output(node.alias_or_name or text, expr)


def _keys(
    select: exp.Select, outputs: tuple[Output, ...], names: Names
) -> tuple[tuple[Expr, ...], bool]:
    aggregated = any(has_aggregate(output.expr) for output in outputs)
    if distinct := select.args.get("distinct"):
        only(distinct)
        if aggregated or select.args.get("group"):
            raise UnsupportedQuery("DISTINCT together with aggregates or GROUP BY")
        keys = [output.expr for output in outputs]
    elif group := select.args.get("group"):
        only(group, "expressions")
        keys = [_named(node, outputs, names, columns_first=True) for node in group.expressions]
    elif aggregated or select.args.get("having"):
        return (), False
    else:
        return rows.keys_of(output.expr for output in outputs), True
    if any(has_aggregate(key) for key in keys):
        raise UnsupportedQuery("an aggregate in GROUP BY")
    if not all(set(columns(key)) for key in keys):
        raise UnsupportedQuery("GROUP BY a constant")
    return tuple(dict.fromkeys(keys)), True


def _named(
    node: exp.Expr, outputs: tuple[Output, ...], names: Names, *, columns_first: bool
) -> Expr:
    """Bind a key of GROUP BY or ORDER BY: a position, an output's name or an expression."""
    if isinstance(node, exp.Literal) and not node.is_string:
        text = str(node.this)
        position = int(text) if text.isdecimal() and len(text) < 5 else 0
        if not 1 <= position <= len(outputs):
            raise UnsupportedQuery(f"position {str(node.this)[:20]} in GROUP BY or ORDER BY")
        return outputs[position - 1].expr
    if isinstance(node, exp.Column) and not node.table:
        name = node.name.lower()
        named = [output.expr for output in outputs if output.name.lower() == name]
        if named and not (columns_first and names.has(name)):
            return named[0]
    return Scalars(_with_outputs(names, outputs), aggregates=True).bind(node)


def _with_outputs(names: Names, outputs: tuple[Output, ...]) -> Any:
    """Resolve columns first, then names of outputs."""

    def resolve(node: exp.Column) -> Expr:
        name = node.name.lower()
        named = [output.expr for output in outputs if output.name.lower() == name]
        by_name = bool(named) and not node.table and not names.has(name)
        return named[0] if by_name else names.resolve(node)

    return resolve


def _having(
    select: exp.Select, outputs: tuple[Output, ...], names: Names, values: Values
) -> tuple[Expr, ...]:
    if (having := select.args.get("having")) is None:
        return ()
    resolve = _with_outputs(names, outputs)
    bound = Scalars(resolve, aggregates=True, value=values.bind).bind(having.this)
    return tuple(conjuncts(operators.condition(bound)))


def _divided(
    parts: tuple[Expr, ...], keys: tuple[Expr, ...]
) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Split HAVING into conditions on keys alone, which are WHERE's, and those on aggregates."""
    for part in parts:
        if not has_aggregate(part):
            _refuse_after(_over_keys(part, keys))
    plain = tuple(part for part in parts if not has_aggregate(part) and keys)
    return plain, tuple(_over_keys(part, keys) for part in parts if part not in plain)


def _order(
    node: exp.Expr, keys: tuple[Expr, ...], outputs: tuple[Output, ...], names: Names
) -> Order:
    if not isinstance(node, exp.Ordered):
        raise UnsupportedQuery(f"{construct(node)} in ORDER BY")
    only(node, "this", "desc", "nulls_first")
    expr = _over_keys(_named(node.this, outputs, names, columns_first=False), keys)
    return Order(expr, bool(node.args.get("desc")), bool(node.args.get("nulls_first")))


def _over_keys(expr: Expr, keys: tuple[Expr, ...]) -> Expr:
    def change(node: Expr) -> Expr | None:
        if node in keys:
            return Expr("key", (), node.domain, keys.index(node))
        return node if node.op == "aggregate" else None

    return rewrite(expr, change)


def _refuse_below(expr: Expr) -> None:
    """Refuse, below aggregates, what could fail on a row or gives floating point."""
    for node in walk(expr):
        if node.op == "call" and node.value in AFTER_ONLY:
            raise UnsupportedQuery(f"{node.value} on rows; it works on aggregates")
        if node.op == "/" or (node.op == "cast" and node.domain.kind is None):
            what = "/" if node.op == "/" else f"CAST to {node.value}"
            remedy = "It works on aggregates; / and an inner AVG in comparisons of WHERE too."
            raise UnsupportedQuery(f"{what} on rows", remedy=remedy)


def _refuse_after(expr: Expr) -> None:
    """Refuse, above aggregates, columns that aren't keys; check the aggregates' arguments."""
    if expr.op == "aggregate":
        for arg in expr.args:
            _refuse_below(arg)
        return
    if expr.op == "column":
        raise UnsupportedQuery(f"column {expr.reference[1]!r} outside of aggregates and GROUP BY")
    for arg in expr.args:
        _refuse_after(arg)


def _list(select: exp.Select, clause: str) -> list[exp.Expr]:
    node = select.args.get(clause)
    if node is None:
        return []
    only(node, "expressions")
    return list(node.expressions)


def _whole(select: exp.Select, clause: str) -> int | None:
    if (node := select.args.get(clause)) is None:
        return None
    only(node, "expression")
    number = node.expression
    if isinstance(number, exp.Literal) and not number.is_string:
        text = str(number.this)
        if text.isdecimal() and len(text) <= 18:
            return int(text)
    raise UnsupportedQuery(f"{clause.upper()} with anything but a whole number")
