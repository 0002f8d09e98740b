"""The oblivious shuffle: rows in an order that no party knows, and back.

Each pair of parties knows one permutation; the shuffle applies all three, so to each party one
of them is unknown and uniform. P0 knows the first and the last of them.
"""

from dataclasses import dataclass, replace

import numpy as np

from protocols.context import Context
from protocols.rep3.packed import Layout, Order, Packed, inverse
from protocols.rep3.rows import Rows
from protocols.rounds import U64, Party, ProtocolError, Round, Steps, expect

_SPARE = 16  # words for numbers drawn again: one in 2^43 / n rows


@dataclass(frozen=True, slots=True, eq=False)
class Shuffling:
    """What one party knows of a shuffle: its permutation with each neighbour."""

    n: int
    with_prev: Order
    with_next: Order

    def __repr__(self) -> str:
        return f"Shuffling(n={self.n})"

    def then(self, me: Party, order: Order) -> "Shuffling":
        """Return the shuffle that also puts its result into a public order.

        P0 and P2, who know the last permutation, take it in there: it costs nothing more.
        """
        if me is Party.P0:
            return replace(self, with_prev=self.with_prev.take(order))
        return replace(self, with_next=self.with_next.take(order)) if me is Party.P2 else self


def shuffle(ctx: Context, rows: Rows) -> Steps[tuple[Rows, Shuffling]]:
    """Put rows into a uniformly random order unknown to every party.

    Returns:
        the rows under fresh shares, bits past row n zero; and what repeats or undoes the
        shuffle on other columns.

    Cost: 2 rounds; with S = 8 (ceil(n ceil(k / 8) / 8) + m n) bytes for k bit and m integer
        columns, P0 sends 2S, P1 and P2 S each.
    Security: semi-honest, honest majority; no leakage.
    """
    packed, shuffling = yield from shuffle_packed(ctx, rows)
    return packed.rows(), shuffling


def shuffle_packed(ctx: Context, rows: Rows) -> Steps[tuple[Packed, Shuffling]]:
    """Shuffle, and leave the rows packed, for who moves them on at once."""
    shuffling = _draw(ctx.at("permutation"), rows.n)
    return (yield from _move(ctx, rows, shuffling, Party.P1, Party.P2)), shuffling


def reshuffle(ctx: Context, rows: Rows, shuffling: Shuffling) -> Steps[Rows]:
    """Shuffle other columns in the same way. Cost and security: as `shuffle`."""
    packed = yield from _move(ctx, rows, shuffling, Party.P1, Party.P2)
    return packed.rows()


def unshuffle(ctx: Context, rows: Rows, shuffling: Shuffling) -> Steps[Rows]:
    """Undo a shuffle, on any columns that are in its order. Cost and security: as `shuffle`."""
    back = Shuffling(shuffling.n, inverse(shuffling.with_prev), inverse(shuffling.with_next))
    packed = yield from _move(ctx, rows, back, Party.P2, Party.P1)
    return packed.rows()


def _move(ctx: Context, rows: Rows, known: Shuffling, second: Party, third: Party) -> Steps[Packed]:
    """Apply the permutation of P0 and `second`, of `second` and `third`, of `third` and P0.

    x = (x_0 + x_1) + x_2, of which P0 has the first term and both others have x_2.
    """
    if known.n != rows.n:
        raise ValueError(f"a shuffle of {known.n} rows doesn't fit {rows.n}")
    layout = Layout.of(rows)
    if ctx.me is Party.P0:
        halves = yield from _as_first(ctx, layout, rows, known, second, third)
    elif ctx.me is second:
        halves = yield from _as_second(ctx, layout, rows, known, third)
    else:
        halves = yield from _as_third(ctx, layout, known, second)
    by_peer = dict(halves)
    return Packed(layout, by_peer[ctx.me.prev], by_peer[ctx.me.next])


Halves = tuple[tuple[Party, U64], tuple[Party, U64]]  # each half with the peer that holds it too


def _as_first(
    ctx: Context, layout: Layout, rows: Rows, known: Shuffling, second: Party, third: Party
) -> Steps[Halves]:
    masked, last, n = ctx.at("masked").gate, ctx.at("last").gate, layout.words
    both = layout.pack(rows.bits.own ^ rows.bits.next, rows.sums.own + rows.sums.next)
    moved = layout.move(both, _order(ctx, known, second))
    del both, rows
    sent = layout.add(moved, _common(ctx.at("mask"), second, n), out=moved)
    inbox = yield Round({(third, masked): sent}, frozenset({(second, masked)}))
    moved = layout.move(expect(inbox, (second, masked), n), _order(ctx, known, third))
    del inbox, sent
    fresh = _common(ctx.at("fresh"), second, n)
    rest = layout.subtract(moved, fresh, out=moved)
    inbox = yield Round({(third, last): rest}, frozenset({(third, last)}))
    total = layout.add(rest, expect(inbox, (third, last), n))
    return (second, fresh), (third, total)


def _as_second(
    ctx: Context, layout: Layout, rows: Rows, known: Shuffling, third: Party
) -> Steps[Halves]:
    masked, n = ctx.at("masked").gate, layout.words
    if third is ctx.me.next:
        x2 = layout.pack(rows.bits.next, rows.sums.next)
    else:
        x2 = layout.pack(rows.bits.own, rows.sums.own)
    moved = layout.move(x2, _order(ctx, known, Party.P0))
    del x2, rows
    layout.subtract(moved, _common(ctx.at("mask"), Party.P0, n), out=moved)
    moved = layout.move(moved, _order(ctx, known, third))
    layout.add(moved, _common(ctx.at("mask"), third, n), out=moved)
    yield Round({(Party.P0, masked): moved})
    del moved
    yield Round()
    fresh = ctx.at("fresh")
    return (Party.P0, _common(fresh, Party.P0, n)), (third, _common(fresh, third, n))


def _as_third(ctx: Context, layout: Layout, known: Shuffling, second: Party) -> Steps[Halves]:
    masked, last, n = ctx.at("masked").gate, ctx.at("last").gate, layout.words
    inbox = yield Round(await_from=frozenset({(Party.P0, masked)}))
    moved = layout.move(expect(inbox, (Party.P0, masked), n), _order(ctx, known, second))
    layout.subtract(moved, _common(ctx.at("mask"), second, n), out=moved)
    moved = layout.move(moved, _order(ctx, known, Party.P0))
    fresh = _common(ctx.at("fresh"), second, n)
    rest = layout.subtract(moved, fresh, out=moved)
    inbox = yield Round({(Party.P0, last): rest}, frozenset({(Party.P0, last)}))
    total = layout.add(rest, expect(inbox, (Party.P0, last), n))
    return (second, fresh), (Party.P0, total)


def _common(ctx: Context, peer: Party, n: int) -> U64:
    """Return n random words that this party and one peer know."""
    if peer is ctx.me.next:
        return ctx.prss.with_next(ctx.gate, n)
    return ctx.prss.with_prev(ctx.gate, n)


def _order(ctx: Context, known: Shuffling, peer: Party) -> Order:
    return known.with_next if peer is ctx.me.next else known.with_prev


def _draw(ctx: Context, n: int) -> Shuffling:
    return Shuffling(n, _permutation(ctx, ctx.me.prev, n), _permutation(ctx, ctx.me.next, n))


def _permutation(ctx: Context, peer: Party, n: int) -> Order:
    """Return a uniformly random order that this party and one peer know."""
    from protocols.rep3 import shuffle_kernels as kernels

    order = np.empty(n, dtype=np.intp)
    if not kernels.draw_order(_common(ctx.at("digits"), peer, n + _SPARE), order):
        raise ProtocolError("a permutation used up its random words")
    return order
