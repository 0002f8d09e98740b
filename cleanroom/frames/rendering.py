"""The text of a frame's SELECT.

Rule: written by sqlglot from a tree. Names say of which table they are only where there are
several, or where they would mean something else without.
"""

from collections.abc import Collection, Iterator

from sqlglot import exp

from cleanroom.frames.block import Block, Column, Order, Source
from cleanroom.frames.trees import conjunction
from cleanroom.frames.values import identifier
from cleanroom.sql.render import sql_of

_CLAUSES = ("from_", "joins", "where", "group", "having", "order", "limit")


def text_of(block: Block) -> str:
    """Return the query, a line for each clause."""
    tree = tree_of(block)
    clauses: list[exp.Expr] = [exp.Select(expressions=tree.expressions)]
    for name in _CLAUSES:
        found = tree.args.get(name)
        clauses += found if isinstance(found, list) else filter(None, [found])
    return "\n".join(sql_of(clause).strip() for clause in clauses)


def tree_of(block: Block, needed: Collection[str] | None = None) -> exp.Select:
    """Return the tree of a SELECT with all columns, or those that are needed around it."""
    outputs = _outputs(block, needed)
    trees = list(_trees(block, outputs))
    first, *joins = block.sources
    select = exp.Select(
        expressions=[_output(name, found.tree) for name, found in outputs.items()],
        from_=exp.From(this=_relation(first, trees)),
    )
    if joins:
        select.set("joins", [_join(source, trees) for source in joins])
    if block.where:
        select.set("where", exp.Where(this=conjunction(block.where)))
    if block.keys:
        select.set("group", exp.Group(expressions=[key.copy() for key in block.keys]))
    if block.having:
        select.set("having", exp.Having(this=conjunction(block.having)))
    if block.order:
        select.set("order", exp.Order(expressions=[_ordered(o, outputs) for o in block.order]))
    if block.limit is not None:
        select.set("limit", exp.Limit(expression=exp.Literal.number(block.limit)))
    if not joins and not _clashes(block.order, outputs):
        _unqualify(select, first.alias)
    return select


def _outputs(block: Block, needed: Collection[str] | None) -> dict[str, Column]:
    if needed is None:
        return dict(block.columns)
    found = {name: column for name, column in block.columns.items() if name in needed}
    return found or dict(list(block.columns.items())[:1])


def _trees(block: Block, outputs: dict[str, Column]) -> Iterator[exp.Expr]:
    yield from (found.tree for found in outputs.values())
    yield from (condition for source in block.sources for condition in source.on)
    yield from (*block.where, *(block.keys or ()), *block.having)
    yield from (order.tree for order in block.order)


def _output(name: str, tree: exp.Expr) -> exp.Expr:
    if isinstance(tree, exp.Column) and tree.name == name:
        return tree.copy()
    return exp.Alias(this=tree.copy(), alias=identifier(name))


def _relation(source: Source, trees: list[exp.Expr]) -> exp.Expr:
    """Return a source; a subquery gives the columns alone that trees name."""
    if isinstance(source.of, Block):
        named = {
            node.name
            for tree in trees
            for node in tree.find_all(exp.Column)
            if node.table == source.alias
        }
        alias = exp.TableAlias(this=identifier(source.alias))
        return exp.Subquery(this=tree_of(source.of, named), alias=alias)
    table = source.of.copy()
    if source.alias != table.name:
        table.set("alias", exp.TableAlias(this=identifier(source.alias)))
    return table


def _join(source: Source, trees: list[exp.Expr]) -> exp.Join:
    join = exp.Join(this=_relation(source, trees), on=conjunction(source.on))
    if source.how in ("left", "right", "full"):
        join.set("side", source.how.upper())
    elif source.how in ("semi", "anti"):
        join.set("kind", source.how.upper())
    return join


def _ordered(order: Order, outputs: dict[str, Column]) -> exp.Ordered:
    """Name an output where the order is by one."""
    named = (name for name, found in outputs.items() if found.tree == order.tree)
    name = next(named, None)
    key = order.tree.copy() if name is None else exp.Column(this=identifier(name))
    return exp.Ordered(this=key, desc=order.descending or None, nulls_first=order.nulls_first)


def _clashes(order: tuple[Order, ...], outputs: dict[str, Column]) -> bool:
    """Whether ORDER BY needs a column that has the name of another output, which SQL prefers."""
    trees = [found.tree for found in outputs.values()]
    others = (o.tree for o in order if o.tree not in trees)
    used = {node.name.lower() for tree in others for node in tree.find_all(exp.Column)}
    return any(
        name.lower() in used
        for name, found in outputs.items()
        if not (isinstance(found.tree, exp.Column) and found.tree.name.lower() == name.lower())
    )


def _unqualify(select: exp.Select, alias: str) -> None:
    for clause in ("expressions", "where", "group", "having", "order"):
        found = select.args.get(clause)
        for node in found if isinstance(found, list) else filter(None, [found]):
            for column in node.find_all(exp.Column):
                if column.table == alias:
                    column.set("table", None)
