"""The logistic function of shared numbers: a sum of sines, and constants where it is flat.

A sine of a sum needs no comparison: sin(a - b) = sin a cos b - cos a sin b, where a = z + mask is
seen by two parties and b = mask is known to the third. So eight sines cost one mask, and two
comparisons suffice for numbers of any size. Ten straight pieces, from eleven comparisons, would
send about as much and err by 0.003 where this errs by 0.0004.
"""

from functools import cache

import numpy as np

from protocols.context import Context
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.fixed import cross, masked, reshare
from protocols.rep3.share import Arith
from protocols.rounds import U64, Steps, parallel

Z_BITS = 44  # scale of the argument
OUT_BITS = 20  # scale of the result
STRETCH_OVER, STRETCH_UNDER = 4, 3  # arguments and results are 4/3 of what they say
UNIT = round(2**OUT_BITS * STRETCH_OVER / STRETCH_UNDER)  # a result of 1
# 1 / (1 + exp(-3x/4)) - 1/2 = sum of SINES[j-1] sin(j pi x / 16) within 0.0002 for |x| <= 32/3;
# found by minimising the largest error.
SINES = (0.5751185, -0.0030437, 0.0857595, 0.0093077, 0.006353, 0.0087452, -0.0020049, 0.0023713)
EDGE = 32 * 2**Z_BITS // 3  # beyond it, |z| > 8, the result is 0 or 1, to 0.0004
_PERIOD_BITS = Z_BITS + 5
_COARSE = Z_BITS - 4  # bits that comparisons ignore: a row may be told from EDGE by 1/16
_TABLE_BITS, _SEEN_BITS = 14, 9


def sigmoid(ctx: Context, z: Arith) -> Steps[Arith]:
    """Return UNIT / (1 + exp(-z)).

    Args:
        z: (n,), 4/3 of the argument at scale Z_BITS, within +-2^62.

    Returns:
        shape (n,), within 0.0004 of the true value but for rounding at random, which adds an
        error of mean 0 and standard deviation 0.0002.

    Cost: 9 rounds; for n rows P0 sends about 192 n bytes, P1 and P2 about 55 n each.
    Security: semi-honest, honest majority; no leakage.
    """
    waves, flags = yield from parallel(
        _waves(ctx.at("waves"), z), _flags(ctx.at("flags"), z, (-EDGE, EDGE))
    )
    inside, below = flags[1] - flags[0], flags[1]
    middle = cross(np.multiply, inside, waves.shift(ctx.me, UNIT // 2))
    kept = yield from reshare(ctx.at("kept"), middle)
    return kept + below.scale(-UNIT).shift(ctx.me, UNIT)


def _flags(ctx: Context, z: Arith, edges: tuple[int, int]) -> Steps[Arith]:
    """Return (2, n): 1 where z is below an edge, perhaps also just above it, else 0."""
    both = Arith(np.stack([z.own, z.own]), np.stack([z.next, z.next]))
    far = np.array([[-edge % 2**64] for edge in edges], dtype=np.uint64)
    bits = yield from sign(ctx.at("sign"), both.shift(ctx.me, far), _COARSE)
    return (yield from bits_to_arith(ctx.at("number"), bits, z.own.size))


def _waves(ctx: Context, z: Arith) -> Steps[Arith]:
    """Return the sum of sines at scale OUT_BITS."""
    count = len(SINES)

    def deal(mask: U64) -> U64:
        angles = (mask & np.uint64(2**_PERIOD_BITS - 1)).astype(np.float64)
        turn = np.exp(2j * np.pi / 2**_PERIOD_BITS * angles)
        scale = 2 ** (OUT_BITS - _SEEN_BITS) * STRETCH_OVER / STRETCH_UNDER
        wave, found = np.ones_like(turn), np.empty((2 * count, z.own.size))
        for j, height in enumerate(SINES):
            wave = wave * turn
            found[j], found[count + j] = wave.real * (height * scale), -wave.imag * (height * scale)
        return np.rint(found).astype(np.int64).view(np.uint64)

    def combine(seen: U64, dealt: U64) -> U64:
        sines, size = _table(), 2**_TABLE_BITS
        place = ((seen >> np.uint64(_PERIOD_BITS - _TABLE_BITS)) % size).astype(np.int64)
        total = np.zeros_like(seen)
        for j in range(count):
            # The middle of the interval that `seen` lies in, j + 1 times as far around.
            at = ((2 * place + 1) * (j + 1)) % (2 * size)
            total += sines[at] * dealt[j] + sines[(at + size // 2) % (2 * size)] * dealt[count + j]
        return total

    return (yield from masked(ctx, z.own, deal, combine, 2 * count))


@cache
def _table() -> U64:
    """Return 2^9 times the sine of 2^15 equal steps around, the same on every machine.

    No entry lies within 10^-5 of where rounding turns, far beyond what any library errs.
    """
    steps = np.arange(2 ** (_TABLE_BITS + 1))
    sines = np.rint(2**_SEEN_BITS * np.sin(2 * np.pi * steps / steps.size))
    words: U64 = sines.astype(np.int64).view(np.uint64)
    return words
