"""Contributors of a homomorphic query: their pairwise secrets, and a coordinator that adds up."""

import hashlib
from collections.abc import Mapping, Sequence

from protocols.he.bfv import Sum
from protocols.he.parameters import Parameters


def pair_secrets(names: Sequence[str], seed: str = "") -> dict[str, dict[str, bytes]]:
    """Return, for each name, the secret that it shares with each other name."""

    def secret(one: str, other: str) -> bytes:
        return hashlib.sha256(f"{seed}|{min(one, other)}|{max(one, other)}".encode()).digest()

    return {me: {other: secret(me, other) for other in names if other != me} for me in names}


def summed(parts: Mapping[str, Sequence[bytes]], parameters: Parameters) -> list[bytes]:
    """Return the sums, place by place, as a coordinator makes them."""
    sums = []
    for place in zip(*parts.values(), strict=True):
        total = Sum(parameters)
        for one in place:
            total.add(one)
        sums.append(total.result())
    return sums
