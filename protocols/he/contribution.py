"""One contributor's cells as ciphertexts, their sum, and the cells of all after decryption.

Rule: the layout of slots and nothing else. Each ciphertext holds cells in all slots but the
last; the last holds a tag of them, and of contract, plan, key and sender, under a secret that the
coordinator lacks. The sum of all tags tells the decrypting party that the totals are those of all
contributions, each once.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from protocols.he.bfv import Encryptor, SecretKey
from protocols.he.integers import I64, check_cells, check_reach, residues, signed
from protocols.he.masks import add, mask
from protocols.he.parameters import MAX_CONTRIBUTORS, Parameters
from protocols.he.scheme import CiphertextRefused, VectorRefused, modulus_of
from protocols.he.seal import tags


def ciphertexts_for(cells: int, parameters: Parameters) -> int:
    """Return how many ciphertexts hold so many cells."""
    return -(-cells // (parameters.degree - 1))


def contribute(
    encryptor: Encryptor,
    cells: I64,
    reach: int,
    me: str,
    secrets: Mapping[str, bytes],
    binding: str,
    seal: bytes,
) -> Iterator[bytes]:
    """Yield the ciphertexts of this contributor's masked cells.

    Args:
        encryptor: under the key of whoever decrypts.
        cells: shape (n,).
        reach: the most that the absolute value of any cell's total over all can be, from
            declared bounds.
        secrets: other contributor -> 32-byte secret that the two share for this binding alone.
        binding: contract, plan and session.
        seal: 32 bytes that all contributors and the holder of the secret key share for this
            binding alone.

    Raises:
        VectorRefused, SumOutOfRange: before anything is encrypted.

    Cost: ceil(n / 8191) ciphertexts.
    Security: holder of the secret key and coordinator together see uniform words, unless all
        contributors but one help them. The seal hides nothing: it is for integrity.
    """
    key = encryptor.key
    check_reach(reach, key.parameters)
    check_cells(cells, reach)
    if len(secrets) >= MAX_CONTRIBUTORS:
        raise VectorRefused(f"more than {MAX_CONTRIBUTORS} contributors")
    modulus = modulus_of(key.parameters)
    per = key.parameters.degree - 1
    n = ciphertexts_for(cells.size, key.parameters)
    slots = np.zeros((n, per + 1), dtype=np.uint64)
    padded = np.zeros(n * per, dtype=np.int64)
    padded[: cells.size] = cells
    slots[:, :per] = residues(padded, modulus).reshape(n, per)
    slots[:, per] = tags(slots[:, :per], seal, (me,), f"{binding}|{key.id}", modulus)
    masked = add(slots.reshape(-1), mask(me, secrets, binding, slots.size, modulus), modulus)
    return encryptor.encrypt(masked)


def totals(
    key: SecretKey,
    ciphertexts: Sequence[bytes],
    n: int,
    reach: int,
    contributors: Sequence[str],
    binding: str,
    seal: bytes,
) -> I64:
    """Decrypt the sum over all contributors, shape (n,).

    Raises:
        KeyUsed: if the key decrypted before.
        CiphertextRefused: if the number of ciphertexts is wrong, one doesn't decrypt, the
            totals aren't those of `contributors`, each once, unchanged and for this binding, or a
            total lies beyond its declared reach.
    """
    parameters = key.parameters
    modulus, per = modulus_of(parameters), parameters.degree - 1
    if not 0 < len(ciphertexts) == ciphertexts_for(n, parameters):
        raise CiphertextRefused(f"{len(ciphertexts)} ciphertexts for {n} cells")
    slots = key.decrypt(ciphertexts).reshape(-1, per + 1)
    bound = f"{binding}|{key.public.id}"
    if not np.array_equal(slots[:, per], tags(slots[:, :per], seal, contributors, bound, modulus)):
        raise CiphertextRefused("the sum is not of all contributors' cells, each once")
    opened = signed(slots[:, :per].reshape(-1)[:n], modulus)
    if int(opened.max()) > reach or int(opened.min()) < -reach:
        raise CiphertextRefused("a total lies beyond its declared reach")
    return opened
