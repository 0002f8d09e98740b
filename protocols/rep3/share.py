"""The share types: local operations only, nothing here communicates.

x = x_0 + x_1 + x_2 (arithmetic, mod 2^64) or x_0 ^ x_1 ^ x_2 (bits); party i holds x_i, x_{i+1}.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np

from protocols.rounds import U64, Party

ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def words_for(n: int) -> int:
    """Return how many 64-row words hold one bit of each of `n` rows."""
    return -(-n // 64)


@dataclass(frozen=True, slots=True, eq=False)
class _Share:
    own: U64
    next: U64

    def __post_init__(self) -> None:
        if self.own.shape != self.next.shape:
            raise ValueError(f"halves differ: {self.own.shape} and {self.next.shape}")

    @property
    def shape(self) -> tuple[int, ...]:
        return self.own.shape

    def __getitem__(self, index: Any) -> Self:
        return type(self)(self.own[index], self.next[index])

    def reshape(self, *shape: int) -> Self:
        return type(self)(self.own.reshape(shape), self.next.reshape(shape))

    def __bool__(self) -> bool:
        raise TypeError("a share has no truth value; reveal it, or select obliviously")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape})"  # never the words


class Arith(_Share):
    """A share of integers mod 2^64: shape (n,) for a column, (m, n) for m columns of n rows."""

    __slots__ = ()

    def __add__(self, other: "Arith") -> "Arith":
        return Arith(self.own + other.own, self.next + other.next)

    def __sub__(self, other: "Arith") -> "Arith":
        return Arith(self.own - other.own, self.next - other.next)

    def scale(self, factor: int) -> "Arith":
        """Multiply by a public integer."""
        word = np.uint64(factor % 2**64)
        return Arith(self.own * word, self.next * word)

    def shift(self, me: Party, constant: int | U64) -> "Arith":
        """Add a public integer, or a public array of this shape."""
        word = np.uint64(constant % 2**64) if isinstance(constant, int) else constant
        own = self.own + word if me is Party.P0 else self.own
        following = self.next + word if me is Party.P2 else self.next
        return Arith(own, following)


    def padded(self, n: int) -> "Arith":
        """Append zeros to a column up to n rows."""
        more = (0, n - self.own.shape[0])
        return Arith(np.pad(self.own, more), np.pad(self.next, more))


class Bits(_Share):
    """A bit-sliced share: shape (k, w), bit j of row r is in plane j, word r // 64, bit r % 64.

    Plane 0 is the most significant. Bits past the last row are zero or arbitrary, as stated.
    """

    __slots__ = ()

    def __xor__(self, other: "Bits") -> "Bits":
        return Bits(self.own ^ other.own, self.next ^ other.next)

    def flip(self, me: Party) -> "Bits":
        """Negate every bit."""
        own = self.own ^ ONES if me is Party.P0 else self.own
        following = self.next ^ ONES if me is Party.P2 else self.next
        return Bits(own, following)

    def mask(self, public: U64) -> "Bits":
        """AND with public words, broadcast against this shape."""
        return Bits(self.own & public, self.next & public)


Shared = TypeVar("Shared", Arith, Bits)


def public_bits(me: Party, words: U64) -> Bits:
    """Return a share of bits that everybody knows."""
    zero = np.zeros_like(words)
    return Bits(words if me is Party.P0 else zero, words if me is Party.P2 else zero)


def public_arith(me: Party, words: U64) -> Arith:
    """Return a share of integers that everybody knows."""
    zero = np.zeros_like(words)
    return Arith(words if me is Party.P0 else zero, words if me is Party.P2 else zero)


def same_bit(me: Party, bit: int, n: int) -> Bits:
    """Return one plane that holds the same public bit in every row."""
    return public_bits(me, np.full((1, words_for(n)), ONES if bit else 0, dtype=np.uint64))


def repeated(planes: Bits, n: int) -> Bits:
    """Give n rows, a multiple of 64, the bits of row 0."""

    def spread(words: U64) -> U64:
        row = np.uint64(0) - (words[:, :1] & np.uint64(1))
        out: U64 = np.repeat(row, n // 64, axis=1)
        return out

    return Bits(spread(planes.own), spread(planes.next))


def concat_planes(parts: Sequence[Bits]) -> Bits:
    """Stack planes of equal word count, first part most significant."""
    return Bits(np.concatenate([p.own for p in parts]), np.concatenate([p.next for p in parts]))


def stack(parts: Sequence[Arith]) -> Arith:
    """Stack columns, each (n,) or (m, n), into one (sum of m, n)."""
    return Arith(np.vstack([p.own for p in parts]), np.vstack([p.next for p in parts]))


def end_to_end(parts: Sequence[Shared]) -> Shared:
    """Put shares of one kind behind each other along their last axis: rows after rows.

    Bits must fill whole words, but for those of the last part.
    """
    own = np.concatenate([p.own for p in parts], axis=-1)
    return type(parts[0])(own, np.concatenate([p.next for p in parts], axis=-1))


def split_arith(secret: U64) -> tuple[Arith, Arith, Arith]:
    """Split words into the three parties' shares."""
    x0, x1 = _uniform(secret.shape), _uniform(secret.shape)
    x2 = secret - x0 - x1
    return Arith(x0, x1), Arith(x1, x2), Arith(x2, x0)


def split_bits(secret: U64) -> tuple[Bits, Bits, Bits]:
    """Split words into the three parties' shares by XOR."""
    x0, x1 = _uniform(secret.shape), _uniform(secret.shape)
    x2 = secret ^ x0 ^ x1
    return Bits(x0, x1), Bits(x1, x2), Bits(x2, x0)


def join_arith(shares: Sequence[Arith]) -> U64:
    """Add the three parties' own halves: for tests and for who may see."""
    x0, x1, x2 = (share.own for share in shares)
    words: U64 = x0 + x1 + x2
    return words


def join_bits(shares: Sequence[Bits]) -> U64:
    """XOR the three parties' own halves: for tests and for who may see."""
    x0, x1, x2 = (share.own for share in shares)
    words: U64 = x0 ^ x1 ^ x2
    return words


def _uniform(shape: tuple[int, ...]) -> U64:
    n_bytes = 8 * int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(secrets.token_bytes(n_bytes), dtype=np.uint64).reshape(shape)
