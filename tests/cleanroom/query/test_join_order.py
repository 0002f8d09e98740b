"""The order of several joins follows from bounds and estimated cost, not from the text."""

from itertools import permutations

import pytest
import rooms

from cleanroom.plan.cost import work_of_join
from cleanroom.plan.nodes import Aggregate, Join, Node
from cleanroom.query.compile import compile_query

BY_STATE = "(SELECT state, SUM(amount) AS total FROM beta.claims GROUP BY state) AS s"
JOINED = {
    BY_STATE: "s.state = p.state",
    "gamma.members AS m": "m.mid = p.id",
    "beta.claims AS c": "c.pid = p.id",
}


def keys_in_order(node: Node) -> list[tuple[str, ...]]:
    """Return the keys of the joins from the innermost on."""
    if isinstance(node, Join):
        return [*keys_in_order(node.left), node.left_on]
    return keys_in_order(node.input) if hasattr(node, "input") else []


@pytest.mark.parametrize("tables", list(permutations(JOINED)))
def test_joins_on_the_same_key_come_together_however_the_query_names_them(tables) -> None:
    joins = " ".join(f"JOIN {table} ON {JOINED[table]}" for table in tables)
    sql = f"SELECT COUNT(*) AS n, SUM(s.total) AS t FROM alpha.people AS p {joins}"
    root = compile_query(sql, rooms.terms(), "0" * 64, "analyst").root
    assert isinstance(root.input, Aggregate)
    keys = keys_in_order(root.input)
    assert len(keys) == 3
    assert len(set(keys)) == 2
    assert keys[0] == keys[1]  # sorted once more, by the other key, and not twice


def test_a_join_costs_more_with_more_rows_and_if_the_left_side_must_be_sorted() -> None:
    few = work_of_join(1 << 10, 1 << 10, 1 << 10, 64, 200, sort=False)
    assert few < work_of_join(1 << 10, 1 << 14, 1 << 10, 64, 200, sort=False)
    assert few < work_of_join(1 << 10, 1 << 10, 1 << 16, 64, 200, sort=False)
    assert few < work_of_join(1 << 10, 1 << 10, 1 << 10, 64, 200, sort=True)
