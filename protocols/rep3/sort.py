"""Sorting secret rows by a secret key: a shuffle, then a quicksort on opened comparisons."""

from collections.abc import Sequence

import numpy as np

from protocols.context import Context
from protocols.rep3.compare import high_first, pick_first
from protocols.rep3.packed import Order, Packed, inverse
from protocols.rep3.partition import Flags, Ranking
from protocols.rep3.place import Placement
from protocols.rep3.reveal import reveal_bits
from protocols.rep3.rows import Rows, no_sums
from protocols.rep3.share import Bits, concat_planes, public_bits, words_for
from protocols.rep3.shuffle import shuffle_packed
from protocols.rep3.slices import to_planes
from protocols.rounds import U64, Party, Steps, parallel


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
    n, k, carried = rows.n, key.shape[0], rows.bits.shape[0]
    compared = _numbered(ctx.me, key, n)
    together = Rows(n, concat_planes([rows.bits, compared]), rows.sums)
    shuffled, shuffling = yield from shuffle_packed(ctx.at("shuffle"), together)
    (order,) = yield from _ranked(ctx.at("quicksort"), [shuffled], compared.shape[0])
    result = shuffled.move(order).rows()
    bits, key = result.bits[:carried], result.bits[carried : carried + k]
    placed = Placement(shuffling.then(ctx.me, order), inverse(order))
    return Rows(n, bits, result.sums), key, placed


def orders(ctx: Context, keys: Sequence[Bits]) -> Steps[list[tuple[Bits, Placement]]]:
    """Find the orders of the same rows by several keys of equal width.

    Args:
        keys: (k, w) each, of 64 w > 0 rows.

    Returns:
        for each key its planes in ascending order, and what puts rows into that order.

    Raises:
        ValueError: if the keys' shapes differ.

    Cost: the rounds of one `sort`, the bytes of one for each key.
    Security: as `sort`: each key has a shuffle of its own, so the orders that are opened are
        independent and uniformly random.
    """
    k, n = keys[0].shape[0], 64 * keys[0].shape[1]
    if any(key.shape != keys[0].shape for key in keys):
        raise ValueError("keys of one size only are sorted at once")
    numbered = [_numbered(ctx.me, key, n) for key in keys]
    compared = numbered[0].shape[0]
    shuffles = (
        shuffle_packed(ctx.at(f"shuffle{i}"), Rows(n, planes, no_sums(n)))
        for i, planes in enumerate(numbered)
    )
    shuffled = yield from parallel(*shuffles)
    ranked = yield from _ranked(ctx.at("quicksort"), [rows for rows, _ in shuffled], compared)
    found = []
    for (rows, shuffling), order in zip(shuffled, ranked, strict=True):
        placed = Placement(shuffling.then(ctx.me, order), inverse(order))
        found.append((rows.move(order).rows().bits[:k], placed))
    return found


def _numbered(me: Party, key: Bits, n: int) -> Bits:
    """Append the rows' numbers to a key, so that no two are equal."""
    numbers = to_planes(np.arange(n, dtype=np.uint64), (n - 1).bit_length())
    return concat_planes([key, public_bits(me, numbers)])


def _ranked(ctx: Context, lists: Sequence[Packed], k: int) -> Steps[list[Order]]:
    """Return for lists of equal size the order in which distinct keys, the lowest k planes, ascend.

    Its comparisons are opened.
    """
    keys = np.concatenate([_key_words(rows, k) for rows in lists])
    ranking, depth = Ranking.start(keys, len(lists)), 0
    while not ranking.done:
        left, right = ranking.pairs()
        a, b = _planes(ranking.rows, left, k), _planes(ranking.rows, right, k)
        less = yield from _opened_less(ctx.at(f"level{depth}"), a, b, left.size)
        ranking, depth = ranking.after(less), depth + 1
    n = lists[0].layout.n
    return [order - i * n for i, order in enumerate(ranking.order.reshape(len(lists), n))]


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
