"""FROM: which tables a SELECT reads and what each column name means.

Rule: CTEs and subqueries that only select, project, filter and join are merged away here, so
that what follows sees one flat list of tables and conditions.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlglot import exp

from cleanroom.contract.terms import TableTerms, Terms
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.query import operators
from cleanroom.query.aggregates import is_aggregate
from cleanroom.query.domain import Domain
from cleanroom.query.expr import Expr, column, conjuncts
from cleanroom.query.parse import construct, only
from cleanroom.query.scalars import Scalars
from cleanroom.query.view import PERSON, View

MAX_TABLES = 8
Nest: TypeAlias = Callable[[exp.Select, Mapping[str, exp.Select]], View]
_CLAUSES = ("with_", "expressions", "from_", "joins", "where")


@dataclass(frozen=True, slots=True)
class Table:
    """One mention of a contract's table; a self join has two. Or an inner aggregation, a view."""

    name: str
    owners: tuple[str, ...]
    terms: TableTerms
    view: View | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """Something in FROM: its alias and its columns."""

    alias: str
    columns: Mapping[str, Expr]
    qualifier: str = ""


@dataclass(slots=True)
class Scope:
    """Collects the tables and conditions of one query, subqueries included."""

    terms: Terms
    nest: Nest
    tables: list[Table] = field(default_factory=list)
    where: list[Expr] = field(default_factory=list)

    def enter(self, select: exp.Select, ctes: Mapping[str, exp.Select]) -> "Names":
        """Bind FROM, JOIN and WHERE; return what names mean after them."""
        ctes = {**ctes, **dict(_ctes(select))}
        if select.args.get("from_") is None:
            raise UnsupportedQuery("SELECT without FROM")
        names = Names()
        names.add(self._relation(select.args["from_"].this, ctes))
        for join in select.args.get("joins") or ():
            self._join(join, names, ctes)
        if where := select.args.get("where"):
            self._condition(where.this, names)
        return names

    def _condition(self, node: exp.Expr, names: "Names") -> None:
        bound = Scalars(names.resolve, aggregates=False).bind(node)
        self.where.extend(conjuncts(operators.condition(bound)))

    def _join(self, join: Any, names: "Names", ctes: Mapping[str, exp.Select]) -> None:
        how = " ".join(str(join.args.get(k) or "") for k in ("method", "side", "kind")).split()
        if how not in ([], ["INNER"], ["CROSS"]):
            what = f"{' '.join(how).upper()} JOIN; only INNER JOIN is computed"
            raise UnsupportedQuery(what, remedy="Write JOIN: rows without a partner stay out.")
        only(join, "this", "on", "using", "kind")
        relation = self._relation(join.this, ctes)
        for identifier in join.args.get("using") or ():
            name = identifier.name.lower()
            left, right = names.unqualified(name), _of(relation, name)
            self.where.append(operators.compare("=", left, right))
            names.merged[name] = left
        names.add(relation)
        if join.args.get("on") is not None:
            self._condition(join.args["on"], names)

    def _relation(self, node: exp.Expr, ctes: Mapping[str, exp.Select]) -> Relation:
        if isinstance(node, exp.Subquery):
            only(node, "this", "alias")
            if not isinstance(node.this, exp.Select):
                raise UnsupportedQuery(construct(node.this))
            return self._subquery(node.this, _alias(node), ctes)
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            what = node.this if isinstance(node, exp.Table) else node
            raise UnsupportedQuery(f"{construct(what)} in FROM")
        only(node, "this", "db", "alias")
        name = node.name.lower()
        if not node.db and name in ctes:
            earlier = {k: v for k, v in ctes.items() if v is not ctes[name]}
            return self._subquery(ctes[name], _alias(node) or name, earlier)
        full = f"{node.db.lower()}.{name}" if node.db else name
        return self._table(full, _alias(node) or name, node.db.lower())

    def _table(self, full: str, alias: str, qualifier: str) -> Relation:
        if full not in self.terms.tables:
            raise UnknownName(f"no table {full!r}", remedy=nearest(full, self.terms.tables))
        if len(self.tables) == MAX_TABLES:
            raise UnsupportedQuery(f"more than {MAX_TABLES} tables")
        terms = self.terms.tables[full]
        index = len(self.tables)
        self.tables.append(Table(full, self.terms.owners(full), terms))
        columns = {
            name: column(index, name, Domain.of_column(declared))
            for name, declared in terms.columns.items()
        }
        return Relation(alias, columns, qualifier)

    def _subquery(
        self, select: exp.Select, alias: str, ctes: Mapping[str, exp.Select]
    ) -> Relation:
        if _aggregates(select):
            return self._view(select, alias, ctes)
        only(select, *_CLAUSES)
        names = self.enter(select, ctes)
        scalars = Scalars(names.resolve, aggregates=False)
        columns: dict[str, Expr] = {}
        for node in select.expressions:
            if isinstance(node, exp.Star):
                only(node)
                columns.update(names.everything())
                continue
            name = node.alias_or_name.lower()
            inner = node.this if isinstance(node, exp.Alias) else node
            if not name or name in columns:
                raise UnsupportedQuery("a subquery's column without a name of its own")
            columns[name] = scalars.bind(inner)
        return Relation(alias, columns)


    def _view(
        self, select: exp.Select, alias: str, ctes: Mapping[str, exp.Select]
    ) -> Relation:
        """Lower an inner aggregation and let its groups be a table."""
        if len(self.tables) == MAX_TABLES:
            raise UnsupportedQuery(f"more than {MAX_TABLES} tables")
        view, index = self.nest(select, ctes), len(self.tables)
        self.tables.append(Table(alias or "subquery", (f"#{index}",), _terms_of(view), view))
        columns = {
            name: column(index, name, found.domain)
            for name, found in view.columns.items()
            if name != PERSON
        }
        return Relation(alias, columns)


@dataclass(slots=True)
class Names:
    """What column names mean, given the relations in FROM."""

    relations: list[Relation] = field(default_factory=list)
    merged: dict[str, Expr] = field(default_factory=dict)

    def add(self, relation: Relation) -> None:
        if relation.alias and any(r.alias == relation.alias for r in self.relations):
            raise UnsupportedQuery(f"two tables named {relation.alias!r}; give one an alias")
        self.relations.append(relation)

    def resolve(self, node: exp.Column) -> Expr:
        """Return the expression behind a column reference."""
        name, table, db = node.name.lower(), node.table.lower(), node.text("db").lower()
        if not table:
            return self.unqualified(name)
        for relation in self.relations:
            if relation.alias == table and (not db or db == relation.qualifier):
                return _of(relation, name)
        aliases = (relation.alias for relation in self.relations)
        raise UnknownName(f"no table or alias {table!r} in FROM", remedy=nearest(table, aliases))

    def unqualified(self, name: str) -> Expr:
        if name in self.merged:
            return self.merged[name]
        found = [r.columns[name] for r in self.relations if name in r.columns]
        if len(found) > 1:
            raise UnknownName(
                f"column {name!r} is in several tables", remedy="Write table.column."
            )
        if not found:
            known = (column for relation in self.relations for column in relation.columns)
            raise UnknownName(f"no column {name!r}", remedy=nearest(name, known))
        return found[0]

    def everything(self) -> Iterator[tuple[str, Expr]]:
        """Yield the columns of SELECT *."""
        seen = set()
        for relation in self.relations:
            for name, expr in relation.columns.items():
                if name in seen and name not in self.merged:
                    raise UnsupportedQuery(f"SELECT * with two columns named {name!r}")
                if name not in seen:
                    yield name, expr
                seen.add(name)


def _aggregates(select: exp.Select) -> bool:
    """Whether a subquery aggregates."""
    if any(select.args.get(clause) for clause in ("group", "having", "distinct")):
        return True
    return any(
        is_aggregate(node)
        for output in select.expressions
        for node in output.walk(prune=lambda n: isinstance(n, exp.Select | exp.Window))
    )


def _terms_of(view: View) -> TableTerms:
    """Return what the outer query may know of a view as of a table: its bounds."""
    return TableTerms.model_construct(
        members=None,
        person=view.person or PERSON,
        max_rows=view.rows,
        max_rows_per_person=1 if view.one_per_person else None,
        columns={},
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is most like `name`."""
    close = difflib.get_close_matches(name, sorted(set(known)), n=1, cutoff=0.4)
    return f"Did you mean {close[0]!r}?" if close else "Run 'cleanroom tables' to see the names."


def _of(relation: Relation, name: str) -> Expr:
    if name not in relation.columns:
        remedy = nearest(name, relation.columns)
        raise UnknownName(f"no column {name!r} in {relation.alias!r}", remedy=remedy)
    return relation.columns[name]


def _alias(node: exp.Expr) -> str:
    alias = node.args.get("alias")
    if alias is not None:
        only(alias, "this")
    return node.alias.lower()


def _ctes(select: exp.Select) -> Iterator[tuple[str, exp.Select]]:
    if with_ := select.args.get("with_"):
        only(with_, "expressions")
        for cte in with_.expressions:
            only(cte, "this", "alias")
            if not isinstance(cte.this, exp.Select):
                raise UnsupportedQuery(f"{construct(cte.this)} in WITH")
            yield _alias(cte), cte.this
