"""Masks that are left in a sum once members dropped out, recovered from survivors' shares.

Rule: what the server computes by itself after the last reply.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from protocols.randomness import KEY_BYTES, add_streams
from protocols.rounds import U64
from protocols.secagg import shamir
from protocols.secagg.deals import Deal, mark
from protocols.secagg.errors import Misbehaved
from protocols.secagg.keys import Masking, pair_check, pair_masks, self_mask
from protocols.secagg.roster import Roster

Shares = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is recovered in one round, and from what.

    Attributes:
        held: participant -> its deal for this round.
        checks: survivor -> a word for each participant (`checks`).
        helped: member -> its shares, one a participant, of at least as many as recover a secret.
    """

    roster: Roster
    round: int
    asked: bytes
    participants: Sequence[str]
    held: Mapping[str, Deal] = field(repr=False)
    checks: Mapping[str, U64] = field(repr=False)
    helped: Shares = field(repr=False)

    def take_off(self, total: U64) -> None:
        """Take all masks off a sum of survivors' words, in place.

        Raises:
            Misbehaved: if a share or a deal is wrong: names its sender if one more than the
                threshold helped, else all that helped.

        Cost: a mask a survivor; one for each pair of a survivor and one that dropped out.
        """
        add_streams(total, list(self._masks()))

    def _masks(self) -> Iterator[Masking]:
        helpers = list(self.helped)[: self.roster.threshold]
        factors = shamir.weights([self.roster.place(name) + 1 for name in helpers])
        for i, dealer in enumerate(self.participants):
            shares = [self.helped[name][i] for name in helpers]
            secret = _key(shamir.recover(factors, shares))
            if not self._right(dealer, secret):
                raise Misbehaved(self._liars(dealer, i, helpers), self.round, "a wrong share")
            if dealer in self.checks:
                yield self_mask(secret, self.asked, plus=False)
            else:
                yield from pair_masks(dealer, self._pairs_of(dealer, secret), self.asked)

    def _right(self, dealer: str, secret: bytes) -> bool:
        use, place = ("self", 0) if dealer in self.checks else ("recovery", 1)
        return mark(use, secret, self.roster, self.round) == self.held[dealer].marks[place]

    def _pairs_of(self, dealer: str, recovery: bytes) -> dict[str, bytes]:
        """Return what one that dropped out shares with survivors, as these confirm it."""
        opened = self.held[dealer].pair_secrets(recovery)
        place = self.participants.index(dealer)
        for name, told in self.checks.items():
            check = np.frombuffer(pair_check(opened[name], self.asked), dtype="<u8")
            if check[0] != told[place]:
                raise Misbehaved({dealer, name}, self.round, "a pair with two secrets")
        return {name: opened[name] for name in self.checks}

    def _liars(self, dealer: str, i: int, helpers: Sequence[str]) -> set[str]:
        """Find whose share of a participant's secret is wrong by leaving each one out."""
        spare = [name for name in self.helped if name not in helpers]
        for name in helpers if spare else ():
            tried = [other for other in helpers if other != name] + spare[:1]
            factors = shamir.weights([self.roster.place(other) + 1 for other in tried])
            shares = [self.helped[other][i] for other in tried]
            if self._right(dealer, _key(shamir.recover(factors, shares))):
                return {name}
        return {dealer, *self.helped}


def _key(secret: int) -> bytes:
    return secret.to_bytes(KEY_BYTES, "little")
