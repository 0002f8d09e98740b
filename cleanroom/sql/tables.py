"""What a query reads rows from: tables of the contract, and subqueries like them."""

from dataclasses import dataclass

from sqlglot import exp

from cleanroom.contract.columns import MEMBER, TableTerms
from cleanroom.plan.restrictions import Facts
from cleanroom.sql.aggregates import is_aggregate
from cleanroom.sql.domain import TRUTH, Domain
from cleanroom.sql.expr import Expr, column
from cleanroom.sql.view import PERSON, LocalView, View


@dataclass(frozen=True, slots=True)
class Table:
    """One mention of a contract's table; a self join has two. Or a subquery.

    Attributes:
        view, local: what the subquery computes, on shares or at its only owner.
    """

    name: str
    owners: tuple[str, ...]
    terms: TableTerms
    view: View | None = None
    local: LocalView | None = None

    @property
    def read(self) -> tuple[str, ...]:
        """Return the contract's tables that an owner reads for it."""
        return (self.name,) if self.local is None else self.local.tables

    @property
    def facts(self) -> Facts | None:
        """Return what is known of a subquery's conditions and columns."""
        of = self.view or self.local
        return None if of is None else of.facts

    def base(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return the contract's tables and columns that a column is computed from."""
        if self.view is not None:
            return self.view.columns[name].base
        return ((self.name, name),) if self.local is None else self.local.base[name]


def person_column(index: int, table: Table) -> Expr:
    """Return the expression of a table's person column."""
    terms, view = table.terms, table.view
    if view is not None:
        domain = view.columns[terms.person].domain if view.person else TRUTH
        return column(index, terms.person, domain)
    if table.local is not None:
        return column(index, terms.person, table.local.columns[terms.person])
    return column(index, terms.person, Domain.of_column(terms.columns[terms.person]))


def other_numbers(index: int, table: Table) -> tuple[Expr, ...]:
    """Return the columns that name a table's persons, one each, by numbers of their own."""
    view = table.view
    if view is None:
        return ()
    return tuple(column(index, name, view.columns[name].domain) for name in view.also)


def member_column(index: int, table: Table) -> dict[str, Expr]:
    """Return the column of a federated table that names who holds a row, unless it declares one."""
    declared = table.terms.member_column
    return {} if declared is None else {MEMBER: column(index, MEMBER, Domain.of_column(declared))}


def aggregates(select: exp.Select) -> bool:
    """Whether a subquery aggregates."""
    if any(select.args.get(clause) for clause in ("group", "having", "distinct")):
        return True
    return any(
        is_aggregate(node)
        for output in select.expressions
        for node in output.walk(prune=lambda n: isinstance(n, exp.Select | exp.Window))
    )


def terms_of(view: View | LocalView) -> TableTerms:
    """Return what the outer query may know of a subquery as of a table: its bounds."""
    return TableTerms.model_construct(
        members=None,
        person=view.person or PERSON,
        max_rows=view.rows,
        max_rows_per_person=view.rows_per_person,
        owners_per_person=None,
        columns={},
    )
