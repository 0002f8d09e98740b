"""A member's standing in a room: its keys, the signed contract, and how to reach the others."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from cleanroom.contract.document import COORDINATOR, Contract
from cleanroom.errors import NotAuthorised
from cleanroom.identity.identity import Identity
from cleanroom.transport.channel import Channel
from cleanroom.transport.tls import Pins, TlsIdentity


@dataclass(frozen=True)
class Membership:
    """Who this process is and whom it may speak to."""

    identity: Identity
    contract: Contract

    @classmethod
    def load(cls, identity: Path, contract: Path) -> Self:
        """Read both, and refuse an identity that the contract doesn't name.

        Raises:
            IdentityInvalid, ContractInvalid: naming the file or field.
            NotAuthorised: if the contract pins another identity of this name, or none.
        """
        membership = cls(Identity.load(identity), Contract.load(contract))
        membership.check()
        return membership

    def check(self) -> None:
        """Return if the contract holds and names this identity."""
        self.contract.check()
        if self.contract.identities.get(self.name) != self.identity.public:
            raise NotAuthorised("the contract doesn't name this identity", party=self.name)

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def is_computing(self) -> bool:
        return self.name in self.contract.terms.computing

    @cached_property
    def tls(self) -> TlsIdentity:
        return TlsIdentity(self.name, self.identity.tls_key, self.identity.certificate)

    @cached_property
    def pins(self) -> Pins:
        identities = self.contract.identities
        return Pins({name: public.certificate for name, public in identities.items()})

    def address(self, member: str) -> str:
        """Return where a computing member or the coordinator listens."""
        terms = self.contract.terms
        if member == COORDINATOR:
            return terms.coordinator.address
        address = terms.members[member].address
        if address is None:
            raise NotAuthorised("doesn't listen: it isn't a computing member", party=member)
        return address

    def dial(self, member: str) -> Channel:
        """Return a channel to a computing member or the coordinator; close it after use."""
        return Channel(self.tls, self.pins, member, self.address(member))
