"""Rules of conditions: how rows may be chosen by a column, whatever the right 'filter' says.

Rule: all conditions on a column count together, wherever in the query they stand; so two ranges
that are wide enough apart may be too narrow together. Names of persons meet no constants at all:
neither a right nor an expression around them changes that.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from cleanroom.contract.columns import ColumnTerms
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.plan.plan import Plan
from cleanroom.plan.restrictions import Base, Linked, Restriction
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation

_MICROSECONDS = 1_000_000
_PRIVATE = {"private_filter", "private_weights"}


class Limit(NamedTuple):
    """How a column may be restricted; `min_width` in its own units, as the contract has it."""

    filter_by: Literal["any", "equality", "range"]
    min_width: Decimal | None


def persons(terms: Terms, linked: Collection[Linked]) -> frozenset[Base]:
    """Return the columns that name persons: those declared, and all that they are compared with."""
    found = {(name, table.person) for name, table in terms.tables.items()}
    for _ in linked:  # as many steps as the longest chain may have
        more = {b for one in linked for b in (one.first, one.second) if _touches(one, found)}
        if more <= found:
            break
        found |= more
    return frozenset(found)


def _touches(one: Linked, found: Collection[Base]) -> bool:
    return one.first in found or one.second in found


def _persons(matter: Matter[Plan | TrainPlan]) -> Iterator[Violation]:
    plan, terms = matter.plan, matter.terms
    if terms.privacy.min_group == 1 and terms.privacy.release == "sdc":
        return
    named = persons(terms, plan.linked)
    met: dict[Base, dict[str, None]] = {}
    for one in plan.restrictions:
        if one.constant and one.base in named:
            met.setdefault(one.base, {})[one.what or _spelt(one)] = None
    for use in plan.uses:
        if use.right in _PRIVATE and (use.table, use.column) in named:
            met.setdefault((use.table, use.column), {})["a private parameter"] = None
    for (table, column), constructs in sorted(met.items()):
        message = (
            f"column {table}.{column} names persons, and meets constants or arithmetic in "
            f"{', '.join(constructs)}"
        )
        remedy = "Leave that out: names of persons are only joined, counted and grouped."
        owners = ", ".join(terms.owners(table)) if table in terms.tables else ""
        rule = f"tables.{table}.person"
        yield Violation(Code.PERSON_SINGLED_OUT, owners, message, remedy, rule)


def _spelt(one: Restriction) -> str:
    return {"equality": "= or IN", "range": "a range"}[one.how]


def _filters(matter: Matter[Plan | TrainPlan]) -> Iterator[Violation]:
    terms = matter.terms
    for base, column, found in restricted(matter):
        owners = ", ".join(terms.owners(base[0]))
        limit = Limit(column.filter_by, column.min_width)
        for code, message, remedy, key in breaches(base, column, limit, found):
            rule = f"tables.{base[0]}.columns.{base[1]}.{key}"
            yield Violation(code, owners, message, remedy, rule)


def restricted(
    matter: Matter[Plan | TrainPlan],
) -> Iterator[tuple[Base, ColumnTerms, list[Restriction]]]:
    """Yield each column that rows are chosen by, and all conditions on it.

    What chooses rows by a column that it is compared with counts as another condition on it.
    """
    found: dict[Base, list[Restriction]] = {}
    for one in matter.plan.restrictions:
        if one.how != "computed":
            found.setdefault(one.base, []).append(one)
    direct = set(found)
    for linked in matter.plan.linked:
        for base, other in ((linked.first, linked.second), (linked.second, linked.first)):
            if other in direct:
                what = f"a condition on {'.'.join(other)}, with which it is compared"
                found.setdefault(base, []).append(Restriction(*base, "other", what))
    for base, conditions in sorted(found.items()):
        table = matter.terms.tables.get(base[0])
        columns: Mapping[str, ColumnTerms] = table.named_columns if table else {}
        if base[1] in columns:
            yield base, columns[base[1]], conditions


def breaches(
    base: Base, column: ColumnTerms, limit: Limit, found: Iterable[Restriction]
) -> Iterator[tuple[Code, str, str, str]]:
    """Yield code, message, remedy and key of every way in which conditions break a limit."""
    if limit.filter_by == "any":
        return
    name, conditions = ".".join(base), tuple(found)
    forms = {one.what or _spelt(one) for one in conditions if one.how != limit.filter_by}
    if limit.filter_by == "range":
        forms = {one.what for one in conditions if one.how == "other"}
    for form in sorted(forms):
        allowed, way = "equality", "Choose its rows with = or IN and constants."
        if limit.filter_by == "range":
            allowed = "ranges"
            way = "Choose its rows with <, <=, >, >= or BETWEEN and constants, joined by AND."
        message = f"column {name} is restricted by {form}; {allowed} alone may restrict it"
        yield Code.FILTER_NOT_ALLOWED, message, way, "filter_by"
    if limit.filter_by == "range" and not forms and limit.min_width is not None:
        width = _width(column, conditions)
        if width < limit.min_width:
            message = f"column {name} is restricted to a range of {width}; {limit.min_width} needed"
            remedy = f"Ask for a range of at least {limit.min_width}."
            yield Code.RANGE_TOO_NARROW, message, remedy, "min_width"


def _width(column: ColumnTerms, conditions: Collection[Restriction]) -> Decimal:
    """Return how many of the column's units all conditions together leave."""
    low, high = column.range
    for one in conditions:
        if one.how == "range":
            low, high = max(low, one.low), min(high, one.high)
    steps = max(high - low + 1, 0)
    steps = min((steps, *(len(one.values) for one in conditions if one.how == "equality")))
    if column.sql_type.kind is Kind.TIMESTAMP:
        return Decimal(steps) / _MICROSECONDS
    return Decimal(steps).scaleb(-column.sql_type.scale)


RULES: tuple[Rule[Plan | TrainPlan], ...] = (_persons, _filters)
