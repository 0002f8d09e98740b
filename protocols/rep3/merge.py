"""Merging two sorted lists of secret rows, obliviously.

A bitonic network carries key and row number alone, in bit planes; the row numbers, opened in
a random order, then move the payload.
"""

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import less_than
from protocols.rep3.place import Placement, place_again, placement_of
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits, concat_planes, public_bits, words_for
from protocols.rep3.slices import append_planes, bytes_to_planes, planes_to_bytes, to_planes
from protocols.rounds import U64, Steps


def merge(
    ctx: Context, a: Rows, a_key: Bits, b: Rows, b_key: Bits
) -> Steps[tuple[Rows, Bits, Placement]]:
    """Merge two lists, each ascending by its key, into one that ascends.

    Args:
        a, b: at least one row each, with equally many columns.
        a_key, b_key: (k, words_for(a.n)) and (k, words_for(b.n)), k >= 1, plane 0 most
            significant. Bits past the last row are ignored.

    Returns:
        the a.n + b.n rows, equal keys in any order; their key planes, zero past the last row;
        and what brings columns back (`unplace`) to the order of a followed by b.

    Raises:
        ValueError: if the columns or the widths of the keys differ, or a list is empty.
        PeerMisbehaved: as `reveal_bits`.

    Cost: with l = ceil(log2(a.n + b.n)): l (1 + ceil(log2(k' + 1))) + 5 rounds, k' = k, or k + 1
        unless the sum is 2^l; about 2^l l (3k' + l) / 16 bytes by each party, a
        `placement_of` l planes and a `shuffle` of all columns.
    Security: semi-honest, honest majority; no leakage: what is opened is a uniformly random
        permutation.
    """
    _check(a, a_key, b, b_key)
    k, n = a_key.shape[0], a.n + b.n
    levels = (n - 1).bit_length()
    keyed = _bitonic(ctx, a_key, a.n, b_key, b.n)
    compared = keyed.shape[0] - levels
    ordered = yield from _network(ctx.at("network"), keyed, compared, levels)
    ordered = ordered[:, : words_for(n)]
    origin = yield from placement_of(ctx.at("numbers"), ordered[compared:], n)
    both = Rows(n, _append(a.bits, a.n, b.bits, b.n), _beside(a.sums, b.sums))
    rows = yield from place_again(ctx.at("payload"), both, origin.inverse)
    return rows, ordered[compared - k : compared], origin.inverse


def _check(a: Rows, a_key: Bits, b: Rows, b_key: Bits) -> None:
    if a.n == 0 or b.n == 0:
        raise ValueError("an empty list has nothing to merge")
    k = a_key.shape[0]
    if k == 0 or a_key.shape != (k, words_for(a.n)) or b_key.shape != (k, words_for(b.n)):
        raise ValueError(f"keys {a_key} and {b_key} don't fit {a.n} and {b.n} rows")
    if a.bits.shape[0] != b.bits.shape[0] or a.sums.shape[0] != b.sums.shape[0]:
        raise ValueError(f"columns differ: {a} and {b}")


def _bitonic(ctx: Context, a_key: Bits, a_n: int, b_key: Bits, b_n: int) -> Bits:
    """Line up a, rows that come last, and b backwards: filler bit if needed, key, row number."""
    n, k = a_n + b_n, a_key.shape[0]
    size = 1 << (n - 1).bit_length()
    numbers = np.arange(size, dtype=np.uint64)
    numbers[a_n:] = np.concatenate([np.arange(n, size), np.arange(a_n, n)[::-1]])
    numbered = to_planes(numbers, (n - 1).bit_length())

    def line_up(a_half: U64, b_half: U64) -> U64:
        rows = np.zeros((size, -(-k // 8)), dtype=np.uint8)
        rows[:a_n] = planes_to_bytes(a_half, a_n)
        rows[size - b_n :] = planes_to_bytes(b_half, b_n)[::-1]
        return bytes_to_planes(rows, k)

    key = Bits(line_up(a_key.own, b_key.own), line_up(a_key.next, b_key.next))
    filler = [to_planes((numbers >= n).astype(np.uint64), 1)] if size > n else []
    public = [public_bits(ctx.me, planes) for planes in (*filler, numbered)]
    return concat_planes([*public[:-1], key, public[-1]])


def _network(ctx: Context, x: Bits, compared: int, levels: int) -> Steps[Bits]:
    """Sort the bitonic sequence x of 2^levels rows by its first `compared` planes.

    Sequences of up to 64 rows share a word; zeros beside them stay zeros.
    """
    w = x.shape[1]
    if w == 1:  # below, two words exchange halves so that no gate is spent on an empty bit
        x = Bits(np.pad(x.own, ((0, 0), (0, 1))), np.pad(x.next, ((0, 0), (0, 1))))
    for distance in (1 << level for level in reversed(range(levels))):
        at = ctx.at(f"distance{distance}")
        low, high = _apart(x, distance)
        swap = yield from less_than(at.at("less"), high[:compared], low[:compared])
        change = yield from and_bits(at.at("swap"), swap, low ^ high)
        x = _together(low ^ change, high ^ change, distance)
    return x[:, :w]


def _apart(x: Bits, distance: int) -> tuple[Bits, Bits]:
    """Return the rows whose number lacks the bit `distance`, and those `distance` further on."""
    (own_low, own_high), (next_low, next_high) = (_split(h, distance) for h in (x.own, x.next))
    return Bits(own_low, next_low), Bits(own_high, next_high)


def _together(low: Bits, high: Bits, distance: int) -> Bits:
    return Bits(_join(low.own, high.own, distance), _join(low.next, high.next, distance))


def _split(planes: U64, distance: int) -> tuple[U64, U64]:
    k, w = planes.shape
    if distance < 64:
        return _exchange(planes[:, : w // 2], planes[:, w // 2 :], distance)
    runs = planes.reshape(k, -1, 2, distance // 64)
    return runs[:, :, 0].reshape(k, w // 2), runs[:, :, 1].reshape(k, w // 2)


def _join(low: U64, high: U64, distance: int) -> U64:
    k, half = low.shape
    if distance < 64:
        return np.concatenate(_exchange(low, high, distance), axis=1)
    runs = np.empty((k, 64 * half // distance, 2, distance // 64), dtype=np.uint64)
    runs[:, :, 0] = low.reshape(k, -1, distance // 64)
    runs[:, :, 1] = high.reshape(k, -1, distance // 64)
    return runs.reshape(k, 2 * half)


def _exchange(a: U64, b: U64, distance: int) -> tuple[U64, U64]:
    """Swap the bits of a at places with the bit `distance` for those of b at places without.

    Afterwards a has the lower rows of both and b the upper ones; doing it again undoes it.
    """
    places = np.uint64(sum(1 << place for place in range(64) if not place & distance))
    moved = a >> np.uint64(distance)
    moved ^= b
    moved &= places
    upper = b ^ moved
    moved <<= np.uint64(distance)
    moved ^= a
    return moved, upper


def _append(a: Bits, a_n: int, b: Bits, b_n: int) -> Bits:
    own = append_planes(a.own, a_n, b.own, b_n)
    return Bits(own, append_planes(a.next, a_n, b.next, b_n))


def _beside(a: Arith, b: Arith) -> Arith:
    return Arith(np.hstack([a.own, b.own]), np.hstack([a.next, b.next]))
