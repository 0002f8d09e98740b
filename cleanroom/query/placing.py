"""Dividing tables and conditions among sources, and parts among owners and shares.

Rule: what one owner can do by itself it does, in its leaf's SQL; a part goes to shares only if
its tables, or those that its ON names, belong to several owners.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cleanroom.errors import UnsupportedQuery
from cleanroom.query.equalities import Equalities, is_equality
from cleanroom.query.sources import (
    AS_PROVEN,
    Agreed,
    KeyClass,
    Link,
    Placement,
    Source,
    Unit,
    home_of,
    person_of,
    within,
)
from cleanroom.sql import operators
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import union
from cleanroom.sql.expr import Expr, tables
from cleanroom.sql.missing import sides
from cleanroom.sql.parts import Attached, Part


def place(query: Query, agreed: Agreed = AS_PROVEN) -> Placement:
    """Divide the tables and conditions of a query among sources."""
    placing = _Placing(query)
    root = placing.unit(query.part)
    sources = tuple(
        replace(source, where=tuple(dict.fromkeys(conditions)))
        for source, conditions in zip(placing.sources, placing.where, strict=True)
    )
    return Placement(sources, tuple(placing.classes), root, placing.equal, agreed)


@dataclass(slots=True)
class _Placing:
    query: Query
    sources: list[Source] = field(default_factory=list)
    where: list[list[Expr]] = field(default_factory=list)
    classes: list[KeyClass] = field(default_factory=list)
    equal: Equalities = field(default_factory=Equalities)

    def unit(self, part: Part) -> Unit:
        """Place one part and all that is attached to it."""
        core = [c for c in part.where if part.is_core(c)]
        own, remote = self._sources(part, core)
        places = tuple(self.sources.index(source) for source in own)
        later = replace(part, attached=remote).optional
        before: list[Expr] = []
        after = [c for c in part.where if sides(c) & later]
        across = Equalities()
        for condition in (c for c in part.where if c not in after):
            at = within(condition, own)
            if at is not None:
                self.where[places[at]].append(condition)
            elif part.is_core(condition) and _joins(condition, own):
                across.join(*condition.args)
            else:
                before.append(condition)
        self.classes.extend(self._key_classes(across, own, dict(enumerate(places))))
        links = tuple(self._link(joined) for joined in remote)
        if not any(link.kind == "full" for link in links):
            before, after = [], [*before, *after]
        return Unit(places, links, tuple(after), tuple(before))

    def _sources(
        self, part: Part, core: list[Expr]
    ) -> tuple[tuple[Source, ...], tuple[Attached, ...]]:
        """Form the sources of a part; return what is attached to it on shares."""
        equal = Equalities()
        for condition in core:
            if is_equality(condition):
                equal.join(*condition.args)
                self.equal.join(*condition.args)
        found = [
            Source(group, self.query.tables[group[0]].owners, (), group)
            for group in _group(self.query, part.tables, equal)
        ]
        remote: list[Attached] = []
        for joined in part.attached:
            late = any(other.kind == "full" for other in remote)
            at = None if late else self._local(joined, found, core)
            if at is None:
                remote.append(joined)
                continue
            grown = (*found[at].tables, *sorted(joined.part.all_tables))
            attached = (*found[at].attached, joined)
            found[at] = replace(found[at], tables=grown, attached=attached)
        self.sources.extend(found)
        self.where.extend([] for _ in found)
        return tuple(found), tuple(remote)

    def _local(
        self, joined: Attached, found: list[Source], core: list[Expr]
    ) -> int | None:
        """Return the source whose owner can join an attached part by itself."""
        inside = joined.part.all_tables
        owners = {self.query.tables[t].owners for t in inside}
        outside = frozenset(t for c in joined.on for t in tables(c)) - inside
        if len(owners) != 1 or len(next(iter(owners))) != 1 or not outside:
            return None
        if joined.kind == "full" and (core or joined.part.where or len(inside) + len(found) > 2):
            return None
        for at, source in enumerate(found):
            if outside <= set(source.tables) and {source.members} == owners:
                return at if self._may_join(joined) else None
        return None

    def _may_join(self, joined: Attached) -> bool:
        """Whether one owner's SQL is enough, and the persons that it tests can still be counted."""
        part = joined.part
        whole = Equalities()
        for condition in part.where:
            if is_equality(condition):
                whole.join(*condition.args)
        if joined.kind == "semi":
            for condition in joined.on:
                if is_equality(condition):
                    whole.join(*condition.args)
            if part.attached or not all(self._named(t, joined, whole) for t in part.tables):
                return False
        outer = joined.kind in ("left", "full")
        return len(_group(self.query, part.tables, whole)) == 1 and all(
            below.kind != "full" and outer <= (below.kind == "left") and self._may_join(below)
            for below in part.attached
        )

    def _named(self, table: int, joined: Attached, equal: Equalities) -> bool:
        """Whether ON makes the person of a tested table equal to one that it is tested for."""
        person = equal.root(person_of(self.query, table))
        outside = {t for c in joined.on for t in tables(c)} - joined.part.all_tables
        return any(equal.root(person_of(self.query, t)) == person for t in outside)

    def _link(self, joined: Attached) -> Link:
        inside, apart = joined.part.all_tables, []
        part, keys = joined.part, dict[Expr, Expr]()
        for condition in joined.on:
            pair = _across(condition, inside)
            if pair is not None and pair[0] in keys:
                condition = operators.compare("=", keys[pair[0]], pair[1])
            elif pair is not None:
                keys[pair[0]] = pair[1]
                continue
            if tables(condition) and tables(condition) <= inside and joined.kind != "full":
                part = replace(part, where=(*part.where, condition))
            else:
                apart.append(condition)
        unit = self.unit(part)
        sources = tuple(self.sources)
        placed = [k for k in keys.items() if all(within(e, sources) is not None for e in k)]
        rest = [operators.compare("=", *key) for key in keys.items() if key not in placed]
        if not placed:
            raise UnsupportedQuery("tables without an equality that joins them; no cross joins")
        also = [c for c in (*rest, *apart) if not _into_key(placed, c, sources)]
        return Link(joined.kind, unit, tuple(placed), tuple(also), joined.side, joined.rest)

    def _key_classes(
        self, across: Equalities, own: tuple[Source, ...], places: dict[int, int]
    ) -> Iterator[KeyClass]:
        """Choose one expression a source; others of that source must equal it there."""
        for number, members in enumerate(across.groups(), start=len(self.classes)):
            exprs: dict[int, Expr] = {}
            for expr in members:
                source = places[home_of(expr, own)]
                if source in exprs:
                    self.where[source].append(operators.compare("=", exprs[source], expr))
                    continue
                exprs[source] = expr
                if expr.domain.nullable:
                    known = operators.logical("not", (operators.is_null(expr),))
                    self.where[source].append(known)
            yield KeyClass(f"k{number}", exprs, union(e.domain for e in exprs.values()))


def _joins(condition: Expr, own: tuple[Source, ...]) -> bool:
    return is_equality(condition) and all(
        within(side, own) is not None for side in condition.args
    )


def _across(condition: Expr, inside: frozenset[int]) -> tuple[Expr, Expr] | None:
    """Return the outer and the inner side of an equality between a part and what it joins."""
    if not is_equality(condition):
        return None
    first, second = condition.args
    for outer, inner in ((first, second), (second, first)):
        if tables(inner) <= inside and not tables(outer) & inside:
            return outer, inner
    return None


def _into_key(
    keys: list[tuple[Expr, Expr]], condition: Expr, sources: tuple[Source, ...]
) -> bool:
    """Let a key be NULL where a condition of its own source isn't TRUE: NULL never matches."""
    at = within(condition, sources)
    for place, key in enumerate(keys):
        for side in (0, 1):
            fits = not tables(condition) or within(key[side], sources) == at
            if at is not None and fits:
                guarded = operators.case(((condition, key[side]),), None)
                keys[place] = (guarded, key[1]) if side == 0 else (key[0], guarded)
                return True
    return False


def _group(
    query: Query, among: tuple[int, ...], equal: Equalities
) -> list[tuple[int, ...]]:
    """Put tables of one single owner together that share a class of equal expressions."""
    group = {table: table for table in among}
    for members in equal.groups():
        named = (tables(e) for e in members)
        single = [next(iter(t)) for t in named if len(t) == 1 and t <= group.keys()]
        for a in single:
            for b in single:
                owners = query.tables[a].owners
                if len(owners) == 1 and owners == query.tables[b].owners:
                    low, high = sorted((group[a], group[b]))
                    group = {t: low if g == high else g for t, g in group.items()}
    return [
        tuple(sorted(t for t, g in group.items() if g == root))
        for root in sorted(set(group.values()))
    ]
