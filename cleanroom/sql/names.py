"""What names mean in one SELECT: relations, their aliases and their columns."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.sql.expr import Expr
from cleanroom.sql.missing import anchored, optional


@dataclass(frozen=True, slots=True)
class Relation:
    """Something in FROM: its alias and its columns.

    Attributes:
        unlisted: columns that * leaves out; a listed one of the same name hides them.
    """

    alias: str
    columns: Mapping[str, Expr]
    qualifier: str = ""
    unlisted: Mapping[str, Expr] = field(default_factory=dict)

    def get(self, name: str) -> Expr | None:
        """Return what a name means here, if anything."""
        return self.columns.get(name, self.unlisted.get(name))

    def renamed(self, names: tuple[str, ...]) -> "Relation":
        """Give the first columns other names."""
        if len(names) > len(self.columns):
            raise UnsupportedQuery(f"more column names than columns of {self.alias!r}")
        kept = list(self.columns)[len(names) :]
        columns = dict(zip((*names, *kept), self.columns.values(), strict=True))
        if len(columns) < len(self.columns):
            raise UnsupportedQuery("a subquery's column without a name of its own")
        return replace(self, columns=columns)


@dataclass(slots=True)
class Names:
    """What column names mean, given the relations in FROM.

    Attributes:
        merged: columns that USING shows once.
        outer: of the query around a subquery: asked for names that are unknown here.
    """

    relations: list[Relation] = field(default_factory=list)
    merged: dict[str, Expr] = field(default_factory=dict)
    outer: "Names | None" = None

    def within(self, relation: Relation) -> "Names":
        """Return these names and one more relation's, for the ON of its join."""
        names = Names(list(self.relations), dict(self.merged), self.outer)
        names.add(relation)
        return names

    def make_optional(self, side: int, anchor: Expr) -> None:
        """Let every column so far be NULL where the side is missing."""
        self.relations = [optional_relation(r, side, anchor) for r in self.relations]
        self.merged = {
            name: optional(anchored(expr, anchor), side) for name, expr in self.merged.items()
        }

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
                return column_of(relation, name)
        if self.outer is not None:
            return self.outer.resolve(node)
        raise self._unknown(table)

    def named(self, alias: str) -> Relation:
        """Return the relation of FROM with an alias."""
        for relation in self.relations:
            if relation.alias == alias:
                return relation
        raise self._unknown(alias)

    def _unknown(self, table: str) -> UnknownName:
        aliases = (relation.alias for relation in self.relations)
        remedy = nearest(table, aliases)
        return UnknownName(f"no table or alias {table!r} in FROM", remedy=remedy)

    def unqualified(self, name: str) -> Expr:
        if name in self.merged:
            return self.merged[name]
        found = [r.columns[name] for r in self.relations if name in r.columns]
        found = found or [r.unlisted[name] for r in self.relations if name in r.unlisted]
        if len(found) > 1:
            raise UnknownName(
                f"column {name!r} is in several tables", remedy="Write table.column."
            )
        if not found and self.outer is not None:
            return self.outer.unqualified(name)
        if not found:
            known = (column for relation in self.relations for column in relation.columns)
            raise UnknownName(f"no column {name!r}", remedy=nearest(name, known))
        return found[0]

    def has(self, name: str) -> bool:
        """Whether a name without a table means a column of this FROM."""
        return name in self.merged or any(r.get(name) is not None for r in self.relations)

    def everything(self, alias: str = "") -> Iterator[tuple[str, Expr]]:
        """Yield the columns of SELECT *, or of SELECT alias.*."""
        if alias:
            yield from self.named(alias).columns.items()
            return
        seen = set()
        for relation in self.relations:
            for name, expr in relation.columns.items():
                if name.startswith("#"):  # no SQL name
                    continue
                if name in seen and name not in self.merged:
                    raise UnsupportedQuery(f"SELECT * with two columns named {name!r}")
                if name not in seen:
                    yield name, self.merged.get(name, expr)
                seen.add(name)


def optional_relation(relation: Relation, side: int, anchor: Expr) -> Relation:
    """Return a relation all of whose columns are NULL where the side is missing."""
    columns, unlisted = (
        {name: optional(anchored(expr, anchor), side) for name, expr in found.items()}
        for found in (relation.columns, relation.unlisted)
    )
    return replace(relation, columns=columns, unlisted=unlisted)


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is most like `name`."""
    close = difflib.get_close_matches(name, sorted(set(known)), n=1, cutoff=0.4)
    return f"Did you mean {close[0]!r}?" if close else "Run 'cleanroom tables' to see the names."


def column_of(relation: Relation, name: str) -> Expr:
    if (found := relation.get(name)) is None:
        remedy = nearest(name, relation.columns)
        raise UnknownName(f"no column {name!r} in {relation.alias!r}", remedy=remedy)
    return found
