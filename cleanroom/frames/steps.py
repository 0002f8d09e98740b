"""Steps of a frame on one SELECT: what can't be part of it goes around it, as SQL has it.

Rule: a step is checked when it is written, by the compiler's own rules for names and types. Who
may ask what is not known here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.frames.block import Block, Column, Order, nested
from cleanroom.frames.expression import Expression, column
from cleanroom.frames.trees import replaced
from cleanroom.frames.values import output_name
from cleanroom.frames.windows import has_window, without_windows
from cleanroom.sql import operators
from cleanroom.sql.aggregates import is_aggregate
from cleanroom.sql.expr import Expr, columns
from cleanroom.sql.names import nearest
from cleanroom.sql.scalars import Scalars

_COLUMN = "a column beside others"
_FIRST = "Aggregate with group_by(...).agg(...), then go on with what that gives."


def filtered(block: Block, conditions: Iterable[Expression]) -> Block:
    """Keep the rows, or groups, for which all conditions are true."""
    block = nested(block) if block.limit is not None else block
    trees = []
    for condition in conditions:
        _no_aggregate(condition, "filter")
        found = resolved(block, condition)
        operators.condition(found.bound)
        trees.append(found.tree)
    if block.keys is None:
        return replace(block, where=(*block.where, *trees))
    return replace(block, having=(*block.having, *trees))


def projected(block: Block, outputs: Mapping[str, Expression], *, kept: bool) -> Block:
    """Compute columns; `kept`: beside those that there are."""
    for expression in outputs.values():
        _no_aggregate(expression, _COLUMN)
    along = any(has_window(expression.tree) for expression in outputs.values())
    if along and (block.keys is not None or block.limit is not None):
        block = nested(block)
    made = {name: resolved(block, expression) for name, expression in outputs.items()}
    if not kept:
        block = replace(block, columns=made, unlisted={})
        return nested(block) if along else block
    replacing = {name.lower(): name for name in made}
    shown = {
        replacing.get(name.lower(), name): made.get(replacing.get(name.lower(), ""), found)
        for name, found in block.columns.items()
    }
    block = replace(block, columns={**shown, **made})
    return nested(block) if along else block


def grouped(
    block: Block, keys: Mapping[str, Expression], outputs: Mapping[str, Expression]
) -> Block:
    """Group by keys and aggregate; without keys all rows are one group."""
    if block.keys is not None or block.limit is not None:
        block = nested(block)
    for key in keys.values():
        _no_aggregate(key, "group_by")
    made = {name: resolved(block, key) for name, key in keys.items()}
    for name, key_column in made.items():
        if not any(columns(key_column.bound)):
            remedy = "Leave it out: it is the same in all rows."
            raise UnsupportedQuery(f"the constant {name!r} in group_by", remedy=remedy)
    trees = tuple(key.tree for key in made.values())
    for name, output in outputs.items():
        if name in made:
            raise UnsupportedQuery(f"two columns named {name!r}", remedy="Name one with alias().")
        _check_aggregated(name, output)
        made[name] = resolved(block, output, aggregates=True)
    return replace(block, columns=made, unlisted={}, keys=trees, order=())


def ordered(
    block: Block, keys: Sequence[Expression], descending: Sequence[bool], nulls_first: bool
) -> Block:
    """Sort by keys, the first one before all."""
    block = nested(block) if block.limit is not None else block
    order = []
    for key, down in zip(keys, descending, strict=True):
        _no_aggregate(key, "sort")
        order.append(Order(resolved(block, key).tree, down, nulls_first))
    return replace(block, order=tuple(order))


def limited(block: Block, n: int) -> Block:
    """Keep the first n rows."""
    return replace(block, limit=n if block.limit is None else min(n, block.limit))


def named(
    given: Iterable[str | Expression], more: Mapping[str, object], what: str
) -> dict[str, Expression]:
    """Return expressions by the names that they have in the result.

    Raises:
        UnsupportedQuery: for what is no expression, has no name, or one that another has.
    """
    found: dict[str, Expression] = {}
    unnamed = [(None, one) for one in given]
    for name, one in (*unnamed, *more.items()):
        if isinstance(one, str):
            one = column(one)
        if not isinstance(one, Expression):
            remedy = "Pass names of columns or expressions, such as col('x').sum()."
            raise UnsupportedQuery(f"a {type(one).__name__} in {what}", remedy=remedy)
        key = output_name(name if name is not None else one.name or _unnamed(what))
        if key.lower() in (other.lower() for other in found):
            raise UnsupportedQuery(f"two columns named {key!r}", remedy="Name one with alias().")
        found[key] = one
    return found


def resolved(block: Block, expression: Expression, *, aggregates: bool = False) -> Column:
    """Return what an expression means in a frame.

    Raises:
        UnknownName: naming the nearest column.
        UnsupportedQuery: naming what doesn't fit: kinds of values, functions of them.
    """
    tree = expression.tree

    def meaning(node: exp.Column) -> Expr:
        return lookup(block, node.name).bound

    bound = Scalars(meaning, aggregates=aggregates).bind(without_windows(_without_parameters(tree)))
    return Column(replaced(tree, lambda node: lookup(block, node.name).tree.copy()), bound)


def lookup(block: Block, name: str) -> Column:
    """Return a column by its name, in small or capital letters."""
    for those in (block.columns, block.unlisted):
        if name in those:
            return those[name]
        for known, found in those.items():
            if known.lower() == name.lower():
                return found
    shown = f"the columns here are {', '.join(block.columns)}"
    close = nearest(name, block.columns)
    remedy = close if close.startswith("Did") else f"{shown[0].upper()}{shown[1:]}."
    raise UnknownName(f"no column {name!r}", remedy=remedy)


def has_aggregate(expression: Expression) -> bool:
    """Whether an expression adds up rows, windows apart."""
    walked = expression.tree.walk(prune=lambda node: isinstance(node, exp.Window))
    return any(is_aggregate(node) for node in walked)


def _no_aggregate(expression: object, what: str) -> None:
    if not isinstance(expression, Expression):
        remedy = "Compare columns: col('x') > 3. What Python makes of and, or, not is no condition."
        raise UnsupportedQuery(f"a {type(expression).__name__} in {what}", remedy=remedy)
    if has_aggregate(expression):
        raise UnsupportedQuery(f"an aggregate in {what}", remedy=_FIRST)
    if has_window(expression.tree) and what != _COLUMN:
        raise UnsupportedQuery(f"over() in {what}", remedy="Name it with with_columns() first.")


def _check_aggregated(name: str, output: Expression) -> None:
    """Refuse columns outside of aggregates, and aggregates in aggregates."""
    if not has_aggregate(output):
        remedy = f"Write col({name!r}).sum() or the like, or group by it."
        raise UnsupportedQuery(f"{name!r} in agg is no aggregate", remedy=remedy)
    for node in output.tree.walk(prune=lambda n: is_aggregate(n) or isinstance(n, exp.Filter)):
        if isinstance(node, exp.Column):
            remedy = "Group by it, or aggregate it."
            raise UnsupportedQuery(f"column {node.name!r} beside an aggregate", remedy=remedy)


def _without_parameters(tree: exp.Expr) -> exp.Expr:
    """Put a truth value that names the same column in the place of a private condition."""

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.In | exp.EQ) and node.find(exp.Placeholder):
            return exp.Is(this=node.this.copy(), expression=exp.Null())
        return node

    return tree.transform(change)


def _unnamed(what: str) -> str:
    raise UnsupportedQuery(f"a column without a name in {what}", remedy="Name it with alias().")
