"""Lazy frames: `room.table("a.t").filter(...).group_by(...).agg(...).collect()`.

Rule: what a caller may call. Every step gives a new frame and asks nobody; `explain` and `collect`
ask the room with the frame's SQL, as whoever writes SQL does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import index
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from cleanroom.errors import UnsupportedQuery
from cleanroom.frames import steps
from cleanroom.frames.block import Block
from cleanroom.frames.expression import Expression, column
from cleanroom.frames.joining import How, joined
from cleanroom.frames.rendering import text_of
from cleanroom.frames.values import output_name

if TYPE_CHECKING:
    from cleanroom.recipient.explanation import Explanation
    from cleanroom.recipient.result import Result


_INSTEAD = {  # what users of pandas and Polars look for
    "groupby": "group_by()",
    "merge": "join()",
    "sort_values": "sort()",
    "order_by": "sort()",
    "assign": "with_columns()",
    "mutate": "with_columns()",
    "query": "filter()",
    "loc": "filter() and select()",
    "iloc": "limit()",
    "drop_duplicates": "unique()",
    "value_counts": "group_by(...).agg(n=count())",
    "describe": "room.profile(...)",
    "dtypes": "room.tables()",
    "schema": "room.tables()",
    "shape": "agg(n=count()) and columns",
    **dict.fromkeys(("to_pandas", "df"), "collect().to_pandas()"),
    **dict.fromkeys(("to_arrow", "to_polars"), "collect().to_arrow()"),
    **dict.fromkeys(
        ("count", "sum", "mean", "min", "max"), "agg(...) with col('x').sum() or the like"
    ),
    **dict.fromkeys(("union", "concat", "vstack"), "UNION ALL in SQL"),
}


class Asked(Protocol):
    """What a frame needs of a room."""

    @property
    def sql(self) -> "Callable[..., Result]": ...

    @property
    def explain(self) -> "Callable[..., Explanation]": ...


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Frame:
    """A question to a room, not asked yet. Immutable: every step returns another one.

    Columns are named by text or by expressions: `col("x")`. Steps raise UnknownName or
    UnsupportedQuery at once, naming what doesn't fit; what members allow is known when they are
    asked.
    """

    room: Asked
    block: Block

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self.block.columns)

    # --- steps -------------------------------------------------------------------------

    def filter(self, *conditions: Expression) -> "Frame":
        """Keep the rows, or after `agg` the groups, for which all conditions are true."""
        return self._with(steps.filtered(self.block, conditions))

    where = filter

    def select(self, *columns: str | Expression, **named: Expression) -> "Frame":
        """Return these columns alone; `name=expression` names one. Aggregates alone: see `agg`."""
        outputs = steps.named(columns, named, "select")
        if outputs and all(map(steps.has_aggregate, outputs.values())):
            return self._with(steps.grouped(self.block, {}, outputs))
        if not outputs:
            raise UnsupportedQuery("select without columns", remedy="Name at least one.")
        return self._with(steps.projected(self.block, outputs, kept=False))

    def with_columns(self, *columns: Expression, **named: Expression) -> "Frame":
        """Return all columns and these; one with a name that there is replaces it."""
        outputs = steps.named(columns, named, "with_columns")
        return self._with(steps.projected(self.block, outputs, kept=True))

    def drop(self, *columns: str) -> "Frame":
        """Return all columns but these."""
        gone = {output_name(name).lower() for name in columns}
        for name in columns:
            steps.lookup(self.block, name)
        return self.select(*(name for name in self.columns if name.lower() not in gone))

    def rename(self, names: Mapping[str, str]) -> "Frame":
        """Return the same columns, some under other names: {"old": "new"}."""
        for name in names:
            steps.lookup(self.block, name)
        renamed = (column(name).alias(names.get(name, name)) for name in self.columns)
        return self.select(*renamed)

    def join(
        self,
        other: "Frame",
        on: str | Sequence[str] | None = None,
        how: How = "inner",
        *,
        left_on: str | Sequence[str] | None = None,
        right_on: str | Sequence[str] | None = None,
        suffix: str = "_right",
    ) -> "Frame":
        """Join rows of two frames of one room whose columns are equal.

        Args:
            on: columns that both have; they occur once in the result.
            how: inner, left, right, full; semi keeps the rows that have a partner, anti the others.
            left_on, right_on: instead of `on`, where names differ; the left ones are kept.
            suffix: of the other's columns whose names this one has, too.
        """
        if getattr(other, "room", None) is not self.room:
            remedy = "Join room.table(...) of the same room; rows of one's own are no part of it."
            raise UnsupportedQuery("a join with anything but a frame of the room", remedy=remedy)
        pairs = list(zip(*_sides(on, left_on, right_on), strict=True))
        return self._with(joined(self.block, other.block, pairs, how, suffix))

    def group_by(self, *keys: str | Expression, **named: Expression) -> "Grouped":
        """Group by columns or expressions; go on with `.agg(...)`."""
        found = steps.named(keys, named, "group_by")
        if not found:
            remedy = "Name at least one; agg() alone takes all rows."
            raise UnsupportedQuery("group_by without keys", remedy=remedy)
        return Grouped(self, found)

    def agg(self, *outputs: Expression, **named: Expression) -> "Frame":
        """Aggregate all rows: `agg(n=count(), total=col("x").sum())`."""
        return _aggregated(self, {}, outputs, named)

    def unique(self) -> "Frame":
        """Return each different row once."""
        keys = {name: column(name) for name in self.columns}
        return self._with(steps.grouped(self.block, keys, {}))

    distinct = unique

    def sort(
        self,
        *keys: str | Expression,
        descending: bool | Sequence[bool] = False,
        nulls_first: bool = False,
    ) -> "Frame":
        """Sort by keys, the first one before all; `descending` for all, or one for each."""
        found = list(steps.named(keys, {}, "sort").values())
        down = [descending] * len(found) if isinstance(descending, bool) else list(descending)
        if len(down) != len(found) or not found:
            remedy = "Pass keys, and one truth value for all or one for each."
            raise UnsupportedQuery("sort with other numbers of keys and directions", remedy=remedy)
        return self._with(steps.ordered(self.block, found, down, nulls_first))

    def limit(self, n: int = 10) -> "Frame":
        """Keep the first n rows or groups."""
        if (whole := index(n)) < 0:
            raise UnsupportedQuery("limit by a negative number")
        return self._with(steps.limited(self.block, whole))

    head = limit

    # --- asking ------------------------------------------------------------------------

    def sql(self) -> str:
        """Return the query: `room.sql` with this text is the same question."""
        return text_of(self.block)

    def explain(self, **options: Any) -> "Explanation":
        """Return who would learn what, and how each member rules on it; see `Room.explain`."""
        return self.room.explain(self.sql(), **options)

    def collect(self, **options: Any) -> "Result":
        """Ask, and return what was opened; `options` are those of `Room.sql`."""
        return self.room.sql(self.sql(), **options)

    def __getitem__(self, key: object) -> NoReturn:
        raise TypeError("a frame isn't indexed: write select() for columns, filter() for rows")

    if not TYPE_CHECKING:  # so that names which a frame hasn't are still errors to a type checker

        def __getattr__(self, name: str) -> NoReturn:
            hint = f"; write {_INSTEAD[name]}" if name in _INSTEAD else ""
            said = f"a frame has no {name!r}{hint}"
            raise AttributeError(said, name=name, obj=self)

    def __repr__(self) -> str:
        return f"Frame({', '.join(self.columns)})"

    def _with(self, block: Block) -> "Frame":
        return replace(self, block=block)


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Rows in groups, whose totals are asked next."""

    frame: Frame
    keys: Mapping[str, Expression]

    def agg(self, *outputs: Expression, **named: Expression) -> Frame:
        """Return a row a group: its keys, and `name=aggregate` each."""
        return _aggregated(self.frame, self.keys, outputs, named)


def _aggregated(
    frame: Frame,
    keys: Mapping[str, Expression],
    outputs: Iterable[Expression],
    named: Mapping[str, Expression],
) -> Frame:
    found = steps.named(outputs, named, "agg")
    if not found:
        remedy = "Pass aggregates: n=count(), total=col('x').sum()."
        raise UnsupportedQuery("agg of nothing", remedy=remedy)
    return replace(frame, block=steps.grouped(frame.block, keys, found))


def _sides(
    on: str | Sequence[str] | None,
    left_on: str | Sequence[str] | None,
    right_on: str | Sequence[str] | None,
) -> tuple[list[str], list[str]]:
    """Return the columns of either side that are to be equal."""
    left, right = (
        [one] if isinstance(one, str) else list(one or ()) for one in (left_on, right_on)
    )
    both = [on] if isinstance(on, str) else list(on or ())
    if bool(both) == bool(left or right) or len(left) != len(right):
        remedy = "Pass on=, or as many names in left_on= as in right_on=."
        raise UnsupportedQuery("a join without clear columns", remedy=remedy)
    if not all(isinstance(name, str) for name in (*both, *left, *right)):
        raise UnsupportedQuery("a join on anything but names of columns")
    return (both, both) if both else (left, right)
