"""One over the square root of a shared number, whatever its size: for means and spreads.

The number is compared with 89 bounds, four to a power of two, all at once. So a power of two that
brings it to [1/2, 1) and a first guess are public sums of the answers, and Newton's method ends it.
"""

from itertools import pairwise
from math import isqrt

import numpy as np

from protocols.context import Context
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.fixed import cross, rescale
from protocols.rep3.share import Arith
from protocols.rounds import U64, Steps

IN_BITS = 40
OUT_BITS = 20
LEAST_BITS = 18
_OCTAVES = IN_BITS - LEAST_BITS
_STEPS = 2
_BITS = 30  # scale while it is between 1/2 and 2


def inverse_root(ctx: Context, v: Arith) -> Steps[Arith]:
    """Return 1 / sqrt(v), relative error below 2 * 10^-5; 0 if v is below 2^-22.

    Args:
        v: (m,), from 0 to 1 at scale IN_BITS; what lies beyond 1 counts as just above it.

    Returns:
        shape (m,), at scale OUT_BITS, up to 2^11.

    Cost: 25 rounds; P0 sends about 2.8 kB an element, the others about 1.9 kB each.
    Security: semi-honest, honest majority; no leakage.
    """
    bounds, weights = _tables()
    m, k = v.own.size, len(bounds)
    apart = Arith(np.repeat(v.own, k)[None], np.repeat(v.next, k)[None])
    below = yield from sign(ctx.at("sign"), apart.shift(ctx.me, -np.tile(bounds, m)[None]))
    flags = yield from bits_to_arith(ctx.at("flags"), below, m * k)
    above = flags.scale(-1).shift(ctx.me, 1).reshape(m, k)
    power, guess, root = (Arith(above.own @ column, above.next @ column) for column in weights.T)
    normal = yield from rescale(ctx.at("normal"), cross(np.multiply, v, power), IN_BITS + 1 - _BITS)
    for i in range(_STEPS):
        at = ctx.at(f"step{i}")
        square = yield from rescale(at.at("square"), cross(np.multiply, guess, guess), _BITS)
        near = yield from rescale(at.at("near"), cross(np.multiply, square, normal), _BITS)
        rest = near.scale(-1).shift(ctx.me, 3 << _BITS)
        guess = yield from rescale(at.at("better"), cross(np.multiply, guess, rest), _BITS + 1)
    return (yield from rescale(ctx.at("root"), cross(np.multiply, guess, root), _BITS))


def _tables() -> tuple[U64, U64]:
    """Return bounds, and for each by how much power, guess and root grow there, (k, 3).

    From bound j on, 2^41 / power is the next power of two above v, guess is 1 / sqrt(v) once v is
    brought to [1/2, 1), and root is sqrt(power / 2).
    """
    places = range(4 * _OCTAVES + 1)
    bounds = [isqrt(isqrt(1 << 4 * LEAST_BITS + j)) for j in places]
    found = [(0, 0, 0)]
    for j in places:
        octave, quarter = divmod(j, 4)
        power = 1 << _OCTAVES - octave
        # 2^30 times 2^((7 - 2 quarter) / 16): 16 to the middle of an eighth of an octave
        guess = _power_of_16th(16 * _BITS + 7 - 2 * quarter)
        found.append((power, guess, isqrt(power << 2 * OUT_BITS - 1)))
    grown = [[b - a for a, b in zip(x, y, strict=True)] for x, y in pairwise(found)]
    weights = np.array([[step % 2**64 for step in row] for row in grown], dtype=np.uint64)
    return np.array(bounds, dtype=np.uint64), weights


def _power_of_16th(exponent: int) -> int:
    """Return 2^(exponent / 16), rounded down: the same on every machine."""
    return isqrt(isqrt(isqrt(isqrt(1 << exponent))))
