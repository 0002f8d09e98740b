"""Linking persons: first by a ladder of keys, then, of what is left over, by similarity."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from protocols.context import Context
from protocols.rep3.ladder import Linked, ladder
from protocols.rep3.relation import Column, Relation, union
from protocols.rep3.scoring import Scoring
from protocols.rep3.share import Bits
from protocols.rep3.similar import link_similar
from protocols.rep3.similar_in_blocks import link_in_blocks
from protocols.rounds import U64, Steps


def link(
    ctx: Context,
    left: Relation,
    right: Relation,
    keys: Sequence[str],
    scoring: Scoring | None = None,
    ranks: Sequence[str] = (),
) -> Steps[Linked]:
    """Link rows of two relations one to one.

    Args:
        left, right: with a bits column "id", the keys, and the columns of the scoring's fields.
        keys, ranks: as for `ladder`; scoring: as for `link_similar`, or for `link_in_blocks` if
            it has blocks: the last rung.

    Returns:
        as `ladder`; with a scoring pairs have `scoring.max_left` rows more, rounded up to a
        multiple of 64, or `left.n` more with blocks, and those that are there are not in front.

    Raises:
        ValueError, BoundExceeded: as `ladder`, `link_similar` and `link_in_blocks`.

    Cost and security: those of `ladder` and of `link_similar` or `link_in_blocks`.
    """
    by_keys = yield from ladder(ctx.at("ladder"), left, right, keys, ranks)
    if scoring is None:
        return by_keys
    rung = len(keys) + 1
    sides, here = (by_keys.left, by_keys.right), ctx.at("similar")
    if scoring.blocks is None:
        rest = yield from link_similar(here, *sides, scoring, rung)
    else:
        rest = yield from link_in_blocks(here, *sides, scoring, scoring.blocks, rung)
    pairs = union(_wide(by_keys.pairs, rung.bit_length()), rest.pairs)
    return replace(rest, pairs=pairs)


def _wide(pairs: Relation, bits: int) -> Relation:
    """Give the numbers of rungs so many bits."""
    rung = pairs.columns["rung"].planes
    more = (bits - rung.shape[0], 0), (0, 0)

    def padded(planes: U64) -> U64:
        return np.pad(planes, more)

    wide = Column(Bits(padded(rung.own), padded(rung.next)), False)
    return replace(pairs, columns={**pairs.columns, "rung": wide})
