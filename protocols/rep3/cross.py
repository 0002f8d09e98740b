"""CROSS JOIN with a relation of one row: its content is the same in all rows of the result."""

from dataclasses import replace

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.relation import Relation
from protocols.rep3.share import Arith, repeated
from protocols.rounds import U64, Steps


def with_row(ctx: Context, left: Relation, right: Relation) -> Steps[Relation]:
    """Give every left row the columns of row 0 of `right`, the only one that may be there.

    Returns:
        The left rows in their order, none of them there if row 0 of `right` isn't. A product of
        sum columns is zero in rows that are not there only if it has a factor from `left`.

    Cost: one AND of a plane of the left rows. Security: semi-honest; leakage none.
    """
    there = yield from and_bits(ctx, left.valid, repeated(right.valid, left.n))
    columns = {
        name: replace(column, planes=repeated(column.planes, left.n))
        for name, column in right.columns.items()
    }
    sums = {name: _spread(column, left.n) for name, column in right.sums.items()}
    return replace(
        left,
        valid=there,
        columns={**left.columns, **columns},
        sums={**left.sums, **sums},
        clean=False,
        sorted_by=None,
    )


def _spread(column: Arith, n: int) -> Arith:
    def row_zero(words: U64) -> U64:
        return np.full(n, words[0], dtype=np.uint64)

    return Arith(row_zero(column.own), row_zero(column.next))
