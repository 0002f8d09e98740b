"""Gates: rows that open where a secret condition holds, compiled from the contract's text alone.

Rule: who asks chooses a gate by its name, and nothing else. At most `max_rows` rows are opened;
an owner that isn't named as a recipient gets those alone that one of its own rows is part of.
"""

from collections.abc import Iterator
from dataclasses import replace

from cleanroom.contract.columns import MEMBER
from cleanroom.contract.offers import GateTerms
from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.plan.gated import Gated
from cleanroom.plan.question import Question
from cleanroom.plan.release import Release
from cleanroom.sql import operators
from cleanroom.sql.aggregates import filtered
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import UNKNOWN
from cleanroom.sql.expr import Expr
from cleanroom.sql.missing import optional
from cleanroom.sql.parts import walk_parts
from cleanroom.sql.tables import member_column, person_column


def gate_of(question: Question, terms: Terms) -> tuple[GateTerms, Gated]:
    """Return the gate that is asked, and as whom.

    Raises:
        UnknownName: if the contract has no gate of this name.
        UnsupportedQuery: if it is asked on ciphertexts.
    """
    name = question.gate
    if name not in terms.gates:
        remedy = f"It has {', '.join(terms.gates) or 'none'}."
        raise UnknownName(f"the contract has no gate {name!r}", remedy=remedy)
    if question.protocol != "mpc" or question.without:
        what = f"gate {name} on ciphertexts, where no condition stays secret,"
        raise UnsupportedQuery(what, remedy="Ask with protocol 'mpc', and leave nobody out.")
    gate, asks = terms.gates[name], question.recipient
    own = gate.owners and asks not in gate.to and any(terms.tables_of(asks))
    return gate, Gated(name, own)


def of_single_persons(terms: Terms) -> Terms:
    """Return the terms under which a gate is compiled: its groups are single persons."""
    return terms.model_copy(update={"privacy": terms.privacy.model_copy(update={"min_group": 1})})


def restricted(query: Query, gate: GateTerms, own: str) -> Query:
    """Return a gate's query that opens at most `max_rows` rows.

    Args:
        own: the owner whose own part is asked; "" for all.

    Raises:
        UnsupportedQuery: if it isn't about single rows or groups, or has a LIMIT of its own.
    """
    if not query.grouped:
        what = "one total of all rows as a gate"
        raise UnsupportedQuery(what, remedy="GROUP BY the person, or SELECT rows.")
    if query.limit is not None or query.offset is not None:
        raise UnsupportedQuery("LIMIT or OFFSET in a gate", remedy="max_rows says how many rows.")
    if own:
        query = _own(query, own)
    return replace(query, limit=gate.max_rows)


def opened_first(root: Release) -> Release:
    """Return the last step of a gate: it hides how many rows there are, up to `max_rows`.

    Raises:
        UnsupportedQuery: if only who sees all rows could tell which are the first.
    """
    if root.top is None:
        what = "a gate in an order by anything but keys, COUNT, SUM, MIN, MAX or quantiles"
        raise UnsupportedQuery(what)
    return replace(root, hidden=True, tells_more=True)


def _own(query: Query, member: str) -> Query:
    """Keep rows, or groups with a row, of which a row of this member is part."""
    found = tuple(_held(query, member))
    if not found:
        what = f"its own part of a gate for {member}, which holds none of the tables it joins"
        remedy = "In the gate's FROM, join a table of its own beside subqueries that aggregate."
        raise UnsupportedQuery(what, remedy=remedy)
    if any(condition.op == "literal" for condition in found):  # a table of its own, in every row
        return query
    held = found[0] if len(found) == 1 else operators.logical("or", found)
    if query.rows:
        return replace(query, part=replace(query.part, where=(*query.part.where, held)))
    rows = filtered(Expr("aggregate", (), UNKNOWN, "count"), held)
    some = operators.compare(">=", rows, operators.literal(1))
    return replace(query, having=(*query.having, some))


def _held(query: Query, member: str) -> Iterator[Expr]:
    """Yield for each table of FROM that a member has a part of whether a row's part is its own."""
    for part, sides in walk_parts(query.part, tested=False):
        for index in part.tables:
            table = query.tables[index]
            if member not in table.owners:
                continue
            if len(table.owners) == 1 and not sides:
                yield operators.literal(True)
                continue
            if len(table.owners) == 1:
                person = _beyond(person_column(index, table), sides)
                yield operators.logical("not", (operators.is_null(person),))
                continue
            named = member_column(index, table)
            if not named:
                what = f"the own part of {table.name}, which declares a column {MEMBER!r}"
                raise UnsupportedQuery(what)
            column = _beyond(named[MEMBER], sides)
            yield operators.compare("=", column, operators.literal(member))


def _beyond(expr: Expr, sides: tuple[int, ...]) -> Expr:
    for side in sides:
        expr = optional(expr, side)
    return expr
