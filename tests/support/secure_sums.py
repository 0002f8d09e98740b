"""Members and a server of secure sums in one process, with real signatures."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocols.rounds import U64
from protocols.secagg.member import Member
from protocols.secagg.roster import Roster
from protocols.secagg.server import Opened, Server, Trips

CONTEXT = "contract|plan|session"


@dataclass
class Sums:
    """All sides. `words` is what each member answers, whatever it is asked."""

    roster: Roster
    words: dict[str, U64]
    members: dict[str, Member]
    server: Server
    trips: list[tuple[dict[str, bytes], dict[str, bytes]]] = field(default_factory=list)

    def ask(
        self, question: bytes = b"", gone: Mapping[int, Collection[str]] | None = None
    ) -> Opened:
        """Run a round; `gone` are those that don't reply from a trip on, counted from 0."""
        n_words = next(iter(self.words.values())).size
        return self.drive(self.server.round(question, n_words), gone or {})

    def drive(self, trips: Trips, gone: Mapping[int, Collection[str]]) -> Opened:
        self.trips = []
        absent: set[str] = set()
        try:
            sent = next(trips)
            while True:
                absent |= set(gone.get(len(self.trips), ()))
                replies = {n: self.reply(n, m) for n, m in sent.items() if n not in absent}
                self.trips.append((dict(sent), replies))
                sent = trips.send(replies)
        except StopIteration as end:
            opened: Opened = end.value
            return opened

    def reply(self, name: str, message: bytes) -> bytes:
        return self.members[name].reply(message, lambda question: self.words[name])

    def expected(self, names: Collection[str]) -> U64:
        return np.sum([self.words[name] for name in names], axis=0, dtype=np.uint64)


def sums(n: int, threshold: int, n_words: int, seed: int = 1, context: str = CONTEXT) -> Sums:
    """Make n members and a server."""
    names = [f"m{i:03d}" for i in range(n)]
    roster = Roster(tuple(names), threshold, "recipient", context)
    rng = np.random.default_rng(seed)
    words = {name: rng.integers(0, 1 << 64, n_words, dtype=np.uint64) for name in names}
    signing = {name: Ed25519PrivateKey.from_private_bytes(_bytes("sign", name)) for name in names}
    verify = verifier(signing)
    shared = {pair: _bytes("pair", *pair) for pair in combinations(names, 2)}
    members = {
        name: Member(
            roster,
            name,
            {o: shared[min(name, o), max(name, o)] for o in names if o != name},
            signing[name].sign,
            verify,
            _bytes("coins", name, context),
        )
        for name in names
    }
    return Sums(roster, words, members, Server(roster, verify))


def verifier(signing: Mapping[str, Ed25519PrivateKey]) -> Callable[[str, bytes, bytes], bool]:
    public = {name: key.public_key() for name, key in signing.items()}

    def verify(name: str, statement: bytes, signature: bytes) -> bool:
        try:
            public[name].verify(signature, statement)
        except InvalidSignature:
            return False
        return True

    return verify


def _bytes(*parts: str) -> bytes:
    return hashlib.sha256("|".join(parts).encode()).digest()
