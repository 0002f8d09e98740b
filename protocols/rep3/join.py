"""INNER JOIN of secret relations whose right keys are unique: the result has the left rows.

The keys of both sides are merged, right before left. A right row's columns then flow down to
the left rows that follow it: at each key's first row one puts the *difference* to the first
row of the key before, and a running sum, which is local, gives each row its own key's values.
"""

from dataclasses import replace

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.group import keep_where, same_as_previous
from protocols.rep3.merge import merge
from protocols.rep3.order import order
from protocols.rep3.place import compact, unplace
from protocols.rep3.relation import Relation
from protocols.rep3.rows import Rows, empty_rows
from protocols.rep3.scan import running_sum, running_xor, undo_running_sum, undo_running_xor
from protocols.rep3.share import Arith, Bits, concat_planes, same_bit
from protocols.rounds import Steps, parallel


def join_unique(
    ctx: Context,
    left: Relation,
    right: Relation,
    left_on: tuple[str, ...],
    right_on: tuple[str, ...],
) -> Steps[Relation]:
    """Join on equal keys; no two rows of `right` that are there may have equal keys.

    Args:
        left_on, right_on: bits columns without NULLs, pairwise of equal width.

    Returns:
        The left rows, in the order of `left_on`, with the columns of both sides except
        `right_on`. Rows without a match are marked as not there. A product of sum columns is
        zero in them only if it has a factor from each side.

    Cost: a `merge`, a `compact` and two inverse placements of the right columns, after an
        `order` of each side that isn't sorted. Security: semi-honest; leakage none.
    """
    left, right = yield from parallel(
        order(ctx.at("left"), left, left_on), order(ctx.at("right"), right, right_on)
    )
    carried = right.select((c for c in right.columns if c not in right_on), right.sums)
    found, values = yield from look_up(
        ctx.at("look"),
        left.key(ctx.me, left_on),
        right.key(ctx.me, right_on),
        _with_valid(carried),
    )
    there = yield from and_bits(ctx.at("there"), left.valid, found)
    matched = carried.with_rows(values)
    return Relation(
        n=left.n,
        valid=there,
        columns={**left.columns, **matched.columns},
        sums={**left.sums, **matched.sums},
        clean=left.clean,
    )


def look_up(ctx: Context, wanted: Bits, keys: Bits, rows: Rows) -> Steps[tuple[Bits, Rows]]:
    """Give each wanted key the row with the greatest key that is not greater.

    Only if that row's key is equal is its content copied; otherwise all is zero.

    Args:
        wanted: ascending keys, shape (k, w).
        keys: ascending keys of `rows`; a key that may be looked up is unique.
        rows: columns to copy; the last plane is copied too and returned apart, as `found`.
    """
    n_wanted, n_keys = wanted.shape[1] * 64, rows.n
    merged, key, placed = yield from merge(
        ctx.at("merge"),
        rows,
        concat_planes([keys, same_bit(ctx.me, 0, n_keys)]),
        empty_rows(rows, n_wanted),
        concat_planes([wanted, same_bit(ctx.me, 1, n_wanted)]),
    )
    first = yield from same_as_previous(ctx.at("same"), key[:-1])
    spread = yield from flow_down(ctx.at("flow"), merged, first.flip(ctx.me))
    back = yield from unplace(ctx.at("back"), spread, placed)
    bits, sums = back.bits[:, n_keys // 64 :], back.sums[:, n_keys:]
    return bits[-1:], Rows(n_wanted, bits[:-1], sums)


def flow_down(ctx: Context, rows: Rows, first: Bits) -> Steps[Rows]:
    """Copy the columns of each row marked `first` to the rows after it, up to the next mark.

    Row 0 must be marked.

    Cost: a `compact`, one AND and one multiplication a column, an `unplace`.
    """
    marked = Rows(rows.n, concat_planes([rows.bits, first]), rows.sums)
    packed, placed = yield from compact(ctx.at("compact"), marked, first)
    mark = packed.bits[-1:]
    steps_bits = undo_running_xor(packed.bits[:-1])
    bits, sums = yield from parallel(
        _and_or_nothing(ctx.at("bits"), steps_bits, mark),
        _keep_or_nothing(ctx.at("sums"), mark, undo_running_sum(packed.sums)),
    )
    back = yield from unplace(ctx.at("back"), Rows(rows.n, bits, sums), placed)
    return Rows(rows.n, running_xor(back.bits), running_sum(back.sums))


def _and_or_nothing(ctx: Context, planes: Bits, mark: Bits) -> Steps[Bits]:
    if planes.shape[0] == 0:
        return planes
    kept = yield from and_bits(ctx, planes, mark)
    return kept


def _keep_or_nothing(ctx: Context, mark: Bits, columns: Arith) -> Steps[Arith]:
    if columns.shape[0] == 0:
        return columns
    kept = yield from keep_where(ctx, mark, columns)
    return kept


def _with_valid(relation: Relation) -> Rows:
    rows = relation.rows()
    return replace(rows, bits=concat_planes([rows.bits, relation.valid]))

