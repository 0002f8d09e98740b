"""The first groups, or rows, of a secret order, found before anything is opened."""

from dataclasses import replace

import numpy as np

from cleanroom.execution.conditions import evaluate
from cleanroom.plan.ordering import OrderBy, Top
from cleanroom.plan.schema import Schema
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import arith_to_bits, bits_to_arith, sign
from protocols.rep3.multiply import multiply
from protocols.rep3.relation import Relation
from protocols.rep3.rows import Rows
from protocols.rep3.scan import running_sum
from protocols.rep3.share import ONES, Bits, concat_planes, stack, words_for
from protocols.rep3.sort import sort
from protocols.rounds import U64, Steps, parallel


def keep_first(
    ctx: Context, groups: Relation, schema: Schema, top: Top, marked: Rows
) -> Steps[Rows]:
    """Bring marked rows into order and keep the mark of the first `top.limit` alone.

    Args:
        marked: rows of the groups; the last plane says which may be opened.

    Returns:
        the first rows of the order, `limit` rounded up to a multiple of 64, or fewer.

    Cost: a conversion to bits for each sum column of the order and one `sort`.
    Security: semi-honest, honest majority; no leakage.
    """
    mark = marked.bits[-1:]
    keys = yield from parallel(
        *(_key(ctx.at(f"by{i}"), groups, schema, by) for i, by in enumerate(top.order))
    )
    key = concat_planes([mark.flip(ctx.me), *keys])
    ordered, _ = yield from sort(ctx.at("sort"), marked, key)
    n = min(marked.n, 64 * max(words_for(top.limit), 1))
    kept = ordered.bits[:, : n // 64]
    limited = kept[-1:].mask(_first(top.limit, n))
    return Rows(n, concat_planes([kept[:-1], limited]), ordered.sums[:, :n])


def keep_first_rows(ctx: Context, groups: Rows, place: int, limit: int) -> Steps[Rows]:
    """Of groups of equal rows keep the first `limit` rows alone.

    Args:
        groups: in order; the last plane marks those that may be opened, all of them in front.
        place: which sum column says how many rows a group is, at least 1 where marked.

    Returns:
        the groups, marked where a row is left, with how many are.

    Cost: `sign` of two numbers a group, then two multiplications. Security: semi-honest, honest
        majority; no leakage.
    """
    count = groups.sums[place]
    left = (running_sum(count) - count).scale(-1).shift(ctx.me, limit)  # for this group
    signs = yield from sign(ctx.at("sign"), stack([left.shift(ctx.me, -1), left - count]))
    any_left, cuts = signs[:1].flip(ctx.me), signs[1:]
    flags, some = yield from parallel(
        bits_to_arith(ctx.at("flags"), concat_planes([any_left, cuts]), groups.n),
        and_bits(ctx.at("some"), groups.bits[-1:], any_left),
    )
    cut = yield from multiply(ctx.at("cut"), flags[1], left - count)
    kept = yield from multiply(ctx.at("kept"), flags[0], count + cut)
    sums = [kept if i == place else groups.sums[i] for i in range(groups.sums.shape[0])]
    return replace(groups, bits=concat_planes([groups.bits[:-1], some]), sums=stack(sums))


def _key(ctx: Context, groups: Relation, schema: Schema, by: OrderBy) -> Steps[Bits]:
    """Return planes that ascend in the order asked for: first whether NULL, then the value."""
    nulls = []
    if by.column in groups.columns:
        column = groups.columns[by.column]
        planes = column.value
        if column.nullable:
            nulls.append(column.null)
    else:
        bound = next(s.bound for s in schema.sums if s.name == by.column)
        shifted = groups.sums[by.column].shift(ctx.me, bound)
        planes = yield from arith_to_bits(ctx.at("bits"), shifted, (2 * bound).bit_length() or 1)
    if by.known is not None:
        true, _ = yield from evaluate(ctx.at("known"), groups, by.known)
        nulls.append(true.flip(ctx.me))
    value = planes.flip(ctx.me) if by.descending else planes
    first = [null.flip(ctx.me) if by.nulls_first else null for null in nulls]
    return concat_planes([*first, value])


def _first(limit: int, n: int) -> U64:
    """Return public words with the bits of rows below `limit` set."""
    rows = np.arange(n) < limit
    words: U64 = np.packbits(rows, bitorder="little").view(np.uint64)
    return words & ONES
