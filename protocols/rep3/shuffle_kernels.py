"""A compiled loop that draws a permutation. Rule and import as in `kernels`."""

from numba import boolean, int64, njit, types, uint64

_IN = types.Array(uint64, 1, "C", readonly=True)


@njit(boolean(_IN, int64[::1]), cache=True, nogil=True)
def draw_order(words, order):  # type: ignore[no-untyped-def]
    """Set `order` to a permutation, uniform if the words are: Fisher and Yates' shuffle.

    A word gives a number below `size` as the high part of their product; words by which some
    numbers would get more than their share are left out.
    Source: Lemire, ACM TOMACS 2019, for the bounded number.

    Returns:
        whether there were words enough.
    """
    low32, used = uint64(0xFFFF_FFFF), 0
    for i in range(order.size):
        order[i] = i
    for last in range(order.size - 1, 0, -1):
        size = uint64(last + 1)
        while True:
            if used == words.size:
                return False
            word = words[used]
            used += 1
            rest = word * size
            if rest >= size or rest >= (~size + uint64(1)) % size:
                break
        at = ((word >> uint64(32)) * size + ((word & low32) * size >> uint64(32))) >> uint64(32)
        order[last], order[at] = order[at], order[last]
    return True
