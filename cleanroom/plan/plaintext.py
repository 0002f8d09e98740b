"""INSECURE: runs a plan on plain rows. The oracle for the protocols, never a way to run a room.

Rule: each operator does exactly what its class in `plan` says, by the shortest code, and checks
the promises that a plan makes: distinct right keys, bounds of rows and sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cleanroom.plan.ciphertexts import CellKey
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.linking import Linkage
from cleanroom.plan.nodes import (
    Aggregate,
    Compute,
    Computed,
    Derive,
    Filter,
    Join,
    Node,
    Unify,
    Union,
    Window,
)
from cleanroom.plan.plaintext_fitting import fitted
from cleanroom.plan.plaintext_joins import join_rows
from cleanroom.plan.plaintext_linking import linked_rows
from cleanroom.plan.plaintext_propagation import propagated
from cleanroom.plan.plaintext_release import (
    Columns,
    first,
    first_rows,
    is_large,
    more,
    opened,
    protected,
    redacted,
    seen,
)
from cleanroom.plan.plaintext_rows import (
    Row,
    groups_of,
    number,
    promise,
    term_value,
    truth,
    with_numbers,
)
from cleanroom.plan.plaintext_statistics import statistics
from cleanroom.plan.plaintext_window import window_rows
from cleanroom.plan.plan import Plan, children
from cleanroom.plan.schema import schema_of


class Runs(Protocol):
    """An owner's database."""

    def run(self, sql: str, text_key: bytes) -> Mapping[str, npt.NDArray[np.generic]]: ...


@dataclass(frozen=True, slots=True)
class InsecureOutcome:
    """Attributes: columns: as `finish` takes them; suppressed: as in Opened."""

    columns: Columns
    n: int
    suppressed: int


def insecure_run(
    plan: Plan, databases: Mapping[str, Runs], text_key: bytes = bytes(16)
) -> InsecureOutcome:
    """Run a plan over the databases of all owners, everything in the clear."""
    rows = _run(plan.root.input, databases, text_key)
    promise(plan.root.most is None or len(rows) <= plan.root.most, "more groups than the bound")
    large = protected(plan.root, rows, [row for row in rows if is_large(plan.root, row)])
    having = plan.root.having
    bits = schema_of(plan.root.input).bits
    told = [seen(plan.root, row) for row in large]
    released = [
        row for row in told if having is None or truth(having, with_numbers(row, bits)) is True
    ]
    withheld = more(plan.root, released) if plan.root.tells_more else len(rows) - len(large)
    if plan.root.top is not None:
        released = first_rows(plan.root, first(plan.root, released))
    released = [redacted(plan.root, row) for row in released]
    return InsecureOutcome(opened(plan, released), len(released), withheld)


def _run(node: Node, databases: Mapping[str, Runs], text_key: bytes) -> list[Row]:
    match node:
        case Leaf():
            return _leaf(node, databases[node.member].run(node.sql, text_key))
        case Union(inputs):
            return [row for child in inputs for row in _run(child, databases, text_key)]
        case Unify(child):
            return _unify(node, _run(child, databases, text_key))
        case Join() | Linkage():
            sides = (_run(side, databases, text_key) for side in (node.left, node.right))
            return join_rows(node, *sides) if isinstance(node, Join) else linked_rows(node, *sides)
        case Filter(child) | Derive(child) | Compute(child):
            return _row_by_row(node, _run(child, databases, text_key))
        case Aggregate(child):
            return _aggregate(node, _run(child, databases, text_key))
        case Window(child):
            return window_rows(node, _run(child, databases, text_key))
        case Propagate():
            return propagated(node, [_run(leaf, databases, text_key) for leaf in children(node)])


def _row_by_row(node: Filter | Derive | Compute, rows: list[Row]) -> list[Row]:
    match node:
        case Filter(child, predicate):
            bits = schema_of(child).bits
            return [r for r in rows if truth(predicate, with_numbers(r, bits)) is True]
        case Derive():
            return _derive(node, rows)
        case Compute():
            return _compute(node, rows)


def _leaf(leaf: Leaf, found: Mapping[str, npt.NDArray[np.generic]]) -> list[Row]:
    names = list(found)
    n = len(found[names[0]]) if names else 0
    promise(n <= leaf.max_rows, f"{n} rows in a leaf of at most {leaf.max_rows}")
    rows: list[Row] = []
    for i in range(n):
        row: Row = {}
        for column in leaf.bits:
            value = 0
            for word in range((column.bits + 63) // 64):
                value = value << 64 | int(found[f"{column.name}_{word}"][i])
            promise(value < 1 << column.bits, f"{column.name} exceeds {column.bits} bits")
            missing = column.nullable and bool(found[f"{column.name}_null"][i])
            row[column.name] = None if missing else value
        for total in leaf.sums:
            row[total.name] = int(found[total.name][i])
            promise(abs(number(row[total.name])) <= total.bound, f"{total.name} exceeds its bound")
        rows.append(row)
    return rows


def _unify(node: Unify, rows: list[Row]) -> list[Row]:
    schema = schema_of(node)
    keys = tuple(column.name for column in schema.bits)
    sums = tuple(column.name for column in schema.sums)
    return [
        {**dict(zip(keys, key, strict=True)), **{s: sum(number(r[s]) for r in group) for s in sums}}
        for key, group in groups_of(rows, keys).items()
    ]


def _derive(node: Derive, rows: list[Row]) -> list[Row]:
    bits = schema_of(node).bits
    kept = {column.name for column in bits}
    return [
        {
            **{name: value for name, value in row.items() if name in kept},
            **{d.name: sum(term_value(t, wide) for t in d.terms) for d in node.sums},
        }
        for row in rows
        for wide in (with_numbers(row, bits),)
    ]


def _compute(node: Compute, rows: list[Row]) -> list[Row]:
    """Compute new columns; a NULL never counts as a number."""
    bits = schema_of(node.input).bits
    result = []
    for row in rows:
        wide = with_numbers(row, bits)
        if node.where is not None and truth(node.where, wide) is not True:
            continue
        made: Row = {d.name: sum(term_value(t, wide) for t in d.terms) for d in node.sums}
        for one in node.bits:
            known = one.known is None or truth(one.known, wide) is True
            made[one.column.name] = _encoded(one, wide) if known else None
        result.append(made)
    return result


def _encoded(one: Computed, row: Row) -> int | None:
    if isinstance(one.of, str):
        return row[one.of]
    value = sum(term_value(term, row) for term in one.of) - one.column.low
    promise(0 <= value < 1 << one.column.bits, f"{one.column.name} exceeds its bits")
    return value


def _aggregate(node: Aggregate, rows: list[Row]) -> list[Row]:
    groups = groups_of(rows, node.keys)
    if not node.keys:
        groups = {(): rows}
    elif node.cells:
        groups = {key: groups.get(key, []) for key in product(*map(_codes, node.cells))}
    bounds = {column.name: column.bound for column in schema_of(node).sums}
    result = []
    for key, group in groups.items():
        row: Row = dict(zip(node.keys, key, strict=True))
        for name in node.carried:
            row[name] = group[0][name]
            promise(all(r[name] == row[name] for r in group), f"{name} differs within a group")
        for name in node.sums:
            row[name] = sum(number(r[name]) for r in group)
            promise(abs(number(row[name])) <= bounds[name], f"{name} exceeds its bound")
        for extreme in node.extremes:
            values = [v for r in group if (v := r[extreme.column]) is not None]
            choose = min if extreme.kind == "min" else max
            row[extreme.name] = choose(values) if values else None
        for index, person in enumerate(node.persons):
            row[f"person_{index}"] = len(_known({tuple(r[name] for name in person) for r in group}))
            row |= _supports(node, index, person, group)
        row |= statistics(node, group)
        if node.fit is not None:
            row |= fitted(node.fit, group)
        result.append(row)
    return result


def _codes(key: CellKey) -> list[int | None]:
    return [*range(key.size), *([None] if key.nullable else [])]


def _supports(node: Aggregate, index: int, person: tuple[str, ...], group: list[Row]) -> Row:
    people = {who: rows for who, rows in groups_of(group, person).items() if None not in who}
    found: Row = {}
    for name in node.supported_sums:
        behind = sum(sum(number(r[name]) for r in rows) != 0 for rows in people.values())
        found[f"support_{index}_{name}"] = behind
    for name in node.supported_columns:
        behind = sum(any(r[name] is not None for r in rows) for rows in people.values())
        found[f"support_{index}_{name}"] = behind
    if node.dominance is not None:
        for name in node.dominance.sums:
            parts = sorted(abs(sum(number(r[name]) for r in rows)) for rows in people.values())
            found[f"dominated_{index}_{name}"] = int(node.dominance.broken(parts))
    return found


def _known(values: set[tuple[int | None, ...]]) -> set[tuple[int | None, ...]]:
    return {value for value in values if None not in value}
