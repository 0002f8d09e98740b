"""What the owners of a session have in common, unless it runs on shares: who, with which keys.

Rule: derived from signed statements alone. Whoever was shown another request, key or peer derives
another binding, and then nothing decrypts to a result.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cleanroom.contract import canonical
from cleanroom.contract.document import Contract
from cleanroom.errors import PeerMisbehaved
from cleanroom.identity.exchange import Exchange
from cleanroom.plan.private import MAX_VALUES
from cleanroom.session.statements import Request, Ruling, Signed, read
from protocols.he.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Agreement:
    """Attributes: keys: contributor -> its public X25519 key of this session."""

    request: Request
    keys: Mapping[str, str]

    @classmethod
    def of(cls, request: Request, rulings: Sequence[Ruling]) -> "Agreement":
        """Put together what all members stated when they accepted the request.

        Raises:
            PeerMisbehaved: if the rulings aren't one of each member, for this request.
        """
        keys: dict[str, str] = {}
        for ruling in rulings:
            if ruling.party in keys or not _accepts(ruling, request) or ruling.exchange is None:
                raise PeerMisbehaved("its ruling is not for this request", party=ruling.party)
            keys[ruling.party] = ruling.exchange
        if keys.keys() != set(request.members):
            raise PeerMisbehaved("the rulings are not those of all contributors")
        if request.on_shares:
            raise ValueError("the session runs on shares")
        return cls(request, {name: keys[name] for name in request.members})

    @classmethod
    def read(cls, request: Request, rulings: Sequence[Signed], contract: Contract) -> "Agreement":
        """Put together signed rulings that somebody relayed.

        Raises:
            MessageInvalid, NotAuthorised, PeerMisbehaved: for whatever isn't one of these rulings.
        """
        stated = [read(signed, contract) for signed in rulings]
        return cls.of(request, [ruling for ruling in stated if isinstance(ruling, Ruling)])

    @property
    def contributors(self) -> tuple[str, ...]:
        return self.request.members

    @property
    def binding(self) -> str:
        """What every contribution is bound to: contract, plan, session, keys, contributors."""
        request = self.request
        agreed: list[canonical.Json] = [request.contract_hash, request.plan_hash, request.session]
        for about in (request.encryption, request.training):
            agreed.append(None if about is None else about.model_dump(mode="json"))
        agreed.append(dict(self.keys))
        return hashlib.sha256(canonical.compact(agreed)).hexdigest()

    def secrets(self, me: str, exchange: Exchange) -> dict[str, bytes]:
        """Return the secret that a contributor shares with each other one, for this session."""
        binding = self.binding
        return {
            name: exchange.secret(name, key, f"mask {binding}")
            for name, key in self.keys.items()
            if name != me
        }

    def sealed(self, seal: bytes, exchange: Exchange) -> list[bytes]:
        """Return the recipient's seal as each contributor gets it: under a pad used once."""
        purpose = f"seal {self.binding}"
        return [
            _xor(seal, exchange.secret(name, key, purpose)) for name, key in self.keys.items()
        ]

    def unsealed(self, sealed: bytes, exchange: Exchange) -> bytes:
        """Return the recipient's seal of what a contributor got."""
        purpose, recipient = f"seal {self.binding}", self.request.recipient
        if self.request.encryption is None:
            raise ValueError("the session has no seal")
        return _xor(sealed, exchange.secret(recipient, self.request.encryption.exchange, purpose))


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def _accepts(ruling: Ruling, request: Request) -> bool:
    subject = ruling.session, ruling.contract_hash, ruling.plan_hash
    asked = request.session, request.contract_hash, request.plan_hash
    return ruling.accepted and subject == asked


def most_handed_out(parameters: Parameters) -> int:
    """Return the most bytes that a recipient may hand out: a public key, or a whole question."""
    ciphertexts = MAX_VALUES // parameters.degree if parameters.flood_bits else 1
    return (parameters.max_bytes + 8) * ciphertexts
