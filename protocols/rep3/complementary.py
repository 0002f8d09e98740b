"""Complementary suppression on shares: withheld groups that no total can give away.

Whoever knows the true totals along a line subtracts what was opened. So what is withheld along
every line must be of several groups that hold enough persons together: then each of them may be
anything from 0 to that many. The smallest group that would pass is withheld, too, if it has to be.

With two keys each withheld cell is made a corner of a rectangle of withheld ones. Persons that
move from two opposite corners to the two others change no total; so each corner may take as many
values more than one as the smaller of either pair of opposite corners holds, both together. Where
cells are too small for that, rows that have a withheld one are withheld in all such columns.
"""

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.blocks import block
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.lines import Cells, Lines, lines_of
from protocols.rep3.multiply import multiply
from protocols.rep3.rectangles import rectangles
from protocols.rep3.relation import Column, Relation, append_rows
from protocols.rep3.share import Arith, Bits, repeated, stack
from protocols.rep3.suppression import all_or_none, along
from protocols.rounds import Steps, parallel

MOST_CELLS = 256  # of two keys: each is tried as the opposite corner of each


def protected(
    ctx: Context,
    groups: Relation,
    passing: Bits,
    persons: Arith,
    lines: tuple[str, ...] | None,
    least: int,
) -> Steps[Bits]:
    """Take further groups from those that pass, until no total tells one that doesn't.

    Args:
        groups: in ascending order of their keys, whose `valid` marks those that there are.
        passing: one plane, among these.
        persons: shape (n,), behind each group; zero where there is none.
        lines: the bits columns that tell groups apart. With one, what is withheld is of two groups
            or more, with `least` persons together. With two, each is a corner of a rectangle as
            above, or all are a block; beyond MOST_CELLS groups, and with None, one withheld group
            withholds all.

    Returns:
        one plane, a part of `passing`.

    Cost: for one key a `smallest`; for two `rectangles` and a `block` of up to MOST_CELLS groups.
    Security: semi-honest, honest majority; no leakage.
    """
    there = yield from bits_to_arith(ctx.at("there"), groups.valid, groups.n)
    cells = Cells(groups.valid, there[0], persons, least)
    if lines is None:
        return (yield from all_or_none(ctx.at("all"), cells, passing))
    if len(lines) == 1:
        return (yield from along(ctx.at("line"), cells, passing))
    columns = [groups.columns[name] for name in lines]
    return (yield from _by_two_keys(ctx.at("two"), cells, passing, columns))


def _by_two_keys(
    ctx: Context, cells: Cells, passing: Bits, keys: list[Column]
) -> Steps[Bits]:
    """Treat the first groups as a table; if there are more groups, all or none pass."""
    if cells.n <= MOST_CELLS:
        return (yield from _table(ctx.at("all"), cells, passing, keys))
    words = MOST_CELLS // 64
    few, part = cells.head(MOST_CELLS), [key.planes[:, :words] for key in keys]
    head = [Column(planes, False) for planes in part]
    found, every = yield from parallel(
        _table(ctx.at("first"), few, passing[:, :words], head),
        all_or_none(ctx.at("none"), cells, passing),
    )
    empty = passing[:, words:].mask(np.zeros(1, dtype=np.uint64))
    found = append_rows(found, empty)
    more = repeated(cells.valid[:, words : words + 1], cells.n)  # groups stand first
    return found ^ (yield from and_bits(ctx.at("more"), more, found ^ every))


def _table(ctx: Context, cells: Cells, passing: Bits, keys: list[Column]) -> Steps[Bits]:
    """Look for a rectangle for each withheld cell; if one has none, for a block of all."""
    lines = yield from parallel(
        *(_merged(ctx.at(f"key{i}"), cells, key) for i, key in enumerate(keys))
    )
    (cornered, failed), blocked = yield from parallel(
        rectangles(ctx.at("rectangles"), cells, passing, *lines),
        block(ctx.at("block"), cells, passing, *lines),
    )
    instead = yield from and_bits(ctx.at("choose"), failed, cornered ^ blocked)
    return cornered ^ instead


def _merged(ctx: Context, cells: Cells, key: Column) -> Steps[Lines]:
    """Return the lines of one key, as one those whose own totals nobody would be told.

    Those hold too few persons, or are withheld to protect one that does, when only this key is
    asked for; so of the table's totals theirs alone are unknown.
    """
    lines = yield from lines_of(ctx.at("alone"), cells, key)
    totals = yield from lines.sums(ctx.at("totals"), stack([cells.persons]))
    tested = stack([totals[0].shift(ctx.me, -cells.least), lines.earlier().shift(ctx.me, -1)])
    signs = yield from sign(ctx.at("sign"), tested)
    heads = yield from and_bits(ctx.at("heads"), signs[1:], cells.valid)  # a line's first cell
    large = yield from and_bits(ctx.at("large"), heads, signs[:1].flip(ctx.me))
    found = yield from bits_to_arith(ctx.at("flags"), heads, cells.n)
    persons = yield from multiply(ctx.at("persons"), found[0], totals[0])
    told = yield from along(ctx.at("along"), Cells(heads, found[0], persons, cells.least), large)
    untold = yield from bits_to_arith(ctx.at("untold"), heads ^ told, cells.n)
    small = yield from lines.sums(ctx.at("small"), untold)
    merged = yield from sign(ctx.at("merged"), small.scale(-1))
    return (yield from lines.joined(ctx.at("joined"), merged))
