"""What the members of a session on ciphertexts have in common: who takes part, with which keys.

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
from cleanroom.statements import Request, Ruling, Signed, read


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
        """What every contribution is bound to: contract, plan, session, key, contributors."""
        request = self.request
        key_id = "" if request.encryption is None else request.encryption.key_id
        agreed = [request.contract_hash, request.plan_hash, request.session, key_id]
        keys: canonical.Json = dict(self.keys)
        return hashlib.sha256(canonical.compact([*agreed, keys])).hexdigest()

    def secrets(self, me: str, exchange: Exchange) -> dict[str, bytes]:
        """Return the secret that a contributor shares with each other one, for this session."""
        binding = self.binding
        return {
            name: exchange.secret(name, key, f"mask {binding}")
            for name, key in self.keys.items()
            if name != me
        }


def _accepts(ruling: Ruling, request: Request) -> bool:
    subject = ruling.session, ruling.contract_hash, ruling.plan_hash
    asked = request.session, request.contract_hash, request.plan_hash
    return ruling.accepted and subject == asked
