"""The sheet of a plan on secret shares: what runs there, and who learns what besides the result."""

from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan import sheet_of_gate as of_gate
from cleanroom.plan import sheet_of_propagation as of_propagation
from cleanroom.plan import sheet_on_noise as on_noise
from cleanroom.plan.controls import Complement
from cleanroom.plan.cost import most_rows
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.grouping import Fit
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.linking import Linkage
from cleanroom.plan.nodes import Join, Node, Union
from cleanroom.plan.ordering import Top
from cleanroom.plan.plan import Plan, linkages_of
from cleanroom.plan.steps import carried, directed
from cleanroom.plan.steps import steps as below
from protocols.rep3.regression import L2_BITS


def steps(plan: Plan) -> Iterator[str]:
    """Say what is computed, one step a line."""
    if plan.propagation is not None:
        yield from of_propagation.steps(plan.propagation)
        return
    numbers = iter(range(len(plan.leaves)))
    yield from below(plan.root.input.input, numbers)
    grouped = plan.root.input
    if grouped.fit is not None:
        yield from _fitted(grouped.fit)
    found = (*grouped.sums, *_extremes(plan), *_statistics(plan))
    how = "put equal rows together" if is_rows(plan) else "group"
    if grouped.fit is None:
        yield f"{how} by ({', '.join(grouped.keys)}){carried(grouped)}: {', '.join(found)}"
    if plan.root.min_group > 1:
        yield from _enough_persons(plan)
    yield from _controlled(plan)
    if plan.root.having is not None:
        yield "keep groups where HAVING is true"
    if plan.root.top is not None:
        what = "row" if is_rows(plan) else "group"
        yield f"keep the first {plan.root.top.limit} {what}s {_order(plan.root.top, what)}"
    if plan.noise is not None:
        yield from on_noise.steps(plan, plan.noise)
    else:
        yield _handed_out(plan)


def leaks(plan: Plan, terms: Terms) -> Iterator[str]:
    """Say what else somebody learns."""
    computing = ", ".join(terms.computing) or "nobody"
    yield "the query's text: all members and the coordinator"
    if plan.noise is not None:
        yield from on_noise.sizes(plan)
        return
    if plan.gate is not None:
        yield from on_noise.sizes(plan)
    else:
        yield from _sizes(plan, computing)
    if not plan.root.hidden:
        what = "different rows that are opened" if is_rows(plan) else "released groups"
        if plan.root.input.fit is not None:
            yield f"whether the model is opened: {computing}"
        else:
            yield f"the number of {what}: {computing}"
    if plan.gate is not None:
        yield from of_gate.leaks(plan, plan.gate, terms)
    if plan.propagation is not None:
        yield from of_propagation.leaks(plan, plan.propagation, terms)
    if plan.root.min_group > 1:
        yield f"the number of withheld groups, for any reason: {plan.recipient}"
    for bound in _bounds(plan.root.input.input):
        yield f"whether a join has more than {bound} rows (the query then fails): all members"
    yield from _left_over(plan)


def _enough_persons(plan: Plan) -> Iterator[str]:
    grouped = plan.root.input
    persons = ", ".join("(" + ", ".join(p) + ")" for p in grouped.persons)
    yield f"keep groups of {plan.root.min_group} or more distinct persons by {persons}"
    if grouped.supported_sums or grouped.supported_columns:
        values = ", ".join((*grouped.supported_sums, *grouped.supported_columns))
        yield f"and as many whose own {values} is neither zero nor NULL"
    if plan.root.optional:
        missing = ", ".join(f"({', '.join(grouped.persons[i])})" for i in plan.root.optional)
        yield f"groups with nobody at all by {missing} are kept too: an outer join left it out"


def _controlled(plan: Plan) -> Iterator[str]:
    """Say what is tested of groups, and done to them, beyond the threshold on persons."""
    for held in plan.root.held:
        yield f"keep groups with {held.least} or more of {', '.join(held.counts)} above zero"
    if plan.root.input.dominance is not None:
        sums = ", ".join(plan.root.input.dominance.sums)
        yield f"keep groups in which one or two persons, or a member, don't dominate {sums}"
    if plan.root.complement is not None:
        yield _complement(plan.root.complement)
    if plan.root.rounding is not None:
        rounded = ", ".join(plan.root.rounding.counts)
        yield f"round the counts {rounded or 'that there are'} before anything else sees them"


def _complement(asked: Complement) -> str:
    if asked.lines is None:
        return "keep no groups at all if one of them isn't kept: totals could tell it"
    along = f"along {' and '.join(asked.lines)} " if len(asked.lines) > 1 else ""
    return (
        f"withhold further groups until those withheld {along}are several, of {asked.least} "
        "or more persons together: totals then tell none of them"
    )


def _fitted(fit: Fit) -> Iterator[str]:
    many = len(fit.features)
    yield f"scale {many} features by their bounds, centre and standardise them, never opened"
    yield f"fit a {fit.kind} regression: {fit.iterations} iterations, l2 = {fit.l2 / 2**L2_BITS:g}"
    yield "nothing tests how many persons a single feature tells apart"


def _handed_out(plan: Plan) -> str:
    """Say who sees how much is opened."""
    if plan.root.input.fit is not None:
        who = plan.recipient if plan.root.hidden else f"{plan.recipient}, and who computes,"
        return f"open the coefficients, or nothing of them; only {who} learns which"
    what = "different rows" if is_rows(plan) else "groups"
    if not plan.root.hidden:
        return f"open as many {what} as are left, which the computing members see"
    most = most_rows(plan.root.input)
    slots = 64 * -(-min(most, most if plan.root.slots is None else plan.root.slots) // 64)
    return (
        f"open {slots} slots, unused ones holding zeros: only {plan.recipient} learns how many "
        f"{what} there are"
    )


def is_rows(plan: Plan) -> bool:
    """Whether it opens rows, equal ones once with their number, rather than groups."""
    return plan.root.repeated is not None


def _order(top: Top, what: str) -> str:
    """Say in which order, and how ties are broken."""
    keys = [directed(by) for by in top.order]
    ties = "all columns of the row" if what == "row" else "the keys of the group"
    return f"by {', '.join([*keys, ties])}; no other {what} is opened"


def _extremes(plan: Plan) -> Iterator[str]:
    for extreme in plan.root.input.extremes:
        yield f"{extreme.name} = {extreme.kind}({extreme.column})"


def _statistics(plan: Plan) -> Iterator[str]:
    for one in plan.root.input.distincts:
        yield f"{one.name} = {one.kind}(distinct {one.column})"
    for quantile in plan.root.input.quantiles:
        rank = f"{quantile.numerator}/{quantile.denominator} of {quantile.weight}"
        what = "value" if quantile.kind == "at" else "sum of the two values"
        yield f"{quantile.name} = {what} of {quantile.column} at rank {rank}"


def _left_over(plan: Plan) -> Iterator[str]:
    for linkage in dict.fromkeys(linkages_of(plan.root.input.input)):
        if linkage.similar is not None:
            left = f"whether the rungs of {linkage.name} leave more than {linkage.similar.max_left}"
            yield f"{left} rows of a side (the query then fails): all members"


def _sizes(plan: Plan, computing: str) -> Iterator[str]:
    for number, leaf in enumerate(plan.leaves):
        yield (
            f"rows that {leaf.member} holds of {' and '.join(leaf.tables)} for [{number}], rounded "
            f"up to a power of two, {leaf.max_rows} at most: {computing}"
        )
    yield f"by bytes and rounds, the sum of these sizes: {plan.recipient} and the coordinator"


def _bounds(node: Node) -> Iterator[int]:
    match node:
        case Join(left, right):
            yield from _bounds(left)
            yield from _bounds(right)
            if node.bound is not None:
                yield node.bound
        case Union(inputs):
            for child in inputs:
                yield from _bounds(child)
        case Leaf() | Propagate() | Linkage():
            return
        case _:
            yield from _bounds(node.input)
