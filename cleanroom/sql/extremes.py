"""EXISTS with one inequality beside its equalities: decided by the extremes of each key.

Rule: a row with x > v and given keys exists exactly if MAX(x) > v among the rows with these
keys; x < v asks MIN, and x <> v both.
"""

from typing import TYPE_CHECKING

from sqlglot import exp

from cleanroom.sql import operators
from cleanroom.sql.correlation import Hanging
from cleanroom.sql.expr import Expr, tables
from cleanroom.sql.names import Names
from cleanroom.sql.scalars import Scalars
from cleanroom.sql.tables import person_column
from cleanroom.sql.values import Values

if TYPE_CHECKING:
    from cleanroom.sql.scope import Scope

_ASKS: dict[str, tuple[type[exp.Expr], ...]] = {
    "<>": (exp.Min, exp.Max),
    "<": (exp.Min,),
    "<=": (exp.Min,),
    ">": (exp.Max,),
    ">=": (exp.Max,),
}


def needs_extremes(scope: "Scope", hanging: Hanging, names: Names) -> bool:
    """Whether no other way decides an EXISTS: neither one owner alone nor unique keys."""
    if len(hanging.inequalities) != 1 or not hanging.equalities or hanging.rest:
        return False
    around = (Scalars(names.resolve, aggregates=False).bind(t.outer) for t in hanging.ties)
    outside = {scope.tables[t].owners for expr in around for t in tables(expr)}
    owners = {table.owners for table in hanging.tables} | outside
    alone = len(owners) == 1 and len(next(iter(owners))) == 1
    return not alone and not _is_unique(hanging)


def _is_unique(hanging: Hanging) -> bool:
    if len(hanging.tables) != 1 or len(hanging.tables[0].owners) != 1:
        return False
    bind = Scalars(hanging.names.resolve, aggregates=False).bind
    person = person_column(0, hanging.tables[0])
    keyed = any(bind(tie.inner) == person for tie in hanging.equalities)
    return keyed and hanging.tables[0].terms.max_rows_per_person == 1


def exists(values: Values, hanging: Hanging, names: Names, *, negated: bool) -> Expr:
    """Return a condition that is TRUE where the subquery has a row or, negated, has none."""
    (tie,) = hanging.inequalities
    asked = _ASKS[tie.op]
    found = values.columns(hanging, [kind(this=tie.inner.copy()) for kind in asked])
    outer = Scalars(names.resolve, aggregates=False).bind(tie.outer)
    some = tuple(operators.compare(tie.op, extreme, outer) for extreme in found)
    if not negated:
        return some[0] if len(some) == 1 else operators.logical("or", some)
    none = tuple(operators.logical("not", (test,)) for test in some)
    unknown = (operators.is_null(found[0]), operators.is_null(outer))
    absent = unknown if outer.domain.nullable else unknown[:1]
    return operators.logical("or", (*absent, _all(none)))


def _all(parts: tuple[Expr, ...]) -> Expr:
    return parts[0] if len(parts) == 1 else operators.logical("and", parts)
