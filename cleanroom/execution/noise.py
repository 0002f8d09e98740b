"""Noise on what is opened: each member's own share of it, and cells that are there in any case.

Rule: how a plan's noise becomes vectors, and where they are added; what is drawn is protocols.dp's.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from cleanroom.execution.outcome import Outcome, pack
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.noise import QueryNoise
from cleanroom.plan.release import Release
from protocols.context import Context
from protocols.dp.laplace import I64
from protocols.dp.shares import SharedNoise, noise_shares
from protocols.dp.words import Words
from protocols.rep3.group import Grouping, group
from protocols.rep3.order import is_ordered, merge_all
from protocols.rep3.own import add_own
from protocols.rep3.relation import Column, Relation, union
from protocols.rep3.share import Arith, Bits, concat_planes, public_arith, public_bits, words_for
from protocols.rep3.slices import to_planes
from protocols.rounds import U64, Party, Steps


def shares_of(noise: QueryNoise, words: Words) -> dict[str, I64]:
    """Return one member's share of the noise of every total, each of shape (cells,).

    Totals of equal noise are drawn at once: a draw takes a while, however little it is of.

    Security: the shares must leave the member only inside a secure sum.
    """
    alike: dict[SharedNoise, list[str]] = {}
    for name, one in noise.shared():
        alike.setdefault(one, []).append(name)
    found: dict[str, I64] = {}
    for one, names in alike.items():
        drawn = noise_shares(words, replace(one, dimension=one.dimension * len(names)))
        found.update(zip(names, drawn.reshape(len(names), noise.cells), strict=True))
    return found


def with_cell_rows(ctx: Context, node: Aggregate, relation: Relation) -> Steps[Relation]:
    """Add a row of zeros for each cell, so that all cells are groups.

    Cost: a merge of rows that are sorted by the keys; free if they aren't.
    Security: semi-honest, honest majority; leakage none.
    """
    keys = tuple(key.name for key in node.cells)
    sorted_by = relation.sorted_by if is_ordered(relation, keys) else None
    rows = replace(relation.select(keys, relation.sums), sorted_by=sorted_by)
    cells = _cells(ctx.me, node, rows)
    if sorted_by is None:
        return union(rows, cells)
    return (yield from merge_all(ctx, (rows, cells), keys))


def with_cell_groups(ctx: Context, node: Aggregate, groups: Relation) -> Steps[Relation]:
    """Add the groups that have no rows, where a row of zeros would count as somebody's.

    Cost: a merge of twice as many rows as there are cells, and a group-by without a sort.
    Security: semi-honest, honest majority; leakage none.
    """
    cells = _cells(ctx.me, node, groups)
    found = groups.head(min(groups.n, cells.n))
    keys, sums = tuple(key.name for key in node.cells), tuple(groups.sums)
    both = yield from merge_all(ctx.at("merge"), (found, cells), keys)
    return (yield from group(ctx.at("group"), both, Grouping(keys, (), sums, ())))


def release_noisy(
    ctx: Context, node: Release, groups: Relation, noise: QueryNoise, words: Words
) -> Steps[Outcome]:
    """Add every party's share of noise to the totals of all cells, and hand these out.

    Args:
        groups: those of all cells, which stand first.
        words: what this party's share is drawn from; nobody else knows it.

    Security: semi-honest, honest majority; leakage none: how many cells there are is public.
    """
    groups = groups.head(64 * words_for(noise.cells))
    shown = groups.select(
        (name for name in node.opened if name in groups.columns),
        (name for name in node.opened if name in groups.sums),
    )
    rows, mine = shown.rows(), np.zeros((len(shown.sums), groups.n), dtype=np.uint64)
    drawn = shares_of(noise, words)
    for place, name in enumerate(shown.sums):
        mine[place, : noise.cells] = drawn[name].view(np.uint64)
    noisy = yield from add_own(ctx.at("noise"), rows.sums, mine)
    nobody = np.zeros(1, dtype=np.uint64)
    rows = type(rows)(rows.n, rows.bits, noisy)
    return pack(rows, _first(noise.cells, groups.n), Arith(nobody, nobody))


def _cells(me: Party, node: Aggregate, like: Relation) -> Relation:
    """Return a relation of one row for each cell, its sums zero, in the order of keys."""
    codes = list(product(*(range(key.choices) for key in node.cells)))
    n = max(64, 1 << (len(codes) - 1).bit_length())
    columns = {}
    for place, key in enumerate(node.cells):
        values = np.array([code[place] for code in codes], dtype=np.uint64)
        missing = values == key.size
        value = to_planes(_padded(np.where(missing, 0, values), n), _bits(like, key.name))
        planes = public_bits(me, value)
        if key.nullable:
            null = public_bits(me, to_planes(_padded(missing.astype(np.uint64), n), 1))
            planes = concat_planes([null, planes])
        columns[key.name] = Column(planes, key.nullable)
    nothing = np.zeros(n, dtype=np.uint64)
    sums = {name: public_arith(me, nothing) for name in like.sums}
    there: Bits = public_bits(me, _first(len(codes), n))
    return Relation(n, there, columns, sums, True, tuple(columns))


def _bits(relation: Relation, name: str) -> int:
    return relation.columns[name].value.shape[0]


def _padded(values: U64, n: int) -> U64:
    words = np.zeros((n, 1), dtype=np.uint64)
    words[: values.size, 0] = values
    return words


def _first(k: int, n: int) -> U64:
    """Return a public plane that marks the first k of n rows."""
    flags = np.zeros(n, dtype=np.uint64)
    flags[:k] = 1
    return to_planes(flags[:, None], 1)
