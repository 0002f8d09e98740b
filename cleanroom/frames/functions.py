"""Where expressions begin: columns, constants, numbers of rows, private parameters, choices.

Rule: what a program imports.
"""

from sqlglot import exp

from cleanroom.frames.expression import Expression, Operand, column, filtered, tree_of
from cleanroom.frames.values import parameter, value_of


class When:
    """`when(condition).then(value)`, perhaps more of them, and `.otherwise(value)`."""

    def __init__(self, condition: Expression, before: tuple[exp.If, ...] = ()) -> None:
        self._condition = condition
        self._before = before

    def then(self, value: Operand) -> "Then":
        branch = exp.If(this=self._condition.tree, true=tree_of(value))
        return Then((*self._before, branch))


class Then(Expression):
    """A choice whose conditions so far have values; missing where none holds."""

    __slots__ = ("_branches",)

    def __init__(self, branches: tuple[exp.If, ...]) -> None:
        super().__init__(exp.Case(ifs=[branch.copy() for branch in branches]))
        self._branches = branches

    def when(self, condition: Expression) -> When:
        return When(condition, self._branches)

    def otherwise(self, value: Operand) -> Expression:
        ifs = [branch.copy() for branch in self._branches]
        return Expression(exp.Case(ifs=ifs, default=tree_of(value)))


def col(name: str) -> Expression:
    """Return a column of the frame in which the expression is used.

    Raises:
        UnsupportedQuery: if it isn't a name; whether there is one is known when it is used.
    """
    return column(name)


def lit(value: object) -> Expression:
    """Return a constant."""
    return Expression(value_of(value))


def count(*, where: Expression | None = None) -> Expression:
    """Return how many rows a group has."""
    return filtered(Expression(exp.Count(this=exp.Star(), big_int=True), "count"), where)


def row_number() -> Expression:
    """Return the place of a row: `row_number().over("id", order_by="day")`."""
    return Expression(exp.RowNumber(), "row_number")


def rank() -> Expression:
    """Return the place of a row, the same for equal ones: `rank().over("id", order_by="day")`."""
    return Expression(exp.Rank(), "rank")


def private(name: str) -> Expression:
    """Return a private parameter: pass its values to `collect`, and no owner learns them.

    It stands in `col(...) == private(name)` and `col(...).is_in(private(name))`, in a filter.
    """
    return Expression(parameter(name))


def when(condition: Expression) -> When:
    """Begin a choice: `when(col("a") > 1).then("many").otherwise("one")`."""
    return When(condition)
