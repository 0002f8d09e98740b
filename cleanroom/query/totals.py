"""Aggregates: sum columns that are derived on shares, with proofs that they don't wrap."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.conditions import And, Predicate, Term
from cleanroom.query.columns import Columns
from cleanroom.query.pieces import Guard, Piece, take_apart
from cleanroom.query.predicates import lower, not_true
from cleanroom.query.summands import summands
from cleanroom.sql import operators
from cleanroom.sql.domain import LIMIT
from cleanroom.sql.expr import Expr


@dataclass(frozen=True, slots=True)
class Total:
    """One derived sum column. Its bound is `magnitude` in each joined row."""

    name: str
    terms: tuple[Term, ...]
    magnitude: int
    meaning: str

    def bound(self, rows: int) -> int:
        """Return the largest possible total over `rows` joined rows.

        Raises:
            OverflowPossible: naming the aggregate and its limits.
        """
        if self.magnitude * rows >= LIMIT:
            raise OverflowPossible(
                f"{self.meaning} may reach {self.magnitude} in each of {rows} joined rows; "
                f"a total below {LIMIT} is safe"
            )
        return self.magnitude * rows


@dataclass(slots=True)
class Totals:
    """The register of derived sum columns: each computed once."""

    columns: Columns
    found: dict[tuple[str, Expr | None], Total] = field(default_factory=dict)

    def count(self, arg: Expr | None, meaning: str) -> Total:
        """COUNT(arg), or COUNT(*) of None."""
        if arg is not None and not arg.domain.nullable:
            arg = None
        return self._total("count", arg, meaning)

    def sum(self, arg: Expr, meaning: str) -> Total:
        return self._total("sum", arg, meaning)

    def held(self, arg: Expr, meaning: str) -> Total:
        """COUNT(arg) that is only tested, never opened."""
        return self._total("held", arg, meaning)

    def part(self, arg: Expr, meaning: str) -> Total:
        """SUM(arg) that is only tested, never opened."""
        return self._total("part", arg, meaning)

    def tested(self) -> tuple[tuple[Expr, Total], ...]:
        """Return the sums that are asked for, and their summands, each a sum of its own."""
        asked = [(arg, total) for (kind, arg), total in self.found.items() if kind == "sum"]
        tested = {arg: total for arg, total in asked if arg is not None}
        for arg, total in tuple(tested.items()):
            for one in summands(arg):
                if one not in tested:
                    tested[one] = self.part(one, f"{total.meaning}, of one summand")
        return tuple(tested.items())

    def supported(self) -> Iterable[str]:
        """Return the totals behind which fewer persons may stand than behind their group.

        COUNT(*) counts every row, and a column of one sign without NULL adds to each person's.
        """
        for (kind, arg), total in self.found.items():
            if kind == "count" and arg is not None:
                yield total.name
        for arg, total in self.tested():
            domain = arg.domain
            always = not domain.nullable and not domain.low <= 0 <= domain.high
            if not (arg.op == "column" and always):
                yield total.name

    def _total(self, kind: str, arg: Expr | None, meaning: str) -> Total:
        key = (kind, arg)
        if key not in self.found:
            terms = tuple(self._terms(kind, arg))
            magnitude = arg.domain.magnitude if kind in ("sum", "part") and arg is not None else 1
            self.found[key] = Total(f"d{len(self.found)}", terms, magnitude, meaning)
        return self.found[key]

    def _terms(self, kind: str, arg: Expr | None) -> Iterable[Term]:
        if arg is None:
            yield self._term(1, {}, {}, None)
            return
        own = self.columns.placement.source_of(arg)
        if kind in ("count", "held") and own is not None:
            yield self._term(1, {}, {own: (_known(arg),)}, None)
            return
        if kind == "count":
            arg = _presence(arg, self.columns)
        for piece in take_apart(arg, self.columns.placement):
            conditions, when = self._guards(piece)
            if kind == "count":
                yield self._term(1, {}, conditions, when)
                continue
            for monomial in piece.monomials:
                scaled = monomial.coefficient * 10 ** (arg.domain.scale - monomial.scale)
                yield self._term(scaled, dict(monomial.factors), conditions, when)

    def _guards(self, piece: Piece) -> tuple[dict[int, tuple[Expr, ...]], Predicate | None]:
        """Divide what a piece needs into conditions of one source and a predicate on shares."""
        conditions: dict[int, tuple[Expr, ...]] = {}
        shared: list[Predicate] = []
        for source, expr in piece.known:
            conditions[source] = (*conditions.get(source, ()), _known(expr))
        for guard in piece.guards:
            own = self.columns.placement.source_of(guard.condition)
            if own is not None:
                conditions[own] = (*conditions.get(own, ()), _local(guard))
            else:
                predicate = lower(guard.condition, self.columns)
                shared.append(predicate if guard.wanted else not_true(predicate, self.columns))
        if len(shared) > 1:
            return conditions, And(tuple(shared))
        return conditions, shared[0] if shared else None

    def _term(
        self,
        coefficient: int,
        factors: dict[int, Expr],
        conditions: dict[int, tuple[Expr, ...]],
        when: Predicate | None,
    ) -> Term:
        names = tuple(
            self.columns.measure(source, factors.get(source), conditions.get(source, ()))
            for source in self.columns.placement.shown
        )
        return Term(coefficient, names, when)


def _known(expr: Expr) -> Expr:
    return operators.logical("not", (operators.is_null(expr),))


def _local(guard: Guard) -> Expr:
    if guard.wanted:
        return guard.condition
    false = operators.logical("not", (guard.condition,))
    if not guard.condition.domain.nullable:
        return false
    return operators.logical("or", (false, operators.is_null(guard.condition)))


def _presence(arg: Expr, columns: Columns) -> Expr:
    """Return a number that is NULL exactly where `arg` is, whatever its type."""
    if columns.placement.source_of(arg) is not None:
        return operators.case(((_known(arg), operators.literal(1)),), None)
    if arg.op == "case":
        values = [_presence(value, columns) for value in arg.args[1:-1:2]]
        pairs = tuple(zip(arg.args[:-1:2], values, strict=True))
        return operators.case(pairs, _presence(arg.args[-1], columns))
    if arg.op == "call" and arg.value == "coalesce":
        return _presence(operators.first_known(arg.args), columns)
    if arg.domain.is_number:
        return arg
    raise UnsupportedQuery("COUNT of an expression over several owners")
