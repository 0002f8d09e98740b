"""INSECURE twins of arithmetic, comparisons and conversions: plain numpy, no protection."""

import numpy as np

from protocols.rep3.share import ONES
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
