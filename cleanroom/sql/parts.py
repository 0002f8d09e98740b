"""The shape of FROM: tables that conditions join, and parts that are joined to them otherwise.

Rule: inner joins are flat. What must keep its place, an outer, semi or anti join, is `Attached`
to the part that it preserves; attached parts nest and are joined in the order they stand in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.expr import Expr, tables
from cleanroom.sql.missing import never_true, present, sides

Kind: TypeAlias = Literal["left", "full", "semi", "anti", "not in"]


@dataclass(frozen=True, slots=True)
class Part:
    """Tables joined with each other, then with every attached part.

    Attributes:
        where: conditions; those that name an attached side apply after it is joined.
    """

    tables: tuple[int, ...] = ()
    where: tuple[Expr, ...] = ()
    attached: tuple["Attached", ...] = ()

    @property
    def full(self) -> bool:
        """Whether this part's own tables may be missing in its rows."""
        return any(joined.kind == "full" for joined in self.attached)

    @property
    def all_tables(self) -> frozenset[int]:
        below = (joined.part.all_tables for joined in self.attached)
        return frozenset(self.tables).union(*below)

    @property
    def optional(self) -> frozenset[int]:
        """Return the sides that attached parts make optional."""
        names = (name for a in self.attached for name in (a.side, a.rest) if name is not None)
        return frozenset(names)

    def is_core(self, condition: Expr) -> bool:
        """Whether a condition applies before anything is attached."""
        return tables(condition) <= set(self.tables) and not sides(condition) & self.optional


@dataclass(frozen=True, slots=True)
class Attached:
    """A part joined by LEFT, FULL, SEMI or ANTI JOIN, or by NOT IN, on conditions.

    Attributes:
        side: number of the attached side; rest: FULL: number of the part attached to.
    """

    kind: Kind
    part: Part
    on: tuple[Expr, ...]
    side: int
    rest: int | None = None


def inner(first: Part, second: Part) -> Part:
    """Join two parts by whatever their conditions say."""
    if (first.full and second.all_tables) or (second.full and first.all_tables):
        raise UnsupportedQuery("an inner join of a FULL JOIN")
    return Part(
        first.tables + second.tables, first.where + second.where, first.attached + second.attached
    )


def strengthened(part: Part) -> tuple[Part, frozenset[int]]:
    """Turn outer joins into stricter ones where a later condition drops the NULL rows anyway.

    Returns:
        the part, and the sides that are never missing now.
    """
    required: frozenset[int] = frozenset()
    while (found := _required(part)) is not None:
        required |= {found}
        part = _required_part(part, found)
    attached = []
    for joined in part.attached:
        below, more = strengthened(joined.part)
        required |= more
        attached.append(replace(joined, part=below))
    return replace(part, attached=tuple(attached)), required


def settled(part: Part, required: frozenset[int]) -> Part:
    """Rewrite every condition for the sides that are never missing."""
    return Part(
        part.tables,
        tuple(present(c, required) for c in part.where),
        tuple(
            replace(
                joined,
                part=settled(joined.part, required),
                on=tuple(present(c, required) for c in joined.on),
            )
            for joined in part.attached
        ),
    )


def _required(part: Part) -> int | None:
    for joined in part.attached:
        may_go = [joined.rest] if joined.part.full else [joined.side, joined.rest]
        for side in may_go:
            if joined.kind not in ("left", "full") or side is None:
                continue
            if any(never_true(condition, side) for condition in part.where):
                return side
    return None


def _required_part(part: Part, side: int) -> Part:
    """Rebuild a part in which one attached side, or its counterpart in FULL, is never missing."""
    at, joined = next(
        (i, a) for i, a in enumerate(part.attached) if side in (a.side, a.rest)
    )
    before, after = part.attached[:at], part.attached[at + 1 :]
    if joined.kind == "left":
        return Part(
            part.tables + joined.part.tables,
            tuple(present(c, {side}) for c in (*part.where, *joined.part.where, *joined.on)),
            (*before, *joined.part.attached, *after),
        )
    where = tuple(present(c, {side}) for c in part.where)
    if side == joined.rest:
        return Part(part.tables, where, (*before, replace(joined, kind="left", rest=None), *after))
    beyond = {s for s in (joined.side, joined.rest) if s is not None}
    late = tuple(c for c, old in zip(where, part.where, strict=True) if sides(old) & beyond)
    early = tuple(c for c, old in zip(where, part.where, strict=True) if not sides(old) & beyond)
    rest = Part(part.tables, early, before)
    flipped = Attached("left", rest, joined.on, joined.rest or 0)
    return Part(
        joined.part.tables,
        (*joined.part.where, *late),
        (*joined.part.attached, flipped, *after),
    )


def walk_parts(
    part: Part, wrapped: tuple[int, ...] = (), *, tested: bool = True
) -> Iterator[tuple[Part, tuple[int, ...]]]:
    """Yield every part with the sides that may be missing around it, outermost last.

    Args:
        tested: also yield parts that only keep or drop rows of others.
    """
    own = tuple(a.rest for a in part.attached if a.rest is not None)
    yield part, own + wrapped
    for place, joined in enumerate(part.attached):
        if joined.kind not in ("left", "full") and not tested:
            continue
        later = tuple(a.rest for a in part.attached[place + 1 :] if a.rest is not None)
        around = (joined.side,) if joined.kind in ("left", "full") else ()
        yield from walk_parts(joined.part, around + later + wrapped, tested=tested)
