"""Public bounds: whether secret totals stay within them is the one thing that is opened."""

import numpy as np

from protocols.context import Context
from protocols.rep3.convert import sign
from protocols.rep3.reveal import reveal_bits
from protocols.rep3.share import Arith
from protocols.rounds import ProtocolError, Steps


class BoundExceeded(ProtocolError):
    """There are more rows than a public bound; only this fact was opened."""


def check_bound(ctx: Context, totals: Arith, bound: int, what: str) -> Steps[None]:
    """Open whether each of at most 64 totals, (n,), is over the bound, nothing else.

    Raises:
        BoundExceeded: if one is; `what` says of which rows there are too many.

    Cost: 8 rounds. Security: semi-honest, honest majority; leakage one bit a total.
    """
    room_left = totals.scale(-1).shift(ctx.me, np.full(totals.shape, bound, dtype=np.uint64))
    exceeded = yield from sign(ctx.at("sign"), room_left.reshape(1, -1))
    opened = yield from reveal_bits(ctx.at("open"), exceeded)
    if opened.any():
        raise BoundExceeded(f"more {what} than the bound")
