"""What a query reads rows from: tables of the contract, and inner aggregations like them."""

from dataclasses import dataclass

from sqlglot import exp

from cleanroom.contract.terms import TableTerms
from cleanroom.sql.aggregates import is_aggregate
from cleanroom.sql.domain import TRUTH, Domain
from cleanroom.sql.expr import Expr, column
from cleanroom.sql.view import PERSON, View


@dataclass(frozen=True, slots=True)
class Table:
    """One mention of a contract's table; a self join has two. Or an inner aggregation, a view."""

    name: str
    owners: tuple[str, ...]
    terms: TableTerms
    view: View | None = None


def person_column(index: int, table: Table) -> Expr:
    """Return the expression of a table's person column."""
    terms, view = table.terms, table.view
    if view is not None:
        domain = view.columns[terms.person].domain if view.person else TRUTH
        return column(index, terms.person, domain)
    return column(index, terms.person, Domain.of_column(terms.columns[terms.person]))


def aggregates(select: exp.Select) -> bool:
    """Whether a subquery aggregates."""
    if any(select.args.get(clause) for clause in ("group", "having", "distinct")):
        return True
    return any(
        is_aggregate(node)
        for output in select.expressions
        for node in output.walk(prune=lambda n: isinstance(n, exp.Select | exp.Window))
    )


def terms_of(view: View) -> TableTerms:
    """Return what the outer query may know of a view as of a table: its bounds."""
    return TableTerms.model_construct(
        members=None,
        person=view.person or PERSON,
        max_rows=view.rows,
        max_rows_per_person=1 if view.one_per_person else None,
        columns={},
    )
