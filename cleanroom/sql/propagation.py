"""A propagation in SQL: SELECT account, score FROM PROPAGATE(name, rounds), or REACH(name, hops).

Rule: what the text says; whether the contract has it, and allows as many rounds, is found later.
"""

import re
from dataclasses import dataclass

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.graphs import PropagationKind
from cleanroom.sql.parse import only

_COLUMNS: dict[PropagationKind, tuple[str, ...]] = {
    "propagate": ("account", "score"),
    "reach": ("account",),
}
_FORMS = {
    "propagate": "SELECT account, score FROM PROPAGATE(name, rounds)",
    "reach": "SELECT account FROM REACH(name, hops)",
}
_COUNTED = {"propagate": "rounds", "reach": "hops"}


@dataclass(frozen=True, slots=True)
class Propagation:
    """Attributes: name: of the contract's propagation; rounds: or hops."""

    kind: PropagationKind
    name: str
    rounds: int


def statement(kind: PropagationKind, name: str, rounds: int) -> str:
    """Return the text of a propagation."""
    named = exp.to_identifier(name).sql(dialect="duckdb")
    call = f"{kind.upper()}({named}, {rounds})"
    return " ".join(("SELECT", ", ".join(_COLUMNS[kind]), "FROM", call))


def propagation_of(select: exp.Select) -> Propagation | None:
    """Return what a SELECT propagates; None if it does nothing of the kind.

    Raises:
        UnsupportedQuery: for a propagation in another form.
    """
    kind = _kind(select)
    if kind is None:
        return None
    source = select.args["from_"].this
    try:
        only(select, "expressions", "from_")
        only(source, "this")
    except UnsupportedQuery as error:
        remedy = f"Ask: {_FORMS[kind]}; filter and sort its rows where they arrive."
        raise UnsupportedQuery(f"{error.message} of a propagation", remedy=remedy) from None
    plain = all(isinstance(one, exp.Column) and not one.table for one in select.expressions)
    found = tuple(one.name.lower() for one in select.expressions)
    arguments = source.this.expressions
    if not plain or found != _COLUMNS[kind] or len(arguments) != 2:
        raise _otherwise(kind)
    name, rounds = arguments
    if not _is_whole(rounds):
        raise _otherwise(kind, f"{_COUNTED[kind]} are a whole number from 1 up")
    if not isinstance(name, exp.Column) or name.table:
        raise _otherwise(kind)
    return Propagation(kind, name.name.lower(), int(rounds.this))


def _kind(select: exp.Select) -> PropagationKind | None:
    source = select.args.get("from_")
    table = source.this if source is not None else None
    call = table.this if isinstance(table, exp.Table) else None
    if not isinstance(call, exp.Anonymous):
        return None
    return next((kind for kind in _COLUMNS if kind == str(call.this).lower()), None)


def _is_whole(node: exp.Expr) -> bool:
    plain = isinstance(node, exp.Literal) and not node.is_string
    return plain and re.fullmatch("[0-9]{1,4}", str(node.this)) is not None


def _otherwise(kind: PropagationKind, hint: str = "") -> UnsupportedQuery:
    remedy = f"Ask: {_FORMS[kind]}{hint and f'; {hint}'}."
    return UnsupportedQuery("a propagation in another form", remedy=remedy)
