"""A subquery's rows: a SELECT without aggregates, perhaps with window functions, bound.

Rule: its columns are expressions over rows, or window functions, never a mixture; `windows`
has taken mixtures apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.bind import Output, Query, check_rows, outputs_of
from cleanroom.sql.expr import has_aggregate
from cleanroom.sql.missing import present
from cleanroom.sql.parse import only
from cleanroom.sql.parts import settled, strengthened
from cleanroom.sql.scalars import Scalars
from cleanroom.sql.scope import Nest, Scope
from cleanroom.sql.windows import FROM, Call, beside_aggregates, bind_call


@dataclass(frozen=True, slots=True)
class InnerRows:
    """Attributes: query: its outputs are the columns that aren't computed by `calls`."""

    query: Query
    calls: Mapping[str, Call]


def check_names(outputs: Sequence[Output]) -> None:
    """Refuse columns of one name; those of a UNION ALL are named by its first branch alone."""
    if len({output.name for output in outputs}) < len(outputs):
        raise UnsupportedQuery("a subquery's column without a name of its own")


def bind_rows(
    select: exp.Select, terms: Terms, nest: Nest, ctes: Mapping[str, exp.CTE]
) -> InnerRows:
    """Bind the rows of a SELECT as `windows.taken_apart` leaves them.

    Raises:
        UnknownName, UnsupportedQuery, OverflowPossible.
    """
    only(select, *FROM, "expressions", "windows")
    scope = Scope(terms, nest)
    names, part = scope.enter(select, ctes)
    scalars = Scalars(names.resolve, aggregates=False)
    found: list[Output] = []
    calls: dict[str, Call] = {}
    for node in select.expressions:
        inside: Any = node.this
        if isinstance(node, exp.Alias) and isinstance(inside, exp.Window):
            calls[node.alias] = bind_call(inside, select.args.get("windows") or (), scalars.bind)
        else:
            found.extend(outputs_of(node, names))
    part, required = strengthened(part)
    outputs = tuple(Output(o.name.lower(), present(o.expr, required)) for o in found)
    if calls:
        check_names(outputs)
    bound = {name: call.present(required) for name, call in calls.items()}
    used = [e for call in bound.values() for e in (call.arg, *call.partition) if e is not None]
    used += [along.expr for call in bound.values() for along in call.order]
    if any(has_aggregate(e) for e in (*(o.expr for o in outputs), *used)):
        raise beside_aggregates()
    check_rows(part, (*(o.expr for o in outputs), *used))
    query = Query(
        tuple(scope.tables), settled(part, required), (), True, outputs, (), (), None, None
    )
    return InnerRows(query, bound)
