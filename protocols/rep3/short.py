"""Integers mod 2^8 or 2^16: a byte or two each, where words would be mostly empty.

Besides the replicated form there are the two *terms* of a number: P0 knows the first of them, P1
and P2 both know the second. That is all that comparing it, or adding bits to it, takes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocols.context import Context
from protocols.rep3.share import Bits
from protocols.rounds import U64, Party, Round, Steps, expect

Small: TypeAlias = NDArray[np.unsignedinteger[Any]]
Combine: TypeAlias = Callable[[Small], Small]
KINDS: dict[int, np.dtype[Any]] = {8: np.dtype(np.uint8), 16: np.dtype(np.uint16)}


@dataclass(frozen=True, slots=True, eq=False)
class Short:
    """A replicated share of integers mod 2^8 or 2^16; party i holds x_i and x_{i+1}."""

    own: Small
    next: Small

    def __getitem__(self, index: Any) -> Self:
        return type(self)(self.own[index], self.next[index])

    def __repr__(self) -> str:
        return f"Short({self.own.dtype}, shape={self.own.shape})"  # never the numbers

    def scale(self, factors: list[int]) -> Self:
        """Multiply each row by a public integer."""
        kind = self.own.dtype
        column = np.array([[f % (1 << 8 * kind.itemsize)] for f in factors]).astype(kind)
        return type(self)(self.own * column, self.next * column)

    def term(self, me: Party) -> Small:
        """Return this party's term: x_0 + x_1 at P0, x_2 at both others."""
        if me is Party.P0:
            total: Small = self.own + self.next
            return total
        return self.next if me is Party.P1 else self.own


def bits_to_short(ctx: Context, x: Bits, n: int, width: int) -> Steps[Short]:
    """Turn every plane into integers 0 and 1.

    Args:
        x: (k, words_for(n)); bits past row n are ignored.
        width: 8 or 16.

    Returns:
        shape (k, n), row j from plane j.

    Cost: 2 rounds; each party sends width / 8 kn bytes. Security: semi-honest, honest majority;
        no leakage.
    """
    k = x.shape[0]
    nothing = np.zeros((k, n), dtype=KINDS[width])
    mask, other = yield from _inject(ctx, x, nothing, lambda numbers: numbers)
    return Short(mask, other) if ctx.me is not Party.P2 else Short(other, mask)


def weighed(ctx: Context, x: Bits, weights: list[int], plus: Small) -> Steps[Small]:
    """Add to integers the public weights of those bits that are set.

    Args:
        x: (k, words_for(n)), k >= 1, a plane for each weight.
        plus: this party's additive share of n integers, not masked.

    Returns:
        This party's term of the n sums.

    Cost: 2 rounds; with s bytes an integer P0 sends skn bytes, P1 and P2 sn each.
    Security: semi-honest, honest majority; no leakage.
    """
    factors = [plus.dtype.type(weight % (1 << 8 * plus.itemsize)) for weight in weights]

    def combine(numbers: Small) -> Small:
        total = np.zeros_like(plus)
        for factor, row in zip(factors, numbers, strict=True):
            total += factor * row
        return total

    mask, other = yield from _inject(ctx, x, plus, combine)
    if ctx.me is Party.P0:
        mask += other
        return mask
    return other


def in_terms(ctx: Context, z: Small) -> Steps[Small]:
    """Turn an additive share, not masked yet, into terms.

    Cost: 1 round; P1 and P2 send the size of z each, P0 nothing.
    Security: semi-honest, honest majority; no leakage: P1 and P2 mask what they send with what
        P0 and the sender know.
    """
    if ctx.me is Party.P0:
        total = z + _drawn(ctx, z, "first", with_next=True)
        total += _drawn(ctx, z, "second", with_next=False)
        yield Round()
        return total
    first = ctx.me is Party.P1
    other, step = (Party.P2, "first") if first else (Party.P1, "second")
    mine = z - _drawn(ctx, z, step, with_next=not first)
    theirs = (other, ctx.gate)
    inbox = yield Round({(other, ctx.gate): as_words(mine)}, frozenset({theirs}))
    mine += from_words(expect(inbox, theirs, _words(z)), z)
    return mine


def as_words(x: Small) -> U64:
    """Lay integers out in words, zeros behind them."""
    words = np.zeros(_words(x), dtype=np.uint64)
    words.view(x.dtype)[: x.size] = x.ravel()
    return words


def from_words(words: U64, like: Small) -> Small:
    """Return the integers that words hold, in the type and shape of `like`."""
    return words.view(like.dtype)[: like.size].reshape(like.shape)


def _inject(ctx: Context, x: Bits, plus: Small, combine: Combine) -> Steps[tuple[Small, Small]]:
    """Add `plus` to combined numbers b + (1 - 2b) a of bits a = x_0 ^ x_1 and b = x_2.

    P0 splits a into a_0 + a_1. P2 multiplies the one part by its sign, P1 the other; r_0 and
    r_1, each known to two, become two parts of the result and mask what completes the third.

    Returns:
        r_0 and r_1 at P0, with its `plus` in r_0; at the others their r, and the third part.
    """
    k, n = x.shape[0], plus.shape[-1]
    numbers = np.empty((k, n), dtype=plus.dtype)
    known = ctx.at("known")
    if ctx.me is Party.P0:
        a = _numbers(x.own ^ x.next, n, plus.dtype)
        a -= from_words(ctx.prss.with_next(known.gate, _words(numbers)), numbers)
        r0 = plus + _drawn(ctx, plus, "masked", with_next=False)
        r1 = _drawn(ctx, plus, "masked", with_next=True)
        yield Round({(Party.P2, known.gate): as_words(a)})
        yield Round()
        return r0, r1
    first = ctx.me is Party.P1
    if first:
        b = _numbers(x.next, n, plus.dtype)
        part = ctx.prss.with_prev(known.gate, _words(numbers))
        yield Round()
    else:
        b = _numbers(x.own, n, plus.dtype)
        inbox = yield Round(await_from=frozenset({(Party.P0, known.gate)}))
        part = expect(inbox, (Party.P0, known.gate), _words(numbers))
    r = _drawn(ctx, plus, "masked", with_next=not first)
    other, gate = (Party.P2 if first else Party.P1), ctx.at("masked").gate
    mine = combine(_negate_where(b, from_words(part, numbers))) - r + plus
    inbox = yield Round({(other, gate): as_words(mine)}, frozenset({(other, gate)}))
    third = combine(b) + mine
    third += from_words(expect(inbox, (other, gate), _words(mine)), mine)
    return r, third


def _drawn(ctx: Context, like: Small, step: str, with_next: bool) -> Small:
    """Return numbers that one neighbour knows too, which may be changed in place."""
    draw = ctx.prss.with_next if with_next else ctx.prss.with_prev
    return from_words(draw(ctx.at(step).gate, _words(like)), like)


def _words(x: Small) -> int:
    return -(-x.nbytes // 8)


def _numbers(planes: U64, n: int, kind: np.dtype[Any]) -> Small:
    """Return bits as numbers, shape (k, n)."""
    octets = np.ascontiguousarray(planes).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=n, bitorder="little").astype(kind, copy=False)


def _negate_where(bits: Small, values: Small) -> Small:
    """Return (1 - 2 bits) * values."""
    signed: Small = np.negative(bits)
    signed ^= values
    signed += bits
    return signed
