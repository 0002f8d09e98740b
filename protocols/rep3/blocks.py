"""Blocks of withheld cells in a table of two keys: all rows times all columns that have one.

Of a block of which all lines' totals are known a cell can take min(r, c, N - r, N - c) values more
than one, where r and c are its row's and column's sums in the block and N the whole block's.
"""

from dataclasses import dataclass

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.fixed import cross, matrix, reshare
from protocols.rep3.lines import Cells, Lines, everywhere, pairs_of
from protocols.rep3.multiply import multiply
from protocols.rep3.share import Arith, Bits, concat_planes, stack
from protocols.rep3.suppression import either
from protocols.rounds import Steps, parallel

PASSES = 2  # how often lines get one more cell each, before all is withheld


@dataclass(frozen=True, slots=True)
class Ordered:
    """Lines, and (n, n) of 0 and 1: whether j is on i's and has fewer persons."""

    lines: Lines
    before: Arith


def block(
    ctx: Context, cells: Cells, passing: Bits, rows: Lines, columns: Lines
) -> Steps[Bits]:
    """Take from the cells that pass until those withheld are a block that gives none away.

    Where a row or column of it is too small, or the block has one alone, the smallest cell that
    passes on the line across is withheld, too; if that isn't enough after PASSES, nothing passes.

    Cost: a `sign` and two bits to integers of n^2 for n cells, 140 rounds.
    Security: semi-honest, honest majority; no leakage.
    """
    pairs = yield from pairs_of(ctx.at("pairs"), cells)
    ordered = yield from parallel(
        *(_ordered(ctx.at(f"key{i}"), cells, one, pairs) for i, one in enumerate((rows, columns)))
    )
    for i in range(PASSES):
        at = ctx.at(f"pass{i}")
        passing = yield from _closed(at.at("close"), cells, (rows, columns), passing)
        broken = yield from _broken(at.at("test"), cells, (rows, columns), passing)
        passing = yield from _extended(at.at("extend"), cells, ordered, passing, broken)
    passing = yield from _closed(ctx.at("close"), cells, (rows, columns), passing)
    broken = yield from _broken(ctx.at("test"), cells, (rows, columns), passing)
    flags = yield from bits_to_arith(ctx.at("flags"), concat_planes(broken), cells.n)
    total = everywhere(flags[0] + flags[1])
    fine = yield from sign(ctx.at("sign"), stack([total.shift(ctx.me, -1)]))
    return (yield from and_bits(ctx.at("keep"), passing, fine))


def _ordered(ctx: Context, cells: Cells, lines: Lines, pairs: Bits) -> Steps[Ordered]:
    bits = yield from and_bits(ctx.at("before"), lines.bits, pairs)
    flags = yield from bits_to_arith(ctx.at("flags"), bits, cells.n**2)
    return Ordered(lines, flags.reshape(cells.n, cells.n))


def _closed(
    ctx: Context, cells: Cells, lines: tuple[Lines, ...], passing: Bits
) -> Steps[Bits]:
    """Withhold each cell of which both lines have a withheld one."""
    flags = yield from bits_to_arith(ctx.at("flags"), passing, cells.n)
    missing = stack([cells.there - flags[0]])
    counts = yield from parallel(
        *(line.sums(ctx.at(f"count{i}"), missing) for i, line in enumerate(lines))
    )
    hit = yield from sign(ctx.at("sign"), stack(counts).scale(-1))
    both = yield from and_bits(ctx.at("both"), hit[:1], hit[1:])
    return (yield from and_bits(ctx.at("keep"), passing, both.flip(ctx.me)))


def _broken(
    ctx: Context, cells: Cells, lines: tuple[Lines, ...], passing: Bits
) -> Steps[list[Bits]]:
    """Tell for each key which withheld cells need another one along its lines."""
    flags = yield from bits_to_arith(ctx.at("flags"), passing, cells.n)
    held = yield from multiply(ctx.at("held"), cells.there - flags[0], cells.persons)
    sums = yield from parallel(
        *(line.sums(ctx.at(f"sum{i}"), stack([held])) for i, line in enumerate(lines))
    )
    rest = [everywhere(held) - part[0] for part in sums]
    tested = stack([sums[0], sums[1], *rest]).shift(ctx.me, -cells.least)
    signs = yield from sign(ctx.at("sign"), tested)
    missing = cells.valid ^ passing
    # A row that holds too little needs a further column, and so does a block of one column.
    along = yield from either(ctx.at("either"), signs[:2], concat_planes([signs[3:], signs[2:3]]))
    needed = yield from and_bits(ctx.at("needed"), along, missing)
    return [needed[:1], needed[1:]]


def _extended(
    ctx: Context, cells: Cells, lines: tuple[Ordered, ...], passing: Bits, broken: list[Bits]
) -> Steps[Bits]:
    """Withhold the smallest cell that passes of each line that needs one."""
    wanted = concat_planes([passing, *broken])
    flags = yield from bits_to_arith(ctx.at("flags"), wanted, cells.n)
    found = yield from parallel(
        *(one.lines.sums(ctx.at(f"asked{i}"), flags[1 + i : 2 + i]) for i, one in enumerate(lines)),
        *(
            reshare(ctx.at(f"smaller{i}"), cross(matrix, flags[:1], one.before))
            for i, one in enumerate(lines)
        ),
    )
    asked = stack(found[:2]).scale(-1)
    signs = yield from sign(ctx.at("sign"), stack([asked, stack(found[2:]).shift(ctx.me, -1)]))
    taken = yield from and_bits(ctx.at("taken"), signs[:2], signs[2:])
    more = yield from either(ctx.at("either"), taken[:1], taken[1:])
    return (yield from and_bits(ctx.at("keep"), passing, more.flip(ctx.me)))
