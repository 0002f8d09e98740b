"""A training in SQL: SELECT LOGISTIC_REGRESSION(target, iterations, l2) FROM (SELECT ...).

The inner SELECT names the rows; its other columns are the features. LINEAR_REGRESSION likewise.
Rule: what the text says; whether its columns can be trained on is found when it is lowered.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.grouping import FitKind
from cleanroom.sql.parse import construct, only

MAX_ITERATIONS = 500
MAX_L2 = 1000
L2_PLACES = 3
_KINDS: dict[str, FitKind] = {"LOGISTIC_REGRESSION": "logistic", "LINEAR_REGRESSION": "linear"}
_FORM = "SELECT LOGISTIC_REGRESSION(target, iterations, l2) FROM (SELECT ...)"


@dataclass(frozen=True, slots=True)
class Fitting:
    """Attributes: rows: the inner SELECT; target: one of its columns."""

    kind: FitKind
    target: str
    iterations: int
    l2: Decimal
    rows: exp.Select


def statement(sql: str, target: str, kind: FitKind, iterations: int, l2: Decimal | float) -> str:
    """Return the text of a training.

    Args:
        sql: a SELECT of rows, of which `target` names a column.

    Raises:
        UnsupportedQuery: for another kind of model.
    """
    names = [name for name, found in _KINDS.items() if found == kind]
    if not names:
        raise UnsupportedQuery(f"a {kind!r} model; {' and '.join(_KINDS.values())} ones are fitted")
    column = exp.to_identifier(target, quoted=True).sql(dialect="duckdb")
    call = f"{names[0]}({column}, {iterations}, {Decimal(str(l2)):f})"
    return " ".join(("SELECT", call, "FROM", f"({sql.strip().removesuffix(';')})"))


def fitting_of(select: exp.Select) -> Fitting | None:
    """Return what a SELECT trains; None if it is a query.

    Raises:
        UnsupportedQuery: for a training in another form.
    """
    first = select.expressions[0] if select.expressions else None
    call = first.this if isinstance(first, exp.Alias) else first
    if not isinstance(call, exp.Anonymous) or str(call.this).upper() not in _KINDS:
        return None
    only(select, "expressions", "from_")
    rows = _rows(select)
    if len(select.expressions) > 1 or len(call.expressions) != 3 or rows is None:
        raise UnsupportedQuery("a training in another form", remedy=f"Ask: {_FORM}.")
    target, iterations, l2 = call.expressions
    if not isinstance(target, exp.Column) or target.table:
        raise UnsupportedQuery(f"{construct(target)} as target", remedy="Name an inner column.")
    steps = _number(iterations, "iterations", 1, MAX_ITERATIONS)
    if steps != int(steps):
        raise UnsupportedQuery("iterations that are not a whole number")
    penalty = _number(l2, "l2", 0, MAX_L2)
    if penalty.as_tuple().exponent < -L2_PLACES:  # type: ignore[operator]
        raise UnsupportedQuery(f"l2 with more than {L2_PLACES} decimal places")
    kind = _KINDS[str(call.this).upper()]
    return Fitting(kind, target.name, int(steps), penalty, rows)


def _rows(select: exp.Select) -> exp.Select | None:
    source = select.args.get("from_")
    inner = source.this if source is not None else None
    if not isinstance(inner, exp.Subquery) or not isinstance(inner.this, exp.Select):
        return None
    only(inner, "this", "alias")
    return inner.this


def _number(node: exp.Expr, what: str, least: int, most: int) -> Decimal:
    """Read a plain number between two bounds."""
    try:
        plain = isinstance(node, exp.Literal) and not node.is_string
        value = Decimal(str(node.this)) if plain else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not least <= value <= most:
        raise UnsupportedQuery(f"{what} must be a number from {least} to {most}")
    return value
