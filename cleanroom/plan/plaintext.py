"""INSECURE: runs a plan on plain rows. The oracle for the protocols, never a way to run a room.

Rule: each operator does exactly what its class in `plan` says, by the shortest code, and checks
the promises that a plan makes: distinct right keys, bounds of rows and sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from cleanroom.errors import JoinTooLarge
from cleanroom.plan.conditions import (
    And,
    CompareBits,
    CompareSums,
    IsNull,
    Not,
    Or,
    Predicate,
    Term,
)
from cleanroom.plan.nodes import (
    Aggregate,
    Compute,
    Computed,
    Derive,
    Filter,
    Join,
    Leaf,
    Node,
    OrderBy,
    Release,
    Unify,
    Union,
)
from cleanroom.plan.plaintext_statistics import statistics
from cleanroom.plan.plan import Plan
from cleanroom.plan.schema import schema_of

Row: TypeAlias = dict[str, int | None]
Columns: TypeAlias = dict[str, npt.NDArray[np.generic]]


class Runs(Protocol):
    """An owner's database."""

    def run(self, sql: str, text_key: bytes) -> Mapping[str, npt.NDArray[np.generic]]: ...


@dataclass(frozen=True, slots=True)
class InsecureOutcome:
    """Attributes: columns: as `finish` takes them; suppressed: groups under min_group."""

    columns: Columns
    n: int
    suppressed: int


def insecure_run(
    plan: Plan, databases: Mapping[str, Runs], text_key: bytes = bytes(16)
) -> InsecureOutcome:
    """Run a plan over the databases of all owners, everything in the clear."""
    rows = _run(plan.root.input, databases, text_key)
    large = [row for row in rows if _large(plan.root, row)]
    having = plan.root.having
    released = [row for row in large if having is None or truth(having, row) is True]
    if plan.root.top is not None:
        released = _first(plan.root, released)
    return InsecureOutcome(_opened(plan, released), len(released), len(rows) - len(large))


def _first(release: Release, rows: list[Row]) -> list[Row]:
    """Return the first groups; a stable sort by each key of the order, last key first."""
    keys = release.input.keys
    ordered = sorted(rows, key=lambda r: [(r[k] is None, r[k] or 0) for k in keys])
    for by in reversed(release.top.order if release.top else ()):
        known = [r for r in ordered if _order_value(by, r) is not None]
        known.sort(key=lambda r: _int(_order_value(by, r)), reverse=by.descending)
        unknown = [r for r in ordered if _order_value(by, r) is None]
        ordered = unknown + known if by.nulls_first else known + unknown
    return ordered[: release.top.limit] if release.top else ordered


def _order_value(by: OrderBy, row: Row) -> int | None:
    known = by.known is None or truth(by.known, row) is True
    return row[by.column] if known else None


def _large(release: Release, row: Row) -> bool:
    classes = [release.input.counts_of(i) for i in range(len(release.input.persons))]
    enough = [[_int(row[name]) >= release.min_group for name in names] for names in classes]
    nobody = [
        [i in release.optional and row[name] == 0 for name in names]
        for i, names in enumerate(classes)
    ]
    return not classes or all(
        any(a) and all(x or y for x, y in zip(a, b, strict=True))
        for a, b in zip(zip(*enough, strict=True), zip(*nobody, strict=True), strict=True)
    )


def _run(node: Node, databases: Mapping[str, Runs], text_key: bytes) -> list[Row]:
    match node:
        case Leaf():
            return _leaf(node, databases[node.member].run(node.sql, text_key))
        case Union(inputs):
            return [row for child in inputs for row in _run(child, databases, text_key)]
        case Unify(child):
            return _unify(node, _run(child, databases, text_key))
        case Join(left, right):
            rows = _run(left, databases, text_key), _run(right, databases, text_key)
            return _join(node, *rows)
        case Filter(child, predicate):
            return [r for r in _run(child, databases, text_key) if truth(predicate, r) is True]
        case Derive(child):
            return _derive(node, _run(child, databases, text_key))
        case Compute(child):
            return _compute(node, _run(child, databases, text_key))
        case Aggregate(child):
            return _aggregate(node, _run(child, databases, text_key))


def _leaf(leaf: Leaf, found: Mapping[str, npt.NDArray[np.generic]]) -> list[Row]:
    names = list(found)
    n = len(found[names[0]]) if names else 0
    _promise(n <= leaf.max_rows, f"{n} rows in a leaf of at most {leaf.max_rows}")
    rows: list[Row] = []
    for i in range(n):
        row: Row = {}
        for column in leaf.bits:
            value = 0
            for word in range((column.bits + 63) // 64):
                value = value << 64 | int(found[f"{column.name}_{word}"][i])
            _promise(value < 1 << column.bits, f"{column.name} exceeds {column.bits} bits")
            missing = column.nullable and bool(found[f"{column.name}_null"][i])
            row[column.name] = None if missing else value
        for total in leaf.sums:
            row[total.name] = int(found[total.name][i])
            _promise(abs(_int(row[total.name])) <= total.bound, f"{total.name} exceeds its bound")
        rows.append(row)
    return rows


def _unify(node: Unify, rows: list[Row]) -> list[Row]:
    schema = schema_of(node)
    keys = tuple(column.name for column in schema.bits)
    sums = tuple(column.name for column in schema.sums)
    return [
        {**dict(zip(keys, key, strict=True)), **{s: sum(_int(r[s]) for r in group) for s in sums}}
        for key, group in _groups(rows, keys).items()
    ]


def _groups(rows: list[Row], keys: tuple[str, ...]) -> dict[tuple[int | None, ...], list[Row]]:
    groups: dict[tuple[int | None, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def _join(node: Join, left: list[Row], right: list[Row]) -> list[Row]:
    pairs = [(a, b) for a in left for b in _matches(node, _groups(right, node.right_on), a)]
    joined = [_both(node, a, b) for a, b in pairs]
    matched = {id(row) for pair in pairs for row in pair}
    alone = [a for a in left if id(a) not in matched]
    if node.kind == "not in":
        return _not_in(node, alone, right)
    if node.kind == "anti":
        return alone
    if node.kind in ("left", "full"):
        joined += [_both(node, a, _filled(node, node.right)) for a in alone]
    if node.bound is not None and len(joined) > node.bound:
        raise JoinTooLarge(f"more than {node.bound} joined rows")
    if node.kind == "full":
        rest = [b for b in right if id(b) not in matched]
        joined += [_both(node, _filled(node, node.left), b) for b in rest]
    return joined


def _matches(node: Join, right: dict[tuple[int | None, ...], list[Row]], row: Row) -> list[Row]:
    key = tuple(row[name] for name in node.left_on)
    found = [] if None in key else right.get(key, [])
    if node.kind in ("semi", "anti", "not in"):
        found = sorted(found, key=lambda r: [(r[c] is None, r[c] or 0) for c in node.last_by])[-1:]
    _promise(node.bound is not None or len(found) <= 1, "keys repeat")
    also = node.also
    return [r for r in found if also is None or truth(also, {**r, **row}) is True]


def _both(node: Join, left: Row, right: Row) -> Row:
    return {**left, **{name: v for name, v in right.items() if name not in node.right_on}}


def _filled(node: Join, side: Node) -> Row:
    schema, fill = schema_of(side), {f.column: f.value for f in node.fill}
    names = [c.name for c in schema.bits] + [c.name for c in schema.sums]
    return {name: fill.get(name, 0) for name in names}


def _not_in(node: Join, unmatched: list[Row], right: list[Row]) -> list[Row]:
    (mine,), (theirs,) = node.left_on, node.right_on
    if not right:
        return unmatched
    if any(row[theirs] is None for row in right):
        return []
    return [row for row in unmatched if row[mine] is not None]


def _derive(node: Derive, rows: list[Row]) -> list[Row]:
    kept = {column.name for column in schema_of(node).bits}
    return [
        {
            **{name: value for name, value in row.items() if name in kept},
            **{d.name: sum(_term(t, row) for t in d.terms) for d in node.sums},
        }
        for row in rows
    ]


def _compute(node: Compute, rows: list[Row]) -> list[Row]:
    """Compute new columns; a NULL never counts as a number."""
    bits = schema_of(node.input).bits
    result = []
    for row in rows:
        numbers = {f"#{c.name}": 0 if (v := row[c.name]) is None else c.low + v for c in bits}
        wide = {**row, **numbers}
        if node.where is not None and truth(node.where, wide) is not True:
            continue
        made: Row = {d.name: sum(_term(t, wide) for t in d.terms) for d in node.sums}
        for one in node.bits:
            known = one.known is None or truth(one.known, wide) is True
            made[one.column.name] = _encoded(one, wide) if known else None
        result.append(made)
    return result


def _encoded(one: Computed, row: Row) -> int | None:
    if isinstance(one.of, str):
        return row[one.of]
    value = sum(_term(term, row) for term in one.of) - one.column.low
    _promise(0 <= value < 1 << one.column.bits, f"{one.column.name} exceeds its bits")
    return value


def _aggregate(node: Aggregate, rows: list[Row]) -> list[Row]:
    groups = _groups(rows, node.keys)
    if not node.keys:
        groups = {(): rows}
    bounds = {column.name: column.bound for column in schema_of(node).sums}
    result = []
    for key, group in groups.items():
        row: Row = dict(zip(node.keys, key, strict=True))
        for name in node.sums:
            row[name] = sum(_int(r[name]) for r in group)
            _promise(abs(_int(row[name])) <= bounds[name], f"{name} exceeds its bound")
        for extreme in node.extremes:
            values = [v for r in group if (v := r[extreme.column]) is not None]
            choose = min if extreme.kind == "min" else max
            row[extreme.name] = choose(values) if values else None
        for index, person in enumerate(node.persons):
            row[f"person_{index}"] = len(_known({tuple(r[name] for name in person) for r in group}))
            row |= _supports(node, index, person, group)
        row |= statistics(node, group)
        result.append(row)
    return result


def _supports(
    node: Aggregate, index: int, person: tuple[str, ...], group: list[Row]
) -> Row:
    people = {who: rows for who, rows in _groups(group, person).items() if None not in who}
    found: Row = {}
    for name in node.supported_sums:
        behind = sum(sum(_int(r[name]) for r in rows) != 0 for rows in people.values())
        found[f"support_{index}_{name}"] = behind
    for name in node.supported_columns:
        behind = sum(any(r[name] is not None for r in rows) for rows in people.values())
        found[f"support_{index}_{name}"] = behind
    return found


def _known(values: set[tuple[int | None, ...]]) -> set[tuple[int | None, ...]]:
    return {value for value in values if None not in value}


def _term(term: Term, row: Row) -> int:
    if term.when is not None and truth(term.when, row) is not True:
        return 0
    value = term.coefficient
    for factor in term.factors:
        value *= _int(row[factor])
    return value


def truth(predicate: Predicate, row: Row) -> bool | None:
    """Return the truth value of a predicate; None is SQL's NULL."""
    match predicate:
        case CompareBits(op, left, right):
            other = row[right] if isinstance(right, str) else right
            mine = row[left]
            return None if mine is None or other is None else _compare(op, mine, other)
        case CompareSums(op, terms, known):
            if known is not None and truth(known, row) is not True:
                return None
            total = sum(_term(term, row) for term in terms)
            _promise(abs(total) < 1 << 62, "a comparison exceeds 62 bits")
            return _compare(op, total, 0)
        case IsNull(column):
            return row[column] is None
        case Not(operand):
            value = truth(operand, row)
            return None if value is None else not value
        case And(operands):
            values = [truth(p, row) for p in operands]
            return False if False in values else None if None in values else True
        case Or(operands):
            values = [truth(p, row) for p in operands]
            return True if True in values else None if None in values else False


def _compare(op: str, a: int, b: int) -> bool:
    results = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "=": a == b, "<>": a != b}
    return results[op]


def _int(value: int | None) -> int:
    if value is None:
        raise AssertionError("NULL in a sum column")
    return value


def _promise(kept: bool, what: str) -> None:
    if not kept:
        raise AssertionError(what)


def _opened(plan: Plan, rows: list[Row]) -> Columns:
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
