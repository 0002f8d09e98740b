"""What a member prepares for one round, so that the others can finish the round without it.

A member has two secrets a round. Its self mask hides what it sends until t others agree that it
stayed. Its recovery key opens, of this round alone, the secrets that it shares with each other
member; it is opened if t others agree that the member dropped out. Both are dealt as Shamir shares,
sealed for each member; the pairs' secrets go to the server encrypted under the recovery key.

Rule: a deal follows from the member's own coins, roster and round, so to be asked for it twice
tells nothing new.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocols.randomness import KEY_BYTES, stream
from protocols.secagg import shamir
from protocols.secagg.keys import derived
from protocols.secagg.messages import Malformed
from protocols.secagg.roster import Roster

SEALED_BYTES = 2 * shamir.SHARE_BYTES + 16


@dataclass(frozen=True, slots=True)
class Deal:
    """One member's deal for one round, as the server holds it.

    Raises:
        Malformed: if its length is wrong.
    """

    roster: Roster
    dealer: str
    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.raw) != deal_bytes(self.roster):
            raise Malformed("a deal of another length")

    @property
    def marks(self) -> tuple[bytes, bytes]:
        """Digests by which self mask and recovery key are known when recovered."""
        return self.raw[:KEY_BYTES], self.raw[KEY_BYTES : 2 * KEY_BYTES]

    def sealed(self, member: str) -> bytes:
        """Return a member's shares, which it alone can open."""
        start = len(self.raw) - SEALED_BYTES * (
            len(self.roster.members) - self.roster.place(member)
        )
        return self.raw[start : start + SEALED_BYTES]

    def pair_secrets(self, recovery: bytes) -> dict[str, bytes]:
        """Return what the dealer shares with each other member in this round."""
        others = self.roster.others(self.dealer)
        end = 2 * KEY_BYTES + KEY_BYTES * len(others)
        secrets = _wrapped(recovery, self.raw[2 * KEY_BYTES : end])
        return {name: secrets[KEY_BYTES * i : KEY_BYTES * (i + 1)] for i, name in enumerate(others)}


def deal_bytes(roster: Roster) -> int:
    """Return the length of a deal: 112 bytes for each member, and 32."""
    n = len(roster.members)
    return 2 * KEY_BYTES + (n - 1) * KEY_BYTES + n * SEALED_BYTES


def mark(use: str, secret: bytes, roster: Roster, round_: int) -> bytes:
    """Return what tells the server that it recovered the right secret, and nothing before."""
    return derived(secret, f"{use} mark", roster, round_)


def _wrapped(recovery: bytes, secrets: bytes) -> bytes:
    """Encrypt or decrypt pairs' secrets under the recovery key of one member and round."""
    pad = stream(recovery, "secagg wrapped", len(secrets) // 8)
    return (np.frombuffer(secrets, dtype=np.uint64) ^ pad).tobytes()


@dataclass(frozen=True, slots=True)
class Dealer:
    """A member's deals of all rounds, and its keys for sealed shares, to it and from it.

    Attributes:
        coins: 32 random bytes of this session.
        secrets: other member -> 32 bytes that the two share in this session.
    """

    roster: Roster
    me: str
    coins: bytes = field(repr=False)
    secrets: Mapping[str, bytes] = field(repr=False)
    _seals: dict[tuple[str, bool], AESGCM] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        mine = self.roster.place(self.me)
        own = derived(self.coins, "own seal", self.roster)
        for name in self.roster.members:
            secret, theirs = self.secrets.get(name, own), self.roster.place(name)
            to, since = (mine, theirs), (theirs, mine)
            self._seals[name, True] = AESGCM(derived(secret, "seal", self.roster, *to))
            self._seals[name, False] = AESGCM(derived(secret, "seal", self.roster, *since))

    def self_secret(self, round_: int) -> bytes:
        """Return the secret of this member's own mask."""
        return self._coefficients("self", round_)[0].to_bytes(KEY_BYTES, "little")

    def deal(self, round_: int, pair_secrets: Mapping[str, bytes]) -> bytes:
        """Return this member's deal for a round.

        Args:
            pair_secrets: other member -> the pair's secret of that round.

        Cost: 2 n t small products, n seals; 112 n + 32 bytes.
        Source: Shamir shares of both secrets as in Bonawitz et al., CCS 2017. There the key of a
            member's exchange is shared, which serves one round; here one key a round, which opens
            the pairs' secrets of that round, so that a session needs one exchange.
        """
        roster = self.roster
        n = len(roster.members)
        own, recovery = (self._coefficients(use, round_) for use in ("self", "recovery"))
        keys = [secret[0].to_bytes(KEY_BYTES, "little") for secret in (own, recovery)]
        marks = [
            mark(use, key, roster, round_)
            for use, key in zip(("self", "recovery"), keys, strict=True)
        ]
        ordered = [pair_secrets[name] for name in roster.others(self.me)]
        shares = zip(roster.members, shamir.split(own, n), shamir.split(recovery, n), strict=True)
        sealed = [
            self._seals[name, True].encrypt(_nonce(round_), _number(one) + _number(other), None)
            for name, one, other in shares
        ]
        return b"".join([*marks, _wrapped(keys[1], b"".join(ordered)), *sealed])

    def shares(self, dealer: str, round_: int, sealed: bytes) -> tuple[bytes, bytes]:
        """Return this member's shares of the dealer's self mask and of its recovery key.

        Raises:
            Malformed: if the dealer didn't seal this for this member and round.
        """
        try:
            both = self._seals[dealer, False].decrypt(_nonce(round_), sealed, None)
        except InvalidTag:
            raise Malformed("a share is not the dealer's") from None
        return both[: shamir.SHARE_BYTES], both[shamir.SHARE_BYTES :]

    def _coefficients(self, use: str, round_: int) -> list[int]:
        """Return a polynomial whose value at 0 is this round's secret; 2^-248 from uniform."""
        key = derived(self.coins, f"{use} polynomial", self.roster, round_)
        words = stream(key, "secagg polynomial", 4 * self.roster.threshold).tobytes()
        return [
            int.from_bytes(words[at : at + KEY_BYTES], "little") % shamir.PRIME
            for at in range(0, len(words), KEY_BYTES)
        ]


def _nonce(round_: int) -> bytes:
    """Return a round's nonce: the key seals one plaintext a round, always the same."""
    return round_.to_bytes(12, "little")


def _number(share: int) -> bytes:
    return share.to_bytes(shamir.SHARE_BYTES, "little")
