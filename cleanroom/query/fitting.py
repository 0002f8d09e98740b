"""A training on joined rows, lowered: the rows as today's queries join them, then one fit.

Rule: what is opened is the model alone. Features and target are numbers of one owner each, known
in every row; the contract's bounds say how they are scaled before anything is secret.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from cleanroom.contract.types import Kind
from cleanroom.errors import OverflowPossible, UnknownName, UnsupportedQuery
from cleanroom.plan.grouping import Fit, Scaled
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.plan import OpenedColumn
from cleanroom.plan.release import Release
from cleanroom.query.columns import Columns, deliver_something
from cleanroom.query.lower import Lowered
from cleanroom.query.persons import Persons
from cleanroom.query.sources import Placement
from cleanroom.query.tree import Tree
from cleanroom.query.units import Units
from cleanroom.sql import operators
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr
from cleanroom.sql.fitting import Fitting
from cleanroom.sql.render import cast, sql_of
from protocols.rep3.regression import BITS, L2_BITS
from protocols.rep3.sigmoid import STRETCH_OVER, STRETCH_UNDER
from protocols.rep3.standard import MAX_ROWS

MAX_FEATURES = 64
INTERCEPT = "intercept"


@dataclass(frozen=True, slots=True)
class Feature:
    """Attributes: expr: a number; `scaled` says how it is made to lie between -1 and 1."""

    name: str
    expr: Expr
    scaled: Scaled


def lower_fitting(query: Query, placement: Placement, fitting: Fitting, min_group: int) -> Lowered:
    """Lower the placed rows of a training.

    Raises:
        UnsupportedQuery: naming the column that can't be trained on, and why.
        UnknownName: if no column is the target.
        OverflowPossible: if the joined rows may be too many.
    """
    return _Lowering(query, placement, fitting, min_group).run()


@dataclass(slots=True)
class _Lowering:
    query: Query
    placement: Placement
    fitting: Fitting
    min_group: int
    columns: Columns = field(init=False)

    def run(self) -> Lowered:
        _check_rows(self.query, self.placement, self.fitting)
        self.columns = Columns.of(self.placement, ())
        named = self._named()
        target = self._target(named)
        features = [f for name, expr in named.items() for f in self._features(name, expr)]
        if not 1 <= len(features) <= MAX_FEATURES:
            raise UnsupportedQuery(f"{len(features)} features; from 1 to {MAX_FEATURES} are fitted")
        units = Units(self.columns)
        units.register(self.placement.root)
        persons = Persons(self.query, self.columns, units)
        if self.min_group > 1:
            persons.collect()
        deliver_something(self.query, self.columns)
        built = Tree(self.query, self.columns, ()).build(units)
        if built.slots > MAX_ROWS:
            what = f"a training on up to {built.slots} joined rows; at most {MAX_ROWS} are added up"
            raise OverflowPossible(what)
        fit = Fit(
            self.fitting.kind,
            tuple(feature.scaled for feature in features),
            target.scaled,
            self.fitting.iterations,
            round(self.fitting.l2 * (1 << L2_BITS)),
            self.min_group,
        )
        found = tuple((name,) for name in persons.found)
        grouped = Aggregate(built.node, (), found, (), (), fit=fit)
        optional = tuple(persons.optional)
        root = Release(grouped, self.min_group, None, fit.results, optional=optional, most=1)
        return Lowered(root, tuple(_opened(fit, features)), _final_sql(fit, features, target))

    def _named(self) -> dict[str, Expr]:
        """Return the columns of the rows by name, in their order."""
        found: dict[str, Expr] = {}
        for output in self.query.outputs:
            if output.expr.op != "key":
                what = f"{output.name!r} as a feature: the same in all rows, or of several owners"
                raise UnsupportedQuery(what, remedy="Leave it out, or compute it at one owner.")
            if output.name in found:
                raise UnsupportedQuery(f"two columns named {output.name!r} in a training")
            found[output.name] = self.query.keys[output.expr.position]
        return found

    def _target(self, named: dict[str, Expr]) -> Feature:
        """Take the target out of the columns."""
        name = next((n for n in named if n.lower() == self.fitting.target.lower()), None)
        if name is None:
            what = f"no column {self.fitting.target[:64]!r} among the training's rows"
            raise UnknownName(what, remedy=f"Its columns are {', '.join(named)}.")
        expr = named.pop(name)
        self._check(name, expr)
        if expr.domain.kind is Kind.BOOLEAN:
            expr = _flag(expr)
        if not expr.domain.is_number:
            raise UnsupportedQuery(f"target {name!r} of type {expr.domain.kind}")
        low, high = expr.domain.low, expr.domain.high
        truth = 0 <= low <= high <= 1 and not expr.domain.scale
        if self.fitting.kind == "logistic" and not truth:
            what = f"target {name!r} of a logistic regression with values from {low} to {high}"
            raise UnsupportedQuery(what, remedy="It is BOOLEAN, or an INTEGER with bounds [0, 1].")
        return self._feature(name, expr)

    def _features(self, name: str, expr: Expr) -> Iterator[Feature]:
        """Yield a number for each column, several for a TEXT."""
        self._check(name, expr)
        kind = expr.domain.kind
        if kind is Kind.BOOLEAN:
            yield self._feature(name, _flag(expr))
        elif kind is Kind.TEXT and expr.domain.values:
            for value in expr.domain.values[1:]:
                same = operators.compare("=", expr, operators.literal(value))
                yield self._feature(f"{name}={value}", _flag(same))
        elif expr.domain.is_number:
            yield self._feature(name, expr)
        else:
            what = "TEXT without declared values" if kind is Kind.TEXT else f"type {kind}"
            remedy = "Train on a number, BOOLEAN, or TEXT with declared values."
            raise UnsupportedQuery(f"feature {name!r} of {what}", remedy=remedy)

    def _check(self, name: str, expr: Expr) -> None:
        if self.placement.source_of(expr) is None:
            what = f"{name!r} of a training, computed from columns of several owners"
            raise UnsupportedQuery(what, remedy="Train on the columns themselves.")
        if expr.domain.nullable:
            remedy = f"COALESCE({name}, 0) AS {name}; WHERE {name} IS NOT NULL leaves rows out."
            raise UnsupportedQuery(f"{name!r} of a training may be NULL", remedy=remedy)

    def _feature(self, name: str, expr: Expr) -> Feature:
        measure = self.columns.measure(self.placement.home(expr), expr, ())
        low, high = expr.domain.low, expr.domain.high
        return Feature(name, expr, Scaled(measure, low, max(1, (high - low).bit_length())))


def _check_rows(query: Query, placement: Placement, fitting: Fitting) -> None:
    if not query.rows or query.order or query.limit is not None or query.offset is not None:
        what = "GROUP BY, DISTINCT, aggregates, ORDER BY or LIMIT around the rows of a training"
        raise UnsupportedQuery(what, remedy="SELECT the rows as they are, or aggregate inside.")
    if len(placement.sources) == 1:
        remedy = f"`cleanroom train` with model.kind = '{fitting.kind}' takes rows of one table."
        raise UnsupportedQuery("a training on shares without a join of owners", remedy=remedy)


def _flag(expr: Expr) -> Expr:
    return operators.case(((expr, operators.literal(1)),), operators.literal(0))


def _opened(fit: Fit, features: list[Feature]) -> Iterator[OpenedColumn]:
    for name, of in zip(fit.results, (INTERCEPT, *(f.name for f in features)), strict=True):
        yield OpenedColumn(name, "number", "BIGINT", f"coefficient of {of}, scaled")


def _final_sql(fit: Fit, features: list[Feature], target: Feature) -> str:
    """Write coefficients in the columns' own units, one row each, the intercept first."""
    unit, constant = 2.0**-BITS * STRETCH_UNDER / STRETCH_OVER, 0.0
    if fit.kind == "linear":
        unit, constant = 2.0**-BITS * _half(target), _middle(target)
    slopes = [unit / _half(feature) for feature in features]
    intercept: exp.Expr = _times(fit.results[0], unit)
    for name, slope, feature in zip(fit.results[1:], slopes, features, strict=True):
        intercept = exp.Sub(this=intercept, expression=_times(name, slope * _middle(feature)))
    intercept = exp.Add(this=intercept, expression=_number(constant))
    rows: list[tuple[str, exp.Expr]] = [(INTERCEPT, intercept)]
    rows += [
        (feature.name, _times(name, slope))
        for name, slope, feature in zip(fit.results[1:], slopes, features, strict=True)
    ]
    lines = [
        exp.Select(
            expressions=[
                exp.alias_(exp.Literal.string(name), "feature"),
                exp.alias_(value, "coefficient"),
            ]
        ).from_("opened")
        for name, value in rows
    ]
    return sql_of(exp.union(*lines, distinct=False))


def _times(name: str, factor: float) -> exp.Expr:
    value = cast(exp.column(name, quoted=True), "DOUBLE")
    return exp.paren(exp.Mul(this=value, expression=_number(factor)))


def _number(value: float) -> exp.Expr:
    return exp.paren(exp.Literal.number(repr(value)))


def _half(feature: Feature) -> float:
    """Return how far a feature's ends are from its middle, in its own unit."""
    half: float = 2 ** (feature.scaled.bits - 1) / 10**feature.expr.domain.scale
    return half


def _middle(feature: Feature) -> float:
    middle: float = feature.scaled.low / 10**feature.expr.domain.scale + _half(feature)
    return middle
