"""INSECURE twins of the movements of rows: plain numpy, no protection."""

from dataclasses import dataclass

import numpy as np

from protocols.plaintext.words import arith_to_bits, bits_to_arith
from protocols.rep3.packed import Order
from protocols.rounds import U64


@dataclass(frozen=True, slots=True)
class PlainRows:
    """`n` rows in the clear: planes (k, words_for(n)) and columns (m, n)."""

    n: int
    bits: U64
    sums: U64


def take(rows: PlainRows, order: Order) -> PlainRows:
    """Put rows into this order. INSECURE."""
    return PlainRows(rows.n, _taken(rows.bits, rows.n, order), rows.sums[:, order])


def place(rows: PlainRows, destination: U64) -> PlainRows:
    """Move row r to position destination[r]. INSECURE."""
    return take(rows, np.argsort(destination))


def unplace(rows: PlainRows, destination: U64) -> PlainRows:
    """Undo `place`. INSECURE."""
    return take(rows, destination.astype(np.intp))


def compact(rows: PlainRows, keep: U64) -> PlainRows:
    """Move the rows to keep to the front, stably. INSECURE."""
    return take(rows, np.argsort(bits_to_arith(keep, rows.n)[0] == 0, kind="stable"))


def sort(rows: PlainRows, key: U64) -> tuple[PlainRows, U64]:
    """Order rows by key, stably; return the sorted key planes too. INSECURE."""
    order = np.lexsort([np.zeros(rows.n), *bits_to_arith(key, rows.n)[::-1]])
    return take(rows, order), _taken(key, rows.n, order)


def merge(a: PlainRows, a_key: U64, b: PlainRows, b_key: U64) -> tuple[PlainRows, U64]:
    """Merge two lists by key, rows of a before equal rows of b. INSECURE."""
    n = a.n + b.n
    both = PlainRows(n, _appended(a.bits, a.n, b.bits, b.n), np.hstack([a.sums, b.sums]))
    return sort(both, _appended(a_key, a.n, b_key, b.n))


def _appended(a: U64, a_n: int, b: U64, b_n: int) -> U64:
    columns = np.hstack([bits_to_arith(a, a_n), bits_to_arith(b, b_n)])
    return _sliced(columns)


def _taken(planes: U64, n: int, order: Order) -> U64:
    return _sliced(bits_to_arith(planes, n)[:, order])


def _sliced(columns: U64) -> U64:
    k, n = columns.shape
    planes = np.zeros((k, -(-n // 64)), dtype=np.uint64)
    for j, column in enumerate(columns):
        planes[j] = arith_to_bits(column, 1)[0]
    return planes
