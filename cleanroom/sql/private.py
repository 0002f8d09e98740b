"""Private parameters taken out of a SELECT: what is left is an ordinary query.

Rule: `:name` stands for what owners must not learn, so it stands where a weight for each value of
a column can take its place, and nowhere else: `column IN (:name)` and `column = :name` as
conditions of WHERE joined by AND, and WEIGHTED_SUM(column, :name, largest [, measure]).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.private import Takes
from cleanroom.sql.parse import only

_WEIGHTED = "weighted_sum"
_WHERE = (
    "Write column IN (:name) or column = :name as a condition of WHERE, joined to others by AND."
)
_HOW = "Write WEIGHTED_SUM(column, :name, largest), with a measure after it unless rows count."


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a private parameter stood: beside which column, and what it takes."""

    name: str
    column: exp.Column
    takes: Takes


@dataclass(frozen=True, slots=True)
class Taken:
    """A SELECT without its private parameters.

    Attributes:
        marks: none if the query has no private parameter.
        largest: bound of weights, as whole numbers of their last place; scale: decimal places.
    """

    select: exp.Select
    marks: tuple[Mark, ...]
    largest: int = 1
    scale: int = 0

    @property
    def weighs(self) -> bool:
        return any(mark.takes == "weights" for mark in self.marks)

    def by_columns(self) -> exp.Select:
        """Return a query over the same rows whose keys are the columns beside parameters."""
        rows = self.select.copy()
        for clause in ("having", "order", "limit", "offset", "distinct"):
            rows.set(clause, None)
        rows.set("expressions", [exp.Count(this=exp.Star(), big_int=True)])
        rows.set("group", exp.Group(expressions=[mark.column.copy() for mark in self.marks]))
        return rows


def taken_out(select: exp.Select) -> Taken:
    """Take the private parameters out of a parsed SELECT.

    Raises:
        UnsupportedQuery: naming a parameter that stands where it can't, and where it can.
    """
    if select.find(exp.Placeholder) is None and not any(map(_weighed, select.expressions)):
        return Taken(select, ())
    rest = select.copy()
    marks, largest, scale = [], 1, 0
    if any(map(_weighed, rest.expressions)):
        mark, largest, scale = _weights(rest)
        marks.append(mark)
    marks += _where(rest)
    for left in rest.find_all(exp.Placeholder):
        raise UnsupportedQuery(f"private parameter {_shown(left)} here", remedy=_WHERE)
    _check_once(marks)
    return Taken(rest, tuple(marks), largest, scale)


def _where(rest: exp.Select) -> list[Mark]:
    """Remove the conditions with private parameters from WHERE."""
    if (where := rest.args.get("where")) is None:
        return []
    conditions = list(_conjuncts(where.this))
    marks = [(condition, _mark(condition)) for condition in conditions]
    kept = [condition for condition, mark in marks if mark is None]
    found = [mark for _, mark in marks if mark is not None]
    if found:
        rest.set("where", exp.Where(this=exp.and_(*kept, copy=True)) if kept else None)
    return found


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    match node:
        case exp.Paren():
            yield from _conjuncts(node.this)
        case exp.And():
            yield from _conjuncts(node.this)
            yield from _conjuncts(node.expression)
        case _:
            yield node


def _mark(condition: exp.Expr) -> Mark | None:
    match condition:
        case exp.In(this=exp.Column() as column, expressions=[exp.Placeholder() as parameter]):
            return Mark(_name(parameter), column, "values")
        case exp.EQ(this=exp.Column() as column, expression=exp.Placeholder() as parameter):
            return Mark(_name(parameter), column, "value")
        case exp.EQ(this=exp.Placeholder() as parameter, expression=exp.Column() as column):
            return Mark(_name(parameter), column, "value")
    return None


def _weighed(output: exp.Expr) -> bool:
    inner = output.unalias()
    return isinstance(inner, exp.Anonymous) and str(inner.this).lower() == _WEIGHTED


def _weights(rest: exp.Select) -> tuple[Mark, int, int]:
    """Replace weighted sums by what is summed; return their one parameter, its bound and places."""
    only(rest, "with_", "expressions", "from_", "joins", "where")
    found: list[tuple[Mark, int, int]] = []
    for output in list(rest.expressions):
        if not _weighed(output):
            what = "WEIGHTED_SUM beside another output"
            raise UnsupportedQuery(what, remedy="Ask for weighted sums alone.")
        call = output.unalias()
        mark, largest, scale, value = _arguments(call)
        found.append((mark, largest, scale))
        name = output.alias or _WEIGHTED
        output.replace(exp.alias_(value, name, quoted=True))
    if any(other != found[0] for other in found):
        what = "weighted sums of several columns, parameters or bounds in one query"
        raise UnsupportedQuery(what, remedy="Ask one after the other.")
    return found[0]


def _arguments(call: exp.Expr) -> tuple[Mark, int, int, exp.Expr]:
    match call.expressions:
        case [exp.Column() as column, exp.Placeholder() as parameter, bound, *measure] if (
            len(measure) < 2 and isinstance(bound, exp.Literal) and not bound.is_string
        ):
            largest, scale = _bound(str(bound.this))
            value: exp.Expr = exp.Count(this=exp.Star(), big_int=True)
            if measure:
                value = exp.Sum(this=measure[0].copy())
            return Mark(_name(parameter), column, "weights"), largest, scale, value
    raise UnsupportedQuery("WEIGHTED_SUM of something else", remedy=_HOW)


def _bound(text: str) -> tuple[int, int]:
    whole, _, places = text.partition(".")
    if not (whole + places).isdecimal() or len(whole + places) > 18:
        raise UnsupportedQuery("a bound of weights that is no exact number", remedy=_HOW)
    largest = int(Decimal(text).scaleb(len(places)))
    if largest < 1:
        raise UnsupportedQuery("a bound of weights below one unit", remedy=_HOW)
    return largest, len(places)


def _name(parameter: exp.Placeholder) -> str:
    if not str(parameter.this or "").isidentifier():
        what = "a private parameter without a name"
        raise UnsupportedQuery(what, remedy="Write it as :name.")
    return str(parameter.this)


def _shown(parameter: exp.Placeholder) -> str:
    return f":{str(parameter.this)[:40]}" if parameter.this else "?"


def _check_once(marks: list[Mark]) -> None:
    """Refuse a parameter in two places, and two parameters of one column."""
    for kind, names in (
        ("private parameter", [f":{mark.name}" for mark in marks]),
        ("column", [mark.column.name.lower() for mark in marks]),
    ):
        for name in names:
            if names.count(name) > 1:
                what = f"{kind} {name} in two private conditions"
                raise UnsupportedQuery(what, remedy="Put them together in one.")
