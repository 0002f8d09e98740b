"""A key for a file that is too large for the state: the state keeps the key, the file is apart."""

from collections.abc import Callable
from dataclasses import dataclass

from cleanroom.storage.secret import Secret
from cleanroom.storage.state import State

_TABLE = "keys of files"


@dataclass(frozen=True, slots=True)
class KeptKey:
    """The key of one file; it is made when it is first asked for.

    Attributes:
        state: opens the state. name: of the file, within it.
        about: the contract's tables that the file tells of; erasing one destroys the key.
    """

    state: Callable[[], State]
    name: str
    about: tuple[str, ...] = ()

    def secret(self) -> Secret:
        """Return the key.

        Raises:
            TableErased, StateUnavailable: if it can't be kept.
        """
        with self.state() as state, state.writing() as batch:
            raw = batch.get(_TABLE, self.name)
            secret = Secret.new() if raw is None else Secret(raw)
            if raw is None:
                batch.put(_TABLE, self.name, secret.exposed(), about=self.about)
        return secret

    def destroy(self) -> None:
        """Destroy the key, and so the file."""
        with self.state() as state, state.writing() as batch:
            batch.delete(_TABLE, self.name)
