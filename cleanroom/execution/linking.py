"""A plan's linkage on shares: both sides as the ladder takes them, and its pairs as columns.

Rule: which operators run and how columns are named; nothing is computed here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cleanroom.errors import PeerMisbehaved
from cleanroom.plan.linking import ID, LEFT, RIGHT, RUNG, Linkage, rank_of
from cleanroom.plan.nodes import Node
from cleanroom.plan.plan import Plan, children, count_leaves
from protocols.context import Context
from protocols.rep3.linkage import link
from protocols.rep3.place import NotAPermutation
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import concat_planes, same_bit
from protocols.rounds import Party, Steps, parallel


def all_linked(
    ctx: Context, plan: Plan, leaves: Mapping[int, Relation]
) -> Steps[dict[Linkage, Relation]]:
    """Find the pairs of all linkages that a plan names, each once however often it is named."""
    first = {node: place for place, node in _placed(plan.root.input, 0)}
    if not first:
        return {}
    found = yield from parallel(
        *(
            linked(ctx.at(f"linkage{i}"), node, leaves[place], leaves[place + 1])
            for i, (node, place) in enumerate(first.items())
        )
    )
    return dict(zip(first, found, strict=True))


def _placed(node: Node, first: int) -> Iterator[tuple[int, Linkage]]:
    """Yield linkages with the place of their first leaf."""
    if isinstance(node, Linkage):
        yield first, node
    for child in children(node):
        yield from _placed(child, first)
        first += count_leaves(child)


def linked(ctx: Context, node: Linkage, left: Relation, right: Relation) -> Steps[Relation]:
    """Link the rows of two sides.

    Returns:
        The columns of the node; as many rows as `left`, and as many as may be left, or as `left`
        again where they are compared in blocks.

    Raises:
        PeerMisbehaved: if ranks that an owner shared are no order of its rows; who of the two it
            was isn't known.
    """
    widths = [side.columns[ID].planes.shape[0] for side in (left, right)]
    mine, theirs = (_widened(ctx.me, side, max(widths)) for side in (left, right))
    scoring = None if node.similar is None else node.similar.scoring
    ranks = tuple(rank_of(key) for key in node.keys)
    try:
        found = yield from link(ctx.at("link"), mine, theirs, node.keys, scoring, ranks)
    except NotAPermutation:
        owners = " or ".join(dict.fromkeys((node.left.member, node.right.member)))
        raise PeerMisbehaved("two of its rows have one rank", party=owners) from None
    columns = found.pairs.columns
    named = {
        name: replace(columns[name], planes=columns[name].planes[-width:])
        for name, width in zip((LEFT, RIGHT), widths, strict=True)
    }
    return replace(found.pairs, columns={**named, RUNG: columns[RUNG]})


def _widened(me: Party, side: Relation, bits: int) -> Relation:
    """Put zeros before the column that names persons, so that it has so many bits."""
    planes = side.columns[ID].planes
    zeros = [same_bit(me, 0, side.n)] * (bits - planes.shape[0])
    wide = Column(concat_planes([*zeros, planes]), False)
    return replace(side, columns={**side.columns, ID: wide})
