"""The nodes of a plan's tree: leaves that owners run, and operators on secret shares.

A plan is a tree. Its leaves are SQL texts that one owner runs on its own rows (`leaf.py`, which
says what columns hold); everything above them runs on secret shares, and `Release` at the root
(`release.py`) is the only step that opens anything, to the recipient alone.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cleanroom.plan.ciphertexts import CellKey
from cleanroom.plan.conditions import Predicate, Term
from cleanroom.plan.controls import Dominance
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.grouping import Distinct, Extreme, Fit, Quantile
from cleanroom.plan.leaf import BitsColumn, Leaf
from cleanroom.plan.linking import Linkage
from cleanroom.plan.ordering import OrderBy
from cleanroom.plan.windows import Neighbour, Numbering, PartitionTotal

JoinKind: TypeAlias = Literal["inner", "left", "full", "semi", "anti", "not in", "one"]


@dataclass(frozen=True, slots=True)
class Union:
    """UNION ALL of nodes with equal columns."""

    inputs: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Unify:
    """One row per distinct value of all bits columns; sum columns are added up."""

    input: "Node"


@dataclass(frozen=True, slots=True)
class Fill:
    """What a column holds where its side of a join has no row; None is NULL."""

    column: str
    value: int | None


@dataclass(frozen=True, slots=True)
class Join:
    """Rows of two sides with equal keys; NULL keys never match.

    The result has the columns of both sides, except the right keys. A left row without a match
    is dropped by "inner" and "semi", kept by the others; "full" keeps right rows too. "semi"
    takes the columns of the last matching right row, ordered by `right_on` and `last_by`.
    "anti" keeps only left rows without a match and left columns; "not in" also heeds NULLs: it
    keeps a row where the key of one column is SQL's NOT IN of the right keys. "one" has no keys:
    the right side has one row at most, and every left row gets it, or is dropped.

    Attributes:
        left_on, right_on: bits columns, pairwise of equal width and meaning.
        bound: None if right keys are unique or only tested: then the result has the left rows.
            Otherwise the public number of rows of the inner or left join; more ends the session
            with `JoinTooLarge`.
        fill: for "left" and "full": columns that aren't zero where their side has no row.
        also: only if it is TRUE in the row of both sides, which bound is None for, they match.
    """

    left: "Node"
    right: "Node"
    left_on: tuple[str, ...]
    right_on: tuple[str, ...]
    bound: int | None
    kind: JoinKind = "inner"
    fill: tuple[Fill, ...] = ()
    last_by: tuple[str, ...] = ()
    also: "Predicate | None" = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Keep the rows where the predicate is TRUE; row count and order stay, rows are marked."""

    input: "Node"
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Derived:
    """A new sum column: the sum of terms."""

    name: str
    bound: int
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Derive:
    """Replace all sum columns by `sums`; bits columns stay."""

    input: "Node"
    sums: tuple[Derived, ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """A new bits column: an existing one under a new name, or the sum of terms, less `low`.

    Attributes:
        known: NULL unless this is TRUE; None if the column has a value in every row.
    """

    column: BitsColumn
    of: str | tuple[Term, ...]
    known: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Compute:
    """Keep the rows where `where` is TRUE, with new columns in place of all others.

    A factor '#c' is the number low + bits of bits column c, 0 where it is NULL.
    """

    input: "Node"
    where: Predicate | None
    bits: tuple[Computed, ...]
    sums: tuple[Derived, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """GROUP BY. NULLs form a group. Without keys there is exactly one group, even of no rows.

    Result: bits columns `keys`, `carried`, `extremes` (nullable) and `quantiles`, sum columns
    `sums` (added up), `distincts` and, for each tuple of `persons`, a sum column person_0,
    person_1, ...: its distinct values in the group; a tuple with a NULL is no value.

    Attributes:
        carried: further bits columns, of one value in all rows of a group.
        fit: a regression over all rows; only without keys.
        cells: of `keys`, if every combination of their values is a group, even of no rows.
        supported_sums, supported_columns: sum and bits columns of `input`. For the i-th tuple of
            `persons` and each of them, NAME, a sum column support_i_NAME counts those persons
            whose own total of it in the group isn't zero, or who have a value in it at all.
        dominance: of which sums one or two persons may not have too much.
    """

    input: "Node"
    keys: tuple[str, ...]
    persons: tuple[tuple[str, ...], ...]
    sums: tuple[str, ...]
    extremes: tuple[Extreme, ...]
    distincts: tuple[Distinct, ...] = ()
    quantiles: tuple[Quantile, ...] = ()
    supported_sums: tuple[str, ...] = ()
    supported_columns: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    fit: Fit | None = None
    cells: tuple[CellKey, ...] = ()
    dominance: Dominance | None = None

    @property
    def dominated(self) -> tuple[str, ...]:
        """The sum columns that are 1 where one or two persons have too much of a sum."""
        sums = self.dominance.sums if self.dominance is not None else ()
        return tuple(f"dominated_{i}_{n}" for i in range(len(self.persons)) for n in sums)

    @property
    def counts(self) -> tuple[str, ...]:
        """The sum columns of which each must reach min_group."""
        classes = range(len(self.persons))
        return tuple(name for i in classes for name in self.counts_of(i))

    def counts_of(self, i: int) -> tuple[str, ...]:
        """Return those of the i-th class of persons: behind the group, then behind each value."""
        supported = (*self.supported_sums, *self.supported_columns)
        return (f"person_{i}", *(f"support_{i}_{name}" for name in supported))


@dataclass(frozen=True, slots=True)
class Window:
    """The same rows, each with columns that say how it stands among those of its partition.

    NULLs of `partition` are equal. Rows that are equal in `order` stand in the order of the
    inputs below and of the rows in them; backwards if the last column of `order` descends.
    """

    input: "Node"
    partition: tuple[str, ...]
    order: tuple[OrderBy, ...]
    numberings: tuple[Numbering, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    totals: tuple[PartitionTotal, ...] = ()

    @property
    def backwards(self) -> bool:
        return bool(self.order) and self.order[-1].descending


Node: TypeAlias = (
    Leaf
    | Union
    | Unify
    | Join
    | Filter
    | Derive
    | Compute
    | Aggregate
    | Window
    | Propagate
    | Linkage
)
