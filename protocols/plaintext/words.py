"""INSECURE twins of arithmetic, comparisons and conversions: plain numpy, no protection."""

import numpy as np

from protocols.rep3.share import ONES, words_for
from protocols.rounds import U64


def multiply(x: U64, y: U64) -> U64:
    """Multiply mod 2^64. INSECURE."""
    product: U64 = x * y
    return product


def and_bits(x: U64, y: U64) -> U64:
    """AND bit planes. INSECURE."""
    both: U64 = x & y
    return both


def less_than(a: U64, b: U64) -> U64:
    """Compare (k, w) planes row by row, a < b, to one plane. INSECURE."""
    less, alike = np.zeros_like(a[:1]), np.full_like(a[:1], ONES)
    for plane_a, plane_b in zip(a, b, strict=True):
        less |= alike & ~plane_a & plane_b
        alike &= ~(plane_a ^ plane_b)
    return less


def equal(a: U64, b: U64) -> U64:
    """Compare (k, w) planes row by row, a = b, to one plane. INSECURE."""
    return equal_zero(a ^ b)


def equal_zero(x: U64) -> U64:
    """Tell row by row whether all planes are zero. INSECURE."""
    zero: U64 = ~np.bitwise_or.reduce(x, axis=0, keepdims=True)
    return zero


def bits_to_arith(x: U64, n: int) -> U64:
    """Turn every plane into a column of 0 and 1, shape (k, n). INSECURE."""
    octets = np.ascontiguousarray(x).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=n, bitorder="little").astype(np.uint64)


def bits_to_number(x: U64, n: int) -> U64:
    """Turn planes into integers mod 2^64, shape (n,). INSECURE."""
    number = np.zeros(n, dtype=np.uint64)
    for column in bits_to_arith(x, n):
        number = number * np.uint64(2) + column
    return number


def sign(x: U64) -> U64:
    """Take the most significant bit of each element of (m, n), as planes. INSECURE."""
    return np.concatenate([arith_to_bits(column, 64)[:1] for column in x])


def arith_to_bits(x: U64, bits: int) -> U64:
    """Take the low bits of each element of (n,) as planes. INSECURE."""
    planes = np.zeros((bits, 8 * words_for(x.size)), dtype=np.uint8)
    for j in range(bits):
        plane = np.packbits((x >> np.uint64(bits - 1 - j)) & np.uint64(1) != 0, bitorder="little")
        planes[j, : plane.size] = plane
    return planes.view(np.uint64)
