"""Lines through a table of groups: cells of equal keys, each with each, in one flat table of n^2.

Pair (i, j) of n rows is bit i n + j. A cell's sum along its line is a row of the table times a
column: a sum of products, shared again once however long it is.
"""

from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal, equal_zero
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.fixed import cross, matrix, reshare
from protocols.rep3.multiply import multiply
from protocols.rep3.relation import Column
from protocols.rep3.share import Arith, Bits, stack
from protocols.rounds import U64, Party, Steps

BLOCK, SMALL = 16, 4  # of which the smallest is found by comparing all pairs: of n, of n^2
WHOLE = 256  # so many are compared all with all at once
FAR = 1 << 40  # beyond any number of persons


@dataclass(frozen=True, slots=True)
class Cells:
    """n groups.

    Attributes:
        valid, there: as bits and as 0 and 1: which groups there are.
        persons: shape (n,), behind each, zero where there is none.
        least: persons that withheld ones must hold together.
    """

    valid: Bits
    there: Arith
    persons: Arith
    least: int

    @property
    def n(self) -> int:
        return int(self.there.shape[0])

    def head(self, n: int) -> "Cells":
        """Keep the first n, a multiple of 64."""
        return Cells(self.valid[:, : n // 64], self.there[:n], self.persons[:n], self.least)


@dataclass(frozen=True, slots=True)
class Lines:
    """Which cells lie on one line.

    Attributes:
        bits: one plane of n^2: i and j do; same: as integers, shape (n, n), symmetric.
    """

    bits: Bits
    same: Arith

    def sums(self, ctx: Context, columns: Arith) -> Steps[Arith]:
        """Give each cell the total of (m, n) columns along its line, itself included.

        Cost: 1 round; each party sends 8mn bytes. Local: m n^2 products.
        Security: semi-honest, honest majority; no leakage.
        """
        return (yield from reshare(ctx, cross(matrix, columns, self.same)))

    def earlier(self) -> Arith:
        """Give each cell the number of cells of its line that stand before it; local."""
        lower = np.tril(np.ones(self.same.shape, dtype=np.uint64), -1)
        return Arith(*((half * lower).sum(axis=1) for half in (self.same.own, self.same.next)))

    def joined(self, ctx: Context, merged: Bits) -> Steps["Lines"]:
        """Return lines of which all those of `merged` cells, one plane, are one."""
        n = self.same.shape[0]
        pairs = of_first(merged, n), of_second(merged, n)
        together = yield from and_bits(ctx.at("together"), *pairs)
        both = yield from and_bits(ctx.at("both"), together, self.bits)
        return (yield from _made(ctx, self.bits ^ together ^ both, n))


def pairs_of(ctx: Context, cells: Cells) -> Steps[Bits]:
    """Tell of each pair of cells whether the second has fewer persons; ties by their places.

    Cost: a `sign` of n^2 numbers. Security: semi-honest, honest majority; no leakage.
    """
    ranks = _distinct(ctx.me, cells.persons)
    return (yield from _less(ctx, ranks.reshape(1, cells.n)))


def lines_of(ctx: Context, cells: Cells, key: Column) -> Steps[Lines]:
    """Find the lines of equal keys among the cells that there are.

    Cost: an `equal` and a `bits_to_arith` of n^2. Security: semi-honest, honest majority; no
        leakage.
    """
    n, valid, planes = cells.n, cells.valid, key.planes
    there = yield from and_bits(ctx.at("there"), of_first(valid, n), of_second(valid, n))
    same = yield from equal(ctx.at("equal"), of_first(planes, n), of_second(planes, n))
    bits = yield from and_bits(ctx.at("both"), same, there)
    return (yield from _made(ctx, bits, n))


def _made(ctx: Context, bits: Bits, n: int) -> Steps[Lines]:
    same = yield from bits_to_arith(ctx.at("same"), bits, n * n)
    return Lines(bits, same.reshape(n, n))


def smallest(ctx: Context, numbers: Arith, wanted: Arith) -> Steps[Bits]:
    """Mark the smallest of the wanted ones of n numbers, at most one; ties by their places.

    Args:
        numbers: (n,), from 0 to 2^31; wanted: (n,) of 0 and 1; n is a multiple of 64.

    Returns:
        one plane; nothing is marked if nothing is wanted.

    Cost: up to 256 numbers a `sign` of their pairs: 15 rounds. Beyond, for each halving by 16 a
        `sign` of 16 n numbers and a multiplication, 14 rounds.
    Security: semi-honest, honest majority; no leakage.
    """
    n, far = numbers.shape[0], wanted.scale(-FAR).shift(ctx.me, FAR)
    ranks = _distinct(ctx.me, numbers + far)
    if n <= WHOLE:
        first = yield from _least_of(ctx.at("all"), ranks.reshape(1, n))
    else:
        left, level = ranks, 0
        while left.shape[0] > 1:
            left = yield from _winners(ctx.at(f"level{level}"), left, left.shape[0], BLOCK)
            level += 1
        gap = ranks - Arith(*(np.repeat(half, n) for half in (left.own, left.next)))
        first = yield from sign(ctx.at("found"), stack([gap.shift(ctx.me, -1)]))
    reachable = yield from sign(ctx.at("wanted"), stack([wanted.scale(-1)]))
    return (yield from and_bits(ctx.at("both"), first, reachable))


def least_of_rows(ctx: Context, table: Arith) -> Steps[Bits]:
    """Mark the least of each row of (n, n) distinct numbers below 2^61: one plane of n^2.

    Cost: for each division by 4 a `sign` of four times as many numbers, n^2 at first; 12 rounds.
    Security: semi-honest, honest majority; no leakage.
    """
    n, left, level = table.shape[0], table, 0
    while left.shape[1] > 1:
        rows = left.shape[1]
        flat = yield from _winners(ctx.at(f"level{level}"), left.reshape(n * rows), rows, SMALL)
        left, level = flat.reshape(n, -1), level + 1
    gap = table - Arith(*(np.repeat(half, n, axis=1) for half in (left.own, left.next)))
    return (yield from sign(ctx.at("found"), gap.reshape(1, n * n).shift(ctx.me, -1)))


def _distinct(me: Party, numbers: Arith) -> Arith:
    """Return numbers in the same order of which none are equal."""
    n = numbers.shape[0]
    return numbers.scale(n).shift(me, np.arange(n, dtype=np.uint64))


def _winners(ctx: Context, ranks: Arith, row: int, block: int) -> Steps[Arith]:
    """Return the least of each block of each row of so many numbers."""
    size = min(block, row)
    blocks, rows = -(-row // size), ranks.shape[0] // row
    missing = np.zeros((rows, blocks * size), dtype=np.uint64)
    missing[:, row:] = 1 << 61  # lose against all
    table = Arith(np.zeros_like(missing), np.zeros_like(missing))
    table.own[:, :row] = ranks.own.reshape(rows, row)
    table.next[:, :row] = ranks.next.reshape(rows, row)
    table = table.shift(ctx.me, missing).reshape(rows * blocks, size)
    first = yield from _least_of(ctx.at("least"), table)
    n = rows * blocks * size
    flags = yield from bits_to_arith(ctx.at("flags"), first, n)
    kept = yield from multiply(ctx.at("kept"), flags[0], table.reshape(n))
    kept = kept.reshape(rows * blocks, size)
    return Arith(kept.own.sum(axis=1), kept.next.sum(axis=1))


def _least_of(ctx: Context, table: Arith) -> Steps[Bits]:
    """Mark the least of each row of (b, s) distinct numbers: one plane of b s bits."""
    b, s = table.shape
    less = yield from _less(ctx.at("less"), table)  # bit (row, i, j): j is below i
    planes = _columns(less, b * s, s)
    return (yield from equal_zero(ctx.at("none"), planes))


def _less(ctx: Context, table: Arith) -> Steps[Bits]:
    """Compare all pairs of each row of (b, s): bit (row, i, j) tells whether j is below i."""
    halves = (half[:, None, :] - half[:, :, None] for half in (table.own, table.next))
    differences = Arith(*halves).reshape(1, -1)
    return (yield from sign(ctx, differences))


def _columns(bits: Bits, n: int, s: int) -> Bits:
    """Turn one plane of n s bits into s planes of n bits."""

    def turned(words: U64) -> U64:
        flat = np.unpackbits(words.view(np.uint8).ravel(), count=n * s, bitorder="little")
        rows = np.zeros((s, -(-n // 64) * 64), dtype=np.uint8)
        rows[:, :n] = flat.reshape(n, s).T
        return np.packbits(rows, axis=1, bitorder="little").view(np.uint64)

    return Bits(turned(np.ascontiguousarray(bits.own)), turned(np.ascontiguousarray(bits.next)))


def of_second(planes: Bits, n: int) -> Bits:
    """Give pair (i, j) the bits of row j; n is a multiple of 64."""
    return Bits(np.tile(planes.own, (1, n)), np.tile(planes.next, (1, n)))


def of_first(planes: Bits, n: int) -> Bits:
    """Give pair (i, j) the bits of row i."""

    def spread(words: U64) -> U64:
        octets = np.ascontiguousarray(words).view(np.uint8)
        bits = np.unpackbits(octets, axis=1, count=n, bitorder="little").astype(np.uint64)
        out: U64 = np.repeat(np.uint64(0) - bits, n // 64, axis=1)
        return out

    return Bits(spread(planes.own), spread(planes.next))


def everywhere(column: Arith) -> Arith:
    """Give each row the total of all; local."""

    def total(half: U64) -> U64:
        return np.full(half.shape, half.sum(dtype=np.uint64), dtype=np.uint64)

    return Arith(total(column.own), total(column.next))
