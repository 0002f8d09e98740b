"""The word of each ciphertext that tells its sum from any other: a linear tag under a secret.

A contributor's word is sum_j r_j x_j + c mod t over its cells x_j. The r_j are secret and common to
all contributors, c is secret and one contributor's own. The words of all add up as the cells do,
so whoever knows the secret can check the sum, and who doesn't can't find another pair that fits.
"""

from collections.abc import Sequence

import numpy as np

from protocols.he.masks import uniform
from protocols.he.scheme import VectorRefused
from protocols.randomness import KEY_BYTES
from protocols.rounds import U64

_LIMB = 20  # bits: products of limbs, 2^13 of them added up, stay below 2^63


def tags(cells: U64, secret: bytes, senders: Sequence[str], binding: str, modulus: int) -> U64:
    """Return the words of ciphertexts whose cells are what `senders` contributed, added up.

    Args:
        cells: words below `modulus`, shape (ciphertexts, cells of each), at most 2^13 of each.
        secret: 32 bytes that the contributors and the decrypting party alone have; for this
            binding alone.
        modulus: at most 2^60.

    Returns:
        Shape (ciphertexts,).

    Cost: as many random words as there are cells, and 9 products each.
    Security: without the secret, whatever is done to ciphertexts that are masked and added up, a
        changed sum passes with a probability of 1 / modulus for each ciphertext. With it, a
        contributor that also adds the ciphertexts up can change totals unnoticed.
    Source: the one-time universal hash of Carter and Wegman, 1981, over Z_t.
    """
    if len(secret) != KEY_BYTES:
        raise VectorRefused(f"the secret of a sum has {KEY_BYTES} bytes")
    n, per = cells.shape
    factors = uniform(secret, f"tag|{binding}", n * per, modulus).reshape(n, per)
    purposes = [f"own|{len(sender)}|{sender}|{binding}" for sender in senders]
    own = [uniform(secret, purpose, n, modulus) for purpose in purposes]
    found = [
        (dot + sum(int(words[i]) for words in own)) % modulus
        for i, dot in enumerate(_dots(factors, cells))
    ]
    return np.array(found, dtype=np.uint64)


def _dots(a: U64, b: U64) -> list[int]:
    """Return the inner product of each row, exactly, by limbs that don't overflow."""
    totals = [0] * len(a)
    for i, left in enumerate(_limbs(a)):
        for j, right in enumerate(_limbs(b)):
            for row, value in enumerate(np.einsum("ij,ij->i", left, right)):
                totals[row] += int(value) << (_LIMB * (i + j))
    return totals


def _limbs(words: U64) -> list[U64]:
    mask = np.uint64((1 << _LIMB) - 1)
    return [(words >> np.uint64(shift)) & mask for shift in (0, _LIMB, 2 * _LIMB)]
