"""INSECURE: which groups of plain rows are released, in what order, and as which columns."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cleanroom.plan.ordering import OrderBy
from cleanroom.plan.plaintext_rows import Row, number, truth
from cleanroom.plan.plaintext_suppression import kept
from cleanroom.plan.plan import Plan
from cleanroom.plan.release import Release
from cleanroom.plan.schema import schema_of

Columns: TypeAlias = dict[str, npt.NDArray[np.generic]]


def first(release: Release, rows: list[Row]) -> list[Row]:
    """Return the first groups; a stable sort by each key of the order, last key first."""
    keys = release.input.keys
    ordered = sorted(rows, key=lambda r: [(r[k] is None, r[k] or 0) for k in keys])
    for by in reversed(release.top.order if release.top else ()):
        known = [r for r in ordered if _order_value(by, r) is not None]
        known.sort(key=lambda r: number(_order_value(by, r)), reverse=by.descending)
        unknown = [r for r in ordered if _order_value(by, r) is None]
        ordered = unknown + known if by.nulls_first else known + unknown
    return ordered[: release.top.limit] if release.top else ordered


def first_rows(release: Release, rows: list[Row]) -> list[Row]:
    """Return groups of equal rows with as many rows as `top` leaves of each."""
    name = release.repeated
    if name is None or release.top is None:
        return rows
    kept, left = [], release.top.limit
    for row in rows:
        n = min(number(row[name]), left)
        left -= n
        kept += [{**row, name: n}] if n else []
    return kept


def more(release: Release, rows: list[Row]) -> int:
    """Return 1 if more rows pass than `top` leaves, else 0."""
    limit = len(rows) if release.top is None else release.top.limit
    counts = (1 if release.repeated is None else number(row[release.repeated]) for row in rows)
    return int(sum(counts) > limit)


def _order_value(by: OrderBy, row: Row) -> int | None:
    known = by.known is None or truth(by.known, row) is True
    return row[by.column] if known else None


def is_large(release: Release, row: Row) -> bool:
    """Return whether min_group persons stand behind a group and each of its values."""
    if any(number(row[name]) for name in release.input.dominated) or _owned(release, row):
        return False
    if any(sum(number(row[n]) > 0 for n in h.counts) < h.least for h in release.held):
        return False
    classes = [release.input.counts_of(i) for i in range(len(release.input.persons))]
    enough = [[number(row[name]) >= release.min_group for name in names] for names in classes]
    nobody = [
        [i in release.optional and row[name] == 0 for name in names]
        for i, names in enumerate(classes)
    ]
    return not classes or all(
        any(a) and all(x or y for x, y in zip(a, b, strict=True))
        for a, b in zip(zip(*enough, strict=True), zip(*nobody, strict=True), strict=True)
    )


def protected(release: Release, rows: list[Row], large: list[Row]) -> list[Row]:
    """Return those of the groups that still pass where totals may tell what is withheld."""
    asked, keys = release.complement, release.input.keys
    if asked is None:
        return large
    ordered = sorted(rows, key=lambda r: [(r[k] is None, r[k] or 0) for k in keys])
    persons = {
        tuple(row[k] for k in keys): min(number(row[name]) for name in asked.persons)
        for row in ordered
    }
    n_lines = None if asked.lines is None else len(asked.lines)
    passing = [tuple(row[k] for k in keys) for row in large]
    found = kept(persons, passing, n_lines, asked.least)
    return [row for row in large if tuple(row[k] for k in keys) in found]


def _owned(release: Release, row: Row) -> bool:
    """Return whether one member has too much of a sum."""
    dominance = release.input.dominance
    if dominance is None:
        return False
    sizes = [[abs(number(row[name])) for name in names] for names in dominance.owned]
    return any(100 * max(mine) > dominance.top_two * sum(mine) for mine in sizes)


def seen(release: Release, row: Row) -> Row:
    """Return a group with its counts as HAVING and orders see them; the exact ones aside."""
    if release.rounding is None:
        return row
    counts = {name: number(row[name]) for name in release.rounding.counts}
    told = {name: max(release.rounding.told(count), 0) for name, count in counts.items()}
    return row | told | {f"exact {name}": count for name, count in counts.items()}


def redacted(release: Release, row: Row) -> Row:
    """Return a group with its counts as they are opened, -1 where they are redacted."""
    if release.rounding is None:
        return row
    counts = release.rounding.counts
    return row | {n: release.rounding.told(number(row[f"exact {n}"])) for n in counts}


def opened(plan: Plan, rows: list[Row]) -> Columns:
    """Return the opened columns of released groups."""
    schema = schema_of(plan.root.input)
    columns: Columns = {}
    for name in plan.root.opened:
        values = [row[name] for row in rows]
        found = [column for column in schema.bits if column.name == name]
        if not found:
            columns[name] = np.array(values, dtype=np.int64)
            continue
        n_words = (found[0].bits + 63) // 64
        for word in range(n_words):
            shift = 64 * (n_words - 1 - word)
            parts = [((value or 0) >> shift) & (1 << 64) - 1 for value in values]
            columns[f"{name}_{word}"] = np.array(parts, dtype=np.uint64)
        if found[0].nullable:
            columns[f"{name}_null"] = np.array([value is None for value in values], dtype=bool)
    return columns
