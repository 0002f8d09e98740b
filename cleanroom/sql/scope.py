"""FROM: which tables a SELECT reads and what each column name means.

Rule: CTEs and subqueries that only select, project, filter and join are merged away here, so
that what follows sees parts of tables and conditions, and no names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.sql import functions, operators, subqueries, windows
from cleanroom.sql.aliases import Ctes, Select, alias_of, column_names, named_in
from cleanroom.sql.domain import Domain
from cleanroom.sql.expr import Expr, column
from cleanroom.sql.inner_outputs import InnerOutputs
from cleanroom.sql.linkages import linkage_view
from cleanroom.sql.names import Names, Relation, column_of, nearest, optional_relation
from cleanroom.sql.normal import conjuncts_of
from cleanroom.sql.parse import construct, only
from cleanroom.sql.parts import Attached, Kind, Part, inner
from cleanroom.sql.ratios import cleared
from cleanroom.sql.scalars import Scalars
from cleanroom.sql.tables import Table, aggregates, member_column, person_column, terms_of
from cleanroom.sql.view import PERSON, LocalView, View

MAX_TABLES = 8
Nest: TypeAlias = Callable[[Select, Ctes], View | LocalView]
_CLAUSES = ("with_", "expressions", "from_", "joins", "where")
_JOINS = {
    "": "inner",
    "INNER": "inner",
    "CROSS": "inner",
    "LEFT": "left",
    "LEFT OUTER": "left",
    "RIGHT": "right",
    "RIGHT OUTER": "right",
    "FULL": "full",
    "FULL OUTER": "full",
    "SEMI": "semi",
    "ANTI": "anti",
}


@dataclass(slots=True)
class Scope:
    """Collects the tables of one query, subqueries included, and numbers its optional sides."""

    terms: Terms
    nest: Nest
    tables: list[Table] = field(default_factory=list)
    _sides: int = 0

    def enter(
        self, select: exp.Select, ctes: Ctes, outer: Names | None = None
    ) -> tuple[Names, Part]:
        """Bind FROM, JOIN and WHERE; return what names mean after them and what is joined."""
        ctes = {**ctes, **dict(named_in(select))}
        if select.args.get("from_") is None:
            raise UnsupportedQuery("SELECT without FROM")
        names = Names(outer=outer)
        relation, part = self._relation(select.args["from_"].this, ctes)
        names.add(relation)
        for join in select.args.get("joins") or ():
            part = self._join(join, names, part, ctes)
        if where := select.args.get("where"):
            part = subqueries.condition(self, where.this, names, part, ctes)
        return names, part

    def apart(self) -> "Scope":
        """Return a scope of its own, to find out what names mean."""
        return Scope(self.terms, self.nest)

    def new_side(self) -> int:
        self._sides += 1
        return self._sides - 1

    def _join(self, join: Any, names: Names, part: Part, ctes: Ctes) -> Part:
        """Join one more relation; `names` learns its columns."""
        words = (str(join.args.get(k) or "") for k in ("method", "side", "kind"))
        how = " ".join(word for word in words if word).upper()
        if how not in _JOINS:
            remedy = "Write JOIN, LEFT JOIN, RIGHT JOIN, FULL JOIN, SEMI JOIN or ANTI JOIN with ON."
            raise UnsupportedQuery(f"{how} JOIN", remedy=remedy)
        only(join, "this", "on", "using", "side", "kind")
        kind = _JOINS[how]
        relation, added = self._relation(join.this, ctes)
        on = self._on(join, names, relation)
        if kind == "inner":
            names.merged.update(_shown_once(join, names, relation, kind))
            names.add(relation)
            joined = inner(part, added)
            return replace(joined, where=(*joined.where, *on))
        if kind in ("semi", "anti"):
            return attach(part, "semi" if kind == "semi" else "anti", added, on, self.new_side())
        return self._outer(join, names, relation, (part, added), kind, on)

    def _outer(
        self,
        join: Any,
        names: Names,
        relation: Relation,
        parts: tuple[Part, Part],
        kind: str,
        on: tuple[Expr, ...],
    ) -> Part:
        part, added = parts
        side, rest = self.new_side(), self.new_side()
        if kind in ("left", "full"):
            relation = optional_relation(relation, side, self._anchor(added))
        if kind in ("right", "full"):
            names.make_optional(rest, self._anchor(part))
        once = _shown_once(join, names, relation, kind)
        names.add(relation)
        names.merged.update(once)
        if kind == "right":
            return attach(added, "left", part, on, rest)
        if kind == "left":
            return attach(part, "left", added, on, side)
        return attach(part, "full", added, on, side, rest)

    def _anchor(self, part: Part) -> Expr:
        """Return a column of a part: the person of its first table."""
        return person_column(part.tables[0], self.tables[part.tables[0]])

    def _on(self, join: Any, names: Names, relation: Relation) -> tuple[Expr, ...]:
        both = names.within(relation)
        found: list[Expr] = []
        for identifier in join.args.get("using") or ():
            name = identifier.name.lower()
            equal = operators.compare("=", names.unqualified(name), column_of(relation, name))
            found.append(equal)
        if join.args.get("on") is not None:
            bound = Scalars(both.resolve, aggregates=False).bind(join.args["on"])
            found.extend(conjuncts_of(cleared(bound)))
        return tuple(found)

    def _relation(self, node: exp.Expr, ctes: Ctes) -> tuple[Relation, Part]:
        if isinstance(node, exp.Subquery):
            only(node, "this", "alias")
            if not isinstance(node.this, exp.Select | exp.SetOperation):
                raise UnsupportedQuery(construct(node.this))
            return self._subquery(node.this, alias_of(node), ctes, column_names(node))
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            what = node.this if isinstance(node, exp.Table) else node
            raise UnsupportedQuery(f"{construct(what)} in FROM")
        only(node, "this", "db", "alias")
        name = node.name.lower()
        if not node.db and name in ctes:
            cte = ctes[name]
            earlier = {k: v for k, v in ctes.items() if v is not cte}
            columns = column_names(node) or column_names(cte)
            return self._subquery(cte.this, alias_of(node) or name, earlier, columns)
        if column_names(node):
            raise UnsupportedQuery("column names after a table's alias")
        return self._table(self._full_name(node), alias_of(node) or name)

    def _full_name(self, node: exp.Table) -> str:
        """Return a table's name in the contract; its owner may be left out if that is clear."""
        name = node.name.lower()
        if node.db or name in self.terms.tables:
            return f"{node.db.lower()}.{name}" if node.db else name
        found = [full for full in self.terms.tables if full.partition(".")[2] == name]
        if len(found) > 1:
            several = " or ".join(found)
            raise UnknownName(f"table {name!r} is of several owners", remedy=f"Write {several}.")
        return found[0] if found else name

    def _table(self, full: str, alias: str) -> tuple[Relation, Part]:
        known = {**self.terms.tables, **self.terms.linkages}
        if full not in known:
            raise UnknownName(f"no table {full!r}", remedy=nearest(full, known))
        if len(self.tables) == MAX_TABLES:
            raise UnsupportedQuery(f"more than {MAX_TABLES} tables")
        if full in self.terms.linkages:
            return self._viewed(linkage_view(full, self.terms), alias)
        terms = self.terms.tables[full]
        index = len(self.tables)
        self.tables.append(Table(full, self.terms.owners(full), terms))
        columns = {
            name: column(index, name, Domain.of_column(declared))
            for name, declared in terms.columns.items()
        }
        unlisted = member_column(index, self.tables[index])
        return Relation(alias, columns, full.rpartition(".")[0], unlisted), Part((index,))

    def _subquery(
        self, select: Select, alias: str, ctes: Ctes, renamed: tuple[str, ...]
    ) -> tuple[Relation, Part]:
        relation, part = self._selected(select, alias, ctes, renamed)
        return relation.renamed(renamed), part

    def _selected(
        self, select: Select, alias: str, ctes: Ctes, renamed: tuple[str, ...]
    ) -> tuple[Relation, Part]:
        if isinstance(select, exp.SetOperation):
            return self._lowered(select, alias, {**ctes, **dict(named_in(select))})
        if windows.has_windows(select):
            return self._windowed(select, alias, ctes, len(renamed))
        if aggregates(select):
            return self.view(select, alias, ctes)
        only(select, *_CLAUSES)
        names, part = self.enter(select, ctes)
        return Relation(alias, self._projected(select, names, renamed)), part

    def _windowed(
        self, select: exp.Select, alias: str, ctes: Ctes, renamed: int
    ) -> tuple[Relation, Part]:
        """Lower rows with window functions, and bind what is computed of them."""
        rows, over = windows.taken_apart(select, renamed)
        relation, part = self._lowered(rows, alias, ctes)
        names = Names([relation])
        if where := over.args.get("where"):
            part = subqueries.condition(self, where.this, names, part, ctes)
        return Relation(alias, self._projected(over, names, ())), part

    def _projected(
        self, select: exp.Select, names: Names, renamed: tuple[str, ...]
    ) -> dict[str, Expr]:
        """Bind a SELECT list of plain expressions."""
        scalars = Scalars(names.resolve, aggregates=False)
        columns: dict[str, Expr] = {}
        for place, node in enumerate(select.expressions):
            if isinstance(node, exp.Star):
                only(node)
                columns.update(names.everything())
                continue
            name = node.alias_or_name.lower() or f"#{place}" * (place < len(renamed))
            inside = node.this if isinstance(node, exp.Alias) else node
            if not name or name in columns:
                raise UnsupportedQuery("a subquery's column without a name of its own")
            columns[name] = scalars.bind(inside)
        return columns

    def view(self, select: exp.Select, alias: str, ctes: Ctes) -> tuple[Relation, Part]:
        """Lower an inner aggregation and let its groups be a table."""
        outputs = InnerOutputs.of(select)
        relation, part = self._lowered(outputs.select, alias, ctes)
        return replace(relation, columns=outputs.shown(relation.columns)), part

    def _lowered(self, select: Select, alias: str, ctes: Ctes) -> tuple[Relation, Part]:
        """Lower a subquery that isn't merged away, and let it be a table."""
        if len(self.tables) == MAX_TABLES:
            raise UnsupportedQuery(f"more than {MAX_TABLES} tables")
        return self._viewed(self.nest(select, ctes), alias)

    def _viewed(self, view: View | LocalView, alias: str) -> tuple[Relation, Part]:
        index, name = len(self.tables), alias or "subquery"
        if isinstance(view, View):
            self.tables.append(Table(name, (f"#{index}",), terms_of(view), view))
            domains = {name: found.domain for name, found in view.columns.items()}
        else:
            self.tables.append(Table(name, (view.member,), terms_of(view), None, view))
            domains = dict(view.columns)
        columns = {n: column(index, n, d) for n, d in domains.items() if n != PERSON}
        return Relation(alias, columns), Part((index,))


def attach(
    part: Part,
    kind: Kind,
    added: Part,
    on: tuple[Expr, ...],
    side: int,
    rest: int | None = None,
) -> Part:
    """Join `added` to `part` by anything but an inner join."""
    if not on:
        raise UnsupportedQuery(f"{kind.upper()} JOIN without a condition")
    return replace(part, attached=(*part.attached, Attached(kind, added, on, side, rest)))


def _shown_once(join: Any, names: Names, relation: Relation, kind: str) -> Mapping[str, Expr]:
    """Return what an unqualified name of USING means after the join."""
    once = {}
    for identifier in join.args.get("using") or ():
        name = identifier.name.lower()
        left, right = names.unqualified(name), column_of(relation, name)
        both = functions.call("coalesce", left, right) if kind == "full" else left
        once[name] = right if kind == "right" else both
    return once
