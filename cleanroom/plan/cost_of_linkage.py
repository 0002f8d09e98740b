"""What a linkage costs between its leaves and its pairs: as measured, from bounds alone."""

from cleanroom.plan.cost_of_rows import bits_of, merged, sorted_anew, width_of
from cleanroom.plan.linking import BLOCK, BLOCK_ORDER, Linkage, Similar
from cleanroom.plan.schema import Schema, schema_of
from protocols.rep3.near_scores import TILE


def of_linkage(node: Linkage, left: int, right: int) -> tuple[int, int, int]:
    """Return its rows, and bits and rounds beside those of its sides' shares.

    By all keys rows are merged at once, then rungs follow each other.

    Args:
        left, right: padded rows of the sides.
    """
    n, r = left + right, len(node.keys)
    keys = 2 + schema_of(node.left).bits_column(node.keys[0]).bits
    bits, rounds = merged(n, keys, keys + 2 * n.bit_length())
    rows, bits, rounds = left, r * (bits + 1200 * n), rounds + 29 + 17 * r
    if node.similar is not None:
        rows, further, more = _similar(node.similar, rows, n, schema_of(node.left))
        bits, rounds = bits + further, rounds + more
    return rows, bits, rounds


def _similar(similar: Similar, rows: int, n: int, side: Schema) -> tuple[int, int, int]:
    """Return rows, and further bits and rounds, of pairs that are compared after the rungs."""
    most, fields = 64 * -(-similar.max_left // 64), len(similar.likenesses)
    if similar.window is None:
        return rows + most, 64 * most * most * fields + 4 * n * width_of(side), 60
    keys = bits_of(side, (BLOCK, BLOCK_ORDER))
    sort, depth = sorted_anew(n, keys, width_of(side))
    pairs = similar.window * min(n, 2 * most)
    tiles = -(-pairs // TILE)
    bits = sort + 64 * pairs * fields + 20 * min(n, 2 * most) * width_of(side)
    return 2 * rows, bits, depth + 80 + 16 * tiles
