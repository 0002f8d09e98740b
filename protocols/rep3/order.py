"""Bringing secret relations into the order of their columns: by merging where parts are sorted."""

from collections.abc import Sequence
from dataclasses import replace

from protocols.context import Context
from protocols.rep3.merge import merge_many
from protocols.rep3.relation import Relation, planes_of, split_planes, sums_of
from protocols.rep3.rows import Rows
from protocols.rep3.share import Bits
from protocols.rep3.sort import sort
from protocols.rounds import Party, Steps, parallel


def is_ordered(relation: Relation, by: tuple[str, ...]) -> bool:
    """Tell whether the relation is known to ascend by these columns."""
    return relation.sorted_by is not None and relation.sorted_by[: len(by)] == by


def order(ctx: Context, relation: Relation, by: tuple[str, ...]) -> Steps[Relation]:
    """Sort a relation by columns `by`, missing rows last; free if it is sorted already.

    Cost: that of `sort` on the key's bits. Security: semi-honest; leakage none.
    """
    if is_ordered(relation, by):
        return relation
    rows, key = yield from sort(ctx, _payload(relation, by), relation.key(ctx.me, by))
    return _rebuilt(ctx.me, relation, by, rows, key)


def merge_all(ctx: Context, parts: Sequence[Relation], by: tuple[str, ...]) -> Steps[Relation]:
    """UNION ALL of relations with equal columns, sorted by `by`; parts not sorted are sorted first.

    Cost: a `merge_many`. Security: as `merge_many`.
    """
    steps = (order(ctx.at(f"part{i}"), part, by) for i, part in enumerate(parts))
    ordered = list((yield from parallel(*steps)))
    if len(ordered) == 1:
        return ordered[0]
    lists = [(_payload(part, by), part.key(ctx.me, by)) for part in ordered]
    rows, key, _ = yield from merge_many(ctx.at("merge"), lists)
    merged = _rebuilt(ctx.me, ordered[0], by, rows, key)
    return replace(merged, clean=all(part.clean for part in ordered))


def _payload(relation: Relation, by: tuple[str, ...]) -> Rows:
    rest = relation.select((c for c in relation.columns if c not in by), relation.sums)
    return Rows(relation.n, planes_of(rest), sums_of(rest))


def _rebuilt(
    me: Party, shape: Relation, by: tuple[str, ...], rows: Rows, key: Bits
) -> Relation:
    """Name the columns of sorted rows again: `by` from the key, the others from the payload."""
    rest = shape.select((c for c in shape.columns if c not in by), shape.sums).with_rows(rows)
    valid, *planes = split_planes(key, [1, *(shape.columns[c].planes.shape[0] for c in by)])
    sorted_columns = {
        name: type(shape.columns[name])(part, shape.columns[name].nullable)
        for name, part in zip(by, planes, strict=True)
    }
    columns = {c: sorted_columns[c] if c in by else rest.columns[c] for c in shape.columns}
    return Relation(rows.n, valid.flip(me), columns, rest.sums, shape.clean, by)
