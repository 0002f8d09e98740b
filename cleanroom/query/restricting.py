"""Which conditions a query puts on each column: what policy rules on besides rights.

Rule: a condition is an equality or a range only where it is one of those that all must hold, and
compares a column as it is with constants. Whatever else may choose rows, or tell single values
apart, is "other", by the name of its construct; nothing is left out because it isn't understood.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from cleanroom.plan.restrictions import Facts, How, Linked, Origin, Restriction
from cleanroom.query.canonical import digest
from cleanroom.query.constants import NULL, Chosen, chosen
from cleanroom.query.origins import TRUTHS, is_plain, merged, of_column, origin
from cleanroom.query.powers import chooses
from cleanroom.query.rowsets import shape_of
from cleanroom.query.sources import Placement
from cleanroom.query.uses import LINEAR, SINGLE, conditions
from cleanroom.query.weights import factors, is_moment, mixes, squares
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import COMPARISONS, Expr, columns, tables, walk
from cleanroom.sql.missing import bare
from cleanroom.sql.windows import Call

INSIDE, CASE, PRODUCT = " inside an expression", "CASE or FILTER", "a product"


def facts_of(query: Query, placement: Placement, *, inner: bool = False) -> Facts:
    """Return what a query's conditions are.

    Args:
        inner: whether its groups are rows of another query: then HAVING chooses these.
    """
    finding = _Finding(query, placement)
    found = {*finding.where(), *finding.keys(), *finding.having(chooses=inner)}
    inside = set(finding.aggregated())
    whole = not any(one.how == "other" for one in inside)
    whole = whole and not any(mixes((*node.args, *squares(node))) for node in finding.aggregates())
    facts = _with_below(query, found | inside, finding.linked, whole=whole)
    if not inner:
        return facts
    origins = tuple((o.name.lower(), origin(query, o.expr)) for o in query.outputs)
    return replace(facts, origins=origins, shape=shape_of(query))


def facts_of_rows(query: Query, placement: Placement, calls: Mapping[str, Call]) -> Facts:
    """Return what the conditions of a subquery's rows are, window functions among them."""
    finding = _Finding(query, placement)
    found = {*finding.where(), *finding.windows(calls.values())}
    for output in query.outputs:
        if not is_plain(query, output.expr):
            found.update(finding.of(output.expr, "other", "an expression of a subquery"))
    origins = {o.name: origin(query, o.expr) for o in query.outputs}
    for name, call in calls.items():
        values = call.arg is not None and call.kind in ("neighbour", "sum")
        of = origin(query, call.arg) if values and call.arg is not None else Origin()
        origins[name] = replace(of, plain=False)
    whole = finding.keeps_rows(calls.values())
    facts = _with_below(query, found, finding.linked, whole=whole)
    shape = shape_of(query, calls.items())
    return replace(facts, origins=tuple(origins.items()), shape=shape)


def facts_of_union(branches: Collection[tuple[Query, Facts]], names: Collection[str]) -> Facts:
    """Return what the conditions of all branches of a UNION ALL are.

    Args:
        names: of its columns, in the order of the branches' outputs.
    """
    restrictions = {r for _, facts in branches for r in facts.restrictions}
    linked = {one for _, facts in branches for one in facts.linked}
    origins = tuple(
        (name, merged(origin(query, query.outputs[place].expr) for query, _ in branches))
        for place, name in enumerate(names)
    )
    tables = tuple(name for _, facts in branches for name in facts.tables)
    shape = digest([list(names), *(facts.shape for _, facts in branches)])
    whole = all(facts.whole for _, facts in branches)
    ordered = tuple(sorted(restrictions)), tuple(sorted(linked))
    return Facts(*ordered, origins, tables, shape, whole)


def _with_below(
    query: Query, found: set[Restriction], linked: set[Linked], *, whole: bool
) -> Facts:
    tables: list[str] = []
    for table in query.tables:
        if (below := table.facts) is None:
            tables.append(table.name)
            continue
        found.update(below.restrictions)
        linked.update(below.linked)
        tables.extend(below.tables)
        whole = whole and below.whole
    whole = whole and len(set(tables)) == len(tables)  # one mention may choose fewer of its rows
    ordered = tuple(sorted(found)), tuple(sorted(linked))
    return Facts(*ordered, tables=tuple(tables), whole=whole)


@dataclass(slots=True)
class _Finding:
    """Attributes: linked: columns that conditions make equal, filled by `where`."""

    query: Query
    placement: Placement
    linked: set[Linked]

    def __init__(self, query: Query, placement: Placement) -> None:
        self.query, self.placement, self.linked = query, placement, set()

    def where(self) -> Iterator[Restriction]:
        """Yield the conditions of WHERE and ON, and of HAVING where it names keys alone."""
        for condition in conditions(self.query):
            yield from self._condition(condition)

    def keys(self) -> Iterator[Restriction]:
        """Yield what stands in keys: to part rows by a function of a column chooses none."""
        for key in self.query.keys:
            for one in self._value(key):
                choosing = one.what.endswith(INSIDE) or one.what == CASE
                yield one if choosing else replace(one, how="computed")

    def aggregated(self) -> Iterator[Restriction]:
        """Yield what stands inside of aggregates."""
        query = self.query
        for node in self.aggregates():
            for arg in node.args:
                yield from self._value(arg)
                if is_moment(node):
                    yield from self.of(arg, "computed", str(node.value).upper())
            for product in squares(node):
                if chooses(query, product):
                    yield from self.of(product, "other", str(node.value).upper())
            for factor in factors(query, (*node.args, *squares(node))):
                yield from self.of(factor, "other", PRODUCT)
            values = [arg for arg in node.args if arg.op != "literal"]
            if node.value in SINGLE and not all(is_plain(query, a) for a in values):
                yield from self.of(node, "other", f"{str(node.value).upper()}(expression)")

    def aggregates(self) -> Iterator[Expr]:
        query = self.query
        after = (*(o.expr for o in query.outputs), *(o.expr for o in query.order), *query.having)
        yield from (node for expr in after for node in walk(expr) if node.op == "aggregate")

    def keeps_rows(self, calls: Collection[Call]) -> bool:
        """Whether every column of a subquery's rows is of the same rows."""
        exprs = [output.expr for output in self.query.outputs]
        chosen = any(one.how == "other" for expr in exprs for one in self._value(expr))
        moved = any(call.kind == "neighbour" for call in calls)
        return not (chosen or moved or any(mixes((expr,)) for expr in exprs))

    def having(self, *, chooses: bool) -> Iterator[Restriction]:
        """Yield conditions on groups."""
        for condition in self.query.having:
            yield from self.of(condition, "other" if chooses else "computed", "HAVING")

    def windows(self, calls: Collection[Call]) -> Iterator[Restriction]:
        for call in calls:
            for expr in (*call.partition, *(() if call.arg is None else (call.arg,))):
                yield from self._value(expr)
            for along in call.order:
                if not is_plain(self.query, along.expr):
                    yield from self.of(along.expr, "other", "ORDER BY an expression")

    def of(self, expr: Expr, how: How, what: str) -> Iterator[Restriction]:
        """Yield an entry for each column behind an expression."""
        own = set(_own(self.query, expr))
        for table, name in columns(expr):
            for base in self.query.tables[table].base(name):
                yield Restriction(*base, how, what, base in own)
        for node in walk(expr):
            if node.op == "key":
                yield from self.of(self.query.keys[node.position], how, what)

    def _condition(self, condition: Expr) -> Iterator[Restriction]:
        if condition.op == "literal" or _is_known(condition):
            return
        if (found := chosen(condition)) is not None:
            yield from self._chosen(found)
            return
        sides = condition.args if condition.op in COMPARISONS else ()
        apart = all(map(tables, sides)) and not (sides and tables(sides[0]) & tables(sides[1]))
        if not sides or not apart:
            yield from self.of(condition, "other", _construct(condition))
            return
        self._link(*sides)
        if not all(is_plain(self.query, side) for side in sides):
            constant = not all(_of_rows(self.query, side) for side in sides)
            for one in self.of(condition, "other", _construct(condition)):
                yield replace(one, constant=one.constant and constant)
        elif condition.op != "=" and self.placement.source_of(condition) is not None:
            for one in self.of(condition, "other", "a comparison of columns"):
                yield replace(one, constant=False)

    def _chosen(self, found: Chosen) -> Iterator[Restriction]:
        of = origin(self.query, found.column)
        if not of.plain:
            yield from self.of(found.column, "other", "a column that a subquery computes")
            return
        constant = found.values != (NULL,)
        for base in of.own:
            yield Restriction(*base, found.how, "", constant, found.values, found.low, found.high)

    def _link(self, first: Expr, second: Expr) -> None:
        for a in origin(self.query, first).own:
            for b in origin(self.query, second).own:
                if a != b:
                    self.linked.add(Linked(min(a, b), max(a, b)))

    def _value(self, expr: Expr) -> Iterator[Restriction]:
        """Yield what an expression does besides passing a value on."""
        expr = bare(expr)
        if expr.op in ("column", "literal", "key"):
            return
        if expr.op in TRUTHS:
            yield from self.of(expr, "other", f"{_construct(expr)}{INSIDE}")
        elif expr.op == "case":
            for condition in expr.args[:-1:2]:
                yield from self.of(condition, "other", CASE)
            for value in (*expr.args[1:-1:2], expr.args[-1]):
                yield from self._value(value)
        elif expr.op == "call" and expr.value == "coalesce" and not origin(self.query, expr).made:
            for arg in expr.args:
                yield from self._value(arg)
        else:
            plainly = expr.op in LINEAR and not chooses(self.query, expr)
            yield from self.of(expr, "computed" if plainly else "other", _construct(expr))
            for arg in expr.args:
                yield from self._value(arg)


def _own(query: Query, expr: Expr) -> Iterator[tuple[str, str]]:
    """Yield the columns whose own values stand in an expression, not only counts, or NULL."""
    match expr.op:
        case "aggregate" if expr.value in ("count", "count_distinct"):
            return
        case "is_null":
            return
        case "column":
            yield from of_column(query, *expr.reference).own
        case "key":
            yield from _own(query, query.keys[expr.position])
    for arg in expr.args:
        yield from _own(query, arg)


def _of_rows(query: Query, expr: Expr) -> bool:
    """Whether an expression's value follows from columns of rows alone."""
    return not origin(query, expr).made and all(
        of_column(query, *reference).plain for reference in columns(expr)
    )


def _is_known(condition: Expr) -> bool:
    """Whether a condition only says that a column isn't NULL."""
    return condition.op == "not" and condition.args[0].op == "is_null" and (
        bare(condition.args[0].args[0]).op == "column"
    )


def _construct(expr: Expr) -> str:
    """Return how SQL spells what an expression does."""
    if expr.op in ("call", "cast", "aggregate"):
        return str(expr.value).upper()
    if expr.op in COMPARISONS and not all(bare(a).op in ("column", "literal") for a in expr.args):
        return f"{expr.op} with an expression"
    return expr.op.replace("_", " ").upper()
