"""INSECURE: which further groups are withheld so that no total tells one that is, on plain rows.

Rule: what `protocols.rep3.complementary` says, by sets and sums.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeAlias

from protocols.rep3.blocks import PASSES
from protocols.rep3.complementary import MOST_CELLS

Cell: TypeAlias = tuple[int | None, ...]
Persons: TypeAlias = dict[Cell, int]
Line: TypeAlias = Callable[[Cell], Hashable]


def kept(
    persons: Persons, passing: Iterable[Cell], n_lines: int | None, least: int
) -> set[Cell]:
    """Return the groups that still pass.

    Args:
        persons: behind each group, in ascending order of the groups.
        n_lines: how many keys there are, one or two; None: one withheld group withholds all.
    """
    found, every = set(passing), set(persons)
    if n_lines is None:
        return found if found == every else set()
    if n_lines == 1:
        return _along(persons, found, least)
    if len(persons) > MOST_CELLS:
        return found if found == every else set()
    lines = [_lines(persons, place, least) for place in (0, 1)]
    cornered = _rectangles(persons, found, least, *lines)
    return _block(persons, found, least, lines) if cornered is None else cornered


def _along(persons: Persons, passing: set[Cell], least: int) -> set[Cell]:
    withheld = [cell for cell in persons if cell not in passing]
    few = len(withheld) < 2 or sum(persons[cell] for cell in withheld) < least
    return passing - {_smallest(persons, passing)} if withheld and few else passing


def _smallest(persons: Persons, passing: Iterable[Cell]) -> Cell | None:
    order = {cell: i for i, cell in enumerate(persons)}
    return min(passing, key=lambda cell: (persons[cell], order[cell]), default=None)


def _rectangles(
    persons: Persons, passing: set[Cell], least: int, row: Line, column: Line
) -> set[Cell] | None:
    """Make each withheld cell a corner of the cheapest rectangle that holds enough, if one does."""
    corner: dict[tuple[Hashable, Hashable], list[Cell]] = {}
    for cell in persons:
        corner.setdefault((row(cell), column(cell)), []).append(cell)
    held = {at: sum(persons[c] for c in cells) for at, cells in corner.items()}
    cost = {at: sum(persons[c] for c in cells if c in passing) for at, cells in corner.items()}
    taken: set[Cell] = set()
    for a in (cell for cell in persons if cell not in passing):
        best: tuple[int, list[tuple[Hashable, Hashable]]] | None = None
        for d in persons:
            corners = [(row(x), column(y)) for x, y in ((a, a), (d, d), (a, d), (d, a))]
            own, opposite, *others = (held.get(at, 0) for at in corners)
            if row(a) == row(d) or column(a) == column(d):
                continue
            if min(own, opposite) + min(others) < least:
                continue
            price = sum(cost.get(at, 0) for at in corners)
            if best is None or price < best[0]:
                best = price, corners
        if best is None:
            return None
        taken |= {cell for at in best[1] for cell in corner.get(at, [])}
    return passing - taken


def _block(
    persons: Persons, passing: set[Cell], least: int, lines: list[Line]
) -> set[Cell]:
    """Close what is withheld to all its rows times all its columns."""
    for _ in range(PASSES):
        passing = _closed(persons, lines, passing)
        broken = _broken(persons, lines, passing, least)
        more = set()
        for line, cells in zip(lines, broken, strict=True):
            for name in {line(cell) for cell in cells}:
                more.add(_smallest(persons, [c for c in passing if line(c) == name]))
        passing = passing - more
    passing = _closed(persons, lines, passing)
    return set() if any(_broken(persons, lines, passing, least)) else passing


def _lines(persons: Persons, place: int, least: int) -> Line:
    """Return the line of a cell; those whose own totals nobody would be told are one."""
    totals: dict[Cell, int] = {}
    for cell, number in persons.items():
        totals[(cell[place],)] = totals.get((cell[place],), 0) + number
    told = _along(totals, {name for name, number in totals.items() if number >= least}, least)
    return lambda cell: cell[place] if (cell[place],) in told else "merged"


def _closed(persons: Persons, lines: list[Line], passing: set[Cell]) -> set[Cell]:
    withheld = [cell for cell in persons if cell not in passing]
    hit = [{line(cell) for cell in withheld} for line in lines]
    return {c for c in passing if not all(line(c) in h for line, h in zip(lines, hit, strict=True))}


def _broken(
    persons: Persons, lines: list[Line], passing: set[Cell], least: int
) -> tuple[set[Cell], set[Cell]]:
    """Return for each key the withheld cells that need another one along it."""
    withheld = {cell: number for cell, number in persons.items() if cell not in passing}
    whole = sum(withheld.values())

    def of(cell: Cell, line: Line) -> int:
        return sum(n for other, n in withheld.items() if line(other) == line(cell))

    row, column = lines
    along_row = {c for c in withheld if of(c, row) < least or whole - of(c, column) < least}
    along_column = {c for c in withheld if of(c, column) < least or whole - of(c, row) < least}
    return along_row, along_column
