"""Secure aggregation: all members and the server one after another on one core of this process."""

import hashlib
import importlib.util
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.encrypted.measured import Sides, measure
from benchmarks.machine import machine
from benchmarks.measure import Asked, Line, line, timed
from protocols.randomness import add_streams
from protocols.rounds import U64
from protocols.secagg import keys
from protocols.secagg.fixed_point import FixedPoint, Floats
from protocols.secagg.member import Member
from protocols.secagg.roster import Roster, safe_threshold
from protocols.secagg.server import Opened, Server

BOUND = 8.0
MANY = 100
_SEED = 20240229


@dataclass
class Session:
    """Members with their numbers, and the server, of a session of several rounds."""

    roster: Roster
    values: Mapping[str, Floats]
    members: Mapping[str, Member]
    server: Server
    trips: int = 0

    @property
    def fixed(self) -> FixedPoint:
        return FixedPoint(BOUND, len(self.members))

    def round(self, sides: Sides, gone: Mapping[int, Collection[str]]) -> Opened:
        """Run one round; from trip i on, those of `gone[i]` don't reply."""
        n_words = next(iter(self.values.values())).size
        trips = self.server.round(b"", n_words)
        absent: set[str] = set()
        self.trips = 0
        try:
            sent = next(trips)
            while True:
                sides.end("server")
                absent |= set(gone.get(self.trips, ()))
                replies = {}
                for name in sent.keys() - absent:
                    replies[name] = self._reply(name, sent[name])
                    sides.end(name, len(replies[name]))
                self.trips += 1
                sent = trips.send(replies)
        except StopIteration as end:
            opened: Opened = end.value
            sides.end("server")
            return opened

    def _reply(self, name: str, message: bytes) -> bytes:
        fixed = self.fixed
        return self.members[name].reply(message, lambda _: fixed.encode(self.values[name]))


def numbers(n: int, n_words: int) -> dict[str, Floats]:
    """Return what each of n members has, the same each time."""
    rng = np.random.default_rng(_SEED)
    return {f"m{i:03d}": rng.normal(size=n_words).clip(-BOUND, BOUND) for i in range(n)}


def session(values: Mapping[str, Floats], threshold: int) -> Session:
    """Return a session of members with these numbers, with other keys each time."""
    names = sorted(values)
    roster = Roster(tuple(names), threshold, "recipient", secrets.token_hex(32))
    signing = {name: Ed25519PrivateKey.generate() for name in names}
    public = {name: key.public_key() for name, key in signing.items()}

    def verify(name: str, statement: bytes, signature: bytes) -> bool:
        try:
            public[name].verify(signature, statement)
        except InvalidSignature:
            return False
        return True

    shared = {pair: hashlib.sha256(repr(pair).encode()).digest() for pair in combinations(names, 2)}
    members = {}
    for name in names:
        others = {o: shared[min(name, o), max(name, o)] for o in names if o != name}
        coins = secrets.token_bytes(32)
        members[name] = Member(roster, name, others, signing[name].sign, verify, coins)
    return Session(roster, values, members, Server(roster, verify))


def secagg(asked: Asked) -> Line:
    """Add up `rows` numbers of each of three members, all of whom stay: one round of a session."""
    three = session(numbers(3, asked.rows), 3)
    figures = _line(asked, three, lambda sides: three.round(sides, {}), three.roster.members)
    buffer = np.zeros(asked.rows, dtype=np.uint64)
    masks_s, _ = timed(lambda: _masks(three, buffer), asked.runs)
    return {**figures, "masks_seconds": masks_s, "flower_masks_seconds": _flower_masks_s(asked)}


def secagg_many(asked: Asked) -> Line:
    """The first round of a hundred members, of whom ten drop out, before each of its four trips."""
    return many(asked, MANY)


def many(asked: Asked, n: int) -> Line:
    """Run the first round of n members, of whom a tenth drops out."""
    values = numbers(n, asked.rows)
    sessions = [session(values, safe_threshold(n)) for _ in range(asked.runs + 1)]
    leaving = iter(sessions[0].roster.members)
    gone = {
        trip: list(islice(leaving, max(1, n * percent // 100)))
        for trip, percent in enumerate((2, 6, 1, 1))
    }
    stayed = [name for name in sessions[0].roster.members if name not in (*gone[0], *gone[1])]
    fresh, last = iter(sessions), sessions[-1]
    figures = _line(asked, last, lambda sides: next(fresh).round(sides, gone), stayed, len(gone[0]))
    return {**figures, "dropped": sum(map(len, gone.values()))}


def _line(
    asked: Asked,
    last: Session,
    run: Callable[[Sides], Opened],
    stayed: Sequence[str],
    absent: int = 0,
) -> Line:
    """Measure a round; `absent` are gone before anybody draws a mask."""
    words = [last.fixed.encode(last.values[name]) for name in stayed]
    plaintext_s, _ = timed(lambda: np.sum([last.values[n] for n in stayed], axis=0), asked.runs)
    runs = measure(run, asked.runs, stayed[-3:])
    (opened,) = runs.measured.results
    exact = np.array_equal(opened.words, np.sum(words, axis=0, dtype=np.uint64))
    limit_s = 8 * asked.rows * _streams(last, len(stayed), absent) / machine().aes
    measured = replace(runs.measured, rounds=last.trips)
    correct = exact and opened.survivors == tuple(stayed)
    server_s = runs.seconds["server"]
    sides = {"server": server_s, "members": sum(runs.seconds.values()) - server_s}
    return {
        **line(asked, measured, plaintext_s, limit_s, correct=correct),
        "members": len(last.members),
        "survivors": len(stayed),
        "seconds_by_side": sides,
        "bytes_a_word": measured.bytes_sent[0] / asked.rows,
    }


def _streams(last: Session, stayed: int, absent: int) -> int:
    """Return how many masks are drawn by all together."""
    if last.roster.all_stay:
        return stayed * (stayed - 1)
    asked = len(last.members) - absent
    return stayed * asked + stayed + stayed * (asked - stayed)


def _masks(last: Session, buffer: U64) -> None:
    """Draw the pairwise masks of all members, one after another."""
    for name, member in last.members.items():
        add_streams(buffer, keys.pair_masks(name, member.secrets, bytes(32)))


def _flower_masks_s(asked: Asked) -> float | None:
    """Return the seconds that Flower's SecAgg+ draws the same masks in, where it is installed."""
    if importlib.util.find_spec("flwr") is None:
        return None
    from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen

    seconds, _ = timed(
        lambda: [pseudo_rand_gen(bytes(32), 1 << 32, [(asked.rows,)]) for _ in range(6)], 1
    )
    return seconds


IN_PROCESS = {"secagg": secagg, "secagg_many": secagg_many}
SIZES = {"secagg": (71_000, 1_000_000), "secagg_many": (100_000,)}
