"""A member in a room, however much it may ask there."""

from cleanroom.contract.document import Contract
from cleanroom.errors import PeerUnavailable
from cleanroom.recipient.client import Client


class Standing:
    """What every part of a `Room` stands on: the client, once the room is open."""

    def __init__(self, client: Client | None) -> None:
        self._opened = client

    @property
    def _client(self) -> Client:
        if self._opened is None:
            raise PeerUnavailable("the room is not open", remedy="Use it in a 'with' block.")
        return self._opened

    @property
    def contract(self) -> Contract:
        """The contract that all members signed."""
        return self._client.contract
