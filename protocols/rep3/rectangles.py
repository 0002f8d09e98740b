"""Rectangles of withheld cells in a table of two keys, found on shares.

Cells a and d of different rows and columns are opposite corners; b is in a's row and d's column, c
the other way round. All sums over a table's cells are products of matrices, shared again once.
Cells of one row and column, as there are where lines are merged, are one corner.
"""

from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.fixed import cross, matrix, reshare
from protocols.rep3.lines import FAR, Cells, Lines, everywhere, least_of_rows, of_first
from protocols.rep3.multiply import multiply
from protocols.rep3.share import Arith, Bits, stack
from protocols.rounds import U64, Steps, parallel


@dataclass(frozen=True, slots=True)
class Table:
    """Which of n cells lie in one row, in one column, and in both; each (n, n) of 0 and 1."""

    row: Lines
    column: Lines
    both: Arith


def rectangles(
    ctx: Context, cells: Cells, passing: Bits, rows: Lines, columns: Lines
) -> Steps[tuple[Bits, Bits]]:
    """Take from the cells that pass until each withheld one is a corner of a withheld rectangle.

    Each takes the rectangle of which the fewest persons' cells pass.

    Returns:
        the cells that still pass; and everywhere, whether a withheld cell has no rectangle that
        holds `cells.least` persons as `protocols.rep3.complementary` counts them.

    Cost: of n cells twelve signs, ten multiplications and ten bits to integers of n^2, 110 rounds.
    Security: semi-honest, honest majority; no leakage.
    """
    table = yield from _table(ctx.at("table"), cells, rows, columns)
    flags = yield from bits_to_arith(ctx.at("flags"), passing, cells.n)
    told = yield from multiply(ctx.at("told"), flags[0], cells.persons)
    holding, costs = yield from parallel(
        _corners(ctx.at("holding"), table, cells.persons), _corners(ctx.at("costs"), table, told)
    )
    possible = yield from _possible(ctx.at("possible"), cells, table, holding)
    cost = _everything(costs)
    chosen, missing = yield from _chosen(ctx.at("chosen"), cells, passing, cost, possible)
    taken = yield from _taken(ctx.at("taken"), cells, table, chosen, flags[0])
    total = everywhere(missing)
    signs = yield from sign(ctx.at("sign"), stack([taken.scale(-1), total.scale(-1)]))
    kept = yield from and_bits(ctx.at("kept"), passing, signs[:1].flip(ctx.me))
    return kept, signs[1:]


def _table(ctx: Context, cells: Cells, rows: Lines, columns: Lines) -> Steps[Table]:
    both = yield from and_bits(ctx.at("both"), rows.bits, columns.bits)
    flags = yield from bits_to_arith(ctx.at("flags"), both, cells.n**2)
    return Table(rows, columns, flags.reshape(cells.n, cells.n))


def _corners(ctx: Context, table: Table, numbers: Arith) -> Steps[tuple[Arith, Arith]]:
    """Return what the corner of each cell holds, (n,), and b's of each pair (a, d), (n, n)."""
    n = numbers.shape[0]
    wide = Arith(*(np.broadcast_to(half, (n, n)) for half in (numbers.own, numbers.next)))
    own, weighed = yield from parallel(
        reshare(ctx.at("own"), cross(matrix, stack([numbers]), table.both)),
        multiply(ctx.at("weighed"), table.row.same, wide),
    )
    product = cross(_rows_by_rows, weighed, table.column.same)
    return own[0], (yield from reshare(ctx.at("other"), product))


def _possible(
    ctx: Context, cells: Cells, table: Table, holding: tuple[Arith, Arith]
) -> Steps[Bits]:
    """Mark the pairs (a, d) whose rectangle holds enough: one plane of n^2."""
    own, other = holding
    n = cells.n
    first, second = _across(own), other
    turned_first, turned_second = _transposed(first), _transposed(other)
    gaps = stack([first - turned_first, second - turned_second])
    signs = yield from sign(ctx.at("sign"), gaps.reshape(1, 2 * n * n))
    flags = yield from bits_to_arith(ctx.at("flags"), signs, 2 * n * n)
    less = yield from multiply(ctx.at("less"), flags.reshape(2 * n, n), gaps)
    smaller = turned_first + turned_second + less[:n] + less[n:]
    enough = yield from sign(
        ctx.at("enough"), smaller.reshape(1, n * n).shift(ctx.me, -cells.least)
    )
    # d must be there and on no line of a's: then none of three bits is set.
    there = of_first(cells.valid, n)
    apart = yield from and_bits(
        ctx.at("apart"), table.row.bits.flip(ctx.me), table.column.bits.flip(ctx.me)
    )
    good = yield from and_bits(ctx.at("good"), apart, enough.flip(ctx.me))
    good = yield from and_bits(ctx.at("there"), good, there)
    return (yield from and_bits(ctx.at("opposite"), good, _second_there(cells)))


def _chosen(
    ctx: Context, cells: Cells, passing: Bits, cost: Arith, possible: Bits
) -> Steps[tuple[Arith, Arith]]:
    """Return which d each withheld a takes, (n, n), and which a have none, (n,), as 0 and 1."""
    n = cells.n
    flags = yield from bits_to_arith(ctx.at("flags"), possible, n * n)
    ranks = cost + flags.reshape(n, n).scale(-FAR).shift(ctx.me, np.full((n, n), FAR, np.uint64))
    places = np.broadcast_to(np.arange(n, dtype=np.uint64), (n, n))
    ranks = ranks.scale(n).shift(ctx.me, places)
    first = yield from least_of_rows(ctx.at("least"), ranks)
    mine = yield from and_bits(ctx.at("possible"), first, possible)
    withheld = cells.valid ^ passing
    mine = yield from and_bits(ctx.at("withheld"), mine, of_first(withheld, n))
    found, missing = yield from parallel(
        bits_to_arith(ctx.at("mine"), mine, n * n), bits_to_arith(ctx.at("missing"), withheld, n)
    )
    chosen = found.reshape(n, n)
    some = Arith(chosen.own.sum(axis=1), chosen.next.sum(axis=1))
    return chosen, missing[0] - some


def _taken(
    ctx: Context, cells: Cells, table: Table, chosen: Arith, flags: Arith
) -> Steps[Arith]:
    """Count for each cell how often it is in a corner of a rectangle: (n,)."""
    opposite = Arith(chosen.own.sum(axis=0), chosen.next.sum(axis=0))
    corners = stack([opposite + cells.there - flags])  # d, and a itself
    own, others = yield from parallel(
        reshare(ctx.at("own"), cross(matrix, corners, table.both)),
        parallel(
            *(
                _on_lines(ctx.at(f"{i}"), chosen, mine, theirs)
                for i, (mine, theirs) in enumerate(
                    ((table.row, table.column), (table.column, table.row))
                )
            )
        ),
    )
    return own[0] + others[0] + others[1]


def _on_lines(ctx: Context, chosen: Arith, mine: Lines, theirs: Lines) -> Steps[Arith]:
    """Count for each cell in how many rectangles it lies on a's line and across on d's."""
    across = yield from reshare(ctx.at("across"), cross(_rows_by_rows, chosen, theirs.same))
    return (yield from reshare(ctx.at("met"), cross(_column_sums, mine.same, across)))


def _everything(costs: tuple[Arith, Arith]) -> Arith:
    """Return what all four corners of each pair hold together."""
    own, other = costs
    return _across(own) + _transposed(_across(own)) + other + _transposed(other)


def _across(column: Arith) -> Arith:
    """Give pair (a, d) the number of a."""
    n = column.shape[0]
    return Arith(*(np.repeat(h, n).reshape(n, n) for h in (column.own, column.next)))


def _transposed(table: Arith) -> Arith:
    return Arith(*(np.ascontiguousarray(half.T) for half in (table.own, table.next)))


def _second_there(cells: Cells) -> Bits:
    return Bits(np.tile(cells.valid.own, (1, cells.n)), np.tile(cells.valid.next, (1, cells.n)))


def _rows_by_rows(x: U64, y: U64) -> U64:
    """Multiply x by the transpose of y; y is symmetric wherever it is the same lines."""
    product: U64 = x @ y.T
    return product


def _column_sums(x: U64, y: U64) -> U64:
    total: U64 = np.einsum("ak,ak->k", x, y)
    return total
