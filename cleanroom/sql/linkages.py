"""A linkage of the contract as a table of a query: one row a linked pair, on shares alone.

Rule: the view, derived from the contract; what a query selects of it doesn't change how pairs are
found. They are found anew in each query and opened to nobody. Whoever names it joins the persons of
both tables, and needs the right to.
"""

from cleanroom.contract.linkages import LEFT, RIGHT, RUNG
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.linkage.likeness import similar_of
from cleanroom.plan import linking
from cleanroom.plan.conditions import Term
from cleanroom.plan.linking import Linkage
from cleanroom.plan.plan import Use
from cleanroom.plan.restrictions import Facts, Origin
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import choose
from cleanroom.sql.linkage_leaf import keys_of, linkage_leaf
from cleanroom.sql.view import View, ViewColumn


def linkage_view(name: str, terms: Terms) -> View:
    """Return the view of one of the contract's linkages."""
    linkage = terms.linkages[name]
    node = Linkage(
        name,
        linkage_leaf(name, terms, "left"),
        linkage_leaf(name, terms, "right"),
        keys_of(linkage),
        similar_of(linkage),
    )
    sides = ((LEFT, linking.LEFT, linkage.left), (RIGHT, linking.RIGHT, linkage.right))
    columns = {shown: _person(found, terms, table) for shown, found, table in sides}
    number = Domain(Kind.INTEGER, 0, linkage.rungs)
    rung = ViewColumn(number, linking.RUNG, choose(number), _number(linking.RUNG), (), ())
    origins = tuple((shown, Origin(columns[shown].base, plain=True)) for shown in columns)
    tables = linkage.left, linkage.right
    return View(
        node=node,
        columns={**columns, RUNG: rung},
        rows=min(terms.tables[table].max_rows for table in tables),
        person=LEFT,
        rows_per_person=1,
        unique=(LEFT,),
        uses=tuple(Use(table, terms.tables[table].person, "join") for table in tables),
        facts=Facts(origins=origins, tables=tables, shape=name),
        also=(RIGHT,),
    )


def _person(found: str, terms: Terms, table: str) -> ViewColumn:
    person = terms.tables[table].person
    domain = Domain.of_column(terms.tables[table].columns[person])
    encoding = choose(domain, opened=True)
    value = _number(found) if encoding.kind == "number" else ()
    return ViewColumn(domain, found, encoding, value, (), ((table, person),))


def _number(name: str) -> tuple[Term, ...]:
    return (Term(1, (f"#{name}",)),)
