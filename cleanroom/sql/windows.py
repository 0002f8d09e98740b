"""Window functions: a SELECT that has some, taken apart, and its OVER clauses bound.

Rule: a function that isn't in the tables below is refused by name, and so is any frame.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.expr import Expr, columns
from cleanroom.sql.missing import present
from cleanroom.sql.parse import construct, only

Bind: TypeAlias = Callable[[exp.Expr], Expr]
Kind: TypeAlias = Literal["row_number", "rank", "dense_rank", "neighbour", "count", "sum"]
FROM = ("with_", "from_", "joins", "where")
MAX_DISTANCE = 64

_NUMBERINGS: Mapping[type[exp.Expr], Kind] = {
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
}
_TOTALS: Mapping[type[exp.Expr], Kind] = {exp.Count: "count", exp.Sum: "sum"}
_WHAT_WORKS = (
    "Use ROW_NUMBER, RANK, DENSE_RANK, LAG, LEAD, or COUNT and SUM without ORDER BY; for another "
    "aggregate of a partition join a subquery with GROUP BY."
)


@dataclass(frozen=True, slots=True)
class Along:
    """A key of an order."""

    expr: Expr
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A bound window function.

    Attributes:
        arg: of "neighbour", "sum" and "count"; None counts rows.
        distance: of "neighbour": rows before, or after if negative.
    """

    kind: Kind
    arg: Expr | None
    distance: int
    partition: tuple[Expr, ...]
    order: tuple[Along, ...]

    def present(self, sides: frozenset[int]) -> "Call":
        """Return the call where sides of outer joins are never missing."""
        return replace(
            self,
            arg=None if self.arg is None else present(self.arg, sides),
            partition=tuple(present(e, sides) for e in self.partition),
            order=tuple(replace(a, expr=present(a.expr, sides)) for a in self.order),
        )


def has_windows(select: exp.Select) -> bool:
    """Whether a SELECT list or QUALIFY has window functions of its own."""
    found = [*select.expressions, *filter(None, [select.args.get("qualify")])]
    return any(_windows(node) for node in found)


def _windows(node: exp.Expr) -> list[exp.Window]:
    walked = node.walk(prune=lambda n: isinstance(n, exp.Select | exp.Window))
    return [n for n in walked if isinstance(n, exp.Window)]


def taken_apart(select: exp.Select, renamed: int = 0) -> tuple[exp.Select, exp.Select]:
    """Part a SELECT with window functions into its rows and what is computed of them.

    Args:
        renamed: how many of its columns get names from outside.

    Returns:
        rows with window functions, whose columns are named '#0', '#1', ... unless they come from
        *; and a SELECT without FROM over these columns, with QUALIFY as its WHERE.
    """
    if any(select.args.get(clause) for clause in ("group", "having", "distinct")):
        raise beside_aggregates()
    only(select, *FROM, "expressions", "windows", "qualify")
    made = _Made()
    rows = exp.Select(**{clause: select.args.get(clause) for clause in (*FROM, "windows")})
    over = exp.Select()
    for place, node in enumerate(select.expressions):
        star = node.this if isinstance(node, exp.Column) else node
        if isinstance(star, exp.Star):
            rows.append("expressions", node)
            over.append("expressions", exp.Star())
            continue
        inside = node.this if isinstance(node, exp.Alias) else node
        name = node.alias_or_name or f"#named{place}" * (place < renamed)
        if not name:
            raise UnsupportedQuery("a window function without a name of its own")
        over.append("expressions", exp.alias_(made.replaced(inside), name, quoted=True))
    if qualify := select.args.get("qualify"):
        named = {e.alias.lower(): e.this for e in select.expressions if isinstance(e, exp.Alias)}
        condition = qualify.this.transform(lambda n: _unnamed(n, named))
        over.set("where", exp.Where(this=made.replaced(condition)))
    for number, node in enumerate(made.nodes):
        rows.append("expressions", exp.alias_(node, f"#{number}", quoted=True))
    return rows, over


@dataclass(frozen=True, slots=True)
class _Made:
    """The columns '#0', '#1', ... that a SELECT with window functions is computed of."""

    nodes: list[exp.Expr] = field(default_factory=list)

    def replaced(self, node: exp.Expr) -> exp.Expr:
        """Replace window functions, columns and calls of them, or all if there is no window."""
        if not _windows(node):
            return self._column(node)
        return node.transform(lambda n: self._column(n) if _is_part(n) else n)

    def _column(self, node: exp.Expr) -> exp.Column:
        if node not in self.nodes:
            self.nodes.append(node)
        return exp.column(f"#{self.nodes.index(node)}", quoted=True)


def _is_part(node: exp.Expr) -> bool:
    """Whether a node is computed of rows, and what is around it of the results."""
    if isinstance(node, exp.Window | exp.Column):
        return True
    called = isinstance(node, exp.Func) and not isinstance(node, exp.If | exp.Case | exp.Connector)
    return called and node.find(exp.Column) is not None and not _windows(node)


def beside_aggregates() -> UnsupportedQuery:
    """Say that one SELECT can't both aggregate and look along its rows."""
    what = "window functions beside aggregates, GROUP BY or DISTINCT"
    return UnsupportedQuery(what, remedy="Aggregate in a subquery, and select from that.")


def _unnamed(node: exp.Expr, named: Mapping[str, exp.Expr]) -> exp.Expr:
    """QUALIFY may name what SELECT computes."""
    if isinstance(node, exp.Column) and not node.table and node.name.lower() in named:
        return exp.paren(named[node.name.lower()])
    return node


def bind_call(node: exp.Window, named: Sequence[exp.Expr], bind: Bind) -> Call:
    """Bind a window function.

    Args:
        named: the SELECT's WINDOW clause.

    Raises:
        UnsupportedQuery: for a frame, or a function or argument that can't be computed.
    """
    over: Any = node
    if name := node.args.get("alias"):
        over = _named(name.name, named)
    elif node.args.get("spec"):
        raise UnsupportedQuery("a frame in OVER", remedy="Leave ROWS or RANGE out.")
    only(over, "this", "partition_by", "order", "over")
    kind, arg, distance = _function(node.this, bind)
    partition = tuple(bind(e) for e in over.args.get("partition_by") or ())
    order = tuple(_along(over.args.get("order"), bind))
    if kind in ("sum", "count") and order:
        what = f"a running {kind.upper()}: ORDER BY in its OVER"
        raise UnsupportedQuery(what, remedy="Leave ORDER BY out for the whole partition.")
    if any(not any(columns(e)) for e in (*partition, *(a.expr for a in order))):
        raise UnsupportedQuery("a constant in OVER", remedy="Leave it out.")
    return Call(kind, arg, distance, partition, order)


def _named(name: str, named: Sequence[exp.Expr]) -> exp.Expr:
    for window in named:
        if window.this.name.lower() == name.lower():
            if window.args.get("spec"):
                raise UnsupportedQuery("a frame in WINDOW", remedy="Leave ROWS or RANGE out.")
            return window
    raise UnsupportedQuery(f"OVER {name[:40]} without a WINDOW of this name")


def _along(order: Any, bind: Bind) -> Iterator[Along]:
    if order is None:
        return
    only(order, "expressions")
    for node in order.expressions:
        only(node, "this", "desc", "nulls_first")
        descending, nulls = bool(node.args.get("desc")), bool(node.args.get("nulls_first"))
        yield Along(bind(node.this), descending, nulls)


def _function(node: Any, bind: Bind) -> tuple[Kind, Expr | None, int]:
    if type(node) in _NUMBERINGS:
        only(node)
        return _NUMBERINGS[type(node)], None, 0
    if isinstance(node, exp.Lag | exp.Lead):
        return _neighbour(node, bind)
    if type(node) not in _TOTALS:
        raise UnsupportedQuery(f"window function {construct(node)}", remedy=_WHAT_WORKS)
    kind = _TOTALS[type(node)]
    only(node, "this", "big_int")
    if isinstance(node.this, exp.Star) and kind == "count":
        only(node.this)
        return kind, None, 0
    if isinstance(node.this, exp.Distinct | exp.Star):
        raise UnsupportedQuery(f"{kind.upper()}({construct(node.this)}) OVER", remedy=_WHAT_WORKS)
    arg = bind(node.this)
    if kind == "sum" and not arg.domain.is_number:
        raise UnsupportedQuery(f"SUM of {arg.domain.kind or 'a computed value'}")
    return kind, arg, 0


def _neighbour(node: Any, bind: Bind) -> tuple[Kind, Expr | None, int]:
    name = construct(node)
    only(node, "this", "offset", "default")
    if node.args.get("default") is not None:
        what = f"{name} with a default"
        raise UnsupportedQuery(what, remedy=f"Use CASE WHEN ... IS NULL over the {name}.")
    arg, offset = bind(node.this), node.args.get("offset")
    text = "1" if offset is None else str(offset.this)
    if not text.isdecimal() or len(text) > 2 or not 1 <= int(text) <= MAX_DISTANCE:
        raise UnsupportedQuery(f"{name} by anything but 1 to {MAX_DISTANCE} rows")
    if not any(columns(arg)):
        raise UnsupportedQuery(f"{name} of a constant")
    return "neighbour", arg, int(text) if isinstance(node, exp.Lag) else -int(text)
