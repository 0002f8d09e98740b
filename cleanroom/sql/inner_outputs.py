"""The SELECT list of an inner aggregation: plain outputs, and expressions that are made of them.

Rule: what is made of aggregates is bound where the query around reads it, so an inner
aggregation yields nothing but keys and aggregates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.aggregates import is_aggregate
from cleanroom.sql.combined import Combined
from cleanroom.sql.expr import Expr


@dataclass(frozen=True, slots=True)
class InnerOutputs:
    """Attributes: select: with plain outputs alone; made: name -> the expression, if it is one."""

    select: exp.Select
    made: Mapping[str, Combined | None]

    @classmethod
    def of(cls, select: exp.Select) -> "InnerOutputs":
        made = {_name(node): node for node in select.expressions if _is_made(node.unalias())}
        if not made:
            return cls(select, {})
        if len({_name(node) for node in select.expressions}) < len(select.expressions):
            raise UnsupportedQuery("a subquery's column without a name of its own")
        plain = select.copy()
        keys = _keys(plain)
        found = {name: Combined.of(node.unalias().copy(), keys) for name, node in made.items()}
        kept = [node for node in plain.expressions if _name(node) not in found]
        parts = [
            exp.alias_(part, f"#{name}#{i}", quoted=True)
            for name, combined in found.items()
            for i, part in enumerate(combined.parts)
        ]
        plain.set("expressions", [*kept, *parts])
        _replace_names(plain.args.get("having"), made)
        return cls(plain, {_name(node): found.get(_name(node)) for node in select.expressions})

    def shown(self, columns: Mapping[str, Expr]) -> dict[str, Expr]:
        """Return all outputs by name, given those of `select`."""
        if not self.made:
            return dict(columns)
        return {
            name: columns[name]
            if combined is None
            else combined.bind(columns[f"#{name}#{i}"] for i in range(len(combined.parts)))
            for name, combined in self.made.items()
        }


def _keys(select: exp.Select) -> list[exp.Expr]:
    """Return what GROUP BY names, having written out its positions."""
    group, outputs = select.args.get("group"), select.expressions
    if not group:
        return []
    for node in list(group.expressions):
        place = str(node.this) if isinstance(node, exp.Literal) and not node.is_string else ""
        if place.isdecimal() and 1 <= int(place) <= len(outputs):
            node.replace(outputs[int(place) - 1].unalias().copy())
    named = {node.name for node in group.expressions if isinstance(node, exp.Column)}
    aliased = [o.unalias().copy() for o in outputs if isinstance(o, exp.Alias) and o.alias in named]
    return [*group.expressions, *aliased]


def _name(node: exp.Expr) -> str:
    return (node.alias_or_name or node.sql(dialect="duckdb", normalize_functions="lower")).lower()


def _is_made(value: exp.Expr) -> bool:
    """Whether an output is more than a key or one aggregate that has a value of its own."""
    if value.find(exp.Window, exp.Select) is not None:
        return False
    inside = value.this if isinstance(value, exp.Filter) else value
    if is_aggregate(inside):
        return isinstance(inside, exp.Avg)
    return any(is_aggregate(node) for node in value.walk())


def _replace_names(having: exp.Expr | None, made: Mapping[str, exp.Expr]) -> None:
    """Write out the names of outputs that HAVING uses."""
    for node in list(having.find_all(exp.Column)) if having else ():
        if not node.table and node.name.lower() in made and not _is_aggregated(node):
            node.replace(exp.paren(made[node.name.lower()].unalias().copy()))


def _is_aggregated(node: exp.Expr) -> bool:
    parent = node.parent
    while parent is not None:
        if is_aggregate(parent):
            return True
        parent = parent.parent
    return False
