"""In which ways a query touches each column: what policy rules on.

Rule: a right holds for the column as it is. An expression that could single out values, such
as a join key CASE WHEN id IN (1, 2) THEN id END, needs the right 'filter' besides, and so does
whatever is compared with what constants may decide, and whatever has to be equal to a column that
meets constants. A use of an inner aggregate is also one of all columns that it is computed from. A
row that is shown reveals its columns, and all that conditions make equal to them.
"""

from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction

from cleanroom.plan.plan import Use
from cleanroom.query.constants import NULL, chosen
from cleanroom.query.equalities import Equalities, is_equality
from cleanroom.query.origins import TRUTHS, origin
from cleanroom.query.powers import chooses
from cleanroom.query.sources import Placement
from cleanroom.query.weights import factors, squares
from cleanroom.sql.aggregates import RIGHTS, share_of
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr, columns, tables, walk
from cleanroom.sql.missing import bare
from cleanroom.sql.parts import walk_parts
from cleanroom.sql.windows import Call

LINEAR = {"+", "-", "*", "neg", "cast", "literal", "optional"}
# MIN(-x) is a MAX, and MIN(abs(x - 7)) finds single values.
SINGLE = {"min", "max", "median", "quantile_disc"}
_TAIL = Fraction(1, 10)


def uses(query: Query, placement: Placement) -> tuple[Use, ...]:
    """Return every (table, column, right) that the query needs, sorted."""
    found = {*_conditions(query, placement), *_keys(query), *_aggregates(query, placement)}
    found |= {*_filtered_alike(query)}
    return tuple(sorted(found | _below(query)))


def shown_uses(query: Query, placement: Placement, shown: Iterable[Expr]) -> tuple[Use, ...]:
    """Return the uses of expressions whose values are shown, as those of GROUP BY are."""
    found = {use for expr in shown for use in _value(query, placement, expr, "group")}
    return tuple(sorted(found))


def gate_uses(query: Query) -> tuple[Use, ...]:
    """Return the uses of a gate: 'reveal' for all that is opened, in whatever way.

    So it is for what rows are ordered by: who gets them brings them into order. What only chooses
    rows is what all members signed.
    """
    opened = [*(o.expr for o in query.outputs), *(o.expr for o in query.order)]
    used = {node.position for expr in opened for node in walk(expr) if node.op == "key"}
    shown = [*opened, *(query.keys[position] for position in used)]
    return tuple(sorted(set(_revealed(query, shown))))


def trained_uses(query: Query, placement: Placement) -> tuple[Use, ...]:
    """Return the uses of rows that a model is trained on: 'train' for all that is selected.

    'filter' besides for what could single out values.
    """
    found = {*_conditions(query, placement), *_below(query), *_filtered_alike(query)}
    for key in query.keys:
        found.update(_of(query, key, "train"))
        found.update(_value(query, placement, key, "train"))
    return tuple(sorted(found))


def inner_uses(query: Query, placement: Placement) -> tuple[Use, ...]:
    """Return the uses of an inner aggregation: its HAVING chooses rows of the outer query."""
    chosen = {use for expr in query.having for use in _all(query, expr)}
    return tuple(sorted({*uses(query, placement), *chosen}))


def row_uses(query: Query, placement: Placement, calls: Collection[Call]) -> tuple[Use, ...]:
    """Return the uses of a subquery's rows with window functions.

    Partitions need what GROUP BY needs. An order compares rows with each other. Columns are ruled
    on where the outer query uses them, but for what only their expressions tell.
    """
    found = {*_conditions(query, placement), *_below(query), *_filtered_alike(query)}
    for call in calls:
        for key in call.partition:
            found.update(_key(query, key))
        for along in call.order:
            found.update(_plainly(query, along.expr, "compare"))
    args = (call.arg for call in calls if call.arg is not None)
    for expr in (*(o.expr for o in query.outputs), *args):
        found.update(use for use in _value(query, placement, expr, "") if use.right)
        if not _is_plain(expr):
            found.update(_of(query, expr, "filter"))
    return tuple(sorted(found))


def _below(query: Query) -> set[Use]:
    """Return what subqueries need by themselves."""
    views = (table.view or table.local for table in query.tables)
    return {use for view in views if view is not None for use in view.uses}


def _all(query: Query, expr: Expr) -> Iterator[Use]:
    keys = (query.keys[node.position] for node in walk(expr) if node.op == "key")
    for part in (expr, *keys):
        yield from _of(query, part, "filter")


def _of(query: Query, expr: Expr, right: str) -> Iterator[Use]:
    for table, name in columns(expr):
        for owned, column in query.tables[table].base(name):
            yield Use(owned, column, right)


def conditions(query: Query) -> Iterator[Expr]:
    parts = [part for part, _ in walk_parts(query.part)]
    yield from (condition for part in parts for condition in part.where)
    yield from (c for part in parts for joined in part.attached for c in joined.on)


def _filtered_alike(query: Query) -> Iterator[Use]:
    """A condition on a column holds for every column that has to be equal to it."""
    equal = Equalities()
    for condition in filter(is_equality, conditions(query)):
        first, second = map(bare, condition.args)
        if first.op == second.op == "column":
            equal.join(first, second)
    for condition in conditions(query):
        found = chosen(condition)
        if found is not None and found.values != (NULL,):
            for other in equal.members(bare(found.column)):
                yield from _of(query, other, "filter")


def _conditions(query: Query, placement: Placement) -> Iterator[Use]:
    for condition in conditions(query):
        sides = condition.args if condition.op == "=" else ()
        if len(sides) == 2 and all(tables(s) for s in sides) and not (
            tables(sides[0]) & tables(sides[1])
        ):
            yield from _compared(query, sides, "join")
        else:
            yield from _condition(query, placement, condition)


def _condition(query: Query, placement: Placement, condition: Expr) -> Iterator[Use]:
    """'compare' for columns that are compared across owners, 'filter' for the others."""
    if placement.source_of(condition) is not None:
        yield from _of(query, condition, "filter")
    elif condition.op in ("and", "or", "not"):
        for arg in condition.args:
            yield from _condition(query, placement, arg)
    else:
        yield from _compared(query, condition.args, "compare")


def _compared(query: Query, sides: tuple[Expr, ...], right: str) -> Iterator[Use]:
    """The right for each side; where constants may stand behind one, all are filtered by them."""
    for side in sides:
        yield from _plainly(query, side, right)
        if any(origin(query, other).made for other in sides):
            yield from _of(query, side, "filter")


def _plainly(query: Query, expr: Expr, right: str) -> Iterator[Use]:
    """The right alone for a column as it is; 'filter' too for what is computed of columns."""
    yield from _of(query, expr, right)
    if bare(expr).op != "column":
        yield from _of(query, expr, "filter")


def _revealed(query: Query, exprs: Iterable[Expr]) -> Iterator[Use]:
    """Yield the columns of what is shown, and all that conditions make equal to one of them."""
    equal = Equalities()
    for condition in filter(is_equality, conditions(query)):
        first, *others = (node for node in walk(condition) if node.op == "column")
        for other in others:
            equal.join(first, other)
    shown = [node for expr in exprs for node in walk(expr) if node.op == "column"]
    roots = {equal.root(column) for column in shown}
    for group in equal.groups():
        if equal.root(group[0]) in roots:
            for column in group:
                yield from _of(query, column, "reveal")


def _keys(query: Query) -> Iterator[Use]:
    if query.rows:  # a right to single values needs no other to choose among them
        yield from _revealed(query, query.keys)
        return
    for key in query.keys[len(query.own_keys) :]:
        yield from _of(query, key, "compare")
    for key in query.own_keys:
        yield from _key(query, key)


def _key(query: Query, key: Expr) -> Iterator[Use]:
    yield from _of(query, key, "group")
    for node in walk(key):
        if node.op in TRUTHS or node.op == "case":
            yield from _of(query, node, "filter")


def _aggregates(query: Query, placement: Placement) -> Iterator[Use]:
    after = (*(o.expr for o in query.outputs), *(o.expr for o in query.order), *query.having)
    for expr in after:
        for node in walk(expr):
            if node.op == "aggregate":
                for arg in node.args:
                    for right in (*RIGHTS[str(node.value)], *_at_the_ends(node)):
                        yield from _value(query, placement, arg, right)
                    if node.value in SINGLE and not _is_plain(arg):
                        yield from _of(query, arg, "filter")
                for product in squares(node):
                    if chooses(query, product):
                        yield from _of(query, product, "filter")
                for factor in factors(query, (*node.args, *squares(node))):
                    yield from _of(query, factor, "filter")


def _at_the_ends(aggregate: Expr) -> tuple[str, ...]:
    """Return what a quantile needs that of a group of ten would be the smallest or largest."""
    if aggregate.value != "quantile_disc":
        return ()
    share = share_of(aggregate)
    return ("min",) if share <= _TAIL else ("max",) if share > 1 - _TAIL else ()


def _value(query: Query, placement: Placement, expr: Expr, right: str) -> Iterator[Use]:
    """An aggregate's right for what is aggregated; conditions inside it are conditions."""
    if expr.op in TRUTHS:
        yield from _condition(query, placement, expr)
    elif expr.op == "column":
        yield from _of(query, expr, right)
    elif expr.op == "case":
        for condition in expr.args[:-1:2]:
            yield from _condition(query, placement, condition)
        for value in (*expr.args[1:-1:2], expr.args[-1]):
            yield from _value(query, placement, value, right)
    else:
        # 1 // (x - 7) is NULL or great for single values of x
        if expr.op not in LINEAR or chooses(query, expr):
            yield from _of(query, expr, "filter")
        for arg in expr.args:
            yield from _value(query, placement, arg, right)


def _is_plain(expr: Expr) -> bool:
    """Whether an expression is a column, perhaps under a condition that is ruled on by itself."""
    expr = bare(expr)
    if expr.op == "case":
        return all(map(_is_plain, (*expr.args[1:-1:2], expr.args[-1])))
    return expr.op in ("column", "literal") or (expr.op == "cast" and _is_plain(expr.args[0]))
