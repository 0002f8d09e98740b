"""The word of each ciphertext that tells its sum from any other: a linear tag under a secret.

A contributor's word is sum_j r_j x_j + c mod t over its cells x_j. The r_j are secret and common to
all contributors, c is secret and one contributor's own. The words of all add up as the cells do,
so whoever knows the secret can check the sum, and who doesn't can't find another pair that fits.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocols.he.masks import uniform
from protocols.he.scheme import VectorRefused
from protocols.randomness import KEY_BYTES
from protocols.rounds import U64

_LIMB, _LIMBS = 20, 3  # bits: products of limbs, 2^13 of them added up, stay below 2^53


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
    """Return the inner product of each row, exactly: by limbs whose sums float64 holds."""
    shifts = [_LIMB * (i + j) for i in range(_LIMBS) for j in range(_LIMBS)]
    products = np.matmul(_limbs(a), _limbs(b).transpose(0, 2, 1)).reshape(len(a), -1)
    return [
        sum(int(value) << shift for value, shift in zip(row, shifts, strict=True))
        for row in products
    ]


def _limbs(words: U64) -> NDArray[np.float64]:
    """Return each row's limbs, shape (rows, limbs, words)."""
    mask = np.uint64((1 << _LIMB) - 1)
    limbs = [(words >> np.uint64(_LIMB * i)) & mask for i in range(_LIMBS)]
    return np.stack(limbs, axis=1).astype(np.float64)
