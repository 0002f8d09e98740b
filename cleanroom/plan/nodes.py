"""The nodes of a plan's tree: leaves that owners run, and operators on secret shares.

A plan is a tree. Its leaves are SQL texts that one owner runs on its own rows; everything
above the leaves runs on secret shares, and `Release` at the root is the only step that opens
anything, to the recipient alone.

Two kinds of columns flow upwards. A *bits* column is compared, ordered, grouped by or opened:
unsigned, most significant bit first, so that the order of the bits is the order of the values.
A *sum* column is only added and multiplied: an integer mod 2^64. Leaves are already
aggregated by their bits columns, so a row stands for as many rows as its weight says.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cleanroom.plan.ciphertexts import CellKey
from cleanroom.plan.conditions import Predicate, Term
from cleanroom.plan.controls import Complement, Dominance, Held, Rounding
from cleanroom.plan.graphs import Flow
from cleanroom.plan.grouping import Distinct, Extreme, Fit, Quantile
from cleanroom.plan.linking import Similar
from cleanroom.plan.windows import Neighbour, Numbering, PartitionTotal

JoinKind: TypeAlias = Literal["inner", "left", "full", "semi", "anti", "not in", "one"]


@dataclass(frozen=True, slots=True)
class BitsColumn:
    """A secret column of `bits` bits, plus one NULL bit if `nullable`.

    Attributes:
        low: the encoded value that all-zero bits stand for; a value is low + bits.
    """

    name: str
    bits: int
    nullable: bool = False
    low: int = 0


@dataclass(frozen=True, slots=True)
class SumColumn:
    """A secret integer column mod 2^64 whose true values all lie within +-`bound`."""

    name: str
    bound: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one member computes on its own rows and then shares.

    Attributes:
        sql: one SELECT for the member's DuckDB. For each bits column c it yields UBIGINT
            columns c_0, c_1, ... (64 bits each, most significant word first, the first word
            holding the odd bits) and, if nullable, BOOLEAN c_null; for each sum column a BIGINT.
        max_rows: public bound on its rows; the share is padded to a power of two.
        sorted_by: bits columns by which the member orders its rows before it shares them.
        tables: the contract's tables that it reads. Their row counts set the padding, so that
            the size of a share says nothing about how many rows passed a filter.
        fixed: bits columns, and the bits that each of its rows has there: computing members put
            them in, whatever the member shared.
    """

    member: str
    sql: str
    bits: tuple[BitsColumn, ...]
    sums: tuple[SumColumn, ...]
    max_rows: int
    sorted_by: tuple[str, ...]
    tables: tuple[str, ...] = ()
    fixed: tuple[tuple[str, int], ...] = ()


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
class Propagate:
    """The accounts of `own`, each once, after what flowed to them along payments.

    Leaves are of tables of several members. An account has one row, at the member that keeps it;
    at two members, nothing is opened. A payment counts if its source and its target are accounts.

    Attributes:
        own: accounts of the recipient, sorted by the bits column `account`; what it holds before
            anything flowed: sum column `score`, or bits column `marked` of one bit; last `place`.
        others: accounts of every other owner, with the same columns.
        payments: sorted by the bits column `source`, encoded as `account` is; sum columns
            `weight`, the payment's part of all that its target was paid, and `place`: which each
            of a member's accounts and payments takes, from 0, if every account is followed by
            what was paid into it.
        shown: the bits column of `own` that is opened: `account`, or another that isn't hashed.
    """

    own: Leaf
    others: tuple[Leaf, ...]
    payments: tuple[Leaf, ...]
    shown: str
    flow: Flow


@dataclass(frozen=True, slots=True)
class Linkage:
    """One row for each pair of rows of two sides that are of one person, one to one.

    The result's bits columns are `left` and `right`, the persons, and `rung`, from 1.

    Attributes:
        name: of the contract's linkage.
        left, right: one row a person, whom bits column `id` names.
        keys: nullable bits columns of both. One after another links the rows that are, among those
            not linked so far, the only ones of either side with a key.
        similar: how what is left is compared; None: not at all.
    """

    name: str
    left: Leaf
    right: Leaf
    keys: tuple[str, ...]
    similar: Similar | None = None

    @property
    def rungs(self) -> int:
        return len(self.keys) + (self.similar is not None)


@dataclass(frozen=True, slots=True)
class OrderBy:
    """A key of an order of groups: a column, NULL unless `known` is TRUE."""

    column: str
    descending: bool
    nulls_first: bool
    known: Predicate | None = None


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


@dataclass(frozen=True, slots=True)
class Top:
    """The first `limit` groups in this order; equal ones in ascending order of the group's keys.

    Where groups are repeated rows, the groups of the first `limit` rows.
    """

    order: tuple[OrderBy, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Release:
    """Open columns to the recipient, for groups that pass; count the others.

    A group passes if each of its `counts` >= min_group: enough persons stand behind the group
    and behind each value. Of those only groups where `having` is TRUE are opened, and of these,
    if `top` is given, the first ones only. Groups that fail min_group are counted, and only that
    count is opened.

    Attributes:
        optional: classes of persons on a side that an outer join may leave without a row. None of
            them, of the group or behind a value, pass too, as long as another class suffices.
        repeated: for row output, the opened sum column that says how many equal rows a group is;
            after `top` only rows among the first ones count.
        most: public bound on the number of groups that there are; None if only rows bound it.
        held: of each table of several members, whose rows must be behind a group.
        complement: how groups that are withheld are protected from totals; None: not at all.
        rules: what the contract asks for besides, as `PrivacyTerms.tested` writes it.
        rounding: what is told of counts; None if they are told as they are.
        hidden: how many groups are opened is known to the recipient alone: `slots` are handed
            out, in a random order, of which the unused hold zeros.
        tells_more: instead of how many groups are too small, tell the recipient 1 if more pass
            than `top` leaves, else 0.
    """

    input: Aggregate
    min_group: int
    having: Predicate | None
    opened: tuple[str, ...]
    top: Top | None = None
    optional: tuple[int, ...] = ()
    repeated: str | None = None
    most: int | None = None
    held: tuple[Held, ...] = ()
    complement: Complement | None = None
    rounding: Rounding | None = None
    rules: tuple[str, ...] = ()
    hidden: bool = False
    tells_more: bool = False

    @property
    def slots(self) -> int | None:
        """Public bound on the number of groups that are opened."""
        limit = None if self.top is None else self.top.limit
        return min((b for b in (self.most, limit) if b is not None), default=None)

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
