"""INSECURE: windows over plain rows, by the shortest code."""

from cleanroom.plan.nodes import Window
from cleanroom.plan.ordering import OrderBy
from cleanroom.plan.plaintext_rows import Row, groups_of, number, promise
from cleanroom.plan.schema import Schema, schema_of
from cleanroom.plan.windows import Neighbour, Numbering, PartitionTotal


def window_rows(node: Window, rows: list[Row]) -> list[Row]:
    """Add the columns of a window; equal rows keep their order, or lose it as the node says."""
    rows = rows[::-1] if node.backwards else rows
    for by in reversed(node.order):
        rows = _ordered(by, rows)
    schema = schema_of(node.input)
    return [
        {**row, **_added(node, schema, group, place)}
        for group in groups_of(rows, node.partition).values()
        for place, row in enumerate(group)
    ]


def _ordered(by: OrderBy, rows: list[Row]) -> list[Row]:
    known = [r for r in rows if r[by.column] is not None]
    if by.descending:  # sorted() keeps equal rows in place; reverse=True does too
        known.sort(key=lambda r: number(r[by.column]), reverse=True)
    else:
        known.sort(key=lambda r: number(r[by.column]))
    unknown = [r for r in rows if r[by.column] is None]
    return unknown + known if by.nulls_first else known + unknown


def _added(node: Window, schema: Schema, group: list[Row], place: int) -> Row:
    order = tuple(by.column for by in node.order)
    added: Row = {one.name: _number(one, order, group, place) for one in node.numberings}
    added |= {one.name: _neighbour(one, group, place) for one in node.neighbours}
    return added | {one.name: _total(one, schema, group) for one in node.totals}


def _number(one: Numbering, order: tuple[str, ...], group: list[Row], place: int) -> int:
    before = group[: place + 1]
    values = [tuple(row[name] for name in order) for row in before]
    match one.kind:
        case "row_number":
            found = place + 1
        case "rank":
            found = values.index(values[-1]) + 1
        case "dense_rank":
            found = len(set(values))
    promise(found <= one.bound, f"{one.name} exceeds its bound")
    return found


def _neighbour(one: Neighbour, group: list[Row], place: int) -> int | None:
    there = place - one.distance
    return group[there][one.column] if 0 <= there < len(group) else None


def _total(one: PartitionTotal, schema: Schema, group: list[Row]) -> int:
    if one.column is None:
        return len(group)
    low, values = schema.bits_column(one.column).low, [row[one.column] for row in group]
    known = [low + value for value in values if value is not None]
    found = len(known) if one.kind == "count" else sum(known)
    promise(abs(found) <= one.bound, f"{one.name} exceeds its bound")
    return found
