"""Moving rows to secret positions, and back."""

from dataclasses import dataclass, replace

import numpy as np

from protocols.context import Context
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.multiply import multiply
from protocols.rep3.packed import Order, inverse
from protocols.rep3.reveal import reveal, reveal_bits
from protocols.rep3.rows import Rows, no_sums
from protocols.rep3.share import Arith, Bits, concat_planes, stack
from protocols.rep3.shuffle import Shuffling, reshuffle, shuffle, shuffle_packed, unshuffle
from protocols.rep3.slices import from_planes
from protocols.rounds import U64, Party, ProtocolError, Steps


class NotAPermutation(ProtocolError):
    """Destinations of which two are the same, or one isn't a row's place."""


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """A secret permutation that can be repeated and undone on other columns.

    Attributes:
        shuffling: a shuffle made for this placement alone, and the order that was opened after it.
        opened: public and uniformly random: where the j-th shuffled row goes.
        backwards: the placement is the inverse of that.
    """

    shuffling: Shuffling
    opened: Order
    backwards: bool = False

    @property
    def inverse(self) -> "Placement":
        return replace(self, backwards=not self.backwards)


def place(ctx: Context, rows: Rows, destination: Arith) -> Steps[tuple[Rows, Placement]]:
    """Move row r to position destination[r].

    Args:
        destination: shape (n,), a secret permutation of 0 .. n - 1.

    Raises:
        NotAPermutation: if it isn't one, but only after it has been opened in a
            random order: that it is one must follow from how it was computed.
        PeerMisbehaved: as `reveal`.

    Cost: 3 rounds: a `shuffle` of the rows and one more integer column, and a `reveal` of n.
    Security: semi-honest, honest majority; no leakage: what is opened is a uniformly random
        permutation, whatever the destinations.
    """
    with_destination = Rows(rows.n, rows.bits, stack([rows.sums, destination]))
    shuffled, shuffling = yield from shuffle_packed(ctx.at("shuffle"), with_destination)
    opened = _permutation((yield from reveal(ctx.at("open"), shuffled.sums[-1])))
    order = inverse(opened)
    moved = shuffled.without_last_sum().move(order)
    return moved.rows(), Placement(shuffling.then(ctx.me, order), opened)


def placement_of(ctx: Context, destination: Bits, n: int) -> Steps[Placement]:
    """Prepare to move row r to the position that planes (k, words_for(n)) give for it.

    Cost: 3 rounds: a `shuffle` of the planes and a `reveal_bits` of them. Security: as `place`.
    """
    rows = Rows(n, destination, no_sums(n))
    shuffled, shuffling = yield from shuffle(ctx.at("shuffle"), rows)
    planes = yield from reveal_bits(ctx.at("open"), shuffled.bits)
    opened = _permutation(from_planes(planes, n))
    return Placement(shuffling.then(ctx.me, inverse(opened)), opened)


def place_by_bits(ctx: Context, rows: Rows, destination: Bits) -> Steps[Rows]:
    """Move row r to the position that planes (k, words_for(n)) give for it.

    Cost: 3 rounds: a `shuffle` of the rows and the planes, and a `reveal_bits` of them.
    Security: as `place`.
    """
    k = rows.bits.shape[0]
    together = Rows(rows.n, concat_planes([rows.bits, destination]), rows.sums)
    shuffled, _ = yield from shuffle_packed(ctx.at("shuffle"), together)
    planes = yield from reveal_bits(ctx.at("open"), shuffled.rows().bits[k:])
    order = inverse(_permutation(from_planes(planes, rows.n)))
    moved = shuffled.move(order).rows()
    return Rows(rows.n, moved.bits[:k], moved.sums)


def place_again(ctx: Context, rows: Rows, placement: Placement) -> Steps[Rows]:
    """Move other columns as `placement` says.

    Cost: 2 rounds, those of a `shuffle` of these columns.
    Security: semi-honest, honest majority; no leakage.
    """
    again = unshuffle if placement.backwards else reshuffle
    return (yield from again(ctx, rows, placement.shuffling))


def unplace(ctx: Context, rows: Rows, placement: Placement) -> Steps[Rows]:
    """Move columns back to where they were before: row r comes from position destination[r].

    Cost and security: as `place_again`.
    """
    return (yield from place_again(ctx, rows, placement.inverse))


def compact(ctx: Context, rows: Rows, keep: Bits) -> Steps[tuple[Rows, Placement]]:
    """Move the rows to keep to the front, both groups in the order they had.

    Args:
        keep: one plane, (1, words_for(n)); bits past row n are ignored.

    Cost: 6 rounds; 16n bytes by each party and a `place`.
    Security: semi-honest, honest majority; no leakage, not even how many are kept.
    """
    kept = (yield from bits_to_arith(ctx.at("kept"), keep, rows.n))[0]
    if_dropped, more_if_kept = compacted(ctx.me, kept)
    step = yield from multiply(ctx.at("choose"), kept, more_if_kept)
    return (yield from place(ctx.at("place"), rows, if_dropped + step))


def to_front(
    ctx: Context, planes: Bits, totals: Arith, kept: Bits
) -> Steps[tuple[Rows, Placement]]:
    """Move rows to keep to the front; in all others `totals`, (m, n), become those of the last row.

    So, if the totals of the last row to keep are these too, differences of neighbours are zero
    in all rows that follow it.

    Cost: 6 rounds; with m columns 8 (2 + m) n bytes by each party, and a `place`.
    """
    m, n = totals.shape
    flag = (yield from bits_to_arith(ctx.at("flag"), kept, n))[0]
    if_dropped, more_if_kept = compacted(ctx.me, flag)
    last = totals[:, -1:]
    if_kept = stack([more_if_kept, _minus(totals, last)])
    step = yield from multiply(ctx.at("choose"), repeat_rows(flag, m + 1), if_kept)
    values = _minus(step[1:], last.scale(-1))
    rows = Rows(n, planes, values)
    return (yield from place(ctx.at("place"), rows, if_dropped + step[0]))


def _minus(columns: Arith, one: Arith) -> Arith:
    """Take one element, (m, 1), from all of its column."""
    return Arith(columns.own - one.own, columns.next - one.next)


def repeat_rows(column: Arith, m: int) -> Arith:
    """Return m times the same column."""
    shape = (m, *column.shape)
    return Arith(np.broadcast_to(column.own, shape), np.broadcast_to(column.next, shape))


def compacted(me: Party, kept: Arith) -> tuple[Arith, Arith]:
    """Return where each row goes when rows with kept = 1 move to the front, others behind them.

    Args:
        kept: shape (n,), each 0 or 1.

    Returns:
        a and b: row r goes to position a[r] + kept[r] b[r].
    """
    before = Arith(_sums_before(kept.own), _sums_before(kept.next))
    total = before[-1:] + kept[-1:]
    here = np.arange(kept.shape[0], dtype=np.uint64)
    if_dropped = (total - before).shift(me, here)
    return if_dropped, before - if_dropped


def _sums_before(column: U64) -> U64:
    total: U64 = np.cumsum(column, dtype=np.uint64)
    total -= column
    return total


def _permutation(opened: U64) -> Order:
    """Return opened destinations as an index, refused unless each position occurs once."""
    n = opened.size
    seen = np.zeros(n, dtype=np.bool_)
    if np.all(opened < n):
        seen[opened] = True
    if not seen.all():
        raise NotAPermutation("opened destinations are not a permutation")
    return opened.astype(np.intp)
