"""Scores of one member's rows under another member's secret linear model, seen by the rows' owner.

The rows' owner holds the key and encrypts its columns, one ciphertext for each column of a block of
rows, a row a coefficient; the model's owner adds them up with its weights and adds its intercept.
Nothing is rotated or multiplied but by constants. A logistic model is the same: its function of the
linear score is public and monotone, and the rows' owner applies it after decryption.

Values are fixed-point integers under BFV, not CKKS's approximate numbers: a score is exact, a
ciphertext holds twice as many rows, and decryption shows nothing that isn't in the score, so that
there is nothing to round away.

Rule: the layout of coefficients and who checks what; `blind` says why an answer shows no more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from protocols.he.bfv import SecretKey, digest
from protocols.he.blind import Blind
from protocols.he.coins import Coins
from protocols.he.integers import I64, check_cells, check_reach, residues, signed
from protocols.he.masks import word
from protocols.he.parameters import SCORE
from protocols.he.scheme import CiphertextRefused, VectorRefused, modulus_of, scheme_of

F64 = NDArray[np.float64]

MAX_COLUMNS = 1 << 10
BLOCK = SCORE.degree - 1  # rows of a block; the last coefficient holds a check word


@dataclass(frozen=True)
class Block:
    """Encrypted columns of up to `BLOCK` rows.

    Attributes:
        n: rows.
        bounds: for each column, the most that a value's absolute value can be; at least 1.
        parts: a ciphertext for each column.
    """

    index: int
    n: int
    bounds: tuple[int, ...]
    parts: tuple[bytes, ...]

    @cached_property
    def id(self) -> str:
        """Name the block: SHA-256 of all that is in it, in hexadecimal."""
        shape = repr((self.index, self.n, self.bounds)).encode()
        return digest(SCORE, (shape, *self.parts))


@dataclass(frozen=True)
class Model:
    """Secret weights, one for each column, and the intercept, in units of the product."""

    weights: tuple[int, ...] = field(repr=False)
    intercept: int = field(default=0, repr=False)


class Scoring:
    """The side of the rows' owner: its columns and the key that opens their scores.

    Args:
        columns: fixed-point integers of shape (n, columns).
        bounds: for each column, the declared most that a value's absolute value can be.

    Raises:
        VectorRefused: if the columns aren't integers of that shape.
        SumOutOfRange: if a value lies beyond its column's bound.

    Cost: 4 ms and 236 kB for each column of 8191 rows.
    Security: 128 bits; the model's owner learns the number of rows and columns, and the bounds.
    """

    def __init__(self, columns: I64, bounds: Sequence[int]) -> None:
        if columns.ndim != 2 or not 0 < columns.shape[1] == len(bounds) <= MAX_COLUMNS:
            raise VectorRefused(f"expected rows by 1 to {MAX_COLUMNS} columns, each with a bound")
        for column, bound in zip(columns.T, bounds, strict=True):
            check_cells(column, bound)
        self._columns = columns
        self._bounds = tuple(max(bound, 1) for bound in bounds)
        self._key = SecretKey(SCORE)
        self._ids: list[str] = []

    def blocks(self) -> Iterator[Block]:
        """Yield the rows encrypted; only answers to what was yielded last can be opened."""
        t, self._ids = modulus_of(SCORE), []
        for start in range(0, len(self._columns), BLOCK):
            rows = residues(self._columns[start : start + BLOCK], t)
            parts = tuple(next(self._key.encrypt(column.copy())) for column in rows.T)
            block = Block(start // BLOCK, len(rows), self._bounds, parts)
            self._ids.append(block.id)
            yield block

    def scores(self, answers: Sequence[bytes], binding: str) -> I64:
        """Decrypt the linear scores of all rows, shape (n,), in units of the product.

        Raises:
            KeyUsed: if answers were opened, or refused, before.
            CiphertextRefused: if one is missing, too noisy, or not for this block and binding.
        """
        if len(answers) != len(self._ids) or len(answers) != -(-len(self._columns) // BLOCK):
            raise CiphertextRefused(f"{len(answers)} answers for {len(self._ids)} blocks")
        words = self._key.decrypt(answers).reshape(-1, SCORE.degree)
        for row, block_id in zip(words, self._ids, strict=True):
            if int(row[-1]) != _check(binding, block_id):
                raise CiphertextRefused("an answer is not for this block and binding")
        return signed(words[:, :-1].reshape(-1), modulus_of(SCORE))[: len(self._columns)]


def score(block: Block, model: Model, binding: str, coins: bytes) -> bytes:
    """Return the encrypted scores of a block under this owner's model.

    Args:
        coins: 32 fresh random bytes, used once.

    Raises:
        CiphertextRefused: if the block isn't one.
        VectorRefused: if the model has another number of columns.
        SumOutOfRange: if a score within the bounds could be inexact.

    Cost: 2 ms and 236 kB a column, 8 ms and 236 kB an answer.
    Security: semi-honest. The rows' owner sees its linear scores, exactly, and nothing else of the
        model, up to a statistical distance of 2^-40.9 an answer (`blind.distance_bits`) and
        Ring-LWE. The scores themselves tell: with more rows than columns, in general position,
        they determine a linear model, and made-up rows read it off. Whom to score, and how often,
        is for policy to say. A malicious rows' owner can encrypt any numbers mod t, but gets one
        linear form of the weights for each row that it states: other coefficients are masked.
    """
    _check_block(block)
    if len(model.weights) != len(block.parts):
        raise VectorRefused(f"{len(model.weights)} weights for {len(block.parts)} columns")
    largest = sum(abs(w) * bound for w, bound in zip(model.weights, block.bounds, strict=True))
    check_reach(largest + abs(model.intercept), SCORE)
    t = modulus_of(SCORE)
    scheme = scheme_of(SCORE)
    parts = [scheme.load(data, scheme.fresh_level) for data in block.parts]
    blind = Blind(SCORE, parts, Coins(coins))
    total = blind.combination([weight % t for weight in model.weights], "scores")
    added = np.zeros(SCORE.degree, dtype=np.uint64)
    added[: block.n] = model.intercept % t
    added[block.n : -1] = blind.coins.words("beyond", BLOCK - block.n, t)
    added[-1] = _check(binding, block.id)
    scheme.evaluator.add_plain_inplace(total, scheme.plaintext(added))
    flood = blind.coins.flood("flood", SCORE.degree, SCORE.flood_bits, scheme.primes)
    return blind.sealed(total, flood, "scores")


def fixed_point(values: F64, bits: int) -> I64:
    """Return real numbers as integers in units of 2^-bits.

    Raises:
        VectorRefused: for NaN, infinity, or a number that int64 can't hold.
    """
    scaled = np.rint(np.asarray(values, dtype=np.float64) * 2.0**bits)
    if not (np.abs(scaled) < 2.0**62).all():  # false for NaN
        raise VectorRefused("a value is not a number, or too large for fixed point")
    return scaled.astype(np.int64)


def rounded(scores: I64, bits: int, decimals: int) -> F64:
    """Return scores in units of 2^-bits as real numbers, rounded to the declared precision."""
    return np.round(scores / 2.0**bits, decimals)


def logistic(linear: F64) -> F64:
    """Return 1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(linear))
    return np.where(linear >= 0, 1.0, small) / (1.0 + small)


def _check_block(block: Block) -> None:
    columns = len(block.parts)
    if not 0 < columns == len(block.bounds) <= MAX_COLUMNS or min(block.bounds) < 1:
        raise CiphertextRefused("a block has a bound of at least 1 for each of its columns")
    if not 0 < block.n <= BLOCK:
        raise CiphertextRefused(f"{block.n} rows; a block has 1 to {BLOCK}")


def _check(binding: str, block_id: str) -> int:
    return word(modulus_of(SCORE), "check", binding, block_id)
