"""One contributor's cells as ciphertexts, their sum, and the cells of all after decryption.

Rule: the layout of slots and nothing else. Each ciphertext holds cells in all slots but the
last; the last holds a check word that contract, plan, key and sender determine. The sum of
all check words tells the decrypting party that every contribution is in the sum exactly once.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from protocols.he.bfv import CiphertextRefused, Encryptor, PublicKey, SecretKey, modulus_of
from protocols.he.masks import add, mask, word
from protocols.he.parameters import Parameters
from protocols.rounds import U64

I64 = NDArray[np.int64]


class SumOutOfRange(ValueError):
    """The declared bounds allow a total that the plain modulus can't hold exactly."""


def ciphertexts_for(cells: int, parameters: Parameters) -> int:
    """Return how many ciphertexts hold so many cells."""
    return -(-cells // (parameters.degree - 1))


def check_reach(reach: int, parameters: Parameters) -> None:
    """Check before encryption that a total of absolute value `reach` is exact.

    Raises:
        SumOutOfRange: naming the bound.
    """
    most = modulus_of(parameters) // 2
    if reach > most:
        raise SumOutOfRange(f"a total may reach {reach}; {most} is the most that is exact")


def contribute(
    key: PublicKey,
    cells: I64,
    me: str,
    secrets: Mapping[str, bytes],
    binding: str,
) -> Iterator[bytes]:
    """Yield the ciphertexts of this contributor's masked cells.

    Args:
        cells: shape (n,); the caller has checked the reach of the total of all.
        secrets: other contributor -> 32-byte secret that the two share for this binding alone.
        binding: contract, plan and session.

    Cost: ceil(n / 8191) ciphertexts.
    Security: holder of the secret key and coordinator together see uniform words, unless all
        contributors but one help them.
    """
    modulus = modulus_of(key.parameters)
    per = key.parameters.degree - 1
    n = ciphertexts_for(cells.size, key.parameters)
    slots = np.zeros((n, per + 1), dtype=np.uint64)
    padded = np.zeros(n * per, dtype=np.int64)
    padded[: cells.size] = cells
    slots[:, :per] = _residues(padded, modulus).reshape(n, per)
    slots[:, per] = [_check_word(binding, key.id, me, i, modulus) for i in range(n)]
    masked = add(slots.reshape(-1), mask(me, secrets, binding, slots.size, modulus), modulus)
    return Encryptor(key).encrypt(masked)


def totals(
    key: SecretKey, ciphertexts: Sequence[bytes], n: int, contributors: Sequence[str], binding: str
) -> I64:
    """Decrypt the sum over all contributors, shape (n,).

    Raises:
        CiphertextRefused: if the number of ciphertexts is wrong, one doesn't decrypt, or the
            contributions in it aren't those of `contributors`, each once and for this binding.
    """
    parameters = key.parameters
    modulus, per = modulus_of(parameters), parameters.degree - 1
    if len(ciphertexts) != ciphertexts_for(n, parameters):
        raise CiphertextRefused(f"{len(ciphertexts)} ciphertexts for {n} cells")
    slots = key.decrypt(ciphertexts).reshape(-1, per + 1)
    key_id = key.public.id
    for i, found in enumerate(slots[:, per]):
        wanted = sum(_check_word(binding, key_id, name, i, modulus) for name in contributors)
        if int(found) != wanted % modulus:
            raise CiphertextRefused("the sum is not of all contributors' cells, each once")
    return _signed(slots[:, :per].reshape(-1)[:n], modulus)


def _check_word(binding: str, key_id: str, sender: str, place: int, modulus: int) -> int:
    return word(f"check|{binding}|{key_id}|{sender}|{place}", modulus)


def _residues(values: I64, modulus: int) -> U64:
    return np.where(values < 0, values + np.int64(modulus), values).astype(np.uint64)


def _signed(words: U64, modulus: int) -> I64:
    large = words > modulus // 2
    return np.where(large, words - np.uint64(modulus), words).view(np.int64)
