"""Joins of two frames on equal columns.

Rule: what SQL would read otherwise after the join, such as a condition on an optional side, goes
into a subquery; the compiler merges it away again wherever that changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, get_args

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.frames.block import Block, Column, Source, nested
from cleanroom.frames.steps import lookup
from cleanroom.frames.trees import binary
from cleanroom.sql import operators
from cleanroom.sql.expr import Expr

How: TypeAlias = Literal["inner", "left", "right", "full", "semi", "anti"]
Pairs: TypeAlias = Sequence[tuple[str, str]]


def joined(left: Block, right: Block, on: Pairs, how: How, suffix: str) -> Block:
    """Join rows whose columns are equal.

    Args:
        on: pairs of a column of either side.
        suffix: of columns of the right side whose names the left one has, too.

    Raises:
        UnknownName, UnsupportedQuery: for columns that there aren't, or that can't be equal.
    """
    if how not in get_args(How):
        raise UnsupportedQuery(f"a join {how!r}", remedy=f"Use one of: {', '.join(get_args(How))}.")
    left, right = _left(left, how), _renamed(_right(right, how), left.aliases)
    equal = tuple(_equal(lookup(left, a), lookup(right, b)) for a, b in on)
    (source,) = right.sources
    inside = how in ("inner", "right")
    conditions = equal if inside else (*equal, *right.where)
    return replace(
        left,
        sources=(*left.sources, replace(source, how=how, on=conditions)),
        columns=_columns(left, right, on, how, suffix),
        unlisted={} if how in ("right", "full") else left.unlisted,
        where=(*left.where, *right.where) if inside else left.where,
        order=(),
    )


def _left(block: Block, how: How) -> Block:
    """Return the left side as what a join can be added to."""
    if block.keys is not None or block.limit is not None:
        return nested(block)
    if how in ("right", "full") and (block.where or not _plain(block)):
        return nested(block)
    return block


def _right(block: Block, how: How) -> Block:
    """Return the right side as one source, with conditions and columns of it."""
    if block.keys is not None or block.limit is not None or len(block.sources) > 1:
        return nested(block)
    if (how == "full" and block.where) or (how not in ("inner", "right") and not _plain(block)):
        return nested(block)
    return block


def _plain(block: Block) -> bool:
    return all(isinstance(found.tree, exp.Column) for found in block.columns.values())


def _renamed(block: Block, taken: frozenset[str]) -> Block:
    """Give the only source of a block an alias that isn't taken."""
    (source,) = block.sources
    alias, number = source.alias, 2
    while alias in taken:
        alias, number = f"{source.alias}_{number}", number + 1
    if alias == source.alias:
        return block

    def change(tree: exp.Expr) -> exp.Expr:
        return tree.transform(
            lambda node: (
                exp.column(node.this.copy(), table=exp.to_identifier(alias))
                if isinstance(node, exp.Column)
                else node
            )
        )

    columns, unlisted = (
        {name: replace(found, tree=change(found.tree)) for name, found in those.items()}
        for those in (block.columns, block.unlisted)
    )
    return replace(
        block,
        sources=(Source(alias, source.of),),
        columns=columns,
        unlisted=unlisted,
        where=tuple(map(change, block.where)),
    )


def _equal(left: Column, right: Column) -> exp.Expr:
    """Return the condition that two columns are equal, if they can be."""
    operators.compare("=", left.bound, right.bound)
    return binary(exp.EQ, left.tree, right.tree)


def _columns(left: Block, right: Block, on: Pairs, how: How, suffix: str) -> dict[str, Column]:
    """Return the columns after a join: those joined on once, from the side that has them."""
    if how in ("semi", "anti"):
        return dict(left.columns)
    found = dict(left.columns)
    for a, b in on:
        ours = next((name for name in found if name.lower() == a.lower()), None)
        if ours is not None:
            found[ours] = _once(lookup(left, a), lookup(right, b), how)
    dropped = {b.lower() for _, b in on}
    for name, column in right.columns.items():
        if name.lower() in dropped:
            continue
        shown = name + suffix if name.lower() in {known.lower() for known in found} else name
        if shown.lower() in {known.lower() for known in found}:
            remedy = "Pass another suffix, or select columns before."
            raise UnsupportedQuery(f"two columns named {shown!r}", remedy=remedy)
        found[shown] = _optional(column) if how in ("left", "full") else column
    return found


def _once(left: Column, right: Column, how: How) -> Column:
    if how == "right":
        return right
    if how == "full":
        tree = exp.Coalesce(this=left.tree.copy(), expressions=[right.tree.copy()])
        return Column(tree, left.bound)
    return left


def _optional(column: Column) -> Column:
    """Return a column that may be missing after the join."""
    domain = replace(column.bound.domain, nullable=True)
    return replace(column, bound=Expr("optional", (column.bound,), domain, 0))
