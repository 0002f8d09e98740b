"""One SELECT on its way: where its rows come from, and what each column is computed of.

Rule: values without methods that decide; `steps` and `joining` make new ones, `rendering` their
text. In trees here every column says of which source it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.frames.values import identifier
from cleanroom.sql.expr import Expr, column


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a frame.

    Attributes:
        tree: what it is in SQL.
        bound: the same as the compiler knows it: of which kind, in which range.
    """

    tree: exp.Expr
    bound: Expr


@dataclass(frozen=True, slots=True)
class Source:
    """Something in FROM or JOIN.

    Attributes:
        of: a table of the contract, or a subquery.
        how: "" for the first, else how it is joined.
    """

    alias: str
    of: "exp.Table | Block"
    how: str = ""
    on: tuple[exp.Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    tree: exp.Expr
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A SELECT.

    Attributes:
        columns: its outputs by name, in their order.
        unlisted: columns that can be named and aren't outputs.
        keys: of GROUP BY; () for one group of all rows, None where rows aren't grouped.
    """

    sources: tuple[Source, ...]
    columns: Mapping[str, Column]
    unlisted: Mapping[str, Column] = field(default_factory=dict)
    where: tuple[exp.Expr, ...] = ()
    keys: tuple[exp.Expr, ...] | None = None
    having: tuple[exp.Expr, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None

    @property
    def aliases(self) -> frozenset[str]:
        return frozenset(source.alias for source in self.sources)


def reference(name: str, alias: str) -> exp.Column:
    """Return the tree of a source's column."""
    return exp.Column(this=identifier(name), table=identifier(alias))


def nested(block: Block) -> Block:
    """Return a SELECT of all columns FROM this one, whose order is of no meaning any more.

    Raises:
        UnsupportedQuery: if it keeps the first rows alone, which no room computes on.
    """
    if block.limit is not None:
        remedy = "Call limit last; collect().to_pandas() can be cut further."
        raise UnsupportedQuery("a step after limit that is about rows", remedy=remedy)
    block = replace(block, order=())
    alias = block.sources[0].alias
    columns = {
        name: Column(reference(name, alias), column(0, name, found.bound.domain))
        for name, found in block.columns.items()
    }
    return Block((Source(alias, block),), columns)
