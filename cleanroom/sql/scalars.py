"""From sqlglot's scalar expressions to bound ones: the allowlist of syntax.

Rule: a class of node that isn't in the table below is refused, and so is any clause of a node
that its method doesn't name.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import functions, intervals, operators
from cleanroom.sql.aggregates import bind_aggregate, filtered, is_aggregate
from cleanroom.sql.convert import convert
from cleanroom.sql.domain import Domain
from cleanroom.sql.expr import Expr
from cleanroom.sql.parse import construct, only

_BINARY: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.IntDiv: "//",
    exp.Mod: "%",
}
_COMPARE: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_UNARY_CALLS: dict[type[exp.Expr], str] = {
    exp.Abs: "abs",
    exp.Upper: "upper",
    exp.Lower: "lower",
    exp.Length: "length",
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Week: "week",
    exp.Day: "day",
    exp.DayOfWeek: "dayofweek",
    exp.Hour: "hour",
    exp.Minute: "minute",
    exp.Floor: "floor",
    exp.Ceil: "ceil",
    exp.Sqrt: "sqrt",
    exp.Ln: "ln",
    exp.Exp: "exp",
}
MAX_DIGITS = 40
_IN_A_SUBQUERY = (
    "Write it in a subquery without aggregates: "
    "FROM (SELECT *, ROW_NUMBER() OVER (...) AS n FROM ...) t."
)


class Scalars:
    """Binds expressions of one SELECT.

    Attributes:
        resolve: gives a column reference its expression, or raises UnknownName.
        aggregates: whether aggregate functions are allowed here.
        value: binds a subquery as a value, where one is allowed; within: also in arguments of
            aggregates.
    """

    def __init__(
        self,
        resolve: Callable[[exp.Column], Expr],
        *,
        aggregates: bool,
        value: Callable[[Any], Expr] | None = None,
        within: bool = False,
    ) -> None:
        self._resolve = resolve
        self._aggregates = aggregates
        self._value = value
        self._within = value if within else None

    def bind(self, node: exp.Expr) -> Expr:
        """Bind one expression.

        Raises:
            UnsupportedQuery: naming the first construct that isn't allowed.
        """
        kind = type(node)
        if kind in _BINARY:
            return self._binary(operators.arithmetic, _BINARY[kind], node)
        if kind in _COMPARE:
            return self._binary(operators.compare, _COMPARE[kind], node)
        if is_aggregate(node):
            return self._aggregate(node)
        if kind in _UNARY_CALLS:
            only(node, "this")
            return functions.call(_UNARY_CALLS[kind], self.bind(node.this))
        if kind in _METHODS:
            return _METHODS[kind](self, node)
        if kind is exp.Window:
            raise UnsupportedQuery("a window function here", remedy=_IN_A_SUBQUERY)
        raise UnsupportedQuery(construct(node))

    def _binary(self, build: Callable[[str, Expr, Expr], Expr], op: str, node: Any) -> Expr:
        only(node, "this", "expression", "typed", "safe")
        if isinstance(node.expression, exp.Interval) and op in ("+", "-"):
            return intervals.shifted(self.bind(node.this), node.expression, -1 if op == "-" else 1)
        return build(op, self.bind(node.this), self.bind(node.expression))

    def _aggregate(self, node: Any) -> Expr:
        if not self._aggregates:
            name = construct(node)
            raise UnsupportedQuery(f"{name} here; aggregates belong in SELECT or HAVING")
        return bind_aggregate(node, self._argument().bind)

    def _argument(self) -> "Scalars":
        return Scalars(self._resolve, aggregates=False, value=self._within)

    def _filtered(self, node: Any) -> Expr:
        only(node, "this", "expression")
        condition = self._argument().bind(node.expression.this)
        return filtered(self.bind(node.this), condition)

    def _column(self, node: Any) -> Expr:
        only(node, "this", "table", "db")
        if not isinstance(node.this, exp.Identifier):
            raise UnsupportedQuery(construct(node.this))
        return self._resolve(node)

    def _subquery(self, node: Any) -> Expr:
        if self._value is None:
            what = "a subquery in an expression, other than in a condition of WHERE or HAVING"
            raise UnsupportedQuery(what)
        return self._value(node)

    def _paren(self, node: Any) -> Expr:
        only(node, "this")
        return self.bind(node.this)

    def _constant(self, node: Any) -> Expr:
        if isinstance(node, exp.Null):
            return operators.literal(None)
        if isinstance(node, exp.Boolean):
            return operators.literal(bool(node.this))
        if node.is_string:
            return operators.literal(str(node.this))
        return operators.literal(_number(str(node.this)))

    def _neg(self, node: Any) -> Expr:
        only(node, "this")
        return operators.negative(self.bind(node.this))

    def _logic(self, node: Any) -> Expr:
        only(node, "this", "expression")
        op = "and" if isinstance(node, exp.And) else "or"
        return operators.logical(op, (self.bind(node.this), self.bind(node.expression)))

    def _not(self, node: Any) -> Expr:
        only(node, "this")
        return operators.logical("not", (self.bind(node.this),))

    def _between(self, node: Any) -> Expr:
        only(node, "this", "low", "high")
        arg = self.bind(node.this)
        low = operators.compare(">=", arg, self.bind(node.args["low"]))
        high = operators.compare("<=", arg, self.bind(node.args["high"]))
        return operators.logical("and", (low, high))

    def _in(self, node: Any) -> Expr:
        if node.args.get("query"):
            return self._subquery(node)
        only(node, "this", "expressions")
        options = tuple(self.bind(option) for option in node.expressions)
        return operators.is_in(self.bind(node.this), options)

    def _is(self, node: Any) -> Expr:
        only(node, "this", "expression")
        arg = self.bind(node.this)
        if isinstance(node.expression, exp.Null):
            return operators.is_null(arg)
        if isinstance(node.expression, exp.Boolean) and arg.domain.kind is Kind.BOOLEAN:
            same = operators.compare("=", arg, self.bind(node.expression))
            known = operators.logical("not", (operators.is_null(arg),))
            return operators.logical("and", (same, known)) if arg.domain.nullable else same
        raise UnsupportedQuery(f"IS {construct(node.expression)}")

    def _like(self, node: Any) -> Expr:
        only(node, "this", "expression", "negate")
        args = (self.bind(node.this), self.bind(node.expression))
        if args[0].domain.kind is not Kind.TEXT or not isinstance(args[1].value, str):
            raise UnsupportedQuery("LIKE with anything but TEXT and a constant pattern")
        if len(args[1].value) > 256 or args[1].value.count("%") > 8:
            raise UnsupportedQuery("LIKE with a pattern of over 256 characters or 8 wildcards")
        op = "like" if isinstance(node, exp.Like) else "ilike"
        found = Expr(op, args, Domain(Kind.BOOLEAN, 0, 1, nullable=args[0].domain.nullable))
        return operators.logical("not", (found,)) if node.args.get("negate") else found

    def _case(self, node: Any) -> Expr:
        only(node, "this", "ifs", "default")
        subject = self.bind(node.this) if node.args.get("this") else None
        branches = []
        for branch in node.args["ifs"]:
            condition = self.bind(branch.this)
            if subject is not None:
                condition = operators.compare("=", subject, condition)
            branches.append((condition, self.bind(branch.args["true"])))
        default = node.args.get("default")
        return operators.case(tuple(branches), self.bind(default) if default else None)

    def _if(self, node: Any) -> Expr:
        only(node, "this", "true", "false")
        default = node.args.get("false")
        branch = (self.bind(node.this), self.bind(node.args["true"]))
        return operators.case((branch,), self.bind(default) if default else None)

    def _cast(self, node: Any) -> Expr:
        only(node, "this", "to")
        return convert(self.bind(node.this), node.to.sql(dialect="duckdb").upper())

    def _extract(self, node: Any) -> Expr:
        only(node, "this", "expression")
        return functions.call(_unit(node.this), self.bind(node.expression))

    def _trunc(self, node: Any) -> Expr:
        only(node, "this", "unit")
        return functions.date_trunc(_unit(node.args["unit"]), self.bind(node.this))

    def _substring(self, node: Any) -> Expr:
        only(node, "this", "start", "length", "expression")
        start = node.args.get("start")
        length = node.args.get("length") or node.args.get("expression") or exp.Literal.number(64)
        first = self.bind(start) if start else operators.literal(1)
        return functions.call("substring", self.bind(node.this), first, self.bind(length))

    def _many(self, node: Any) -> Expr:
        only(node, "this", "expressions", "expression", "decimals", "ignore_nulls")
        name = _MANY[type(node)]
        rest = [*node.expressions, node.args.get("expression"), node.args.get("decimals")]
        args = tuple(self.bind(arg) for arg in [node.this, *rest] if arg is not None)
        return functions.call(name, *operators.alike(*args))

    def _anonymous(self, node: Any) -> Expr:
        name = str(node.this).lower()
        if name in ("date_part", "datepart") and len(node.expressions) == 2:
            return functions.call(_unit(node.expressions[0]), self.bind(node.expressions[1]))
        raise UnsupportedQuery(construct(node))


_MANY: dict[type[exp.Expr], str] = {
    exp.Coalesce: "coalesce",
    exp.Nullif: "nullif",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.Round: "round",
    exp.Pow: "pow",
}
_METHODS: dict[type[exp.Expr], Callable[[Scalars, Any], Expr]] = {
    exp.Column: Scalars._column,
    exp.Paren: Scalars._paren,
    exp.Subquery: Scalars._subquery,
    exp.Exists: Scalars._subquery,
    exp.Literal: Scalars._constant,
    exp.Boolean: Scalars._constant,
    exp.Null: Scalars._constant,
    exp.Neg: Scalars._neg,
    exp.And: Scalars._logic,
    exp.Or: Scalars._logic,
    exp.Not: Scalars._not,
    exp.Between: Scalars._between,
    exp.In: Scalars._in,
    exp.Is: Scalars._is,
    exp.Like: Scalars._like,
    exp.ILike: Scalars._like,
    exp.Case: Scalars._case,
    exp.If: Scalars._if,
    exp.Cast: Scalars._cast,
    exp.Extract: Scalars._extract,
    exp.TimestampTrunc: Scalars._trunc,
    exp.DateTrunc: Scalars._trunc,
    exp.Substring: Scalars._substring,
    exp.Left: Scalars._substring,
    exp.Filter: Scalars._filtered,
    exp.Anonymous: Scalars._anonymous,
    **dict.fromkeys(_MANY, Scalars._many),
}


def _unit(node: exp.Expr) -> str:
    name = node.name.lower()
    return {"dow": "dayofweek", "weekday": "dayofweek"}.get(name, name)


def _number(text: str) -> int | Decimal:
    try:
        number = Decimal(text) if len(text) <= MAX_DIGITS else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise UnsupportedQuery(f"a number of more than {MAX_DIGITS} digits, or no number")
    return int(number) if text.isdigit() else number
