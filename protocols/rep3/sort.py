"""Sorting secret rows by a secret key: a shuffle, then a quicksort on opened comparisons."""

import numpy as np

from protocols.context import Context
from protocols.rep3.compare import high_first, pick_first
from protocols.rep3.packed import Order, Packed, inverse
from protocols.rep3.partition import Flags, Ranking
from protocols.rep3.place import Placement
from protocols.rep3.reveal import reveal_bits
from protocols.rep3.rows import Rows
from protocols.rep3.share import Bits, concat_planes, public_bits, words_for
from protocols.rep3.shuffle import shuffle_packed
from protocols.rep3.slices import to_planes
from protocols.rounds import U64, Steps


def sort(ctx: Context, rows: Rows, key: Bits) -> Steps[tuple[Rows, Bits]]:
    """Put rows into ascending order of their keys, equal keys in the order they had.

    Args:
        key: (k, words_for(n)), plane 0 most significant. Bits past row n are ignored.

    Returns:
        the rows, and their key planes; bits past row n are zero.

    Raises:
        ValueError: if the key doesn't fit the rows.
        PeerMisbehaved: as `reveal_bits`.

    Cost: with L = ceil(log2 n) and K = k + L: a `shuffle` of the rows, key and row number, then
        levels of 1 + ceil(log2 K) rounds; about 1.5 K / 8 bytes by each party for each of
        about n (L + 1) comparisons. about 27 levels for 2^14 rows, 32 for 2^16.
    Security: semi-honest, honest majority. The comparisons are opened, and with them how many
        levels and comparisons there are. The row number makes all keys distinct, so these
        say in which order the shuffled rows rank, nothing else; and that is a uniformly random
        order, whatever the keys. So a simulator makes them up from n alone: leakage none.
    """
    if key.shape[1:] != (words_for(rows.n),):
        raise ValueError(f"key {key} doesn't fit {rows.n} rows")
    if rows.n < 2:
        real = np.full(1, rows.n, dtype=np.uint64)
        return Rows(rows.n, rows.bits.mask(real), rows.sums), key.mask(real)
    rows, key, _ = yield from sort_again(ctx, rows, key)
    return rows, key


def sort_again(ctx: Context, rows: Rows, key: Bits) -> Steps[tuple[Rows, Bits, Placement]]:
    """Sort two rows or more, and return what moves other columns in the same way, and back.

    Cost and security: as `sort`.
    """
    k, n = key.shape[0], rows.n
    number = public_bits(ctx.me, to_planes(np.arange(n, dtype=np.uint64), (n - 1).bit_length()))
    compared = k + number.shape[0]
    together = Rows(n, concat_planes([rows.bits, key, number]), rows.sums)
    shuffled, shuffling = yield from shuffle_packed(ctx.at("shuffle"), together)
    order = yield from _ranked(ctx.at("quicksort"), shuffled, compared)
    result = shuffled.move(order).rows()
    carried = rows.bits.shape[0]
    bits, key = result.bits[:carried], result.bits[carried : carried + k]
    placed = Placement(shuffling.then(ctx.me, order), inverse(order))
    return Rows(n, bits, result.sums), key, placed


def _ranked(ctx: Context, shuffled: Packed, k: int) -> Steps[Order]:
    """Return the order in which distinct keys, the lowest k planes, ascend.

    Its comparisons are opened.
    """
    ranking, depth = Ranking.start(_key_words(shuffled, k)), 0
    while not ranking.done:
        left, right = ranking.pairs()
        a, b = _planes(ranking.rows, left, k), _planes(ranking.rows, right, k)
        less = yield from _opened_less(ctx.at(f"level{depth}"), a, b, left.size)
        ranking, depth = ranking.after(less), depth + 1
    return ranking.order


def _opened_less(ctx: Context, left: Bits, right: Bits, n: int) -> Steps[Flags]:
    order = high_first(left.shape[0])
    alike = (left ^ right).flip(ctx.me)[order]
    less = yield from pick_first(ctx.at("less"), right[order], alike)  # distinct, or both zero
    opened = yield from reveal_bits(ctx.at("open"), less)
    return np.unpackbits(opened.view(np.uint8)[0], count=n, bitorder="little").astype(np.bool_)


def _key_words(rows: Packed, k: int) -> U64:
    """Return the lowest k planes row by row, (n, 2c): c words of the one half, c of the other."""
    octets, c = -(-k // 8), words_for(k)
    words = np.zeros((rows.layout.n, 2 * c), dtype=np.uint64)
    for i, half in enumerate((rows.own, rows.next)):
        words.view(np.uint8)[:, 8 * c * i :][:, :octets] = rows.layout.bytes(half)[:, :octets]
    return words


def _planes(words: U64, order: Order, k: int) -> Bits:
    """Return the k planes of these rows in this order, zero past the last."""
    from protocols.rep3 import kernels

    own, following = np.empty((2, k, words_for(order.size)), dtype=np.uint64)
    kernels.picked_planes(words, order, own, following)
    return Bits(own, following)
