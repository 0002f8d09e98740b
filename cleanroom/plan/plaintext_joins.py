"""INSECURE: joins of plain rows, by the shortest code."""

from cleanroom.errors import JoinTooLarge
from cleanroom.plan.nodes import Join, Node
from cleanroom.plan.plaintext_rows import Row, groups_of, promise, truth, with_numbers
from cleanroom.plan.schema import both_sides, schema_of


def join_rows(node: Join, left: list[Row], right: list[Row]) -> list[Row]:
    """Join as the node says.

    Raises:
        JoinTooLarge: for more rows than its bound.
    """
    pairs = [(a, b) for a in left for b in _matches(node, groups_of(right, node.right_on), a)]
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
    promise(node.bound is not None or len(found) <= 1, "keys repeat")
    also = node.also
    bits = both_sides(node).bits
    return [
        r for r in found if also is None or truth(also, with_numbers({**r, **row}, bits)) is True
    ]


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
