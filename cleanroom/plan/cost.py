"""A public estimate of what a plan costs, from its bounds alone; here in all, and for its root.

Formula, per node, in bits that each party sends and rounds (W: bits of a row, l: key bits,
m: padded rows, log: log2 m): share 2 m W; merge m (log/2) (2.5 l + log) and 8 log, a sort of
what isn't in order 1.5 times that; carry the row along by shuffles 4 m W; one comparison of
b bits 3 m b; one product 64 m; group 200 m; a number or total of a window 650 m; of a logistic
regression each iteration 1600 m and 18; a sum that nobody may dominate 1250 m and 50.
A FULL JOIN looks the right keys up among the left ones once more.
Seconds: 60 MB/s of protocol traffic and 2 ms a round, as measured on two cores and loopback.
"""

from dataclasses import dataclass

from cleanroom.plan.cost_of_nodes import cost_of_node
from cleanroom.plan.cost_of_rows import merged, padded, sorted_anew, width_of
from cleanroom.plan.cost_on_ciphertexts import on_ciphertexts
from cleanroom.plan.nodes import Node
from cleanroom.plan.plan import Plan
from cleanroom.plan.release import Release
from cleanroom.plan.schema import schema_of
from protocols.rep3.complementary import MOST_CELLS

BYTES_PER_S = 60e6
S_PER_ROUND = 0.002
BITS_PER_ROUND = int(8 * BYTES_PER_S * S_PER_ROUND)  # what could be sent while one round waits


@dataclass(frozen=True, slots=True)
class Cost:
    """Attributes: rows: padded rows that all owners share together, at their bounds.

    On ciphertexts, rows are the numbers that all owners encrypt, and a party is an owner.
    """

    rows: int
    bytes_per_party: int
    rounds: int
    seconds: float


def cost_of(plan: Plan) -> Cost:
    """Estimate a plan's cost at its largest inputs."""
    if plan.ciphertexts is not None:
        owners = len({leaf.member for leaf in plan.leaves})
        n_bytes, seconds = on_ciphertexts(plan.ciphertexts, owners)
        return Cost(owners * plan.ciphertexts.numbers, n_bytes, 1, round(seconds, 2))
    rows, bits, rounds = cost_of_node(plan.root.input)
    more, further = _release(plan.root, rows)
    shared = sum(padded(leaf.max_rows) for leaf in plan.leaves)
    n_bytes = (bits + more) // 8
    rounds += further
    seconds = n_bytes / BYTES_PER_S + rounds * S_PER_ROUND
    return Cost(shared, n_bytes, rounds, round(seconds, 2))


def most_rows(node: Node) -> int:
    """Return a public bound on the rows of a node."""
    rows, _, _ = cost_of_node(node)
    return rows


def work_of_join(left: int, right: int, slots: int, keys: int, width: int, *, sort: bool) -> int:
    """Return what joining two sides costs in bits, each round counted as what it delays.

    Args:
        left, right, slots: rows of the sides and of the result.
        keys: their bits; without keys the right side is one row.
        width: bits of a row of both sides.
        sort: the left side isn't in the keys' order.
    """
    if not keys:
        return left + BITS_PER_ROUND
    bits, rounds = merged(left + right, keys, width)
    bits += 4 * slots * width
    if sort:
        more, further = sorted_anew(left, keys, width)
        bits, rounds = bits + more, rounds + further
    return bits + rounds * BITS_PER_ROUND


def _release(root: Release, rows: int) -> tuple[int, int]:
    """Return bits and rounds of what follows the groups, the shares handed out among them."""
    schema = schema_of(root.input)
    width, tested = width_of(schema), 64 * len(root.input.counts)
    groups = min(rows, rows if root.most is None else root.most)
    bits, rounds = groups * (3 * tested + 2 * width), 20
    if root.complement is not None:
        two = root.complement.lines is not None and len(root.complement.lines) == 2
        bits += (5000 * min(groups, MOST_CELLS) ** 2 if two else 0) + 5000 * groups
        rounds += 190 if two else 35
    if root.top is not None:
        keys = 64 * len(root.top.order)
        more, further = sorted_anew(groups, keys + 1, width)
        bits, rounds = bits + more, rounds + further
    slots = min(groups, groups if root.slots is None else root.slots)
    return bits + 4 * slots * width, rounds
