"""A public estimate of what a plan costs, from its bounds alone.

Formula, per node, in bits that each party sends and rounds (W: bits of a row, l: key bits,
m: padded rows, log: log2 m): share 2 m W; merge m (log/2) (2.5 l + log) and 8 log, a sort of
what isn't in order 1.5 times that; carry the row along by shuffles 4 m W; one comparison of
b bits 3 m b; one product 64 m; group 200 m; a number or total of a window 650 m; of a logistic
regression each iteration 1600 m and 18; a sum that nobody may dominate 1250 m and 50.
A FULL JOIN looks the right keys up among the left ones once more.
Seconds: 60 MB/s of protocol traffic and 2 ms a round, as measured on two cores and loopback.
On ciphertexts a plan costs what its cells cost, however many rows there are: each owner encrypts,
the coordinator adds, the recipient decrypts.
"""

from dataclasses import dataclass

from cleanroom.plan.ciphertexts import Ciphertexts
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
from cleanroom.plan.cost_of_propagation import of_propagation
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.grouping import Fit
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.linking import BLOCK, BLOCK_ORDER, Linkage, Similar
from cleanroom.plan.nodes import (
    Aggregate,
    Compute,
    Derive,
    Filter,
    Join,
    Node,
    Unify,
    Union,
    Window,
)
from cleanroom.plan.plan import Plan, children
from cleanroom.plan.private import Private
from cleanroom.plan.release import Release
from cleanroom.plan.schema import Schema, both_sides, schema_of
from protocols.he.parameters import parameters_of
from protocols.rep3.complementary import MOST_CELLS
from protocols.rep3.near_scores import TILE

BYTES_PER_S = 60e6
S_PER_ROUND = 0.002
BITS_PER_ROUND = int(8 * BYTES_PER_S * S_PER_ROUND)  # what could be sent while one round waits
CIPHERTEXT_BYTES = 225_000
S_PER_SESSION = 0.02  # on ciphertexts: keys
S_PER_CIPHERTEXT = 0.012  # the coordinator's and the recipient's work
S_PER_OWNERS_CIPHERTEXT = 0.008

ANSWER_BYTES = 131_000  # to a question of private parameters
S_PER_PART = 0.003  # of a question: encrypted once, read by each owner
S_PER_ANSWER = 0.005
S_PER_PRODUCT = 0.001


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
        return _on_ciphertexts(plan, plan.ciphertexts)
    rows, bits, rounds = _cost(plan.root.input)
    more, further = _release(plan.root, rows)
    shared = sum(_padded(leaf.max_rows) for leaf in plan.leaves)
    n_bytes = (bits + more) // 8
    rounds += further
    seconds = n_bytes / BYTES_PER_S + rounds * S_PER_ROUND
    return Cost(shared, n_bytes, rounds, round(seconds, 2))


def _on_ciphertexts(plan: Plan, cells: Ciphertexts) -> Cost:
    owners = len({leaf.member for leaf in plan.leaves})
    if cells.private is not None:
        return _of_answers(cells, cells.private, owners)
    n = -(-cells.numbers // (parameters_of(cells.parameters).degree - 1))
    seconds = S_PER_SESSION + n * (S_PER_CIPHERTEXT + owners * S_PER_OWNERS_CIPHERTEXT)
    return Cost(owners * cells.numbers, n * CIPHERTEXT_BYTES, 1, round(seconds, 2))


def _of_answers(cells: Ciphertexts, private: Private, owners: int) -> Cost:
    """The recipient encrypts a question once; each owner multiplies all of it for each answer."""
    parts = -(-private.values // parameters_of(cells.parameters).degree)
    answers = len(private.answered)
    answering = parts * S_PER_PART + answers * (S_PER_ANSWER + parts * S_PER_PRODUCT)
    seconds = S_PER_SESSION + parts * S_PER_PART + owners * answering
    return Cost(owners * cells.numbers, answers * ANSWER_BYTES, 1, round(seconds, 2))


def most_rows(node: Node) -> int:
    """Return a public bound on the rows of a node."""
    rows, _, _ = _cost(node)
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
    bits, rounds = _merged(left + right, keys, width)
    bits += 4 * slots * width
    if sort:
        more, further = _sorted(left, keys, width)
        bits, rounds = bits + more, rounds + further
    return bits + rounds * BITS_PER_ROUND


def _release(root: Release, rows: int) -> tuple[int, int]:
    """Return bits and rounds of what follows the groups, the shares handed out among them."""
    schema = schema_of(root.input)
    width, tested = _width(schema), 64 * len(root.input.counts)
    groups = min(rows, rows if root.most is None else root.most)
    bits, rounds = groups * (3 * tested + 2 * width), 20
    if root.complement is not None:
        two = root.complement.lines is not None and len(root.complement.lines) == 2
        bits += (5000 * min(groups, MOST_CELLS) ** 2 if two else 0) + 5000 * groups
        rounds += 190 if two else 35
    if root.top is not None:
        keys = 64 * len(root.top.order)
        more, further = _sorted(groups, keys + 1, width)
        bits, rounds = bits + more, rounds + further
    slots = min(groups, groups if root.slots is None else root.slots)
    return bits + 4 * slots * width, rounds


def _padded(n: int) -> int:
    return 1 << max(n - 1, 0).bit_length()


def _width(schema: Schema | Leaf) -> int:
    return sum(c.bits + c.nullable for c in schema.bits) + 64 * len(schema.sums) + 1


def _cost(node: Node) -> tuple[int, int, int]:
    """Return rows, bits and rounds of a node and all below."""
    width = _width(schema_of(node))
    match node:
        case Leaf():
            rows = _padded(node.max_rows)
            return rows, 2 * rows * width, 1
        case Union(inputs):
            parts = [_cost(child) for child in inputs]
            return sum(p[0] for p in parts), sum(p[1] for p in parts), max(p[2] for p in parts)
        case Unify(child):
            return _along(child, tuple(c.name for c in schema_of(child).bits))
        case Join():
            return _join(node, width)
        case Filter(child) | Derive(child) | Compute(child):
            rows, bits, rounds = _cost(child)
            more, further = _of_a_row(node, schema_of(child))
            return rows, bits + rows * more, rounds + further
        case Aggregate(child):
            return _aggregate(node, child)
        case Window(child):
            return _window(node, child)
        case Linkage():
            return _linkage(node)
        case Propagate(own):
            shared = [_cost(leaf) for leaf in children(node)]
            sizes = [rows for rows, _, _ in shared]
            payments = sum(sizes[-len(node.payments) :])
            bits, rounds = of_propagation(node, sum(sizes) - payments, payments)
            return _padded(own.max_rows), bits + sum(part[1] for part in shared), rounds + 1


def _of_a_row(node: Filter | Derive | Compute, below: Schema) -> tuple[int, int]:
    """Return the bits that a node costs for each row, and its rounds."""
    match node:
        case Filter(_, predicate):
            return _predicate(predicate, below), 9
        case Derive(_, sums):
            return sum(_term(t, below) for d in sums for t in d.terms), 4
        case Compute(_, _, made, sums):
            work = sum(64 * (len(t.factors) + 2) for d in sums for t in d.terms)
            return work + sum(0 if isinstance(c.of, str) else 500 for c in made), 25


def _aggregate(node: Aggregate, child: Node) -> tuple[int, int, int]:
    if isinstance(child, Propagate):
        return _cost(child)
    schema = schema_of(child)
    keys = _bits_of(schema, node.keys)
    rows, bits, rounds = _along(child, node.keys) if node.keys else _cost(child)
    once = dict.fromkeys((*node.persons, *((d.column,) for d in node.distincts)))
    once |= dict.fromkeys((q.column,) for q in node.quantiles)
    for columns in once:
        more, further = _sorted(rows, keys + _bits_of(schema, columns), 64)
        bits, rounds = bits + more, rounds + further
    sums = len(node.dominated)
    bits, rounds = bits + 1250 * rows * sums, rounds + (50 if sums else 0)
    if node.fit is not None:
        more, further = _fit(node.fit, rows)
        bits, rounds = bits + more, rounds + further
    for extreme in node.extremes:
        bits += 4 * rows * schema.bits_column(extreme.column).bits * max(rows.bit_length(), 1)
        rounds += 8 * rows.bit_length()
    return rows, bits, rounds


def _fit(fit: Fit, rows: int) -> tuple[int, int]:
    """Return bits and rounds of a regression; those of setting up don't grow with the rows."""
    setup, features = 40_000 * len(fit.features), 128 * rows * (len(fit.features) + 2)
    if fit.kind == "linear":
        return features + setup, 125 + 4 * fit.iterations
    return features + setup + 1600 * rows * fit.iterations, 127 + 18 * fit.iterations


def _window(node: Window, child: Node) -> tuple[int, int, int]:
    schema = schema_of(child)
    names = dict.fromkeys((*node.partition, *(by.column for by in node.order)))
    rows, bits, rounds = _along(child, tuple(names))
    added = 650 * (len(node.numberings) + len(node.totals))
    added += sum(schema.bits_column(one.column).bits + 1 for one in node.neighbours)
    return rows, bits + rows * added, rounds


def _linkage(node: Linkage) -> tuple[int, int, int]:
    """Return bits and rounds: by all keys rows are merged at once, then rungs follow each other."""
    sides = [_cost(side) for side in (node.left, node.right)]
    n, r = sum(side[0] for side in sides), len(node.keys)
    keys = 2 + schema_of(node.left).bits_column(node.keys[0]).bits
    bits, rounds = _merged(n, keys, keys + 2 * n.bit_length())
    bits, rounds = r * (bits + 1200 * n), rounds + 20 + 17 * r
    rows, bits = sides[0][0], bits + sum(side[1] for side in sides)
    if node.similar is not None:
        rows, further, more = _similar(node.similar, rows, n, schema_of(node.left))
        bits, rounds = bits + further, rounds + more
    return rows, bits, rounds + 10


def _similar(similar: Similar, rows: int, n: int, side: Schema) -> tuple[int, int, int]:
    """Return rows, and further bits and rounds, of pairs that are compared after the rungs."""
    most, fields = 64 * -(-similar.max_left // 64), len(similar.likenesses)
    if similar.window is None:
        return rows + most, 64 * most * most * fields + 4 * n * _width(side), 60
    keys = _bits_of(side, (BLOCK, BLOCK_ORDER))
    sort, depth = _sorted(n, keys, _width(side))
    pairs = similar.window * min(n, 2 * most)
    tiles = -(-pairs // TILE)
    bits = sort + 64 * pairs * fields + 20 * min(n, 2 * most) * _width(side)
    return 2 * rows, bits, depth + 80 + 16 * tiles


def _join(node: Join, width: int) -> tuple[int, int, int]:
    if node.kind == "one":
        left, right = _cost(node.left), _cost(node.right)
        return left[0], left[1] + right[1] + left[0], max(left[2], right[2]) + 1
    left, right = _in_order(node.left, node.left_on), _in_order(node.right, node.right_on)
    keys = _bits_of(schema_of(node.left), node.left_on)
    bits, rounds = _merged(left[0] + right[0], keys, width)
    n = left[0] if node.bound is None else _padded(node.bound)
    bits += 4 * n * width
    if node.also is not None:
        bits += n * (_predicate(node.also, both_sides(node)) + width)
    if node.kind == "full":
        n, bits, rounds = n + right[0], 2 * bits + 4 * right[0] * keys, 2 * rounds
    return n, left[1] + right[1] + bits, max(left[2], right[2]) + rounds


def _along(node: Node, by: tuple[str, ...]) -> tuple[int, int, int]:
    """Return what a node costs in an order, and a running sum or comparison along its rows."""
    rows, bits, rounds = _in_order(node, by)
    return rows, bits + 200 * rows, rounds + 15


def _in_order(node: Node, by: tuple[str, ...]) -> tuple[int, int, int]:
    """Return what a node costs if its rows are brought into the order of `by`."""
    schema, (rows, below, before) = schema_of(node), _cost(node)
    if _is_ordered(node, by):
        return rows, below, before
    inner = node.input if isinstance(node, Derive) else node
    parts = inner.inputs if isinstance(inner, Union) else ()
    arrange = _merged if parts and all(_is_ordered(part, by) for part in parts) else _sorted
    bits, rounds = arrange(rows, _bits_of(schema, by), _width(schema))
    return rows, below + bits, before + rounds


def _is_ordered(node: Node, by: tuple[str, ...]) -> bool:
    """Whether a node's rows come in the order of `by` without work."""
    match node:
        case Leaf():
            return node.sorted_by[: len(by)] == by
        case Derive(child):
            return _is_ordered(child, by)
        case Join(left) if node.kind == "one":
            return _is_ordered(left, by)
        case Join() if node.bound is None and node.kind in ("inner", "left", "semi"):
            return node.left_on[: len(by)] == by
        case Aggregate():
            return node.keys[: len(by)] == by
    return False


def _merged(rows: int, keys: int, width: int) -> tuple[int, int]:
    log = max(rows - 1, 1).bit_length()
    return rows * log * (5 * keys + 2 * log) // 4 + 4 * rows * width, 8 * log


def _sorted(rows: int, keys: int, width: int) -> tuple[int, int]:
    bits, rounds = _merged(rows, keys, width)
    return 3 * bits // 2, 2 * rounds


def _bits_of(schema: Schema, names: tuple[str, ...]) -> int:
    return sum(c.bits + c.nullable for c in map(schema.bits_column, names))


def _term(term: Term, schema: Schema) -> int:
    products = 64 * max(len(term.factors) - 1, 0)
    return products + (86 + _predicate(term.when, schema) if term.when is not None else 0)


def _predicate(predicate: Predicate, schema: Schema) -> int:
    match predicate:
        case CompareBits(_, left, _):
            return 3 * schema.bits_column(left).bits
        case CompareSums():
            return 400
        case IsNull():
            return 0
        case Not(operand):
            return _predicate(operand, schema)
        case And(operands) | Or(operands):
            return sum(2 + _predicate(p, schema) for p in operands)
