"""Merging sorted lists of secret rows, obliviously.

A bitonic network carries key and row number alone, in bit planes; the row numbers, opened in
a random order, then move the payload.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate

import numpy as np

from protocols.context import Context
from protocols.rep3.network import rise
from protocols.rep3.place import Placement, place_again, placement_of
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits, concat_planes, public_bits, words_for
from protocols.rep3.slices import (
    append_planes,
    bytes_to_planes,
    planes_to_bytes,
    reversed_rows,
    to_planes,
)
from protocols.rounds import U64, Party, Steps, parallel


def merge(
    ctx: Context, a: Rows, a_key: Bits, b: Rows, b_key: Bits
) -> Steps[tuple[Rows, Bits, Placement]]:
    """Merge two lists, each ascending by its key, into one that ascends: as `merge_many`."""
    return (yield from merge_many(ctx, ((a, a_key), (b, b_key))))


def merge_many(
    ctx: Context, lists: Sequence[tuple[Rows, Bits]]
) -> Steps[tuple[Rows, Bits, Placement]]:
    """Merge lists of rows, each ascending by its key, into one that ascends.

    Neighbours are merged pairwise, and so on; payload is moved once, at the end.

    Args:
        lists: rows, at least one, with equally many columns; and their key, (k, words_for(n)),
            k >= 1, plane 0 most significant. Bits past the last row are ignored.

    Returns:
        all n rows, equal keys in any order; their key planes, zero past the last row; and what
        brings columns back (`unplace`) to the order of the lists, one after the other.

    Raises:
        ValueError: if the columns or the widths of the keys differ, or a list is empty.
        PeerMisbehaved: as `reveal_bits`.

    Cost: for each merge of n rows, with l = ceil(log2 n), l (1 + ceil(log2 k')) rounds,
        k' = k, or k + 1 if n fills no whole word; about n l (2.5 k' + l) / 16 bytes by each
        party. Then a `placement_of` l planes, 3 rounds, and a `shuffle` of all columns, if there
        are any, 2 more.
    Security: semi-honest, honest majority; no leakage: what is opened is a uniformly random
        permutation.
    """
    _check(lists)
    k, ends = lists[0][1].shape[0], list(accumulate(rows.n for rows, _ in lists))
    numbered = [
        _Numbered(rows.n, concat_planes([key, _numbers(ctx.me, end - rows.n, rows.n, ends[-1])]))
        for (rows, key), end in zip(lists, ends, strict=True)
    ]
    together = reduce(_append, (rows for rows, _ in lists))
    del lists
    ordered = yield from _merged(ctx, numbered, k)
    del numbered
    origin = yield from placement_of(ctx.at("numbers"), ordered.planes[k:], ordered.n)
    if together.bits.shape[0] or together.sums.shape[0]:
        together = yield from place_again(ctx.at("payload"), together, origin.inverse)
    return together, ordered.planes[:k], origin.inverse


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A sorted list: its key planes, and below them the planes of its rows' numbers."""

    n: int
    planes: Bits


def _check(lists: Sequence[tuple[Rows, Bits]]) -> None:
    first, key = lists[0]
    for rows, other in lists:
        if rows.n == 0:
            raise ValueError("an empty list has nothing to merge")
        if key.shape[0] == 0 or other.shape != (key.shape[0], words_for(rows.n)):
            raise ValueError(f"key {other} doesn't fit {rows.n} rows")
        if rows.bits.shape[0] != first.bits.shape[0] or rows.sums.shape[0] != first.sums.shape[0]:
            raise ValueError(f"columns differ: {rows} and {first}")


def _numbers(me: Party, start: int, n: int, total: int) -> Bits:
    """Share the numbers start .. start + n - 1, as wide as `total` of them need."""
    numbers = np.arange(start, start + n, dtype=np.uint64)
    return public_bits(me, to_planes(numbers, (total - 1).bit_length()))


def _merged(ctx: Context, lists: list[_Numbered], k: int) -> Steps[_Numbered]:
    """Merge lists by their first k planes."""
    depth = 0
    while len(lists) > 1:
        at = ctx.at(f"merge{depth}")
        pairs = list(zip(lists[::2], lists[1::2], strict=False))
        steps = (_merge_two(at.at(f"{i}"), a, b, k) for i, (a, b) in enumerate(pairs))
        rest = lists[2 * len(pairs) :]
        lists, depth = [*(yield from parallel(*steps)), *rest], depth + 1
    return lists[0]


def _merge_two(ctx: Context, a: _Numbered, b: _Numbered, k: int) -> Steps[_Numbered]:
    n = a.n + b.n
    levels = (n - 1).bit_length()
    size = min(1 << levels, 64 * words_for(n))  # rows beyond n come last
    x = _line_up(a, b)
    if size > n:
        filler = to_planes((np.arange(size) >= n).astype(np.uint64), 1)
        x = concat_planes([public_bits(ctx.me, filler), x])
    more = int(size > n)
    del a, b
    ordered = yield from rise(ctx.at("network"), x, k + more, levels)
    return _Numbered(n, ordered[more:])


def _line_up(a: _Numbered, b: _Numbered) -> Bits:
    """Put the rows of b backwards, so that they fall, and behind them those of a."""

    def lined(a_half: U64, b_half: U64) -> U64:
        if a.n % 64 == 0 and b.n % 64 == 0:
            return np.concatenate([reversed_rows(b_half), a_half], axis=1)
        rows = np.concatenate([planes_to_bytes(b_half, b.n)[::-1], planes_to_bytes(a_half, a.n)])
        return bytes_to_planes(rows, a_half.shape[0])

    return Bits(lined(a.planes.own, b.planes.own), lined(a.planes.next, b.planes.next))


def _append(a: Rows, b: Rows) -> Rows:
    """Put the rows of b after those of a."""
    own = append_planes(a.bits.own, a.n, b.bits.own, b.n)
    bits = Bits(own, append_planes(a.bits.next, a.n, b.bits.next, b.n))
    sums = (np.hstack([x, y]) for x, y in ((a.sums.own, b.sums.own), (a.sums.next, b.sums.next)))
    return Rows(a.n + b.n, bits, Arith(*sums))
