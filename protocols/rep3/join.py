"""INNER JOIN of secret relations whose right keys are unique: the result has the left rows.

The keys of both sides are merged, right before left. A right row carries the *difference* to the
right row before it, a left row nothing. So a running sum, which is local, gives each left row the
content of the last right row that stands before it; and that is the wanted one if it has its key.
"""

from dataclasses import replace

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal
from protocols.rep3.group import keep_where
from protocols.rep3.merge import merge_many
from protocols.rep3.order import order
from protocols.rep3.place import unplace
from protocols.rep3.relation import Relation, split_planes
from protocols.rep3.rows import Rows, empty_rows
from protocols.rep3.scan import running_sum, running_xor, undo_running_sum, undo_running_xor
from protocols.rep3.share import Arith, Bits, concat_planes, same_bit
from protocols.rounds import Party, Steps, parallel


def join_unique(
    ctx: Context,
    left: Relation,
    right: Relation,
    left_on: tuple[str, ...],
    right_on: tuple[str, ...],
) -> Steps[Relation]:
    """Join on equal keys; no two rows of `right` that are there may have equal keys.

    Args:
        left_on, right_on: bits columns, pairwise of equal width; NULL matches nothing.

    Returns:
        The left rows, in the order of `left_on`, with the columns of both sides except
        `right_on`. Rows without a match are marked as not there. A product of sum columns is
        zero in them only if it has a factor from each side.

    Cost and security: as `matched`.
    """
    left, found = yield from matched(ctx, left, right, left_on, right_on)
    return Relation(
        n=left.n,
        valid=found.valid,
        columns={**left.columns, **found.columns},
        sums={**left.sums, **found.sums},
        clean=left.clean,
    )


def matched(
    ctx: Context,
    left: Relation,
    right: Relation,
    left_on: tuple[str, ...],
    right_on: tuple[str, ...],
) -> Steps[tuple[Relation, Relation]]:
    """Look every left row's keys up at the right.

    Args:
        left_on, right_on: bits columns, pairwise of equal width; NULL matches nothing.
        right: of several rows with a key the last one is found.

    Returns:
        the left rows in the order of `left_on`; and for each of them the columns that were found
        except `right_on`, zeros and not there without a match.

    Cost: a `look_up`, after an `order` of each side that isn't sorted. Security: semi-honest;
        leakage none.
    """
    left, right = yield from parallel(
        order(ctx.at("left"), left, left_on), order(ctx.at("right"), right, right_on)
    )
    carried = right.select((c for c in right.columns if c not in right_on), right.sums)
    wanted, keys = paired_keys(ctx.me, left, right, left_on, right_on)
    there, values = yield from look_up(ctx.at("look"), wanted, keys, with_valid(carried))
    return left, replace(carried.with_rows(values), valid=there, clean=True)


def paired_keys(
    me: Party,
    left: Relation,
    right: Relation,
    left_on: tuple[str, ...],
    right_on: tuple[str, ...],
) -> tuple[Bits, Bits]:
    """Return the planes of both keys, of which rows that are there are equal iff they match.

    NULL is a plane of its own on each side that has it, zero on the other: it matches nothing.
    """
    mine, theirs = [left.valid.flip(me)], [right.valid.flip(me)]
    for a, b in zip(left_on, right_on, strict=True):
        first, second = left.columns[a], right.columns[b]
        if first.nullable:
            mine.append(first.null)
            theirs.append(same_bit(me, 0, right.n))
        if second.nullable:
            mine.append(same_bit(me, 0, left.n))
            theirs.append(second.null)
        mine.append(first.value)
        theirs.append(second.value)
    return concat_planes(mine), concat_planes(theirs)


def look_up(ctx: Context, wanted: Bits, keys: Bits, rows: Rows) -> Steps[tuple[Bits, Rows]]:
    """Give each wanted key the row of an equal key, or zeros if there is none.

    Args:
        wanted: ascending keys, shape (k, w).
        keys: ascending keys of `rows`; of equal ones the last row is found.
        rows: columns to copy; the last plane is copied too and returned apart, as `found`.

    Cost: a `merge` and an `unplace` of keys and columns, an `equal`, and one AND or
        multiplication for what is copied.
    """
    n_wanted, n_keys = wanted.shape[1] * 64, rows.n
    steps = Rows(
        n_keys,
        undo_running_xor(concat_planes([keys, rows.bits])),
        undo_running_sum(rows.sums),
    )
    widths = [keys.shape[0], rows.bits.shape[0]]
    lists = [
        (steps, concat_planes([keys, same_bit(ctx.me, 0, n_keys)])),
        (empty_rows(steps, n_wanted), concat_planes([wanted, same_bit(ctx.me, 1, n_wanted)])),
    ]
    del keys, rows, steps  # here and below: the memory is needed before this function ends
    merged, _, placed = yield from merge_many(ctx.at("merge"), lists)
    spread = Rows(merged.n, running_xor(merged.bits), running_sum(merged.sums))
    del lists, merged
    back = yield from unplace(ctx.at("back"), spread, placed)
    del spread, placed
    key, copied = split_planes(back.bits[:, n_keys // 64 :], widths)
    match = yield from equal(ctx.at("equal"), key, wanted)
    bits, sums = yield from parallel(
        and_bits(ctx.at("bits"), copied, match),
        keep_or_nothing(ctx.at("sums"), match, back.sums[:, n_keys:]),
    )
    return bits[-1:], Rows(n_wanted, bits[:-1], sums)


def keep_or_nothing(ctx: Context, mark: Bits, columns: Arith) -> Steps[Arith]:
    """Multiply columns by a bit a row, free without columns."""
    if columns.shape[0] == 0:
        return columns
    kept = yield from keep_where(ctx, mark, columns)
    return kept


def with_valid(relation: Relation) -> Rows:
    """Return all columns, then the bit of rows that are there."""
    rows = relation.rows()
    return replace(rows, bits=concat_planes([rows.bits, relation.valid]))

