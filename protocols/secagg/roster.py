"""Who takes part in the sums of one session, how many must stay, and what all of it is bound to.

Rule: public facts that every member and the server hold alike.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from protocols.rounds import ProtocolError

LEAST_MEMBERS = 3
MOST_MEMBERS = 1000
_STATEMENT = b"cleanroom secure aggregation survivors v1\n"


class RosterRefused(ProtocolError):
    """These members can't form sums, or not with this threshold."""


def safe_threshold(n_members: int) -> int:
    """Return how many of n members must stay: more than two thirds, and 3.

    A lying server and c members that help it get a sum of fewer than `threshold` members, or both
    secrets of one member, only if two groups of `threshold` members can meet in those c alone:
    if 2 * threshold <= n + c. With more than 2n/3, that takes at least a third of all members.
    With 3 members all must stay; of 100, 33 may drop out.
    """
    return max(LEAST_MEMBERS, 2 * n_members // 3 + 1)


@dataclass(frozen=True, slots=True)
class Roster:
    """The members of one session's sums.

    Attributes:
        members: in any order; kept sorted.
        threshold: as many must stay in a round, or nothing is opened; with all members, nobody
            may drop out and a round is a single trip.
        server: who learns the sums. It may be a member too: then it counts as one that helps it.
        context: contract, plan and session; never used twice.

    Raises:
        RosterRefused: for fewer than 3 or more than 1000 members, one twice, or a threshold that
            isn't more than half of them.
    """

    members: tuple[str, ...]
    threshold: int
    server: str
    context: str
    digest: bytes = field(init=False, repr=False)
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        members = tuple(sorted(self.members))
        n = len(members)
        if not LEAST_MEMBERS <= n <= MOST_MEMBERS or len(set(members)) != n:
            raise RosterRefused(f"sums are over {LEAST_MEMBERS} to {MOST_MEMBERS} members")
        if not max(LEAST_MEMBERS, n // 2 + 1) <= self.threshold <= n:
            raise RosterRefused(f"a threshold of {self.threshold} of {n} members")
        parts = (str(self.threshold), self.server, self.context, *members)
        text = "".join(f"{len(part)}:{part}" for part in parts)
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "digest", hashlib.sha256(text.encode()).digest())
        object.__setattr__(self, "_places", {name: i for i, name in enumerate(members)})

    @property
    def all_stay(self) -> bool:
        return self.threshold == len(self.members)

    @property
    def flags_bytes(self) -> int:
        return -(-len(self.members) // 8)

    def place(self, member: str) -> int:
        """Return a member's number, from 0."""
        return self._places[member]

    def others(self, member: str) -> list[str]:
        return [name for name in self.members if name != member]

    def flags(self, some: Iterable[str]) -> bytes:
        """Return a set of members as one bit each."""
        bits = sum(1 << self._places[name] for name in set(some))
        return bits.to_bytes(self.flags_bytes, "little")

    def flagged(self, flags: bytes) -> tuple[str, ...]:
        """Return the members of a set, in order; empty if a bit stands for nobody."""
        bits = int.from_bytes(flags, "little")
        if bits >> len(self.members):
            return ()
        return tuple(name for i, name in enumerate(self.members) if bits >> i & 1)

    def asked(self, round_: int, participants: Iterable[str], question: bytes) -> bytes:
        """Return 32 bytes that stand for what was asked of whom; masks of another don't cancel."""
        number = round_.to_bytes(8, "little")
        head = self.digest + number + self.flags(participants)
        return hashlib.sha256(head + hashlib.sha256(question).digest()).digest()

    def statement(self, asked: bytes, survivors: Iterable[str]) -> bytes:
        """Return what each survivor signs before anybody helps to unmask."""
        return _STATEMENT + asked + self.flags(survivors)
